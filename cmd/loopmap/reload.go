package main

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"

	"loopmap/mapping"
	"loopmap/mapping/table"
)

// reloader keeps a running sync on the mapping file as it is. A file that cannot
// be read, parsed or fitted to the table changes nothing: the last good one stays.
type reloader struct {
	app     *app
	file    string
	url     string // of the database, which cannot change while it is open
	store   *table.Store
	log     *slog.Logger
	ssh     *sshHost      // whose screens are told; nil when there is none
	changed chan struct{} // tells who sends rows
	current atomic.Pointer[mapping.Mapping]
}

// watch takes changes of the file up until ctx ends.
func (r *reloader) watch(ctx context.Context) {
	(&fileWatch{file: r.file, running: func() string { return r.current.Load().Hash }, take: r.load, failed: func(err error) {
		r.log.Error("the mapping is not reloaded: the one before stays; it will be tried again", "file", r.file, "error", err)
		r.ssh.notReloaded(err)
	}}).run(ctx)
}

// load takes the file as it is for all deliveries that come from now on; those in
// hand finish with the mapping that they began with.
func (r *reloader) load(ctx context.Context) error {
	m, url, err := r.app.readMapping(r.file)
	if err != nil {
		return err
	}
	if m.Hash == r.current.Load().Hash {
		return nil
	}
	if url != r.url {
		return errors.New("it names another database: restart for that")
	}
	switch receives := r.current.Load().Receives(); {
	case !receives && m.Receives():
		return errors.New("it receives webhooks now: restart for that")
	case receives && !m.Receives():
		return errors.New("it receives nothing any more: restart for that")
	}
	if err := r.prepare(ctx, m); err != nil {
		return err
	}
	if !m.Receives() && !sends(m) {
		r.log.Warn("neither push.auto nor push.every is on any more: nothing is sent until one of them is", "file", r.file)
	}
	r.current.Store(m)
	wake(r.changed)
	r.log.Info("mapping reloaded", "file", r.file, "mapping", m.Hash)
	r.ssh.reloaded(m)
	if _, err := mapWaiting(ctx, r.store, m, r.log); err != nil {
		r.log.Error("what waits is not mapped by it yet; it will be tried again", "error", err) // by the keeper
	}
	return nil
}
