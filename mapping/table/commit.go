package table

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"loopmap/mapping"
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
func (s *Store) oneByOne(ctx context.Context, entries []mapping.Entry, w *work, why *deferredError) (outcomes []mapping.Outcome,
	err error) {
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

// refusal is a value that its column would not give back.
type refusal struct{ msg string }

func (e *refusal) Error() string { return e.msg }
