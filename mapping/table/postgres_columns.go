package table

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/column"
)

func (p *postgresEngine) columns(ctx context.Context, table string) ([]Column, error) {
	return columnsPostgres(ctx, p.pool, table)
}

// columnsPostgres reads the catalogue. Domains are followed to the type beneath: its
// limits, its default and its NOT NULL are the column's as well.
func columnsPostgres(ctx context.Context, q querier, table string) ([]Column, error) {
	var kind string
	err := q.QueryRow(ctx, "SELECT relkind::text FROM pg_class WHERE oid = to_regclass($1)", quote(table)).Scan(&kind)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, err
	case kind != "r" && kind != "p" && kind != "f":
		return nil, fmt.Errorf("%s is not a table (a view, perhaps); loopmap writes into tables", body.Printable(table))
	}
	rows, err := q.Query(ctx, `
		SELECT a.attname, format_type(a.atttypid, a.atttypmod), CASE WHEN a.atttypid <> base.typ THEN format_type(base.typ, base.mod) ELSE '' END,
		  EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate
		    AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum),
		  a.attgenerated <> '' OR a.attidentity = 'a',
		  (a.attnotnull OR base.required) AND NOT a.atthasdef AND a.attidentity = '' AND NOT base.has_default
		    AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgtype & 7 = 7 AND t.tgenabled <> 'D'),
		  CASE WHEN NOT coalesce(l.collisdeterministic, true) THEN 'collation ' || l.collname
		    WHEN b.typname IN ('citext', 'uuid') THEN b.typname ELSE '' END,
		  CASE WHEN c.relkind = 'f' THEN 'a foreign table has no indexes'
		    WHEN EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND NOT i.indimmediate
		      AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum)
		    THEN 'its constraint is deferrable, and no row is written by one that is: make it NOT DEFERRABLE'
		    WHEN c.relkind = 'p' AND d.partattrs::text <> a.attnum::text
		    THEN 'the table is partitioned by ' || pg_get_partkeydef(c.oid)
		      || ', and a unique index must hold what it is partitioned by' ELSE '' END
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		  CROSS JOIN LATERAL (
		    WITH RECURSIVE beneath(typ, mod, has_default, required) AS (
		      SELECT a.atttypid, a.atttypmod, false, false
		      UNION ALL SELECT t.typbasetype, CASE WHEN t.typtypmod >= 0 THEN t.typtypmod ELSE u.mod END,
		        u.has_default OR t.typdefault IS NOT NULL, u.required OR t.typnotnull
		      FROM beneath u JOIN pg_type t ON t.oid = u.typ WHERE t.typtype = 'd')
		    SELECT u.* FROM beneath u JOIN pg_type t ON t.oid = u.typ WHERE t.typtype <> 'd') AS base
		  JOIN pg_type b ON b.oid = base.typ
		  LEFT JOIN pg_collation l ON l.oid = a.attcollation
		  LEFT JOIN pg_partitioned_table d ON d.partrelid = c.oid
		WHERE c.oid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`, quote(table))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c Column, err error) {
		return c, row.Scan(&c.Name, &c.Type, &c.Base, &c.Key, &c.Generated, &c.Required, &c.Compare, &c.Never)
	})
}

// columnTypes are what a mapping's columns are in the table, one for each of
// [mapping.Mapping.Columns].
type columnTypes struct {
	mapping *mapping.Mapping
	casts   []string // what a text is cast to before it is assigned
	bases   []string // the types beneath domains, with their limits
	form    keyForm
	print   *string // [printOf] the table; NULL where there is none
}

// printOf is an expression that is another when a column's type is, or its limits.
func printOf(table string) string {
	return "(SELECT string_agg(attname || ' ' || atttypid || ' ' || atttypmod, ',' ORDER BY attnum)" +
		" FROM pg_attribute WHERE attrelid = to_regclass(" + literal(quote(table)) + ") AND attnum > 0 AND NOT attisdropped)"
}

// queueGuard adds the statement that makes sure that the table is still what its rows were
// written for. It stands behind those, which keep others from altering the table.
func (t *postgresTx) queueGuard(b *pgx.Batch, m *mapping.Mapping) error {
	types, err := t.typesOf(m)
	if err != nil {
		return err
	}
	b.Queue("SELECT "+printOf(m.Table)+" IS NOT DISTINCT FROM $1", types.print).QueryRow(func(r pgx.Row) error {
		var same bool
		if err := r.Scan(&same); err != nil || same {
			return err
		}
		return t.engine.retyped()
	})
	return nil
}

// typesOf are the same throughout a transaction.
func (t *postgresTx) typesOf(m *mapping.Mapping) (types *columnTypes, err error) {
	if t.types == nil || t.types.mapping != m {
		if types, err = t.engine.typesOf(t.ctx, m); err == nil {
			t.types = types
		}
		return types, err
	}
	return t.types, nil
}

// forgetTypes makes that they are read again: the table may have become another.
func (t *postgresTx) forgetTypes() {
	t.types = nil
	t.engine.types.Store(nil)
}

// retyped forgets what the table was.
func (p *postgresEngine) retyped() error {
	p.types.Store(nil)
	return errRetyped
}

// typesOf are remembered for the mapping that was last written by.
func (p *postgresEngine) typesOf(ctx context.Context, m *mapping.Mapping) (*columnTypes, error) {
	if t := p.types.Load(); t != nil && t.mapping == m {
		return t, nil
	}
	t := &columnTypes{mapping: m}
	err := p.pool.QueryRow(ctx, "SELECT "+printOf(m.Table)).Scan(&t.print) // first: what changes from here on shows
	if err != nil {
		return nil, err
	}
	columns, err := p.columns(ctx, m.Table)
	if err == nil {
		err = p.fit(m, columns)
	}
	if err != nil {
		return nil, err
	}
	have := byName(columns)
	t.form = formOf(have[m.Key])
	for _, c := range m.Columns() {
		is, ok := have[c.Name]
		if !ok {
			return nil, &refusal{fmt.Sprintf("column %s is not there", c.Name)}
		}
		t.casts, t.bases = append(t.casts, castPostgres(is.base())), append(t.bases, is.base())
	}
	p.types.Store(t)
	return t, nil
}

// fits says which cell a row's columns would change; "" when all keep theirs.
func (t *columnTypes) fits(e mapping.Entry) string {
	for i, c := range t.mapping.Columns() {
		if cell := e.Row.Cells[i]; cell.State == column.Present {
			if why := fits(t.bases[i], c.Type, cell.Text); why != "" {
				return fmt.Sprintf("column %s: %s", c.Name, why)
			}
		}
	}
	return ""
}

// keyForm is the engine's. A table that does not fit has none that matters.
func (p *postgresEngine) keyForm(ctx context.Context, m *mapping.Mapping) (keyForm, error) {
	t, err := p.typesOf(ctx, m)
	if errors.As(err, new(*refusal)) || errors.As(err, new(*unfitError)) {
		columns, err := p.columns(ctx, m.Table)
		for _, c := range columns {
			if c.Name == m.Key {
				return formOf(c), err
			}
		}
		return exactKeys, err
	}
	if err != nil {
		return exactKeys, err
	}
	return t.form, nil
}

// lowered is the engine's (PostgreSQL, citext: it compares as if lower were called).
func (p *postgresEngine) lowered(ctx context.Context, texts []string) ([]string, error) {
	rows, err := p.pool.Query(ctx, `SELECT lower(k COLLATE "default") FROM unnest($1::text[]) WITH ORDINALITY AS u(k, n) ORDER BY n`, texts)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
