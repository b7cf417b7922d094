package table

import (
	"context"
	"slices"

	"loopmap/mapping"
)

// tryOut writes entries and says what has changed; who called takes all back. What would
// leave its row as it is, is not written in the first place.
func (w *work) tryOut(ctx context.Context, entries []mapping.Entry, outcomes []mapping.Outcome) error {
	before, err := w.rows(entries)
	if err != nil {
		return err
	}
	settled, err := w.settled(ctx, entries, before)
	if err != nil {
		return err
	}
	open, at := make([]mapping.Entry, 0, len(entries)), make([]int, 0, len(entries))
	written := map[string]bool{}
	for i, e := range entries {
		if settled[i] {
			outcomes[i] = mapping.Outcome{Status: e.Status}
			continue
		}
		open, at, written[e.Row.Key] = append(open, e), append(at, i), true
	}
	tried := make([]mapping.Outcome, len(open))
	if err := w.all(ctx, open, tried); err != nil {
		return err
	}
	for i, o := range tried {
		outcomes[at[i]] = o
	}
	w.changes, err = w.changed(slices.DeleteFunc(before, func(c Change) bool { return !written[c.Key] }))
	return err
}

// rows reads the rows that entries are about.
func (w *work) rows(entries []mapping.Entry) (list []Change, err error) {
	seen := map[string]bool{}
	for _, e := range entries {
		if e.Status == mapping.Applied && !seen[e.Row.Key] {
			seen[e.Row.Key] = true
			list = append(list, Change{Mapping: e.Mapping, Key: e.Row.Key})
		}
	}
	return list, w.read(list, func(c *Change, row []Value) { c.Before = row })
}

// changed reads the same rows again and keeps those that differ.
func (w *work) changed(list []Change) ([]Change, error) {
	err := w.read(list, func(c *Change, row []Value) { c.After = row })
	return slices.DeleteFunc(list, func(c Change) bool {
		return (c.Before == nil) == (c.After == nil) && slices.Equal(c.Before, c.After)
	}), err
}

// read hands over the rows of changes, of each mapping's together.
func (w *work) read(list []Change, each func(c *Change, row []Value)) error {
	of := map[*mapping.Mapping][]string{}
	for _, c := range list {
		of[c.Mapping] = append(of[c.Mapping], c.Key)
	}
	for m, keys := range of {
		rows, err := w.tx.read(m, keys)
		if err != nil {
			return err
		}
		for i := range list {
			if list[i].Mapping == m {
				each(&list[i], rows[list[i].Key])
			}
		}
	}
	return nil
}
