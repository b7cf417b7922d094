package table

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

// RowCell is a cell of a row as the table has it.
type RowCell struct {
	column.Cell        // by its column's type; a Misfit where that does not hold it
	Stored      string // of a Misfit what stands there, as far as that is text
}

// The rows that are read at once, where the key tells them apart: no more than these, and
// no more than about so many bytes of them are held.
const (
	rowsAtOnce  = 500
	bytesAtOnce = 2 << 20
)

// Present are those of fields that a table has, by its columns.
func Present(m *mapping.Mapping, fields []column.Field, columns []Column) []column.Field {
	return slices.DeleteFunc(slices.Clone(fields), func(f column.Field) bool {
		return !slices.ContainsFunc(columns, func(c Column) bool { return m.Dialect.Fold(c.Name) == m.Dialect.Fold(f.Name) })
	})
}

// EachRow hands over the rows of m's table one by one, in the order of the key, and behind
// them those without one; each has the cells of fields, which the table must have. A limit
// of 0 is none. An error of each ends it and is returned as it is.
//
// Rows are read in parts, each from the key on at which the one before has ended, so that
// no question takes long and the database is not kept from anything, however slow each is.
// Where nothing keeps the key unique they come by one question, in no order.
func (s *Store) EachRow(ctx context.Context, m *mapping.Mapping, fields []column.Field, limit int, each func([]RowCell) error) error {
	columns, err := s.columns(ctx, m.Table)
	if err != nil || len(columns) == 0 {
		return s.explain(err)
	}
	r := &rowReader{Store: s, table: m.Table, dialect: m.Dialect, fields: fields, limit: limit, each: each}
	r.declared = make([]string, len(fields))
	for i, f := range fields {
		for _, c := range columns {
			if m.Dialect.Fold(c.Name) == m.Dialect.Fold(f.Name) {
				r.declared[i] = s.compared(c)
			}
		}
	}
	i := slices.IndexFunc(columns, func(c Column) bool { return m.Dialect.Fold(c.Name) == m.Dialect.Fold(m.Key) })
	if i < 0 || !columns[i].Key || s.keyMisfit(columns[i]) != "" {
		return r.straight(ctx, "")
	}
	if err := r.parts(ctx, m.Key, s.compared(columns[i])); err != nil || r.full() {
		return err
	}
	return r.straight(ctx, " WHERE "+s.noKey(m.Key))
}

// rowReader reads the rows of one table.
type rowReader struct {
	*Store
	table    string
	dialect  column.Dialect
	fields   []column.Field
	declared []string // types of the fields' columns
	limit, n int      // rows to hand over, and those that were
	each     func([]RowCell) error
}

func (r *rowReader) full() bool { return r.limit > 0 && r.n >= r.limit }

// ask finds rows; key is asked for before the fields' columns, where it is not empty.
func (r *rowReader) ask(ctx context.Context, key, rest string, args []any, each func(stored, []RowCell) error) error {
	var names []string
	if key != "" {
		names = append(names, quote(key)+" AS loopmap_key") // ORDER BY the key means the column, not this
	}
	for i, f := range r.fields {
		names = append(names, r.asked(f, r.declared[i]))
	}
	return r.Store.ask(ctx, "SELECT "+strings.Join(names, ", ")+" FROM "+quote(r.table)+rest, args, func(v []stored) error {
		var at stored
		if key != "" {
			at, v = v[0], v[1:]
		}
		cells := make([]RowCell, len(r.fields))
		for i, f := range r.fields {
			cells[i] = r.rowCell(f, v[i], r.declared[i])
		}
		return each(at, cells)
	})
}

// rowCell reads a cell. What its column's type does not hold is read as text, besides.
func (r *rowReader) rowCell(f column.Field, v stored, declared string) RowCell {
	c := RowCell{Cell: r.cell(f, v, declared)}
	if c.State == column.Misfit {
		as := column.Field{Name: f.Name, Type: column.Text}
		text := r.cell(as, v, declared)
		if text.State != column.Present && f.Type == column.JSON { // which was asked for as it is
			text = as.TextCell(v.text, r.dialect)
		}
		if text.State == column.Present {
			c.Stored = text.Text
		}
	}
	return c
}

// straight hands over what one question finds.
func (r *rowReader) straight(ctx context.Context, where string) error {
	if r.limit > 0 {
		where += fmt.Sprintf(" LIMIT %d", r.limit-r.n)
	}
	var own error
	err := r.ask(ctx, "", where, nil, func(_ stored, cells []RowCell) error {
		r.n++
		own = r.each(cells)
		return own
	})
	if own != nil {
		return own
	}
	return r.explain(err)
}

// parts hands over the rows that have a key.
func (r *rowReader) parts(ctx context.Context, key, keyType string) error {
	size, where, args := rowsAtOnce, " WHERE "+r.hasKey(key), []any(nil)
	for !r.full() {
		if r.limit > 0 {
			size = min(size, r.limit-r.n)
		}
		var last stored
		var rows [][]RowCell
		bytes := bytesAtOnce
		err := r.ask(ctx, key, fmt.Sprintf("%s ORDER BY %s LIMIT %d", where, quote(key), size), args, func(at stored, cells []RowCell) error {
			last, rows = at, append(rows, cells)
			for _, c := range cells {
				bytes -= len(c.Text) + len(c.Stored)
			}
			if bytes <= 0 {
				return errFull
			}
			return nil
		})
		cut := errors.Is(err, errFull)
		if err != nil && !cut {
			return r.explain(err)
		}
		for _, cells := range rows {
			r.n++
			if err := r.each(cells); err != nil {
				return err
			}
		}
		switch {
		case cut:
			size = max(1, len(rows)) // so that no more is asked for than is taken
		case len(rows) < size:
			return nil
		default:
			size = min(2*size, rowsAtOnce)
		}
		where, args = " WHERE "+r.hasKey(key)+" AND "+r.against(quote(key), ">", keyType), []any{keyArg(last)}
	}
	return nil
}

// keyArg is a key to compare the column with. A column of SQLite without a type may hold
// numbers, which come before every text.
func keyArg(v stored) any {
	if v.kind == storedNumber {
		if n, err := strconv.ParseInt(v.text, 10, 64); err == nil {
			return n
		}
		if f, err := strconv.ParseFloat(v.text, 64); err == nil {
			return f
		}
	}
	return v.text
}
