package main

import (
	"context"
	"slices"
	"sync"

	"loopmap/mapping"
	"loopmap/mapping/table"
	"loopmap/tui"
)

// syncProcess is what sync works with, whether it receives or only sends.
type syncProcess struct {
	*reloader
	watched *tail // nil where there is no terminal
	guests  *sshHost
}

// begin opens what sync works with and makes the table fit. end closes it.
func (a *app) begin(ctx context.Context, file, url string, m *mapping.Mapping, f syncFlags) (s *syncProcess, end func(), err error) {
	var ends []func()
	endAll := func() {
		for _, end := range slices.Backward(ends) {
			end()
		}
	}
	defer func() {
		if err != nil {
			endAll()
		}
	}()
	log, watched, written := a.busyLogger(f.bottom)
	ends = append(ends, written)
	guests, err := a.sshHost(file, f.shell, log)
	if err != nil {
		return nil, nil, err
	}
	ends = append(ends, guests.close)
	store, err := table.Open(ctx, table.Options{URL: url, Dir: folder(file), Write: true, Text: a.versions.text})
	if err != nil {
		return nil, nil, err
	}
	ends = append(ends, func() { store.Close() })
	live := &reloader{app: a, file: file, url: url, store: store, log: log, ssh: guests, changed: make(chan struct{}, 1)}
	if err := live.prepare(ctx, m); err != nil {
		return nil, nil, err
	}
	live.current.Store(m)
	return &syncProcess{live, watched, guests}, endAll, nil
}

// prepare makes the table fit for the mapping, and for who sends its rows.
func (r *reloader) prepare(ctx context.Context, m *mapping.Mapping) error {
	if err := prepare(ctx, r.store, m, r.log); err != nil {
		return err
	}
	return prepareOutbox(ctx, r.store, m, r.file, r.log)
}

// run does what goes on whether anything comes in or not, until end is called, which waits
// for it.
func (s *syncProcess) run(ctx context.Context) (end func()) {
	ctx, stop := context.WithCancel(ctx)
	var going sync.WaitGroup
	now, hash := s.app.now, s.current.Load().Hash
	going.Go(func() { s.watch(ctx) })
	going.Go(func() { s.guests.run(ctx) })
	going.Go(func() { (&outboxKeeper{store: s.store, mapping: s.current.Load, log: s.log}).run(ctx) })
	going.Go(func() {
		(&keeper{store: s.store, mapping: s.current.Load, mapped: hash, now: now, log: s.log, waiting: s.watched.waits}).run(ctx)
	})
	going.Go(func() {
		(&follower{app: s.app, file: s.file, store: s.store, mapping: s.current.Load, log: s.log, seen: s.watched.outcomes(),
			changed: s.changed}).run(ctx)
	})
	return func() {
		stop()
		going.Wait()
		s.log.Info("stopped")
	}
}

// sendOnly is sync of a mapping that receives nothing: it listens to nobody, and ends with
// ctx.
func (a *app) sendOnly(ctx context.Context, file, url string, m *mapping.Mapping, f syncFlags) error {
	if !sends(m) {
		return usage("%s has no receive, and neither push.auto nor push.every: there is nothing to do\n"+
			"hint: push.auto: true sends rows as they change, push.every: 1h all that differ; loopmap push sends them by hand", file)
	}
	if err := there(ctx, m, url, file); err != nil {
		return err
	}
	s, end, err := a.begin(ctx, file, url, m, f)
	if err != nil {
		return err
	}
	defer end()
	s.watched.onlySends()
	s.guests.receiving(tui.Listen{Problem: "this sync only sends: restart it once the mapping receives"})
	s.log.Info("the mapping only sends: nothing is received, so there is no address to listen on and no LOOPS_SIGNING_SECRET to set",
		"file", file, "mapping", m.Hash, "database", databaseName(url), "table", m.Table)
	stop := s.run(ctx)
	<-ctx.Done()
	stop()
	return nil
}
