package main

import (
	"context"
	"log/slog"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/table"
)

// keeper looks after the journal of a running sync: it writes the rows that wait
// for the table once it fits, says when it does not, and drops bodies that are no
// longer to be kept.
type keeper struct {
	store   *table.Store
	mapping func() *mapping.Mapping
	now     func() time.Time
	log     *slog.Logger
	waiting func(quarantined, pending int64) // is told what the journal holds; may be nil

	unfit     string // what was said last of the table
	looked    time.Time
	mapped    string // the mapping by which what waits was tried
	forgotten time.Time
	kept      time.Duration // journal.keep when bodies were dropped last
	after     int64         // up to where bodies have been dropped
	heldAt    int64         // how long SQLite's write-ahead log was when that was said last
}

const (
	lookForWaiting = 2 * time.Second
	lookAtTable    = 30 * time.Second
	forgetEvery    = time.Hour
)

func (k *keeper) run(ctx context.Context) {
	said := "" // the trouble that was said last
	for {
		err := k.round(ctx)
		if err == nil {
			said = ""
		} else if ctx.Err() == nil && err.Error() != said {
			said = err.Error()
			k.log.Error("the journal cannot be looked after now; it will be tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookForWaiting):
		}
	}
}

func (k *keeper) round(ctx context.Context) error {
	if err := k.tendWAL(ctx); err != nil {
		return err
	}
	m := k.mapping()
	if !m.Receives() { // what is in the journal is another's
		return nil
	}
	quarantined, pending, err := k.store.Waiting(ctx)
	if err != nil {
		return err
	}
	if k.waiting != nil {
		k.waiting(quarantined, pending)
	}
	if pending > 0 || k.now().Sub(k.looked) > lookAtTable {
		if err := k.fits(ctx, m, pending); err != nil {
			return err
		}
	}
	if (pending > 0 || m.Hash != k.mapped) && k.unfit == "" {
		if _, err := mapWaiting(ctx, k.store, m, k.log); err != nil {
			return err
		}
		k.mapped = m.Hash
	}
	if m.Keep > 0 && (k.now().Sub(k.forgotten) > forgetEvery || m.Keep != k.kept) {
		return k.forget(ctx, m.Keep)
	}
	return nil
}

// forget drops the bodies that have been kept for long enough. The next time it begins
// at what waits by now, which may be a row by then.
func (k *keeper) forget(ctx context.Context, keep time.Duration) error {
	waits, err := k.store.FirstWaiting(ctx)
	if err != nil {
		return err
	}
	last, n, err := k.store.Forget(ctx, k.now().Add(-keep), k.after)
	if n > 0 {
		k.log.Info("bodies dropped that were kept long enough", "deliveries", n)
	}
	if err != nil {
		return err
	}
	if k.after = last; waits > 0 {
		k.after = min(k.after, waits-1)
	}
	k.forgotten, k.kept = k.now(), keep
	return nil
}

// tendWAL says when a reader lets SQLite's write-ahead log grow, and again when it is
// twice as long.
func (k *keeper) tendWAL(ctx context.Context) error {
	w, err := k.store.TendWAL(ctx)
	switch {
	case w.Held && w.Bytes >= 2*k.heldAt:
		k.log.Warn("something reads the database without an end (a backup, a query left open): until it ends the write-ahead log grows",
			"MB", w.Bytes>>20)
		k.heldAt = w.Bytes
	case w.Cut > 0:
		k.log.Info("the write-ahead log is folded into the database and cut", "MB", w.Cut>>20)
		k.heldAt = 0
	}
	return err
}

// fits looks whether the table still fits the mapping, and says so when that has
// changed.
func (k *keeper) fits(ctx context.Context, m *mapping.Mapping, pending int64) error {
	plan, err := k.store.Shape(ctx, m)
	if err != nil {
		return err
	}
	k.looked = k.now()
	switch was, is := k.unfit, plan.Unfit(); {
	case is != "" && is != was:
		k.log.Error("rows wait: deliveries are kept and answered, and applied once the table is mended", "pending", pending, "why", is,
			"sql", append(plan.Repairs, plan.SQL...))
		k.unfit = is
	case is == "" && was != "":
		k.log.Info("the table fits again", "pending", pending)
		k.unfit = ""
	}
	return nil
}
