package table

import (
	"context"
	"time"
)

// Scheduled is when all rows of a table were last sent on a schedule, or when that began;
// ok is false where there was none, or another one.
func (s *Store) Scheduled(ctx context.Context, table, every string) (last time.Time, ok bool, err error) {
	err = s.ask(ctx, "SELECT last_at FROM loopmap_schedules WHERE table_name = ? AND every = ?", []any{table, every}, func(v []stored) error {
		last, ok = readClock(v[0]), true
		return nil
	})
	return last, ok, s.explain(err)
}

// SaveScheduled keeps when all rows were sent on a schedule, or when it began. It is
// durable when it returns.
func (s *Store) SaveScheduled(ctx context.Context, table, every string, at time.Time) error {
	return s.explain(s.put(ctx, []statement{{`INSERT INTO loopmap_schedules (table_name, every, last_at) VALUES (?, ?, ?)
		ON CONFLICT (table_name) DO UPDATE SET every = excluded.every, last_at = excluded.last_at`, []any{table, every, clock(at)}}}))
}

// stillWaits is for how many seconds a process that has said that it waits is taken to do
// so: it says so again.
const stillWaits = 4

// AwaitTurn says that the process of this id waits for its turn to send, or no longer.
func (s *Store) AwaitTurn(ctx context.Context, id string, waits bool) error {
	then, now := s.secondsAgo(stillWaits)
	list := []statement{{"DELETE FROM loopmap_waiting WHERE id = ? OR since < " + then, []any{id}}}
	if waits {
		list = append(list, statement{"INSERT INTO loopmap_waiting (id, since) VALUES (?, " + now + ")", []any{id}})
	}
	return s.explain(s.put(ctx, list))
}

// TurnAwaited reports whether another process than that of this id waits for its turn.
func (s *Store) TurnAwaited(ctx context.Context, id string) (waits bool, err error) {
	then, _ := s.secondsAgo(stillWaits)
	err = s.ask(ctx, "SELECT 1 FROM loopmap_waiting WHERE id <> ? AND since >= "+then+" LIMIT 1", []any{id},
		func([]stored) error { waits = true; return nil })
	return waits, s.explain(err)
}
