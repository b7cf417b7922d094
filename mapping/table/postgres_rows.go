package table

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"loopmap/mapping"
)

// write sends all rows at once, and one by one when the table refuses that, so that
// only those fail that it is about.
func (t *postgresTx) write(entries []mapping.Entry) (refused []error, err error) {
	refused = make([]error, len(entries))
	if len(entries) == 0 {
		return refused, nil
	}
	err = t.writeSafely(entries)
	if err == nil || !t.engine.aboutRow(err) {
		return refused, err
	}
	for i := range entries { // one that is alone, too: with the types that the columns have by now
		if err := t.writeSafely(entries[i : i+1]); err != nil && !t.engine.aboutRow(err) {
			return nil, err
		} else if err != nil {
			refused[i] = err
		}
	}
	return refused, nil
}

// writeSafely writes entries whole or not at all, and leaves the transaction usable.
func (t *postgresTx) writeSafely(entries []mapping.Entry) error {
	b := &pgx.Batch{}
	b.Queue("SAVEPOINT rows")
	for _, g := range groups(entries) {
		if err := t.queue(b, g); err != nil {
			return err
		}
	}
	b.Queue("RELEASE rows")
	err := t.send(b)
	if err != nil && t.engine.aboutRow(err) {
		t.engine.types.Store(nil) // the table may have become another
		if back := t.exec("ROLLBACK TO rows"); back != nil {
			return back
		}
	}
	return err
}

// groups parts entries by what decides their SQL.
func groups(entries []mapping.Entry) (list [][]mapping.Entry) {
	type kind struct {
		mapping *mapping.Mapping
		shape
	}
	at := map[kind]int{}
	for _, e := range entries {
		k := kind{e.Mapping, shape{e.Row.Action, shapeOf(e)}}
		i, ok := at[k]
		if !ok {
			i, at[k] = len(list), len(list)
			list = append(list, nil)
		}
		list[i] = append(list[i], e)
	}
	return list
}

// set is what rows of one shape set, as parts of SQL. Values come as arrays of text, one
// a column, whose elements are u.c1, u.c2 and so on.
type set struct {
	names, elements, casts []string
	excluded, values       []string // of all but the key
	key                    string
	arrays                 []any
}

// setOf has the values of all entries, of which those that are no rows have none.
func (t *postgresTx) setOf(shape mapping.Entry, all []mapping.Entry) (s set, err error) {
	m := shape.Mapping
	types, err := t.engine.typesOf(t.ctx, m)
	if err != nil {
		return s, err
	}
	for i, c := range m.Columns() {
		if shape.Row.Cells[i].State == mapping.Missing {
			continue
		}
		texts := make([]*string, len(all))
		for j, e := range all {
			if e.Status != mapping.Applied {
				continue
			}
			if cell := &e.Row.Cells[i]; cell.State == mapping.Present {
				texts[j] = &cell.Text
			}
		}
		s.arrays = append(s.arrays, texts)
		element := fmt.Sprintf("c%d", len(s.arrays))
		name, cast := quote(c.Name), "u."+element+"::"+types[i]
		s.names, s.elements, s.casts = append(s.names, name), append(s.elements, element), append(s.casts, cast)
		if c.Name == m.Key {
			s.key = cast
			continue
		}
		s.excluded, s.values = append(s.excluded, name+" = excluded."+name), append(s.values, name+" = "+cast)
	}
	return s, nil
}

// textArrays are n parameters behind the first ones.
func textArrays(first, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("$%d::text[]", first+i+1)
	}
	return strings.Join(list, ", ")
}

// upsert takes the rows from what is named u.
func (s set) upsert(m *mapping.Mapping, from string) string {
	text := "INSERT INTO " + quote(m.Table) + " (" + strings.Join(s.names, ", ") + ") SELECT " + strings.Join(s.casts, ", ") + from + " ON CONFLICT (" + quote(m.Key) + ") DO "
	if len(s.excluded) == 0 {
		return text + "NOTHING"
	}
	return text + "UPDATE SET " + strings.Join(s.excluded, ", ")
}

// queue adds the statement that writes a group of one shape.
func (t *postgresTx) queue(b *pgx.Batch, group []mapping.Entry) error {
	m, action := group[0].Mapping, group[0].Row.Action
	s, err := t.setOf(group[0], group)
	if err != nil {
		return err
	}
	table, k := quote(m.Table), quote(m.Key)
	from := fmt.Sprintf(" FROM unnest(%s) AS u(%s)", textArrays(0, len(s.arrays)), strings.Join(s.elements, ", "))
	switch {
	case action == mapping.Delete:
		b.Queue("DELETE FROM "+table+" t USING"+strings.TrimPrefix(from, " FROM")+" WHERE t."+k+" = "+s.key, s.arrays...)
	case action == mapping.Update && len(s.values) == 0: // the key alone: there is nothing to set
	case action == mapping.Update:
		b.Queue("UPDATE "+table+" t SET "+strings.Join(s.values, ", ")+from+" WHERE t."+k+" = "+s.key, s.arrays...)
	default:
		b.Queue(s.upsert(m, from), s.arrays...)
	}
	return nil
}

// typesOf are the [columnTypes] of a mapping, one for each of [mapping.Mapping.Columns].
func (p *postgresEngine) typesOf(ctx context.Context, m *mapping.Mapping) ([]string, error) {
	if t := p.types.Load(); t != nil && t.mapping == m {
		return t.names, nil
	}
	rows, err := p.pool.Query(ctx, "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped", quote(m.Table))
	if err != nil {
		return nil, err
	}
	have := map[string]string{}
	var name, kind string
	if _, err = pgx.ForEachRow(rows, []any{&name, &kind}, func() error { have[name] = kind; return nil }); err != nil {
		return nil, err
	}
	var types []string
	for _, c := range m.Columns() {
		kind, ok := have[c.Name]
		if !ok {
			return nil, &refusal{fmt.Sprintf("column %s is not there", c.Name)}
		}
		types = append(types, kind)
	}
	p.types.Store(&columnTypes{m, types})
	return types, nil
}
