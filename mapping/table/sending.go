package table

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
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
func (s *Store) PushRows(ctx context.Context, m *mapping.Mapping, fields []column.Field, q outgoing.Query) ([]outgoing.Row, error) {
	rows, err := s.pushRows(ctx, m, fields, q)
	return rows, s.explain(err)
}

func (s *Store) pushRows(ctx context.Context, m *mapping.Mapping, fields []column.Field, q outgoing.Query) ([]outgoing.Row, error) {
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
	rows, _, err := s.sendingOf(ctx, m, keys, cells)
	return rows, err
}

// sendingOf are rows by their keys, which are canonical, with all that decides what they
// send; and the last delivery about each.
func (s *Store) sendingOf(ctx context.Context, m *mapping.Mapping, keys []string, cells map[string]map[string]column.Cell) ([]outgoing.Row,
	map[string]Came, error) {
	lines, err := s.pushLines(ctx, m.Table, keys)
	if err != nil {
		return nil, nil, err
	}
	told, err := s.inOrderOf(ctx, keys)
	if err != nil {
		return nil, nil, err
	}
	rows := make([]outgoing.Row, len(keys))
	for i, key := range keys {
		c, there := cells[key]
		rows[i] = outgoing.Row{Key: key, Gone: !there, Cells: c, Lines: lines[key], Told: told.deliveries[key]}
	}
	return rows, told.last, s.contactsOf(ctx, m, rows, told.made)
}

// pushKeys are the rows that have a line of a status.
func (s *Store) pushKeys(ctx context.Context, table string, q outgoing.Query) (keys []string, err error) {
	keys = []string{}
	if there, err := s.has(ctx, "loopmap_pushes"); err != nil || !there {
		return keys, err
	}
	order := s.inOrder("row_key")
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
func (s *Store) cells(ctx context.Context, m *mapping.Mapping, fields []column.Field, columns []Column, keys []string,
	q outgoing.Query) (map[string]map[string]column.Cell, []string, error) {
	declared := map[string]string{}
	for _, c := range columns {
		declared[m.Dialect.Fold(c.Name)] = s.compared(c)
	}
	keyType := declared[m.Dialect.Fold(m.Key)]
	names := []string{s.keyText(m.Key) + " AS loopmap_key"} // ORDER BY the key means the column, not this
	for _, f := range fields {
		names = append(names, s.asked(f, declared[m.Dialect.Fold(f.Name)]))
	}
	text := "SELECT " + strings.Join(names, ", ") + " FROM " + quote(m.Table)
	var args []any
	switch {
	case keys != nil:
		where, list := s.among(quote(m.Key), keyType, keys)
		text, args = text+" WHERE "+where, list
	case q.After != "":
		text, args = text+" WHERE "+s.against(quote(m.Key), ">", keyType), []any{q.After}
	default:
		text += " WHERE " + s.hasKey(m.Key)
	}
	if text += " ORDER BY " + quote(m.Key); q.Limit > 0 && keys == nil {
		text += fmt.Sprintf(" LIMIT %d", q.Limit)
	}
	all := map[string]map[string]column.Cell{}
	var found []string
	var rows []map[string]column.Cell
	err := s.ask(ctx, text, args, func(v []stored) error {
		row := make(map[string]column.Cell, len(fields))
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

// tolds are the applied deliveries of rows, by the rows' keys.
type tolds struct {
	deliveries map[string][]mapping.Delivery // in the order of their events
	made       map[string]place              // where the last contact.created stands in it
	last       map[string]Came               // which came last
}

func (s *Store) inOrderOf(ctx context.Context, keys []string) (tolds, error) {
	t := tolds{map[string][]mapping.Delivery{}, map[string]place{}, map[string]Came{}}
	list, err := s.appliedOf(ctx, keys)
	if err != nil {
		return t, err
	}
	slices.SortFunc(list, func(a, b Record) int {
		return cmp.Or(strings.Compare(a.RowKey, b.RowKey), placeOfRecord(a).compare(placeOfRecord(b)))
	})
	for _, r := range list {
		if t.deliveries[r.RowKey] = append(t.deliveries[r.RowKey], r.Delivery); r.Event == mapping.ContactCreated {
			t.made[r.RowKey] = placeOfRecord(r)
		}
		if c := (Came{r.ID, r.Status, r.Received, r.Seq}); t.last[r.RowKey].before(c) {
			t.last[r.RowKey] = c
		}
	}
	return t, nil
}

var holdsBytes = column.Cell{State: column.Misfit, Text: "it holds bytes"}
