package table

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

// settled are the entries that would leave their rows as they are, of which nothing needs
// to be tried: upserts of what the rows hold already, where nothing but the table's columns
// decides what is stored. A row of which one delivery is not settled has none.
func (w *work) settled(ctx context.Context, entries []mapping.Entry, before []Change) ([]bool, error) {
	rows := map[string][]Value{}
	for _, c := range before {
		rows[c.Key] = c.Before
	}
	plain := map[*mapping.Mapping][]string{} // the types of columns; nil where more than they decides
	settled, open := make([]bool, len(entries)), map[string]bool{}
	for i, e := range entries {
		if e.Status != mapping.Applied {
			continue
		}
		types, known := plain[e.Mapping]
		if !known {
			var err error
			if types, err = w.store.plainTypes(ctx, e.Mapping); err != nil {
				return nil, err
			}
			plain[e.Mapping] = types
		}
		if settled[i] = types != nil && e.Row.Action == mapping.Upsert && holds(e, rows[e.Row.Key], types); !settled[i] {
			open[e.Row.Key] = true
		}
	}
	for i, e := range entries {
		settled[i] = settled[i] && !open[e.Row.Key]
	}
	return settled, nil
}

// holds reports whether a row has what an entry would write.
func holds(e mapping.Entry, row []Value, types []string) bool {
	if row == nil {
		return false
	}
	for i, c := range e.Mapping.Columns() {
		switch cell := e.Row.Cells[i]; cell.State {
		case column.Missing:
		case column.Null:
			if !row[i].Null {
				return false
			}
		default:
			if row[i].Null || c.Name != e.Mapping.Key && !sameText(c.Type, types[i], row[i].Text, cell.Text) {
				return false
			}
		}
	}
	return true
}

// sameText reports whether a column that gives back stored would do so again if text were
// written. When it cannot be told from the texts it says no.
func sameText(t column.Type, declared, stored, text string) bool {
	switch {
	case stored == text:
		return true
	case t == column.Boolean:
		return stored == "1" && text == "true" || stored == "0" && text == "false"
	case t == column.Time && strings.HasPrefix(declared, "timestamp"):
		at, err := time.Parse(time.RFC3339Nano, text)
		for _, layout := range []string{"2006-01-02 15:04:05.999999-07", "2006-01-02 15:04:05.999999"} {
			if is, wrong := time.Parse(layout, stored); err == nil && wrong == nil {
				return is.Equal(at)
			}
		}
	case declared == "jsonb":
		a, ok := decoded(stored)
		b, also := decoded(text)
		return ok && also && reflect.DeepEqual(a, b)
	}
	return false
}

// decoded is JSON with its numbers as they are written.
func decoded(text string) (v any, ok bool) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	return v, d.Decode(&v) == nil
}

// plainTypes is the engine's: the declared types of a mapping's columns, where no trigger
// of the user has a say.
func (s *sqliteEngine) plainTypes(ctx context.Context, m *mapping.Mapping) (types []string, err error) {
	others := false
	err = s.ask(ctx, "SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE AND name NOT LIKE 'loopmap~_%' "+
		"ESCAPE '~' LIMIT 1",
		[]any{m.Table}, func([]stored) error { others = true; return nil })
	if err != nil || others {
		return nil, err
	}
	return make([]string, len(m.Columns())), nil // which say nothing that the texts do not
}

// plainTypes is the engine's. What a policy refuses, or a constraint that was not validated,
// is in the table all the same.
func (p *postgresEngine) plainTypes(ctx context.Context, m *mapping.Mapping) ([]string, error) {
	var others bool
	err := p.pool.QueryRow(ctx, `SELECT c.relrowsecurity OR c.relhasrules
		OR EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal
			AND t.tgname NOT LIKE 'loopmap\_%') OR EXISTS (SELECT FROM pg_constraint o WHERE o.conrelid = c.oid AND NOT o.convalidated)
		FROM pg_class c WHERE c.oid = to_regclass($1)`, quote(m.Table)).Scan(&others)
	if err != nil || others {
		return nil, err
	}
	types, err := p.typesOf(ctx, m)
	if err != nil {
		return nil, nil //nolint:nilerr // which writing shows
	}
	return types.bases, nil
}
