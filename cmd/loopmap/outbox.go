package main

import (
	"context"
	"log/slog"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/table"
)

// outboxKeeper looks after what push.auto has put on the table of a running sync: the
// triggers can go with the table, with a function that is dropped, or by hand.
type outboxKeeper struct {
	store   *table.Store
	mapping func() *mapping.Mapping
	log     *slog.Logger

	said string // the trouble that was said last
	full bool
}

const lookAtTriggers = 2 * time.Second

func (k *outboxKeeper) run(ctx context.Context) {
	for {
		if m := k.mapping(); m.Push != nil && m.Push.Auto {
			k.round(ctx, m)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookAtTriggers):
		}
	}
}

func (k *outboxKeeper) round(ctx context.Context, m *mapping.Mapping) {
	err := k.triggers(ctx, m)
	if err != nil && ctx.Err() == nil && err.Error() != k.said {
		k.log.Error("the triggers that note changed rows cannot be looked after now; it will be tried again", "error", err)
	}
	if k.said = ""; err != nil {
		k.said = err.Error()
		return
	}
	full, err := k.store.OutboxFull(ctx)
	if err == nil && full && !k.full {
		k.log.Error("changed rows are not noted", "error", table.ErrOutboxFull)
	}
	k.full = err == nil && full
}

// triggers puts back those that are gone. A table that is not there has none.
func (k *outboxKeeper) triggers(ctx context.Context, m *mapping.Mapping) error {
	plan, err := k.store.PushTriggers(ctx, m)
	if err != nil || len(plan.SQL) == 0 {
		return err
	}
	columns, err := k.store.Columns(ctx, m.Table)
	if err != nil || len(columns) == 0 {
		return err
	}
	if err := k.store.Apply(ctx, plan); err != nil {
		return err
	}
	k.log.Warn("the triggers that note changed rows were gone, and are put back: rows that changed meanwhile were not noted; "+
		"loopmap push sends all that differ", "table", m.Table)
	return nil
}
