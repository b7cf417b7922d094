package push

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"loopmap/mapping"
)

// Outbox is what following changes needs of the database, beside [Store].
type Outbox interface {
	// AwaitChanges returns when the outbox of a table is not empty, or ctx ends.
	AwaitChanges(ctx context.Context, table string) error
	Changes(ctx context.Context, m *mapping.Mapping, limit int) ([]mapping.PushChange, error)
	// SettleChanges leaves each change with the keys that it has in list; one without any
	// goes. A row that has changed again since has another.
	SettleChanges(ctx context.Context, list []mapping.PushChange) error
	// PushDue is when the next pending line is to be tried.
	PushDue(ctx context.Context, table string) (next time.Time, ok bool, err error)
}

// Plan is what a [Follower] goes by. It is asked for before each round, so that it may
// change.
type Plan struct {
	Sender *mapping.Sender                 // nil: nothing is sent
	Auto   bool                            // rows are sent soon after they change
	Next   func(after time.Time) time.Time // when all rows are sent; nil: never
}

// Follower sends rows as they change, and all that differ on a schedule.
type Follower struct {
	Pusher *Pusher
	Outbox Outbox
	Plan   func(ctx context.Context) (Plan, error)
	Log    *slog.Logger
	// Changed wakes it when the plan has changed; nil when it never does.
	Changed <-chan struct{}
}

const (
	lookAgain   = 30 * time.Second // however quiet it is
	barredPause = time.Minute      // before a refused key is tried again
	remindAfter = 10 * time.Minute // before a trouble that stays is said again
	drained     = 500              // changes that are taken up together
)

// Run follows until ctx ends.
func (f *Follower) Run(ctx context.Context) {
	var next time.Time // of the schedule
	var schedule string
	trouble := 0
	var said string // what the trouble was when it was last said
	var when time.Time
	for ctx.Err() == nil {
		plan, err := f.Plan(ctx)
		if err == nil && plan.Sender != nil {
			if every := plan.Sender.Mapping().Push.Every; plan.Next != nil && (next.IsZero() || every != schedule) {
				next, schedule = plan.Next(time.Now()), every
			} else if plan.Next == nil {
				next = zero
			}
			all := !next.IsZero() && !time.Now().Before(next)
			if err = f.round(ctx, plan, all); err == nil && all {
				next = plan.Next(time.Now())
			}
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			if now := time.Now(); err.Error() != said || now.Sub(when) >= remindAfter {
				f.Log.Error("push", "error", err)
				said, when = err.Error(), now
			}
			trouble++
			_ = f.pause(ctx, pauseAfter(err, trouble))
			continue
		}
		trouble, said = 0, ""
		f.await(ctx, plan, next)
	}
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
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- f.Outbox.AwaitChanges(ctx, table) }()
	select {
	case <-done: // an error shows in the round that follows
	case <-f.Changed:
		cancel()
		<-done
	}
}

// round sends what has changed, what is due, and all when that is.
func (f *Follower) round(ctx context.Context, plan Plan, all bool) error {
	table := plan.Sender.Mapping().Table
	if !all {
		if some, err := f.some(ctx, plan, table); err != nil || !some {
			return err
		}
	}
	held, release, err := f.Pusher.Alone(ctx, table, nil)
	if err != nil {
		return err
	}
	defer release()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(held, cancel)()
	for plan.Auto {
		changes, err := f.Outbox.Changes(ctx, plan.Sender.Mapping(), drained)
		if err != nil {
			return err
		}
		if len(changes) == 0 {
			break
		}
		if err := f.drain(ctx, plan, changes); err != nil {
			return err
		}
	}
	if err := f.run(ctx, Job{Sender: plan.Sender, Status: mapping.PushPending, Due: time.Now()}, "due again"); err != nil {
		return err
	}
	if !all {
		return nil
	}
	return f.run(ctx, Job{Sender: plan.Sender}, "on schedule")
}

// some reports whether there is anything to do, before a lock is taken for it.
func (f *Follower) some(ctx context.Context, plan Plan, table string) (bool, error) {
	if plan.Auto {
		changes, err := f.Outbox.Changes(ctx, plan.Sender.Mapping(), 1)
		if err != nil || len(changes) > 0 {
			return true, err
		}
	}
	due, ok, err := f.Outbox.PushDue(ctx, table)
	return ok && !due.After(time.Now()), err
}

// drain sends changed rows, and takes those out of the outbox that need no further
// look.
func (f *Follower) drain(ctx context.Context, plan Plan, changes []mapping.PushChange) error {
	open := map[string]bool{}
	var keys []string
	for _, c := range changes {
		for _, key := range c.Keys {
			if !open[key] {
				open[key], keys = true, append(keys, key)
			}
		}
	}
	err := f.run(ctx, Job{Sender: plan.Sender, Keys: keys, Through: func(key string) { delete(open, key) }}, "changed rows")
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

func (f *Follower) run(ctx context.Context, job Job, why string) error {
	begun := time.Now()
	failures := 0
	job.Outcome = func(o Outcome) {
		if o.Line.Status != mapping.PushFailed {
			return
		}
		if failures++; failures <= 10 { // the table has all of them
			f.Log.Warn("a row was not sent", "row", o.Key, "kind", o.Line.Kind, "code", o.Line.Code, "reason", o.Line.Message)
		}
	}
	counts, err := f.Pusher.Run(ctx, job)
	if counts.Sent+counts.NotMet+counts.Failed+counts.Pending > 0 {
		f.Log.Info("pushed", "why", why, "rows", counts.Rows, "sent", counts.Sent, "not_met", counts.NotMet, "failed", counts.Failed,
			"pending", counts.Pending, "seconds", time.Since(begun).Round(time.Millisecond).Seconds())
	}
	return err
}
