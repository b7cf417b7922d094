package table

import (
	"context"
	"fmt"
	"strings"

	"loopmap/mapping"
)

// Column is a column that the table has.
type Column struct {
	Name      string
	Type      string // as declared
	Key       bool   // tells rows apart by itself: the primary key or a unique index
	Generated bool   // computed by the database, not to be written
	Required  bool   // NOT NULL without a default
}

// Columns are the columns of a table; none when there is no such table.
func (s *Store) Columns(ctx context.Context, table string) ([]Column, error) {
	var kind string
	err := s.db.QueryRowContext(ctx, `SELECT coalesce(max(type), '') FROM sqlite_schema
		WHERE name = ? COLLATE NOCASE AND type IN ('table', 'view')`, table).Scan(&kind)
	if err != nil {
		return nil, explain(err)
	}
	if kind == "view" {
		return nil, fmt.Errorf("%s is a view; loopmap writes into tables", mapping.Printable(table))
	}
	rows, err := s.db.QueryContext(ctx, `
		SELECT c.name, c.type, c.hidden > 1,
		  c."notnull" AND c.dflt_value IS NULL AND NOT (c.pk > 0 AND upper(c.type) = 'INTEGER'),
		  (c.pk = 1 AND (SELECT count(*) FROM pragma_table_xinfo(?1) WHERE pk > 0) = 1)
		  OR EXISTS (SELECT 1 FROM pragma_index_list(?1) AS l WHERE l."unique" AND NOT l.partial
		       AND (SELECT count(*) FROM pragma_index_info(l.name)) = 1
		       AND (SELECT name FROM pragma_index_info(l.name)) = c.name)
		FROM pragma_table_xinfo(?1) AS c WHERE c.hidden <> 1`, table)
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	var list []Column
	for rows.Next() {
		var c Column
		if err := rows.Scan(&c.Name, &c.Type, &c.Generated, &c.Required, &c.Key); err != nil {
			return nil, explain(err)
		}
		list = append(list, c)
	}
	return list, explain(rows.Err())
}

// Plan is what the table needs before a mapping can fill it.
type Plan struct {
	Notes []string // the change in words
	SQL   []string // the statements that make it, in order
	// Misfits are columns that would change the mapped values, in words. loopmap
	// retypes nothing: the mapping or the table must be changed by hand.
	Misfits []string
}

// Plan compares a mapping with the table as it is.
func (s *Store) Plan(ctx context.Context, m *mapping.Mapping) (Plan, error) {
	columns, err := s.Columns(ctx, m.Table)
	if err != nil {
		return Plan{}, err
	}
	return MakePlan(m, columns), nil
}

// MakePlan compares a mapping with the columns of its table, none when there is
// no table yet.
func MakePlan(m *mapping.Mapping, columns []Column) (p Plan) {
	if len(columns) == 0 {
		return planTable(m)
	}
	have, mapped := map[string]Column{}, map[string]bool{}
	for _, c := range columns {
		have[m.Dialect.Fold(c.Name)] = c
	}
	for _, c := range m.Receive.Columns {
		mapped[m.Dialect.Fold(c.Name)] = true
	}
	for _, c := range columns {
		if c.Required && !mapped[m.Dialect.Fold(c.Name)] {
			p.Misfits = append(p.Misfits, fmt.Sprintf("column %s is NOT NULL without a default, and the mapping does not fill it: the table would refuse every row", c.Name))
		}
	}
	for _, c := range m.Receive.Columns {
		old, ok := have[m.Dialect.Fold(c.Name)]
		switch {
		case !ok:
			p.Notes = append(p.Notes, fmt.Sprintf("adds column %s (%s); rows that are there stay NULL in it", c.Name, declared(c.Type)))
			p.SQL = append(p.SQL, fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s %s", quote(m.Table), quote(c.Name), declared(c.Type)))
		case old.Generated:
			p.Misfits = append(p.Misfits, fmt.Sprintf("column %s is computed by the database and cannot be written", c.Name))
		default:
			if why := Misfit(c.Type, old.Type); why != "" {
				p.Misfits = append(p.Misfits, fmt.Sprintf("column %s is %s in the table, which does not hold %s: %s", c.Name, old.Type, c.Type, why))
			}
		}
	}
	if !have[m.Dialect.Fold(m.Key)].Key {
		p.Notes = append(p.Notes, fmt.Sprintf("makes %s unique, since it tells rows apart", m.Key))
		p.SQL = append(p.SQL, fmt.Sprintf("CREATE UNIQUE INDEX %s ON %s (%s)", quote(m.Table+"_"+m.Key+"_key"), quote(m.Table), quote(m.Key)))
	}
	return p
}

func planTable(m *mapping.Mapping) Plan {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s (\n", quote(m.Table))
	for i, c := range m.Receive.Columns {
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, "  %s %s", quote(c.Name), declared(c.Type))
		if c.Name == m.Key {
			b.WriteString(" NOT NULL PRIMARY KEY")
		}
	}
	b.WriteString("\n)")
	n := len(m.Receive.Columns)
	note := fmt.Sprintf("creates table %s with %d columns", m.Table, n)
	if n == 1 {
		note = fmt.Sprintf("creates table %s with 1 column", m.Table)
	}
	return Plan{Notes: []string{note}, SQL: []string{b.String()}}
}

// Err is the plan's misfits as one error, or nil.
func (p Plan) Err() error {
	if len(p.Misfits) == 0 {
		return nil
	}
	return fmt.Errorf("the table does not fit the mapping: %s", strings.Join(p.Misfits, "; "))
}

// Apply makes the change, whole or not at all.
func (s *Store) Apply(ctx context.Context, p Plan) error {
	if err := p.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetTarget()
	if len(p.SQL) == 0 {
		return nil
	}
	for _, sql := range append(append([]string{"BEGIN IMMEDIATE"}, p.SQL...), "COMMIT") {
		if _, err := s.writer.ExecContext(ctx, sql); err != nil {
			s.rollback()
			return fmt.Errorf("%s: %w", sql, explain(err))
		}
	}
	return nil
}
