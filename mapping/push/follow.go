package push

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/outgoing"
)

// Outbox is what following changes needs of the database, beside [Store].
type Outbox interface {
	// AwaitChanges returns when the outbox of a table is not empty, or ctx ends.
	AwaitChanges(ctx context.Context, table string) error
	Changes(ctx context.Context, m *mapping.Mapping, limit int) ([]outgoing.Change, error)
	// SettleChanges leaves each change with the keys that it has in list; one without any
	// goes. A row that has changed again since has another.
	SettleChanges(ctx context.Context, list []outgoing.Change) error
	// PushDue is when the next pending line is to be tried.
	PushDue(ctx context.Context, table string) (next time.Time, ok bool, err error)
	// Scheduled is when all rows were last sent by this schedule, or when it began.
	Scheduled(ctx context.Context, table, every string) (last time.Time, ok bool, err error)
	SaveScheduled(ctx context.Context, table, every string, at time.Time) error
}

// Plan is what a [Follower] goes by. It is asked for before each round, so that it may
// change.
type Plan struct {
	Sender *outgoing.Sender                // nil: nothing is sent
	Auto   bool                            // rows are sent soon after they change
	Next   func(after time.Time) time.Time // when all rows are sent; nil: never
}

// Unready is an error of a plan that is no failure: nothing is sent until somebody sets up
// what it names.
type Unready struct{ Err error }

// Error is error's.
func (u *Unready) Error() string { return u.Err.Error() }

// Unwrap is what is lacking.
func (u *Unready) Unwrap() error { return u.Err }

// Follower sends rows as they change, and all that differ on a schedule. Each goes on for
// a while in turn, so that none waits for the others.
type Follower struct {
	Pusher *Pusher
	Outbox Outbox
	Plan   func(ctx context.Context) (Plan, error)
	Log    *slog.Logger
	// Seen, if set, is told of every outcome in the log's place. It must not block.
	Seen func(Outcome)
	// Changed wakes it when the plan has changed; nil when it never does.
	Changed <-chan struct{}

	first int       // part of the next round
	sweep *sweep    // of all rows, as far as it is; nil when it is not time
	calm  time.Time // until when changed rows are left that are to be looked at later
}

const (
	lookAgain   = 30 * time.Second // however quiet it is
	barredPause = time.Minute      // before a refused key is tried again
	remindAfter = 10 * time.Minute // before a trouble that stays is said again
	drained     = 500              // changes that are taken up together
)

// Run follows until ctx ends.
func (f *Follower) Run(ctx context.Context) {
	trouble := 0
	var said string // what the trouble was when it was last said
	var when time.Time
	for ctx.Err() == nil {
		plan, err := f.Plan(ctx)
		more := false
		var next time.Time // of the schedule
		if err == nil && plan.Sender != nil {
			if next, err = f.next(ctx, plan); err == nil {
				more, err = f.round(ctx, plan, !next.IsZero() && !time.Now().Before(next))
			}
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			if now := time.Now(); err.Error() != said || now.Sub(when) >= remindAfter {
				f.complain(err)
				said, when = err.Error(), now
			}
			trouble++
			_ = f.pause(ctx, pauseAfter(err, trouble))
			continue
		}
		if trouble, said = 0, ""; !more {
			f.await(ctx, plan, next)
		} else if err := f.Pusher.yield(ctx); err != nil {
			_ = f.pause(ctx, time.Second) // it shows in the next round
		}
	}
}

func (f *Follower) complain(err error) {
	if errors.As(err, new(*Unready)) {
		f.Log.Warn("nothing is sent to Loops yet", "why", err)
		return
	}
	f.Log.Error("push", "error", err)
}

// next is when all rows are to be sent: what was missed while nothing ran is due at once,
// and once.
func (f *Follower) next(ctx context.Context, plan Plan) (time.Time, error) {
	if plan.Next == nil {
		return zero, nil
	}
	m, now := plan.Sender.Mapping(), time.Now()
	last, ok, err := f.Outbox.Scheduled(ctx, m.Table, m.Push.Every)
	if err != nil {
		return zero, err
	}
	if !ok || last.After(now) { // a clock that was set back
		last = now
		if err := f.Outbox.SaveScheduled(ctx, m.Table, m.Push.Every, now); err != nil {
			return zero, err
		}
	}
	return plan.Next(last.Local()), nil
}

// pauseAfter is how long nothing is tried after the nth trouble in a row.
func pauseAfter(err error, n int) time.Duration {
	var stopped *Stopped
	if errors.As(err, &stopped) && stopped.Barred {
		return barredPause
	}
	return time.Second + jitter(2*time.Second, n, 10*time.Minute)
}

func (f *Follower) pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-f.Changed:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// await returns when there may be something to do.
func (f *Follower) await(ctx context.Context, plan Plan, next time.Time) {
	until := time.Now().Add(lookAgain)
	if !next.IsZero() && next.Before(until) {
		until = next
	}
	if plan.Sender == nil || !plan.Auto {
		_ = f.pause(ctx, time.Until(until))
		return
	}
	table := plan.Sender.Mapping().Table
	if due, ok, err := f.Outbox.PushDue(ctx, table); err == nil && ok && due.Before(until) {
		until = due
	}
	if d := time.Until(f.calm); d > 0 { // the outbox is not empty, and nothing is to be done
		_ = f.pause(ctx, d)
		return
	}
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = f.Outbox.AwaitChanges(ctx, table) // an error shows in the round that follows
	}()
	select {
	case <-done:
	case <-f.Changed:
		cancel()
		<-done
	}
}

// turn is a context that ends when it is time for others, or when the plan has changed,
// which changed reports once it was ended.
func (f *Follower) turn(ctx context.Context, over func(ctx context.Context) bool) (turning context.Context, end func() (changed bool)) {
	turning, stop := turn(ctx, over)
	heard, listening := make(chan bool, 1), make(chan struct{})
	go func() {
		select {
		case <-f.Changed:
			stop()
			heard <- true
		case <-turning.Done():
			heard <- false
		}
		close(listening)
	}()
	return turning, func() bool { stop(); <-listening; return <-heard }
}

// round sends what has changed, what is due, and all when that is, each for a turn. more
// is true when something is left for the next round.
func (f *Follower) round(ctx context.Context, plan Plan, all bool) (more bool, err error) {
	table := plan.Sender.Mapping().Table
	if !all {
		f.sweep = nil // another process has done it

		if !f.noted(ctx, plan) && !f.owed(ctx, table) { // before a lock is taken
			return false, nil
		}
	}
	held, release, err := f.Pusher.alone(ctx, table, nil, patience)
	if err != nil {
		return false, err
	}
	defer release()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(held, cancel)()
	parts := []func(ctx, turn context.Context, plan Plan) (more bool, err error){f.changes, f.due}
	if all {
		parts = append(parts, f.all)
	}
	first := f.first
	for n := range parts {
		i := (first + n) % len(parts)
		turn, end := f.turn(ctx, func(ctx context.Context) bool { // is there anything of another part?
			return f.Pusher.awaited(ctx) || i != 0 && f.noted(ctx, plan) || i != 1 && f.owed(ctx, table) || i != 2 && all
		})
		rest, err := parts[i](ctx, turn, plan)
		changed := end()
		if more = more || rest || changed; err != nil || changed {
			return more, err
		}
		if f.first = (i + 1) % len(parts); n+1 < len(parts) && f.Pusher.awaited(ctx) {
			return true, nil // the other parts come first in the next round
		}
	}
	f.first = 0
	return more, nil
}

// noted reports whether rows have changed; an error shows when they are asked for.
func (f *Follower) noted(ctx context.Context, plan Plan) bool {
	if !plan.Auto {
		return false
	}
	list, err := f.Outbox.Changes(ctx, plan.Sender.Mapping(), 1)
	return err != nil || len(list) > 0
}

// owed reports whether something is to be tried again by now; likewise.
func (f *Follower) owed(ctx context.Context, table string) bool {
	due, ok, err := f.Outbox.PushDue(ctx, table)
	return err != nil || ok && !due.After(time.Now())
}

// changes sends changed rows, and takes those out of the outbox that need no further
// look.
func (f *Follower) changes(ctx, turn context.Context, plan Plan) (more bool, err error) {
	gone, err := f.Pusher.Store.ForgetGone(ctx, plan.Sender.Mapping())
	if err != nil {
		return false, err
	}
	if plan.Auto && len(gone) > 0 { // some may be there again
		if _, err := f.run(ctx, turn, f.Pusher.Begin(f.logged(Job{Sender: plan.Sender, Keys: gone})), "rows that came back"); err != nil {
			return false, err
		}
	}
	for plan.Auto {
		list, err := f.Outbox.Changes(ctx, plan.Sender.Mapping(), drained)
		if err != nil || len(list) == 0 {
			return false, err
		}
		if turn.Err() != nil { // the turn is over, and nothing went wrong
			return true, nil //nolint:nilerr
		}
		// Rows that these have taken the place of may have gone since.
		if _, err := f.Pusher.Store.ForgetGone(ctx, plan.Sender.Mapping()); err != nil {
			return true, err
		}
		if err := f.drain(ctx, turn, plan, list); err != nil {
			return true, err
		}
		if time.Now().Before(f.calm) {
			return false, nil
		}
	}
	return false, nil
}

func (f *Follower) drain(ctx, turn context.Context, plan Plan, changes []outgoing.Change) error {
	open := map[string]bool{}
	var keys []string
	for _, c := range changes {
		for _, key := range c.Keys {
			if !open[key] {
				open[key], keys = true, append(keys, key)
			}
		}
	}
	left := 0
	r := f.Pusher.Begin(f.logged(Job{Sender: plan.Sender, Keys: keys, Through: func(key string) { delete(open, key) },
		Later: func(string) { left++ }}))
	done, err := f.run(ctx, turn, r, "changed rows")
	switch {
	case left > 0:
		f.calm = time.Now().Add(time.Second)
	case err == nil && done && len(keys) > 0 && len(open) == len(keys): // for ever, else
		err = fmt.Errorf("changed rows of table %s cannot be looked at", plan.Sender.Mapping().Table)
	}
	settled := changes[:0]
	for _, c := range changes {
		n := len(c.Keys)
		if c.Keys = slices.DeleteFunc(c.Keys, func(key string) bool { return !open[key] }); len(c.Keys) < n || n == 0 {
			settled = append(settled, c)
		}
	}
	long, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
	defer cancel()
	return errors.Join(err, f.Outbox.SettleChanges(long, settled))
}

// due sends again what had no answer.
func (f *Follower) due(ctx, turn context.Context, plan Plan) (more bool, err error) {
	r := f.Pusher.Begin(f.logged(Job{Sender: plan.Sender, Status: outgoing.Pending, Due: time.Now()}))
	done, err := f.run(ctx, turn, r, "due again")
	return !done, err
}

// sweep is a run over all rows that goes on from turn to turn, by one plan.
type sweep struct {
	*Run
	by *outgoing.Sender
}

// all sends all rows that differ from what Loops has.
func (f *Follower) all(ctx, turn context.Context, plan Plan) (more bool, err error) {
	if f.sweep == nil || f.sweep.by != plan.Sender {
		f.sweep = &sweep{f.Pusher.Begin(f.logged(Job{Sender: plan.Sender})), plan.Sender}
	}
	done, err := f.run(ctx, turn, f.sweep.Run, "on schedule")
	if err != nil || done {
		f.sweep = nil
	}
	if err != nil || !done {
		return true, err
	}
	m := plan.Sender.Mapping()
	return false, f.Outbox.SaveScheduled(ctx, m.Table, m.Push.Every, time.Now())
}

// logged is a job whose failures the log has, unless who has seen them says so.
func (f *Follower) logged(job Job) Job {
	if job.Outcome = f.Seen; f.Seen != nil {
		return job
	}
	failures, unclear := 0, false
	job.Outcome = func(o Outcome) {
		switch {
		case o.Line.Status == outgoing.Pending && !unclear:
			unclear = true
			f.Log.Warn("whether a row was sent is not known; it will be tried again", "row", o.Key, "kind", o.Line.Kind, "code", o.Line.Code,
				"reason", o.Line.Message)
			return
		case o.Line.Status != outgoing.Failed:
			return
		}
		if failures++; failures <= 10 { // the table has all of them
			f.Log.Warn("a row was not sent", "row", o.Key, "kind", o.Line.Kind, "code", o.Line.Code, "reason", o.Line.Message)
		}
	}
	return job
}

// run goes on with a run for a turn, and says what came of it.
func (f *Follower) run(ctx, turn context.Context, r *Run, why string) (done bool, err error) {
	begun, before := time.Now(), r.Counts()
	done, err = r.Turn(ctx, turn)
	c := r.Counts()
	if sent, notMet, failed, pending := c.Sent-before.Sent, c.NotMet-before.NotMet, c.Failed-before.Failed,
		c.Pending-before.Pending; f.Seen == nil && sent+notMet+failed+pending > 0 {
		f.Log.Info("pushed", "why", why, "rows", c.Rows-before.Rows, "sent", sent, "not_met", notMet, "failed", failed,
			"pending", pending, "seconds", time.Since(begun).Round(time.Millisecond).Seconds())
	}
	return done, err
}
