package table

import (
	"context"
	"errors"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/outgoing"
)

// The outbox has the keys of rows that were written since they were last looked at, where
// push.auto is on. Triggers on the user's table fill it: see triggers.go.

const (
	// lookAtOutbox is how often the outbox is looked at by who waits for it.
	lookAtOutbox = 250 * time.Millisecond
	// mostKeys is about how many keys are taken up together, however many one statement
	// of a user has written.
	mostKeys = 20_000
)

// ErrOutboxFull says that changes were not noted, since nobody took up those before.
var ErrOutboxFull = errors.New("the outbox was full: rows that changed meanwhile were not noted; loopmap push sends all that differ")

// Changes are what was written and not settled since, the oldest first: at most so many
// statements' or rows'. A key may come more than once. The keys are in the form of
// [outgoing.Row].
func (s *Store) Changes(ctx context.Context, m *mapping.Mapping, limit int) ([]outgoing.Change, error) {
	list, err := s.changes(ctx, m.Table, limit)
	if err != nil {
		return nil, s.explain(err)
	}
	var all []string
	for _, c := range list {
		all = append(all, c.Keys...)
	}
	if all, err = s.canonicalKeys(ctx, m, all); err != nil {
		return nil, s.explain(err)
	}
	for i := range list {
		n := len(list[i].Keys)
		list[i].Keys, all = all[:n:n], all[n:]
	}
	return list, nil
}

// SettleChanges leaves each change with the keys that it has in list; one without any
// goes. A row that was written again since has another change, and stays.
func (s *Store) SettleChanges(ctx context.Context, list []outgoing.Change) error {
	if len(list) == 0 {
		return nil
	}
	return s.explain(s.settleChanges(ctx, list))
}

// AwaitChanges returns when the outbox of a table is not empty, or with ctx's error.
func (s *Store) AwaitChanges(ctx context.Context, table string) error {
	for {
		some := false
		err := s.ask(ctx, "SELECT 1 FROM loopmap_outbox WHERE table_name = ? LIMIT 1", []any{table}, func([]stored) error {
			some = true
			return nil
		})
		if err != nil || some {
			return s.explain(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookAtOutbox):
		}
	}
}

// OutboxFull reports whether changes are not noted any more.
func (s *Store) OutboxFull(ctx context.Context) (bool, error) {
	full, err := s.outboxFull(ctx)
	return full, s.explain(err)
}

// TryLockPushes lets one process of this database send at a time. ok is false while
// another does. held ends when the lock is lost before it is given back.
func (s *Store) TryLockPushes(ctx context.Context) (held context.Context, unlock func(), ok bool, err error) {
	held, unlock, ok, err = s.lockPushes(ctx)
	return held, unlock, ok, s.explain(err)
}
