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
	args = append([]any{pgx.QueryResultFormats{pgx.TextFormatCode}}, args...)
	if !p.readOnly {
		rows, err := p.pool.Query(ctx, numbered(text), args...)
		return handStored(rows, err, each)
	}
	return pgx.BeginTxFunc(ctx, p.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(t pgx.Tx) error {
		rows, err := t.Query(ctx, numbered(text), args...)
		return handStored(rows, err, each)
	})
}

func handStored(rows pgx.Rows, err error, each func([]stored) error) error {
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
		p.local(b)
		for _, st := range list {
			b.Queue(numbered(st.text), st.args...)
		}
		return t.SendBatch(ctx, b).Close()
	})
}

// appliedOf is the engine's.
func (p *postgresEngine) appliedOf(ctx context.Context, keys []string) ([]Record, error) {
	if there, err := p.hasJournal(ctx); err != nil || !there {
		return nil, err
	}
	rows, err := p.pool.Query(ctx, postgresRecord+" WHERE status = 'applied' AND row_key = ANY($1)", keys)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanRecord)
}

// lockPushes holds an advisory lock by a transaction, which a pooler keeps on one
// connection and which ends with it, and looks now and then whether that is still there.
func (p *postgresEngine) lockPushes(ctx context.Context) (context.Context, func(), bool, error) {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return nil, nil, false, err
	}
	ok := false
	b := &pgx.Batch{}
	b.Queue("BEGIN")
	b.Queue("SELECT set_config(name, '0', true) FROM pg_settings WHERE name IN ('idle_in_transaction_session_timeout', " +
		"'statement_timeout', 'transaction_timeout')")
	b.Queue("SELECT pg_try_advisory_xact_lock($1, hashtext(current_schema()))",
		int32(pushing)).QueryRow(func(row pgx.Row) error { return row.Scan(&ok) })
	end := func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTimeout)
		defer cancel()
		_, _ = conn.Exec(ctx, "ROLLBACK") // where it fails the connection is gone, and with it the lock
		conn.Release()
	}
	if err = conn.SendBatch(ctx, b).Close(); err != nil || !ok {
		end()
		return nil, nil, false, err
	}
	held, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer end()
		for {
			select {
			case <-held.Done():
				return
			case <-time.After(2 * time.Second):
			}
			look, stop := context.WithTimeout(held, connectTimeout)
			_, err := conn.Exec(look, "SELECT 1")
			if stop(); err != nil {
				cancel()
				return
			}
		}
	}()
	return held, func() { cancel(); <-done }, true, nil
}

// pushing is the advisory lock of who sends.
const pushing = 0x6c6f6f70 // "loop"
