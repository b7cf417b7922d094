package table

import (
	"context"
	"fmt"
	"slices"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/body"
)

// work is one transaction's: what it writes and how far it is.
type work struct {
	store     *Store
	again     bool            // the entries have journal lines
	dry       bool            // takes all back
	rowsAlone bool            // nothing is journalled
	unknown   bool            // a run before this one may have been committed
	own       map[string]bool // ids that this run has found there and taken for its own
	tx        tx
	changes   []Change
}

// anew is work of the same kind.
func (w *work) anew() *work {
	return &work{store: w.store, again: w.again, rowsAlone: w.rowsAlone, unknown: w.unknown}
}

// lockedFor is how long rows are left alone that were found locked. What has waited is
// tried again sooner than what comes.
func (w *work) lockedFor() time.Duration {
	if w.again {
		return triedFor
	}
	return lockedFor
}

func (w *work) run(ctx context.Context, entries []mapping.Entry) (outcomes []mapping.Outcome, err error) {
	w.own = nil
	if w.tx, err = w.store.begin(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil || w.dry {
			w.tx.rollback()
		}
	}()
	if entries, err = w.store.canonical(ctx, entries); err != nil {
		return nil, err
	}
	outcomes = make([]mapping.Outcome, len(entries))
	if w.dry {
		return outcomes, w.tryOut(ctx, entries, outcomes)
	}
	var versions []Version
	if !w.rowsAlone {
		if versions = w.store.newVersions(entries); len(versions) > 0 {
			if err = w.tx.keepVersions(versions); err != nil {
				return nil, err
			}
		}
	}
	if err = w.all(ctx, entries, outcomes); err != nil {
		return nil, err
	}
	if err = w.tx.commit(); err != nil && w.store.aboutRow(err) {
		err = &deferredError{err}
	}
	if err == nil && len(versions) > 0 {
		w.store.versions().add(versions)
	}
	return outcomes, err
}

// all writes all entries.
func (w *work) all(ctx context.Context, entries []mapping.Entry, outcomes []mapping.Outcome) error {
	for _, round := range rounds(entries) {
		if err := w.round(ctx, entries, round, outcomes); err != nil {
			return err
		}
	}
	return nil
}

// rounds parts entries into such as name no row and no id twice, so that what a
// round reads is what the rounds before it have written. Keys are held to name one row
// whatever the mapping: a round too many does no harm.
func rounds(entries []mapping.Entry) (list [][]int) {
	ids, rows := make(map[string]int, len(entries)), make(map[string]int, len(entries)) // in how many rounds
	for i, e := range entries {
		n := ids[e.ID]
		if e.Row.Key != "" {
			n = max(n, rows[e.Row.Key])
			rows[e.Row.Key] = n + 1
		}
		ids[e.ID] = n + 1
		if n == len(list) {
			list = append(list, nil)
		}
		list[n] = append(list[n], i)
	}
	return list
}

// round writes entries[i] for each i of which.
func (w *work) round(ctx context.Context, entries []mapping.Entry, which []int, outcomes []mapping.Outcome) error {
	round := entries
	if len(which) < len(entries) {
		round = make([]mapping.Entry, len(which))
		for i, at := range which {
			round[i] = entries[at]
		}
	}
	rows := make([]mapping.Entry, 0, len(round))
	for _, e := range round {
		if e.Status == mapping.Applied {
			rows = append(rows, e)
		}
	}
	fresh, late, written, err := w.journal(round, rows)
	if err != nil {
		return err
	}
	var lateOnes []mapping.Entry
	var lateAt []int // in outcomes
	inTime := rows[:0]
	var at []int // in outcomes
	for i, e := range round {
		out := &outcomes[which[i]]
		*out = mapping.Outcome{Status: e.Status, Reason: e.Reason}
		isLate := false
		if e.Status == mapping.Applied {
			isLate, late = late[0], late[1:]
		}
		switch {
		case !fresh[i]:
			*out, err = w.duplicate(ctx, e)
		case isLate:
			lateOnes, lateAt = append(lateOnes, e), append(lateAt, which[i])
		case e.Status == mapping.Applied:
			inTime, at = append(inTime, e), append(at, which[i])
		}
		if err != nil {
			return err
		}
	}
	for part := range slices.Chunk(lateAt, mostLate) {
		list, err := w.writeLateMany(ctx, lateOnes[:len(part)])
		if err != nil {
			return err
		}
		for i, out := range list {
			outcomes[part[i]] = out
		}
		lateOnes = lateOnes[len(part):]
	}
	if written || len(inTime) == 0 {
		return nil
	}
	refused, err := w.tx.write(inTime)
	if err != nil {
		return err
	}
	for i, why := range refused {
		if why != nil {
			if outcomes[at[i]], err = w.quarantine(ctx, inTime[i], why); err != nil {
				return err
			}
		}
	}
	return nil
}

// journal writes the entries' journal lines. It says which entries are to have an
// effect, which rows may have newer deliveries, and whether the others are written.
func (w *work) journal(entries, rows []mapping.Entry) (fresh, late []bool, written bool, err error) {
	if !w.again && !w.rowsAlone {
		return w.tx.insert(entries, rows)
	}
	fresh, late = make([]bool, len(entries)), make([]bool, len(rows))
	for i := range fresh {
		fresh[i] = true
	}
	if w.rowsAlone {
		return fresh, late, false, nil
	}
	if len(rows) > 0 {
		if late, err = w.tx.late(rows); err != nil {
			return nil, nil, false, err
		}
	}
	return fresh, late, false, w.tx.update(entries...)
}

// duplicate is the outcome of an entry whose id is there: of another delivery, or
// of this very one, when a run before this was committed without our knowing.
func (w *work) duplicate(ctx context.Context, e mapping.Entry) (out mapping.Outcome, err error) {
	out = mapping.Outcome{Duplicate: true, Status: e.Status, Reason: e.Reason}
	if !w.unknown || w.own[e.ID] {
		return out, nil
	}
	err = w.store.records(ctx, Filter{ID: e.ID}, func(r Record) error {
		if r.Received.Equal(e.Received.Truncate(time.Millisecond)) {
			out = mapping.Outcome{Status: r.Status, Reason: r.Reason}
			if w.own == nil {
				w.own = map[string]bool{}
			}
			w.own[e.ID] = true
		}
		return nil
	})
	return out, err
}

// quarantine keeps an entry whose row the table refuses; or says that the whole
// table no longer fits.
func (w *work) quarantine(ctx context.Context, e mapping.Entry, why error) (mapping.Outcome, error) {
	plan, err := w.store.Shape(ctx, e.Mapping)
	if err != nil {
		return mapping.Outcome{}, err
	}
	if reason := plan.Unfit(); reason != "" {
		return mapping.Outcome{}, &unfitError{e.Mapping, reason}
	}
	e.Status, e.Reason = mapping.Quarantined, refuses(e, why)
	if w.rowsAlone {
		return mapping.Outcome{Status: e.Status, Reason: e.Reason}, nil
	}
	return mapping.Outcome{Status: e.Status, Reason: e.Reason}, w.tx.update(e)
}

// refuses is why an entry is quarantined that the table refuses.
func refuses(e mapping.Entry, why error) string {
	return body.Printable(fmt.Sprintf("the table %s refuses the row: %v", e.Mapping.Table, why))
}
