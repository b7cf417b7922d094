package table

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"loopmap/mapping/column"
)

// querier is the pool, or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// migrate brings loopmap's own tables to what this version wants, when it may write. Who
// starts at the same time waits for the lock, and finds it done.
func (p *postgresEngine) migrate(ctx context.Context, write bool) error {
	list, err := migrationsOf(column.Postgres)
	if err != nil {
		return err
	}
	ran, err := ranPostgres(ctx, p.pool)
	if err != nil {
		return err
	}
	if missing, err := missingMigrations(list, ran); err != nil || !write || len(missing) == 0 {
		return err
	}
	return p.alone(ctx, func(t pgx.Tx) error {
		if _, err := t.Exec(ctx, migrationsTable, pgx.QueryExecModeSimpleProtocol); err != nil {
			return fmt.Errorf("make loopmap's own tables: %w", err)
		}
		ran, err := ranPostgres(ctx, t)
		if err != nil {
			return err
		}
		missing, err := missingMigrations(list, ran)
		if err != nil {
			return err
		}
		for _, m := range missing {
			_, err := t.Exec(ctx, m.text, pgx.QueryExecModeSimpleProtocol)
			if err == nil {
				_, err = t.Exec(ctx, "INSERT INTO loopmap_migrations (number, name, made_by) VALUES ($1, $2, $3)", m.number, m.name, buildVersion())
			}
			if err != nil {
				return fmt.Errorf("make loopmap's own tables (%s): %w", m.name, err)
			}
		}
		return nil
	})
}

// ranPostgres are the migrations that a schema has seen; none where it has no table of
// them.
func ranPostgres(ctx context.Context, q querier) (list []ranMigration, err error) {
	var there bool
	if err := q.QueryRow(ctx, "SELECT to_regclass('loopmap_migrations') IS NOT NULL").Scan(&there); err != nil || !there {
		return nil, err
	}
	rows, err := q.Query(ctx, "SELECT number, made_by FROM loopmap_migrations ORDER BY number")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (r ranMigration, err error) {
		return r, row.Scan(&r.number, &r.by)
	})
}

// alone runs a transaction that changes tables. A lock comes first: of several processes
// that start at once, one changes the table and the others find it changed.
func (p *postgresEngine) alone(ctx context.Context, do func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, p.pool, func(t pgx.Tx) error {
		// Filling an index of a large table takes as long as it takes, for who waits, too.
		if _, err := t.Exec(ctx, localSettings+"; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0",
			pgx.QueryExecModeSimpleProtocol); err != nil {
			return err
		}
		if _, err := t.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(own)); err != nil {
			return err
		}
		if _, err := t.Exec(ctx, "SET LOCAL lock_timeout = '4s'"); err != nil {
			return err
		}
		return do(t)
	})
}
