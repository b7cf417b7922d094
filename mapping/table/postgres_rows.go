package table

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

// write sends all rows at once, and one by one when the table refuses that, so that
// only those fail that it is about.
func (t *postgresTx) write(entries []mapping.Entry) (refused []error, err error) {
	refused = make([]error, len(entries))
	fit, at := make([]mapping.Entry, 0, len(entries)), make([]int, 0, len(entries))
	for i, e := range entries {
		why := t.misfit(e)
		if why != nil && !t.reread { // the column may have become a wider one
			t.forgetTypes()
			t.reread = true
			why = t.misfit(e)
		}
		if why != nil {
			refused[i] = why
			continue
		}
		fit, at = append(fit, e), append(at, i)
	}
	if len(fit) == 0 {
		return refused, nil
	}
	about, err := t.writeSafely(fit)
	if err == nil || !about {
		return refused, err
	}
	for i := range fit { // one that is alone, too: with the types that the columns have by now
		if about, err := t.writeSafely(fit[i : i+1]); err != nil && !about {
			return nil, err
		} else if err != nil {
			refused[at[i]] = err
		}
	}
	return refused, nil
}

// misfit is a refusal of a cell that its column would change without a word.
func (t *postgresTx) misfit(e mapping.Entry) error {
	types, err := t.typesOf(e.Mapping)
	if err != nil {
		return nil //nolint:nilerr // which writing the row shows
	}
	if why := types.fits(e); why != "" {
		return &refusal{why}
	}
	return nil
}

// atOnce makes PostgreSQL look at constraints that are deferred to the commit, while it
// can still be said which row they are about.
const atOnce = "SET CONSTRAINTS ALL IMMEDIATE"

// writeSafely writes entries whole or not at all, and leaves the transaction usable. An
// error is about the rows, or not.
func (t *postgresTx) writeSafely(entries []mapping.Entry) (about bool, err error) {
	b := &pgx.Batch{}
	b.Queue("SAVEPOINT rows")
	for _, g := range groups(entries) {
		err := t.queue(b, g)
		if err == nil {
			err = t.queueGuard(b, g[0].Mapping)
		}
		if err != nil {
			return t.engine.aboutRow(err), err
		}
	}
	b.Queue(atOnce)
	b.Queue("RELEASE rows")
	err = t.send(b)
	about = err != nil && (t.engine.aboutRow(err) || codeOf(err) == insufficientPrivilege)
	if !about {
		return false, err
	}
	t.forgetTypes()
	if back := t.exec("ROLLBACK TO rows"); back != nil {
		return false, back
	}
	if codeOf(err) == insufficientPrivilege {
		granted, trouble := t.granted(entries)
		if trouble != nil {
			return false, trouble
		}
		return granted, err
	}
	return true, err
}

const insufficientPrivilege = "42501"

// granted reports whether the user has the rights that writing entries takes: a policy of
// row-level security, or a trigger, that refuses a row all the same has the same SQLSTATE
// as a right that is missing.
func (t *postgresTx) granted(entries []mapping.Entry) (granted bool, err error) {
	m := entries[0].Mapping
	names := make([]string, 0, len(m.Columns()))
	for _, c := range m.Columns() {
		names = append(names, c.Name)
	}
	deletes := slices.ContainsFunc(entries, func(e mapping.Entry) bool { return e.Row.Action == mapping.Delete })
	err = t.conn.QueryRow(t.ctx, `SELECT coalesce(bool_and(has_column_privilege(c.oid, a.attnum, 'INSERT')
			AND has_column_privilege(c.oid, a.attnum, 'SELECT')
			AND (a.attname = $2 OR has_column_privilege(c.oid, a.attnum, 'UPDATE'))), false)
			AND (NOT $3 OR bool_and(has_table_privilege(c.oid, 'DELETE')))
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.oid = to_regclass($1) AND a.attname = ANY($4)`,
		quote(m.Table), m.Key, deletes, names).Scan(&granted)
	return granted, err
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
	key                    string   // what tells a row t to be that of u
	arrays                 []any
}

// setOf has the values of all entries, of which those that are no rows have none.
func (t *postgresTx) setOf(shape mapping.Entry, all []mapping.Entry) (s set, err error) {
	m := shape.Mapping
	types, err := t.typesOf(m)
	if err != nil {
		return s, err
	}
	for i, c := range m.Columns() {
		if shape.Row.Cells[i].State == column.Missing {
			continue
		}
		texts := make([]*string, len(all))
		for j, e := range all {
			if e.Status != mapping.Applied {
				continue
			}
			if cell := &e.Row.Cells[i]; cell.State == column.Present {
				texts[j] = &cell.Text
			}
		}
		s.arrays = append(s.arrays, texts)
		element := fmt.Sprintf("c%d", len(s.arrays))
		name, cast := quote(c.Name), "u."+element+"::"+types.casts[i]
		s.names, s.elements, s.casts = append(s.names, name), append(s.elements, element), append(s.casts, cast)
		if c.Name == m.Key {
			s.key = "t." + name + " " + operator("=", types.casts[i]) + " " + cast
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
	text := "INSERT INTO " + quote(m.Table) + " (" + strings.Join(s.names, ", ") + ") SELECT " + strings.Join(s.casts, ", ") + from +
		" ON CONFLICT (" + quote(m.Key) + ") DO "
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
	table := quote(m.Table)
	from := fmt.Sprintf(" FROM unnest(%s) AS u(%s)", textArrays(0, len(s.arrays)), strings.Join(s.elements, ", "))
	switch {
	case action == mapping.Delete:
		b.Queue("DELETE FROM "+table+" t USING"+strings.TrimPrefix(from, " FROM")+" WHERE "+s.key, s.arrays...)
	case action == mapping.Update && len(s.values) == 0: // the key alone: there is nothing to set
	case action == mapping.Update:
		b.Queue("UPDATE "+table+" t SET "+strings.Join(s.values, ", ")+from+" WHERE "+s.key, s.arrays...)
	default:
		b.Queue(s.upsert(m, from), s.arrays...)
	}
	return nil
}
