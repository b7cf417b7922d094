package table

import (
	"context"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"loopmap/mapping/column"
)

// migrate brings loopmap's own tables to what this version wants, when it may write. Who
// starts at the same time waits for SQLite's lock, and finds it done.
func (s *sqliteEngine) migrate(ctx context.Context, write bool) (err error) {
	list, err := migrationsOf(column.SQLite)
	if err != nil {
		return err
	}
	ran, err := ranSQLite(s.reader, ctx.Done())
	if err != nil {
		return err
	}
	if missing, err := missingMigrations(list, ran); err != nil || !write || len(missing) == 0 {
		return err
	}
	end, err := s.begun(ctx)
	if err != nil {
		return err
	}
	defer end(&err)
	if err = s.exec(migrationsTable); err != nil {
		return err
	}
	if ran, err = ranSQLite(s.writer, ctx.Done()); err != nil {
		return err
	}
	missing, err := missingMigrations(list, ran)
	if err != nil {
		return err
	}
	for _, m := range missing {
		if err = sqlitex.ExecuteScript(s.writer, m.text, nil); err == nil {
			err = sqlitex.Execute(s.writer, "INSERT INTO loopmap_migrations (number, name, made_by) VALUES (?, ?, ?)",
				&sqlitex.ExecOptions{Args: []any{m.number, m.name, buildVersion()}})
		}
		if err != nil {
			return fmt.Errorf("make loopmap's own tables (%s): %w", m.name, err)
		}
	}
	return nil
}

const (
	// changePatience is how long a change of tables waits for its turn. Who writes all the
	// time leaves the lock for moments only: SQLite's own way of waiting, which looks less
	// and less often, could miss them all.
	changePatience = 30 * time.Second
	changeLook     = time.Millisecond
)

// begun begins a transaction that changes tables.
func (s *sqliteEngine) begun(ctx context.Context) (end func(*error), err error) {
	s.writer.SetBusyTimeout(0)
	defer s.writer.SetBusyTimeout(busyTimeout)
	for until := time.Now().Add(changePatience); ; {
		end, err = sqlitex.ImmediateTransaction(s.writer)
		if sqlite.ErrCode(err).ToPrimary() != sqlite.ResultBusy || time.Now().After(until) {
			return end, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(changeLook):
		}
	}
}

// ranSQLite are the migrations that a database has seen; none where it has no table of
// them.
func ranSQLite(c *sqlite.Conn, done <-chan struct{}) (list []ranMigration, err error) {
	defer c.SetInterrupt(c.SetInterrupt(done))
	there := false
	err = sqlitex.ExecuteTransient(c, "SELECT 1 FROM sqlite_schema WHERE name = 'loopmap_migrations'",
		&sqlitex.ExecOptions{ResultFunc: func(*sqlite.Stmt) error { there = true; return nil }})
	if err != nil || !there {
		return nil, err
	}
	err = sqlitex.ExecuteTransient(c, "SELECT number, made_by FROM loopmap_migrations ORDER BY number",
		&sqlitex.ExecOptions{ResultFunc: func(st *sqlite.Stmt) error {
			list = append(list, ranMigration{st.ColumnInt(0), st.ColumnText(1)})
			return nil
		}})
	return list, err
}
