package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"

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
	if file, _ := f.app.lookup("LOOPS_API_KEY_FILE"); file != "" && f.app.team == "" {
		watching.Go(func() {
			watchFile(ctx, file, func() {
				f.log.Info("the API key is read again", "file", file)
				wake(f.changed)
			})
		})
	}
	(&push.Follower{Pusher: pusher, Outbox: f.store, Log: f.log, Seen: f.seen, Changed: f.changed,
		Plan: func(ctx context.Context) (push.Plan, error) {
			m, key := f.mapping(), f.key()
			if m == last && (key == lastKey || key == "") { // a key that cannot be read changes nothing
				return plan, nil
			}
			next, err := f.plan(ctx, m, pusher)
			if err == nil {
				last, lastKey, plan = m, key, next
			}
			return next, err
		}}).Run(ctx)
}

// key is the API key as it stands in the environment, or in a file that may change while
// sync runs: so one is replaced without a restart. One of the keyring stays.
func (f *follower) key() string {
	if f.app.team != "" {
		return f.app.team
	}
	key, _ := f.app.apiKey() // what is wrong with it the plan says
	return key
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
	client, err := f.app.loopsClient(nil)
	if err == nil && client == nil {
		err = errors.New("push.auto or push.every is on, and there is no API key: set LOOPS_API_KEY or LOOPS_API_KEY_FILE")
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
		return push.Plan{}, &push.Stopped{Barred: true, Code: 401, Reason: strings.TrimPrefix(found.Trouble, "Loops answers 401: ")}
	case len(found.Misfits) > 0:
		return push.Plan{}, errors.New("the push part does not fit what Loops has, so nothing is sent: " + found.Misfits[0])
	case found.Trouble != "":
		f.log.Warn("what Loops has could not be looked at", "error", found.Trouble)
	default:
		f.log.Info("sending rows to Loops", "team", found.Team, "host", found.Host, "auto", m.Push.Auto, "every", m.Push.Every)
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
	for i, sql := range plan.SQL {
		log.Info("changing the table", "why", plan.Notes[i], "sql", sql)
	}
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
