package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/push"
	"loopmap/mapping/table"
)

// follower sends rows while sync runs, by the mapping as it is.
type follower struct {
	app     *app
	file    string
	store   *table.Store
	mapping func() *mapping.Mapping
	log     *slog.Logger
	seen    func(push.Outcome) // is told of each in the log's place; may be nil
	changed chan struct{}      // the mapping is another one, or the key
}

// sends reports whether sync sends rows by this mapping.
func sends(m *mapping.Mapping) bool { return m.Push != nil && (m.Push.Auto || m.Push.Every != "") }

// run sends until ctx ends. Without a key nothing is sent, and that is said.
func (f *follower) run(ctx context.Context) {
	pace := push.NewPace()
	pace.Quiet(push.Window) // the process before this one may have been killed while it sent
	pusher := &push.Pusher{Store: f.store, Pace: pace}
	var last *mapping.Mapping // that a plan was made for, and with which key
	var lastKey string
	var plan push.Plan
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() { f.watchKey(ctx) })
	(&push.Follower{Pusher: pusher, Outbox: f.store, Log: f.log, Seen: f.seen, Changed: f.changed,
		Plan: func(ctx context.Context) (push.Plan, error) {
			m := f.mapping()
			key, gone := f.key(m)
			if m == last && !gone && (key == lastKey || key == "") { // a key that cannot be read changes nothing
				return plan, nil
			}
			next, err := f.plan(ctx, m, pusher)
			if err == nil {
				last, lastKey, plan = m, key, next
			}
			return next, err
		}}).Run(ctx)
}

// watchKey tells who sends of each change of the API key that may change while sync runs:
// so one is replaced without a restart. One that --team names stays.
func (f *follower) watchKey(ctx context.Context) {
	if f.app.team != "" {
		return
	}
	if file, _ := f.app.lookup("LOOPS_API_KEY_FILE"); file != "" && f.app.connection == "" {
		watchFile(ctx, file, func() {
			f.log.Info("the API key is read again", "file", file)
			wake(f.changed)
		})
		return
	}
	key, _ := f.key(f.mapping())
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookAtFile):
		}
		if now, gone := f.key(f.mapping()); now != key && (now != "" || gone) {
			key = now
			f.log.Info("the API key is read again")
			wake(f.changed)
		}
	}
}

// key is what is another one when the API key is, and "" while that cannot be read. gone
// says that it was taken away, which counts.
func (f *follower) key(m *mapping.Mapping) (mark string, gone bool) {
	source, err := f.app.keySource(m) // what is wrong with it the plan says
	if source != nil {
		return source.mark, false
	}
	if errors.Is(err, errNotKept) {
		return "", true
	}
	file, _ := f.app.lookup("LOOPS_API_KEY_FILE") // which may be gone for a moment
	names, wrong := f.app.connections().names()
	return "", err == nil && file == "" && wrong == nil && len(names) == 0 // the only one was removed
}

// wake tells who sends rows that something is another one now.
func wake(changed chan struct{}) {
	select {
	case changed <- struct{}{}:
	default:
	}
}

func (f *follower) plan(ctx context.Context, m *mapping.Mapping, pusher *push.Pusher) (push.Plan, error) {
	if !sends(m) {
		return push.Plan{}, nil
	}
	client, err := f.app.loopsClient(m, nil)
	if err == nil && client == nil {
		err = &push.Unready{Err: f.app.noKey()}
	}
	if err != nil {
		return push.Plan{}, err
	}
	_, release, err := pusher.Alone(ctx, m.Table, nil)
	if err != nil {
		return push.Plan{}, err
	}
	defer release()
	sender, err := senderOf(ctx, f.store, m, f.file)
	if err != nil {
		return push.Plan{}, err
	}
	found, err := f.app.askLoops(ctx, m, sender.Known(), paced{pusher.Pace})
	switch {
	case err != nil:
		return push.Plan{}, err
	case found.refused:
		reason := strings.TrimPrefix(found.Trouble, "Loops answers 401: ")
		if found.Name != "" {
			reason += " (connection " + found.Name + ")"
		}
		return push.Plan{}, &push.Stopped{Barred: true, Code: 401, Reason: reason}
	case len(found.Misfits) > 0:
		return push.Plan{}, errors.New("the push part does not fit what Loops has, so nothing is sent: " + found.Misfits[0])
	case found.Trouble != "":
		f.log.Warn("what Loops has could not be looked at", "error", found.Trouble)
	default:
		log := f.log
		if found.Name != "" {
			log = log.With("connection", found.Name)
		}
		log.Info("sending rows to Loops", "team", found.Team, "host", found.Host, "auto", m.Push.Auto, "every", m.Push.Every)
	}
	for _, w := range found.Warnings {
		f.log.Warn("push", "warning", w)
	}
	if n, err := f.store.Keyless(ctx, m); err == nil && n > 0 {
		f.log.Warn("rows without a key cannot be told apart: they are not sent", "key", m.Key, "rows", n)
	}
	next, err := m.Push.Next()
	pusher.API = api{client}
	return push.Plan{Sender: sender, Auto: m.Push.Auto, Next: next}, err
}

// prepareOutbox puts the triggers on the table that push.auto needs, and takes them out
// when it is off; it says how.
func prepareOutbox(ctx context.Context, store *table.Store, m *mapping.Mapping, file string, log *slog.Logger) error {
	plan, err := outboxPlan(ctx, store, m, file)
	if err != nil {
		return err
	}
	logChanges(log, plan)
	return store.Apply(ctx, plan)
}

func outboxPlan(ctx context.Context, store *table.Store, m *mapping.Mapping, file string) (table.Plan, error) {
	if m.Push == nil || !m.Push.Auto {
		return store.DropPushTriggers(ctx, m.Table)
	}
	if _, err := senderOf(ctx, store, m, file); err != nil {
		return table.Plan{}, err
	}
	return store.PushTriggers(ctx, m)
}
