package table

import (
	"context"
	"fmt"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"loopmap/mapping"
)

// sqliteTarget is a mapping's table made ready for writing.
type sqliteTarget struct {
	mapping    *mapping.Mapping
	columns    []mapping.Column
	key        int // index of the key column
	affinities []affinity
	statements map[shape]*sqlite.Stmt
	reader     *sqlite.Stmt // of a row
}

// shape is what decides a row's SQL: what is done, and which columns are set.
type shape struct {
	action  mapping.Action
	columns string // '1' for each that is set, '0' for each that is not
}

// maxShapes bounds the statements that are kept ready; most tables need one.
const maxShapes = 64

// shapeOf marks the columns that a row sets.
func shapeOf(e mapping.Entry) string {
	b := make([]byte, len(e.Row.Cells))
	for i, cell := range e.Row.Cells {
		if b[i] = '1'; cell.State == mapping.Missing {
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
	if err != nil {
		return nil, err
	}
	t := &sqliteTarget{mapping: m, columns: m.Columns(), statements: map[shape]*sqlite.Stmt{}}
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
func (t *sqliteTarget) statement(c *sqlite.Conn, action mapping.Action, columns string) (*sqlite.Stmt, error) {
	key := shape{action, columns}
	if st := t.statements[key]; st != nil {
		return st, nil
	}
	if len(t.statements) == maxShapes {
		t.close()
	}
	st, _, err := c.PrepareTransient(t.sql(action, columns))
	if err == nil {
		t.statements[key] = st
	}
	return st, err
}

func (t *sqliteTarget) sql(action mapping.Action, columns string) string {
	var names, marks, excluded, values []string
	key := ""
	for i, c := range t.columns {
		if columns[i] == '0' {
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
	switch {
	case action == mapping.Delete:
		return "DELETE FROM " + table + " WHERE " + key
	case action == mapping.Update:
		return "UPDATE " + table + " SET " + strings.Join(values, ", ") + " WHERE " + key
	case len(excluded) == 0:
		return "INSERT INTO " + table + " (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(marks, ", ") + ") ON CONFLICT (" + quote(t.mapping.Key) + ") DO NOTHING"
	}
	return "INSERT INTO " + table + " (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(marks, ", ") + ") ON CONFLICT (" + quote(t.mapping.Key) +
		") DO UPDATE SET " + strings.Join(excluded, ", ")
}

// readSQL reads a row by its key.
func readSQL(m *mapping.Mapping, as, key string) string {
	var names []string
	for _, c := range m.Columns() {
		names = append(names, fmt.Sprintf(as, quote(c.Name)))
	}
	return "SELECT " + strings.Join(names, ", ") + " FROM " + quote(m.Table) + " WHERE " + quote(m.Key) + " = " + key
}
