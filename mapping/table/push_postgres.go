package table

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// numbered writes marks as PostgreSQL does. None of our texts has a ? of its own: names
// of users are counted only where they are quoted.
func numbered(text string) string {
	var b strings.Builder
	n, quoted := 0, false
	for _, r := range text {
		switch {
		case r == '"':
			quoted = !quoted
		case r == '?' && !quoted:
			n++
			fmt.Fprintf(&b, "$%d", n)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// ask is the engine's. All values come as PostgreSQL writes them.
func (p *postgresEngine) ask(ctx context.Context, text string, args []any, each func([]stored) error) error {
	rows, err := p.pool.Query(ctx, numbered(text), append([]any{pgx.QueryResultFormats{pgx.TextFormatCode}}, args...)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		raw := rows.RawValues()
		row := make([]stored, len(raw))
		for i, v := range raw {
			if v != nil {
				row[i] = stored{storedText, string(v)}
			}
		}
		if err := each(row); err != nil {
			return err
		}
	}
	return rows.Err()
}

// put is the engine's.
func (p *postgresEngine) put(ctx context.Context, list []statement) error {
	ctx, cancel := context.WithTimeout(ctx, transactionTimeout)
	defer cancel()
	return pgx.BeginFunc(ctx, p.pool, func(t pgx.Tx) error {
		b := &pgx.Batch{}
		for _, st := range list {
			b.Queue(numbered(st.text), st.args...)
		}
		return t.SendBatch(ctx, b).Close()
	})
}

// told is the engine's.
func (p *postgresEngine) told(ctx context.Context, keys []string) ([]Record, error) {
	if there, err := p.hasJournal(ctx); err != nil || !there {
		return nil, err
	}
	rows, err := p.pool.Query(ctx, postgresRecord+" WHERE status = 'applied' AND row_key = ANY($1)", keys)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanRecord)
}

// lockPushes holds an advisory lock by a connection of its own, and looks now and then
// whether that is still there.
func (p *postgresEngine) lockPushes(ctx context.Context) (context.Context, func(), bool, error) {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return nil, nil, false, err
	}
	own := conn.Hijack()
	ok := false
	err = own.QueryRow(ctx, "SELECT pg_try_advisory_lock($1, hashtext(current_schema()))", int32(pushing)).Scan(&ok)
	if err != nil || !ok {
		own.Close(context.WithoutCancel(ctx))
		return nil, nil, false, err
	}
	held, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer own.Close(context.WithoutCancel(ctx))
		for {
			select {
			case <-held.Done():
				return
			case <-time.After(2 * time.Second):
			}
			if err := own.Ping(held); err != nil {
				cancel()
				return
			}
		}
	}()
	return held, func() { cancel(); <-done }, true, nil
}

// pushing is the advisory lock of who sends.
const pushing = 0x6c6f6f70 // "loop"

// hasTables reports whether the tables of this version are there.
func (p *postgresEngine) hasTables(ctx context.Context) (there bool, err error) {
	err = p.pool.QueryRow(ctx, `SELECT bool_and(to_regclass(name) IS NOT NULL)
		FROM unnest(ARRAY['loopmap_deliveries', 'loopmap_deliveries_waiting', 'loopmap_pushes', 'loopmap_pushes_newest', 'loopmap_changes']) AS name`).Scan(&there)
	return there, err
}
