package table

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/body"
)

// Commit writes new deliveries: their journal lines, and the rows of those that
// are to be applied, in one transaction. When it returns without an error all of
// it is durable. With an error none of it is, or the outcome is unknown: the same
// entries may be tried again, alone or together, and have one effect.
//
// A row that the table refuses is no error: its delivery is kept as quarantined,
// or as pending when the table no longer fits the mapping.
func (s *Store) Commit(ctx context.Context, entries []mapping.Entry) ([]mapping.Outcome, error) {
	return s.write(ctx, entries, &work{store: s})
}

// Recommit writes deliveries that the journal has already under what the mapping
// makes of them now, with the promises of [Store.Commit].
func (s *Store) Recommit(ctx context.Context, entries []mapping.Entry) ([]mapping.Outcome, error) {
	return s.write(ctx, entries, &work{store: s, again: true})
}

// Rows writes the rows of deliveries and no journal: in the order given, whatever
// their events say.
func (s *Store) Rows(ctx context.Context, entries []mapping.Entry) ([]mapping.Outcome, error) {
	return s.write(ctx, entries, &work{store: s, rowsAlone: true})
}

// Change is what writing deliveries does to a row. A row that is not there is nil.
type Change struct {
	Mapping       *mapping.Mapping
	Key           string
	Before, After []Value // one for each of [mapping.Mapping.Columns]
}

// Value is what a row holds in a column, as text.
type Value struct {
	Text string
	Null bool
}

// Try does what Recommit does and takes it back again: it says what it would do.
func (s *Store) Try(ctx context.Context, entries []mapping.Entry) ([]mapping.Outcome, []Change, error) {
	w := &work{store: s, again: true, dry: true}
	outcomes, err := s.write(ctx, entries, w)
	return outcomes, w.changes, err
}

const (
	mostLate  = 100 // late ones that are written together: their rows' other bodies are held meanwhile
	tries     = 5   // of a transaction that failed for another's sake
	holdFor   = time.Second
	backOff   = 5 * time.Millisecond
	savepoint = "loopmap"
)

// hold remembers that the table does not fit a mapping, so that not each delivery
// has to find that out.
type hold struct {
	mapping *mapping.Mapping
	reason  string
	until   time.Time
}

// unfitError says that the table no longer fits a mapping.
type unfitError struct {
	mapping *mapping.Mapping
	reason  string
}

func (e *unfitError) Error() string { return e.reason }

// unknownError says that the database was asked to commit and did not say whether
// it has.
type unknownError struct{ err error }

func (e *unknownError) Error() string {
	return "the database did not say whether it has committed: " + e.err.Error()
}
func (e *unknownError) Unwrap() error { return e.err }

// write runs a transaction until it is done, or has failed for good.
func (s *Store) write(ctx context.Context, entries []mapping.Entry, w *work) ([]mapping.Outcome, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, nil
	}
	entries = s.locked.wait(s.held(entries), w.lockedFor())
	for try := 1; ; try++ {
		outcomes, err := w.run(ctx, entries)
		var unfit *unfitError
		var late *deferredError
		switch {
		case err == nil:
			s.locked.written(entries)
			return outcomes, nil
		case errors.As(err, &late):
			return s.oneByOne(ctx, entries, w, late)
		case errors.As(err, &unfit):
			s.setHold(hold{unfit.mapping, unfit.reason, time.Now().Add(holdFor)})
			entries = s.held(entries)
			continue
		case s.waited(err):
			rows, failed := s.lockedAmong(ctx, entries)
			if failed != nil {
				return nil, s.explain(failed)
			}
			if len(rows) > 0 {
				s.locked.add(rows)
				entries = s.locked.wait(entries, lockedFor)
				continue
			}
		case errors.Is(err, errRetyped): // it is made for what the table is by now
		case errors.As(err, new(*unknownError)):
			// What the transaction wrote is there, whole, or none of it. Run again, what is
			// there counts as its own.
			w.unknown = true
		case !s.passing(err):
			return nil, s.explain(err)
		}
		if try >= tries || ctx.Err() != nil {
			return nil, s.explain(err)
		}
		time.Sleep(time.Duration(try) * time.Duration(rand.Int64N(int64(backOff))))
	}
}

// deferredError says that the database has refused what a transaction wrote when it was
// to be committed, by a constraint that waits for that.
type deferredError struct{ err error }

func (e *deferredError) Error() string { return e.err.Error() }
func (e *deferredError) Unwrap() error { return e.err }

// oneByOne writes entries by a transaction each, so that it shows which of them a deferred
// constraint is about. That one is quarantined.
func (s *Store) oneByOne(ctx context.Context, entries []mapping.Entry, w *work, why *deferredError) (outcomes []mapping.Outcome, err error) {
	if len(entries) == 1 {
		e := entries[0]
		e.Status, e.Reason = mapping.Quarantined, refuses(e, why)
		return s.write(ctx, []mapping.Entry{e}, w.anew())
	}
	for i := range entries {
		one, err := s.write(ctx, entries[i:i+1], w.anew())
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, one...)
	}
	return outcomes, nil
}

// anew is work of the same kind.
func (w *work) anew() *work {
	return &work{store: w.store, again: w.again, rowsAlone: w.rowsAlone, unknown: w.unknown}
}

// refuses is why an entry is quarantined that the table refuses.
func refuses(e mapping.Entry, why error) string {
	return body.Printable(fmt.Sprintf("the table %s refuses the row: %v", e.Mapping.Table, why))
}

// lockedFor is how long rows are left alone that were found locked. What has waited is
// tried again sooner than what comes.
func (w *work) lockedFor() time.Duration {
	if w.again {
		return triedFor
	}
	return lockedFor
}

func (s *Store) setHold(h hold) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hold = h
}

// held makes the entries of a held mapping wait.
func (s *Store) held(entries []mapping.Entry) []mapping.Entry {
	s.mu.Lock()
	h := s.hold
	s.mu.Unlock()
	if h.mapping == nil || time.Now().After(h.until) {
		return entries
	}
	entries = slices.Clone(entries)
	for i := range entries {
		if e := &entries[i]; e.Mapping == h.mapping && e.Status == mapping.Applied {
			e.Status, e.Reason = mapping.Pending, h.reason
		}
	}
	return entries
}

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
	if err = w.all(ctx, entries, outcomes); err != nil {
		return nil, err
	}
	if err = w.tx.commit(); err != nil && w.store.aboutRow(err) {
		err = &deferredError{err}
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

// refusal is a value that its column would not give back.
type refusal struct{ msg string }

func (e *refusal) Error() string { return e.msg }
