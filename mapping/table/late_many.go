package table

import (
	"context"
	"slices"

	"loopmap/mapping"
)

// writeLateMany does what writeLate does for entries of different rows, by few
// statements for all of them together. Those for which it is not so simple are written
// one by one.
func (w *work) writeLateMany(ctx context.Context, entries []mapping.Entry) (outcomes []mapping.Outcome, err error) {
	outcomes = make([]mapping.Outcome, len(entries))
	alone := make([]int, 0, len(entries))
	if len(entries) > 1 {
		if alone, err = w.writeChains(ctx, entries, outcomes); err != nil {
			return nil, err
		}
	} else {
		alone = append(alone, 0)
	}
	for _, i := range alone {
		if outcomes[i], err = w.writeLate(ctx, entries[i]); err != nil {
			return nil, err
		}
	}
	return outcomes, nil
}

// writeChains writes entries and what is newer of their rows: the first of each, then the
// second of each, and so on. It returns which of them are to be written alone.
func (w *work) writeChains(ctx context.Context, entries []mapping.Entry, outcomes []mapping.Outcome) (alone []int, err error) {
	siblings, err := w.tx.siblingsOf(entries)
	if err != nil {
		return nil, err
	}
	chains, together := make([][]mapping.Entry, len(entries)), []int{}
	for i, e := range entries {
		own := placeOfEntry(e)
		newer, err := w.inOrder(ctx, e, siblings[i], func(p place) bool { return p.compare(own) > 0 })
		if err != nil {
			return nil, err
		}
		unsure := func(n mapping.Entry) bool {
			return n.Status != mapping.Applied || e.Row.Action == mapping.Update && n.Row.Action == mapping.Upsert
		}
		switch {
		case slices.ContainsFunc(newer, deletes):
			outcomes[i] = mapping.Outcome{Status: mapping.Applied} // and nothing is to be written
		case slices.ContainsFunc(newer, unsure):
			alone = append(alone, i)
		default:
			chains[i], together = append([]mapping.Entry{e}, newer...), append(together, i)
			outcomes[i] = mapping.Outcome{Status: mapping.Applied}
		}
	}
	if len(together) == 0 {
		return alone, nil
	}
	if err := w.tx.savepoint(); err != nil {
		return nil, err
	}
	for layer := 0; ; layer++ {
		var rows []mapping.Entry
		for _, i := range together {
			if layer < len(chains[i]) {
				rows = append(rows, chains[i][layer])
			}
		}
		if len(rows) == 0 {
			return alone, w.tx.release()
		}
		refused, err := w.tx.write(rows)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(refused, func(err error) bool { return err != nil }) { // which row by row is told
			if err := w.tx.rollbackTo(); err != nil {
				return nil, err
			}
			return append(alone, together...), w.tx.release()
		}
	}
}
