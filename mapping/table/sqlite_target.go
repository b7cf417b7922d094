package table

import (
	"context"
	"fmt"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

// sqliteTarget is a mapping's table made ready for writing.
type sqliteTarget struct {
	mapping    *mapping.Mapping
	columns    []mapping.Column
	key        int // index of the key column
	affinities []affinity
	statements map[shapes]*sqlite.Stmt
	reader     *sqlite.Stmt // of a row
}

// shape is what decides a row's SQL: what is done, and which columns are set.
type shape struct {
	action  mapping.Action
	columns string // '1' for each that is set, '0' for each that is not
}

// shapes is a shape and how many rows are written together.
type shapes struct {
	shape
	rows int // 1 but for upserts
}

// maxShapes bounds the statements that are kept ready; most tables need one.
const maxShapes = 64

// shapeOf marks the columns that a row sets.
func shapeOf(e mapping.Entry) string {
	b := make([]byte, len(e.Row.Cells))
	for i, cell := range e.Row.Cells {
		if b[i] = '1'; cell.State == column.Missing {
			b[i] = '0'
		}
	}
	return string(b)
}

func (s *sqliteEngine) targetOf(m *mapping.Mapping) (*sqliteTarget, error) {
	if s.target != nil && s.target.mapping == m {
		return s.target, nil
	}
	s.forgetTarget()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	have, err := s.columns(ctx, m.Table)
	if err == nil {
		err = s.fit(m, have)
	}
	if err != nil {
		return nil, err
	}
	t := &sqliteTarget{mapping: m, columns: m.Columns(), statements: map[shapes]*sqlite.Stmt{}}
	t.affinities = make([]affinity, len(t.columns))
	for i, c := range t.columns {
		if c.Name == m.Key {
			t.key = i
		}
		for _, h := range have {
			if m.Dialect.Fold(h.Name) == m.Dialect.Fold(c.Name) {
				t.affinities[i] = affinityOf(h.Type)
			}
		}
	}
	s.target = t
	return t, nil
}

// keyForm is the engine's. It is asked beside a transaction, and remembered for the
// mapping that was last asked for.
func (s *sqliteEngine) keyForm(ctx context.Context, m *mapping.Mapping) (keyForm, error) {
	if f := s.form.Load(); f != nil && f.mapping == m {
		return f.form, nil
	}
	have, err := s.columns(ctx, m.Table)
	if err != nil {
		return exactKeys, err
	}
	f := &sqliteForm{mapping: m}
	for _, c := range have {
		if m.Dialect.Fold(c.Name) == m.Dialect.Fold(m.Key) {
			f.form = formOf(c)
		}
	}
	s.form.Store(f)
	return f.form, nil
}

// sqliteForm is the form of a mapping's keys.
type sqliteForm struct {
	mapping *mapping.Mapping
	form    keyForm
}

// lowered is the engine's; SQLite has no such keys.
func (s *sqliteEngine) lowered(_ context.Context, texts []string) ([]string, error) {
	return texts, nil
}

func (s *sqliteEngine) forgetTarget() {
	if s.target != nil {
		s.target.close()
		s.target = nil
	}
}

func (t *sqliteTarget) close() {
	for _, st := range t.statements {
		_ = st.Finalize() // reports the last error of its run, which was seen
	}
	clear(t.statements)
	if t.reader != nil {
		_ = t.reader.Finalize()
		t.reader = nil
	}
}

// statement writes the columns that are set. The others keep what they have, and
// in a new row get the table's default.
func (t *sqliteTarget) statement(c *sqlite.Conn, key shapes) (*sqlite.Stmt, error) {
	if st := t.statements[key]; st != nil {
		return st, nil
	}
	if len(t.statements) == maxShapes {
		t.close()
	}
	st, _, err := c.PrepareTransient(t.sql(key))
	if err == nil {
		t.statements[key] = st
	}
	return st, err
}

func (t *sqliteTarget) sql(of shapes) string {
	var names, marks, excluded, values []string
	key := ""
	for i, c := range t.columns {
		if of.columns[i] == '0' {
			continue
		}
		name, mark := quote(c.Name), fmt.Sprintf("?%d", len(names)+1)
		names, marks = append(names, name), append(marks, mark)
		if c.Name == t.mapping.Key {
			key = name + " = " + mark
			continue
		}
		excluded, values = append(excluded, name+" = excluded."+name), append(values, name+" = "+mark)
	}
	table := quote(t.mapping.Table)
	switch of.action {
	case mapping.Delete:
		return "DELETE FROM " + table + " WHERE " + key
	case mapping.Update:
		return "UPDATE " + table + " SET " + strings.Join(values, ", ") + " WHERE " + key
	case mapping.Upsert:
	}
	row := "(" + strings.Join(marks, ", ") + ")"
	if of.rows > 1 {
		row = "(?" + strings.Repeat(", ?", len(marks)-1) + ")"
		row += strings.Repeat(", "+row, of.rows-1)
	}
	insert := "INSERT INTO " + table + " (" + strings.Join(names, ", ") + ") VALUES " + row + " ON CONFLICT (" + quote(t.mapping.Key) + ") DO "
	if len(excluded) == 0 {
		return insert + "NOTHING"
	}
	return insert + "UPDATE SET " + strings.Join(excluded, ", ")
}

// readSQL reads a row by its key; same is the condition behind the key's name.
func readSQL(m *mapping.Mapping, as, same string) string {
	var names []string
	for _, c := range m.Columns() {
		names = append(names, fmt.Sprintf(as, quote(c.Name)))
	}
	return "SELECT " + strings.Join(names, ", ") + " FROM " + quote(m.Table) + " WHERE " + quote(m.Key) + " " + same
}
