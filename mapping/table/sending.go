package table

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"loopmap/mapping"
)

// stored is a value as the database gives it.
type stored struct {
	kind storedKind
	text string
}

type storedKind uint8

const (
	storedNull storedKind = iota
	storedNumber
	storedText
	storedBytes
)

// statement is one that writes.
type statement struct {
	text string
	args []any
}

// PushRows are rows with all that decides what they send, in the order of the key, or
// of q.Keys. Cells are those of fields.
func (s *Store) PushRows(ctx context.Context, m *mapping.Mapping, fields []mapping.Field, q mapping.PushQuery) ([]mapping.PushRow, error) {
	rows, err := s.pushRows(ctx, m, fields, q)
	return rows, s.explain(err)
}

func (s *Store) pushRows(ctx context.Context, m *mapping.Mapping, fields []mapping.Field, q mapping.PushQuery) ([]mapping.PushRow, error) {
	columns, err := s.columns(ctx, m.Table)
	if err != nil {
		return nil, err
	}
	keys, err := s.canonicalKeys(ctx, m, q.Keys)
	if err != nil {
		return nil, err
	}
	if q.Status != "" && keys == nil {
		if keys, err = s.pushKeys(ctx, m.Table, q); err != nil {
			return nil, err
		}
	}
	if len(columns) == 0 {
		return nil, fmt.Errorf("table %s is not there any more", m.Table)
	}
	if keys != nil && len(keys) == 0 {
		return nil, nil
	}
	if q.Keys != nil { // as people write them
		if keys, err = s.canonicalKeys(ctx, m, keys); err != nil {
			return nil, err
		}
	}
	cells, found, err := s.cells(ctx, m, fields, columns, keys, q)
	if err != nil {
		return nil, err
	}
	if keys == nil {
		keys = found
	}
	if len(keys) == 0 {
		return nil, nil
	}
	lines, err := s.pushLines(ctx, m.Table, keys)
	if err != nil {
		return nil, err
	}
	told, made, err := s.toldOf(ctx, keys)
	if err != nil {
		return nil, err
	}
	rows := make([]mapping.PushRow, len(keys))
	for i, key := range keys {
		c, there := cells[key]
		rows[i] = mapping.PushRow{Key: key, Gone: !there, Cells: c, Lines: lines[key], Told: told[key]}
	}
	return rows, s.contactsOf(ctx, m, rows, made)
}

// pushKeys are the rows that have a line of a status.
func (s *Store) pushKeys(ctx context.Context, table string, q mapping.PushQuery) (keys []string, err error) {
	keys = []string{}
	if there, err := s.hasPushes(ctx); err != nil || !there {
		return keys, err
	}
	order := "row_key"
	if s.dialect() == mapping.Postgres {
		order = `row_key COLLATE "C"` // as the texts are compared here
	}
	text, args := "SELECT DISTINCT "+order+" FROM loopmap_pushes WHERE table_name = ? AND status = ?", []any{table, string(q.Status)}
	if q.After != "" { // a key may be empty
		text, args = text+" AND "+order+" > ?", append(args, q.After)
	}
	if !q.Due.IsZero() {
		text, args = text+" AND next_at <= ?", append(args, clock(q.Due))
	}
	if text += " ORDER BY 1"; q.Limit > 0 {
		text += fmt.Sprintf(" LIMIT %d", q.Limit)
	}
	err = s.ask(ctx, text, args, func(v []stored) error {
		keys = append(keys, v[0].text)
		return nil
	})
	return keys, err
}

// cells are the values of rows by their keys, which come in order.
func (s *Store) cells(ctx context.Context, m *mapping.Mapping, fields []mapping.Field, columns []Column, keys []string, q mapping.PushQuery) (map[string]map[string]mapping.Cell, []string, error) {
	declared := map[string]string{}
	for _, c := range columns {
		if declared[m.Dialect.Fold(c.Name)] = c.Type; m.Dialect == mapping.Postgres {
			declared[m.Dialect.Fold(c.Name)] = castPostgres(c.base()) // without limits, which a cast would cut to
		}
	}
	keyType := declared[m.Dialect.Fold(m.Key)]
	names := []string{s.asText(m.Key)}
	for _, f := range fields {
		names = append(names, s.asStored(f, declared[m.Dialect.Fold(f.Name)]))
	}
	text := "SELECT " + strings.Join(names, ", ") + " FROM " + quote(m.Table)
	var args []any
	switch {
	case keys != nil:
		where, list := s.among(quote(m.Key), keyType, keys)
		text, args = text+" WHERE "+where, list
	case q.After != "":
		text, args = text+" WHERE "+quote(m.Key)+" "+operator(">", keyType)+" "+s.typed(keyType), []any{q.After}
	default:
		text += " WHERE " + s.hasKey(m.Key)
	}
	if text += " ORDER BY " + quote(m.Key); q.Limit > 0 && keys == nil {
		text += fmt.Sprintf(" LIMIT %d", q.Limit)
	}
	all := map[string]map[string]mapping.Cell{}
	var found []string
	var rows []map[string]mapping.Cell
	err := s.ask(ctx, text, args, func(v []stored) error {
		row := make(map[string]mapping.Cell, len(fields))
		for i, f := range fields {
			row[f.Name] = s.cell(f, v[i+1], declared[m.Dialect.Fold(f.Name)])
		}
		found, rows = append(found, v[0].text), append(rows, row)
		return nil
	})
	if err == nil {
		found, err = s.canonicalKeys(ctx, m, found)
	}
	for i, name := range found {
		all[name] = rows[i]
	}
	return all, found, err
}

// asText is a key as it names its row.
func (s *Store) asText(key string) string {
	if s.dialect() == mapping.SQLite {
		return "CAST(" + quote(key) + " AS TEXT)"
	}
	return quote(key) + "::text AS loopmap_key" // ORDER BY the key means the column, not this
}

// asStored is how a column is asked for: PostgreSQL writes values as JSON.
func (s *Store) asStored(f mapping.Field, declared string) string {
	switch {
	case s.dialect() == mapping.SQLite:
		return quote(f.Name)
	case f.Type == mapping.JSON && !strings.HasPrefix(declared, "json"):
		return quote(f.Name) + "::text"
	}
	return "to_json(" + quote(f.Name) + ")::text"
}

// cell reads a value that was asked for so.
func (s *Store) cell(f mapping.Field, v stored, declared string) mapping.Cell {
	d := s.dialect()
	switch {
	case v.kind == storedNull:
		return mapping.Cell{State: mapping.Null}
	case v.kind == storedBytes, d == mapping.Postgres && declared == "bytea":
		return mapping.Cell{State: mapping.Misfit, Text: "it holds bytes"}
	case d == mapping.Postgres && (f.Type != mapping.JSON || strings.HasPrefix(declared, "json")):
		return f.Cell(v.text, d)
	case v.kind == storedText:
		return f.TextCell(v.text, d)
	case f.Type == mapping.Boolean && (v.text == "0" || v.text == "1"):
		return f.Cell(strconv.FormatBool(v.text == "1"), d)
	}
	return f.Cell(v.text, d)
}

// among says that a column is one of texts; declared is its type.
func (s *Store) among(column, declared string, texts []string) (string, []any) {
	if s.dialect() == mapping.Postgres {
		return column + " " + operator("=", declared) + " ANY(?::text[]::" + declared + "[])", []any{castable(declared, texts)}
	}
	args := make([]any, 0, len(texts))
	for _, text := range texts {
		args = append(args, text)
		// A column without a type may hold a number, which the text alone would not find.
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && affinityOf(declared) == affBlob && strconv.FormatInt(n, 10) == text {
			args = append(args, n)
		}
	}
	return column + " IN (?" + strings.Repeat(", ?", len(args)-1) + ")", args
}

// castable leaves out what cannot be of a column's type, and is not a key then.
func castable(declared string, texts []string) []string {
	return slices.DeleteFunc(slices.Clone(texts), func(text string) bool {
		switch declared {
		case "smallint", "integer", "bigint":
			_, err := strconv.ParseInt(text, 10, map[string]int{"smallint": 16, "integer": 32, "bigint": 64}[declared])
			return err != nil
		case "uuid":
			_, ok := uuidOf(text)
			return !ok
		}
		return false
	})
}

func (s *Store) typed(declared string) string {
	if s.dialect() == mapping.Postgres {
		return "?::text::" + declared
	}
	return "?"
}

// toldOf are the applied deliveries of rows, in the order of their events; and where the
// last contact.created of each row stands in it.
func (s *Store) toldOf(ctx context.Context, keys []string) (map[string][]mapping.Delivery, map[string]place, error) {
	list, err := s.told(ctx, keys)
	if err != nil {
		return nil, nil, err
	}
	slices.SortFunc(list, func(a, b Record) int {
		return cmp.Or(strings.Compare(a.RowKey, b.RowKey), placeOfRecord(a).compare(placeOfRecord(b)))
	})
	told, made := map[string][]mapping.Delivery{}, map[string]place{}
	for _, r := range list {
		if told[r.RowKey] = append(told[r.RowKey], r.Delivery); r.Event == "contact.created" {
			made[r.RowKey] = placeOfRecord(r)
		}
	}
	return told, made, nil
}
