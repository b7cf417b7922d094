package table

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"loopmap/mapping"
)

// lockNotAvailable is the SQLSTATE of a lock that was waited for long enough.
const lockNotAvailable = "55P03"

// patience is how long a transaction waits for a lock, for this tool alone: for one that is
// on the whole table, and for a row's while it is looked which one is locked.
const (
	tablePatience = "3s"
	lookPatience  = "20ms"
	lookMost      = 2 * time.Second // in all
)

// lockedAmong finds the rows that others hold locked, once a transaction has waited for one
// of them in vain. It finds none where that has passed, and fails where the whole table
// stays locked.
func (p *postgresEngine) lockedAmong(ctx context.Context, entries []mapping.Entry) (rows []rowName, err error) {
	rowsOf := slices.DeleteFunc(slices.Clone(entries), func(e mapping.Entry) bool { return e.Status != mapping.Applied })
	begun, err := p.begin(ctx)
	if err != nil {
		return nil, err
	}
	t := begun.(*postgresTx)
	defer t.rollback()
	b := &pgx.Batch{}
	t.start(b)
	b.Queue("SET LOCAL lock_timeout = '" + tablePatience + "'")
	for _, table := range append(tablesOf(rowsOf), "loopmap_deliveries") {
		b.Queue("LOCK TABLE " + quote(table) + " IN ROW EXCLUSIVE MODE")
	}
	b.Queue("SET LOCAL lock_timeout = '" + lookPatience + "'")
	if err := t.send(b); err != nil {
		return nil, err
	}
	for _, look := range []func([]mapping.Entry) ([]rowName, error){t.lockedByOurs, t.lockedRows, t.lockedOneByOne} {
		if rows, err = look(rowsOf); err != nil || len(rows) > 0 {
			return rows, err
		}
	}
	return nil, nil
}

func tablesOf(entries []mapping.Entry) (list []string) {
	for _, e := range entries {
		if !slices.Contains(list, e.Mapping.Table) {
			list = append(list, e.Mapping.Table)
		}
	}
	return list
}

// lockedByOurs are rows that another process of loopmap is at, and waits itself.
func (t *postgresTx) lockedByOurs(entries []mapping.Entry) (list []rowName, err error) {
	keys := make([]int64, len(entries))
	for i, e := range entries {
		keys[i] = t.engine.lockOf(e.Mapping.Table, e.Row.Key)
	}
	rows, err := t.conn.Query(t.ctx,
		"SELECT n FROM unnest($1::bigint[]) WITH ORDINALITY AS u(k, n) WHERE NOT pg_try_advisory_xact_lock(k)", keys)
	return picked(entries, rows, err)
}

// lockedRows are rows that are there and locked: one look finds them all.
func (t *postgresTx) lockedRows(entries []mapping.Entry) (list []rowName, err error) {
	for _, g := range groups(entries) {
		m := g[0].Mapping
		types, err := t.typesOf(m)
		if err != nil {
			return nil, nil //nolint:nilerr // writing them shows it
		}
		at := slices.IndexFunc(m.Columns(), func(c mapping.Column) bool { return c.Name == m.Key })
		keys := make([]string, len(g))
		for i, e := range g {
			keys[i] = e.Row.Key
		}
		if err := t.savepoint(); err != nil {
			return nil, err
		}
		there := fmt.Sprintf(" FROM unnest($1::text[]) WITH ORDINALITY AS u(k, n) JOIN %s t ON t.%s = u.k::%s",
			quote(m.Table), quote(m.Key), types.casts[at])
		rows, err := t.conn.Query(t.ctx, "WITH free AS (SELECT u.n"+there+" FOR NO KEY UPDATE OF t SKIP LOCKED) SELECT u.n"+there+
			" WHERE u.n NOT IN (SELECT n FROM free)", keys)
		some, err := picked(g, rows, err)
		if err != nil { // not every table's rows can be locked
			if err := t.rollbackTo(); err != nil {
				return nil, err
			}
		}
		list = append(list, some...)
	}
	return list, nil
}

// lockedOneByOne are rows that cannot be written for a lock of any kind: one that another
// transaction has just made, or one that a trigger or a foreign key leads to.
func (t *postgresTx) lockedOneByOne(entries []mapping.Entry) (list []rowName, err error) {
	end := time.Now().Add(lookMost)
	for i := range entries {
		b := &pgx.Batch{}
		b.Queue("SAVEPOINT " + savepoint)
		if err := t.queue(b, entries[i:i+1]); err != nil {
			continue
		}
		err := t.send(b)
		if err == nil {
			continue
		}
		if codeOf(err) == "" {
			return nil, err
		}
		if err := t.rollbackTo(); err != nil {
			return nil, err
		}
		if codeOf(err) == lockNotAvailable {
			list = append(list, rowOf(entries[i]))
		}
		if time.Now().After(end) {
			break // the next look finds more
		}
	}
	return list, nil
}

// picked are the rows of the entries whose numbers a query returns, from 1 on.
func picked(entries []mapping.Entry, rows pgx.Rows, err error) (list []rowName, _ error) {
	if err != nil {
		return nil, err
	}
	numbers, err := pgx.CollectRows(rows, pgx.RowTo[int])
	for _, n := range numbers {
		list = append(list, rowOf(entries[n-1]))
	}
	return list, err
}
