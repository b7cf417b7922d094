package table

import (
	"fmt"
	"strings"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

func (s *sqliteTx) write(entries []mapping.Entry) (refused []error, err error) {
	refused = make([]error, len(entries))
	for i := 0; i < len(entries); {
		n := 1
		if alike(entries[i:]) {
			n = together
			err := s.writeRows(entries[i : i+n])
			if err == nil {
				i += n
				continue
			}
			if !s.aboutRow(err) {
				return nil, err
			}
			// Nothing of them is written. One by one it shows which it is about.
		}
		for end := i + n; i < end; i++ {
			if err := s.writeRows(entries[i : i+1]); err != nil {
				if !s.aboutRow(err) {
					return nil, err
				}
				refused[i] = err
			}
		}
	}
	return refused, nil
}

// alike reports whether the first entries, as many as are written together, are upserts
// of the same columns.
func alike(entries []mapping.Entry) bool {
	if len(entries) < together || entries[0].Row.Action != mapping.Upsert {
		return false
	}
	first := entries[0]
	for _, e := range entries[1:together] {
		if e.Mapping != first.Mapping || e.Row.Action != first.Row.Action {
			return false
		}
		for i, cell := range e.Row.Cells {
			if (cell.State == column.Missing) != (first.Row.Cells[i].State == column.Missing) {
				return false
			}
		}
	}
	return true
}

// writeRows writes one row, or several that are alike, by one statement.
func (s *sqliteTx) writeRows(entries []mapping.Entry) error {
	e := entries[0]
	t, err := s.targetOf(e.Mapping)
	if err != nil {
		return err
	}
	columns := shapeOf(e)
	if e.Row.Action == mapping.Update && strings.Count(columns, "1") == 1 {
		return nil // the key alone: there is nothing to set
	}
	st, err := t.statement(s.writer, shapes{shape{e.Row.Action, columns}, len(entries)})
	if err != nil {
		return err
	}
	n := 0
	for _, e := range entries {
		for i, cell := range e.Row.Cells {
			if cell.State == column.Missing {
				continue
			}
			n++
			if cell.State == column.Null {
				st.BindNull(n)
				continue
			}
			c := t.columns[i]
			if why := bind(st, n, c.Type, t.affinities[i], cell.Text); why != "" {
				return &refusal{fmt.Sprintf("column %s: %s", c.Name, why)}
			}
		}
	}
	return run(st)
}

func (s *sqliteTx) read(m *mapping.Mapping, keys []string) (map[string][]Value, error) {
	rows := make(map[string][]Value, len(keys))
	for _, key := range keys {
		row, err := s.readRow(m, key)
		if err != nil {
			return nil, err
		}
		if row != nil {
			rows[key] = row
		}
	}
	return rows, nil
}

func (s *sqliteTx) readRow(m *mapping.Mapping, key string) (row []Value, err error) {
	t, err := s.targetOf(m)
	if err != nil {
		return nil, err
	}
	if t.reader == nil {
		if t.reader, _, err = s.writer.PrepareTransient(readSQL(m, "CAST(%s AS TEXT)", "= ?")); err != nil {
			return nil, err
		}
	}
	st := t.reader
	defer func() { _ = st.Reset() }()
	if why := bind(st, 1, t.columns[t.key].Type, t.affinities[t.key], key); why != "" {
		return nil, nil
	}
	found, err := st.Step()
	if err != nil || !found {
		return nil, err
	}
	row = make([]Value, len(t.columns))
	for i := range row {
		row[i] = Value{st.ColumnText(i), st.ColumnIsNull(i)}
	}
	return row, nil
}
