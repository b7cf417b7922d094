package table

import (
	"context"
	"strconv"
	"strings"
	"time"

	"loopmap/mapping/outgoing"
)

const pushColumns = "row_key, kind, idempotency_key, status, code, message, attempts, sent_at, hash, tried, body, " +
	"first_at, next_at, updated_at"

// pushLines are the lines of rows, the newest first.
func (s *Store) pushLines(ctx context.Context, table string, keys []string) (map[string][]outgoing.Line, error) {
	lines := map[string][]outgoing.Line{}
	if there, err := s.has(ctx, "loopmap_pushes"); err != nil || !there || len(keys) == 0 {
		return lines, err
	}
	where, args := s.among("row_key", "text", keys)
	err := s.ask(ctx, "SELECT "+pushColumns+" FROM loopmap_pushes WHERE table_name = ? AND "+where+" ORDER BY updated_at DESC",
		append([]any{table}, args...), func(v []stored) error {
			key, l := readPush(v)
			lines[key] = append(lines[key], l)
			return nil
		})
	if err == nil {
		err = s.refused(ctx, table, lines)
	}
	return lines, err
}

// Pushes are the outcomes of rows by their keys, the newest first.
func (s *Store) Pushes(ctx context.Context, table string, keys []string) (map[string][]outgoing.Line, error) {
	lines, err := s.pushLines(ctx, table, keys)
	return lines, s.explain(err)
}

func readPush(v []stored) (key string, l outgoing.Line) {
	number := func(i int) int { n, _ := strconv.Atoi(v[i].text); return n } // NULL is 0
	l = outgoing.Line{
		Kind: v[1].text, IdempotencyKey: v[2].text, Status: outgoing.Status(v[3].text), Code: number(4), Message: v[5].text,
		Attempts: number(6), SentAt: readClock(v[7]), Hash: v[8].text, Tried: v[9].text,
		FirstAt: readClock(v[11]), NextAt: readClock(v[12]), UpdatedAt: readClock(v[13]),
	}
	if v[10].kind != storedNull {
		l.Body = []byte(v[10].text)
	}
	return v[0].text, l
}

// clock is a time as loopmap's tables have it.
func clock(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(timestamp)
}

func readClock(v stored) time.Time {
	for _, layout := range []string{timestamp, "2006-01-02 15:04:05.999999-07"} {
		if t, err := time.Parse(layout, v.text); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// SavePushes writes outcomes in one transaction. They are durable when it returns.
func (s *Store) SavePushes(ctx context.Context, table string, list []outgoing.Save) error {
	var all []statement
	for _, p := range list {
		if len(p.Drop) > 0 {
			where, args := s.among("idempotency_key", "text", p.Drop)
			all = append(all, statement{"DELETE FROM loopmap_pushes WHERE table_name = ? AND row_key = ? AND kind = ? AND " + where,
				append([]any{table, p.RowKey, p.Kind}, args...)})
		}
		all = append(all, s.contactSave(table, p)...)
		if l := p.Line; l.Status != "" {
			all = append(all, statement{savePush, []any{table, p.RowKey, l.Kind, l.IdempotencyKey, string(l.Status), numberOrNull(l.Code),
				textOrNull(l.Message), int64(l.Attempts), clock(l.SentAt), textOrNull(l.Hash), textOrNull(l.Tried), textOrNull(string(l.Body)),
				clock(l.FirstAt), clock(l.NextAt), clock(l.UpdatedAt)}})
		}
	}
	if len(all) == 0 {
		return nil
	}
	return s.explain(s.put(ctx, all))
}

var savePush = func() string {
	var sets []string
	for _, c := range strings.Split(pushColumns, ", ")[3:] {
		sets = append(sets, c+" = excluded."+c)
	}
	return "INSERT INTO loopmap_pushes (table_name, " + pushColumns + ") VALUES (?" + strings.Repeat(", ?", 14) +
		") ON CONFLICT (table_name, row_key, kind, idempotency_key) DO UPDATE SET " + strings.Join(sets, ", ")
}()

func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func numberOrNull(n int) any {
	if n == 0 {
		return nil
	}
	return int64(n)
}

// PushOwner is a row that has a line with an Idempotency-Key: one that was sent before
// one that is pending, before any other.
func (s *Store) PushOwner(ctx context.Context, table, kind, idempotencyKey string) (key string, l outgoing.Line, found bool, err error) {
	if there, err := s.has(ctx, "loopmap_pushes"); err != nil || !there {
		return "", l, false, s.explain(err)
	}
	err = s.ask(ctx, "SELECT "+pushColumns+` FROM loopmap_pushes
		WHERE idempotency_key = ? AND idempotency_key <> '' AND table_name = ? AND kind = ?
		ORDER BY CASE status WHEN 'sent' THEN 0 WHEN 'pending' THEN 1 ELSE 2 END, updated_at LIMIT 1`, []any{idempotencyKey, table, kind},
		func(v []stored) error {
			key, l = readPush(v)
			found = true
			return nil
		})
	return key, l, found, s.explain(err)
}

// PushesSince is when the newest outcome was written, zero when there is none, and
// whether one is pending.
func (s *Store) PushesSince(ctx context.Context, table string) (newest time.Time, pending bool, err error) {
	err = s.ask(ctx, `SELECT max(updated_at),
		(SELECT count(*) FROM (SELECT 1 FROM loopmap_pushes WHERE table_name = ? AND status = 'pending' LIMIT 1) AS p)
		FROM loopmap_pushes WHERE table_name = ?`, []any{table, table}, func(v []stored) error {
		newest, pending = readClock(v[0]), v[1].text != "0"
		return nil
	})
	return newest, pending, s.explain(err)
}

// PushDue is when the next pending request is to be tried.
func (s *Store) PushDue(ctx context.Context, table string) (next time.Time, ok bool, err error) {
	err = s.ask(ctx, "SELECT min(next_at) FROM loopmap_pushes WHERE table_name = ? AND status = 'pending'", []any{table},
		func(v []stored) error {
			next, ok = readClock(v[0]), v[0].kind != storedNull
			return nil
		})
	return next, ok, s.explain(err)
}

// CountPushes counts the outcomes of a table's rows by their status.
func (s *Store) CountPushes(ctx context.Context, table string) (map[outgoing.Status]int, error) {
	counts := map[outgoing.Status]int{}
	there, err := s.has(ctx, "loopmap_pushes")
	if err == nil && there {
		err = s.ask(ctx, "SELECT status, count(*) FROM loopmap_pushes WHERE table_name = ? GROUP BY status", []any{table},
			func(v []stored) error {
				counts[outgoing.Status(v[0].text)], err = strconv.Atoi(v[1].text)
				return err
			})
	}
	return counts, s.explain(err)
}
