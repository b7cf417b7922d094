package main

import (
	"context"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/table"
)

// groups writes much in groups that are as large as the database writes in a moment: so
// that one far away, or busy, takes all of it, and no row is locked for long.
type groups struct{ size int }

const (
	groupMost = 8 * replayGroup // entries of a group, where all goes well
	groupSlow = 3 * time.Second // a group that takes longer is too large
	groupFast = groupSlow / 4
)

type writing = func(context.Context, []mapping.Entry) ([]mapping.Outcome, error)

// write writes entries in their order, and returns what became of those written before an
// error.
func (g *groups) write(ctx context.Context, entries []mapping.Entry, write writing) (all []mapping.Outcome, err error) {
	if g.size == 0 {
		g.size = groupMost
	}
	for len(entries) > 0 {
		n := min(len(entries), g.size)
		began := time.Now()
		outcomes, err := write(ctx, entries[:n])
		took := time.Since(began)
		switch {
		case err != nil && n > 1 && ctx.Err() == nil && table.TookTooLong(err):
			g.size = (n + 3) / 4
			continue
		case err != nil:
			return all, err
		case took > groupSlow:
			g.size = max(1, n/2)
		case took < groupFast && n == g.size:
			g.size = min(groupMost, 2*g.size)
		}
		all, entries = append(all, outcomes...), entries[n:]
	}
	return all, nil
}
