package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
	"loopmap/mapping/table"
)

// rehearsedRows is how many of the user's own rows are in a rehearsal.
const rehearsedRows = 10

// copyRows puts the first rows of the user's own table into the scratch one, masked or
// not, and returns their keys. Nothing is written to where they come from.
func (a *app) copyRows(ctx context.Context, file string, m *mapping.Mapping, dir string, mask bool) (map[string]bool, error) {
	original, url, err := a.readMapping(file)
	if err != nil {
		return nil, err
	}
	from, err := table.Open(ctx, table.Options{URL: url, Dir: folder(file), ReadOnly: true})
	if errors.Is(err, table.ErrNoDatabase) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer from.Close()
	columns, err := from.Columns(ctx, original.Table)
	if err != nil {
		return nil, err
	}
	fields := table.Fields(original, columns)
	rows, err := from.Sample(ctx, original, fields, rehearsedRows)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	if mask {
		masked(original, fields, rows)
	}
	to, err := table.Open(ctx, table.Options{URL: "sqlite:rehearsal.db", Dir: dir, Write: true})
	if err != nil {
		return nil, err
	}
	defer to.Close()
	var inserts table.Plan
	for _, row := range rows {
		inserts.SQL = append(inserts.SQL, insertOf(m.Table, fields, row))
	}
	if err := to.Apply(ctx, inserts); err != nil {
		return nil, err
	}
	copied, err := to.PushRows(ctx, m, []column.Field{{Name: m.Key, Type: column.Text}}, outgoing.Query{Limit: rehearsedRows})
	keys := map[string]bool{}
	for _, row := range copied {
		keys[row.Key] = true
	}
	return keys, err
}

// insertOf is the SQL that makes a row of SQLite's. Two that were masked alike are one.
func insertOf(name string, fields []column.Field, row map[string]column.Cell) string {
	var names, values []string
	for _, f := range fields {
		c := row[f.Name]
		if c.State != column.Present {
			continue
		}
		names = append(names, quoteName(f.Name))
		if f.Type == column.Boolean {
			values = append(values, map[bool]string{true: "TRUE", false: "FALSE"}[c.Text == "true"])
			continue
		}
		values = append(values, quoteText(c.Text))
	}
	return fmt.Sprintf("INSERT OR IGNORE INTO %s (%s) VALUES (%s)", quoteName(name), strings.Join(names, ", "), strings.Join(values, ", "))
}

// quoteName is a name in SQL.
func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// quoteText is a text in SQLite's SQL, which ends at a NUL.
func quoteText(text string) string {
	if strings.Contains(text, "\x00") {
		return fmt.Sprintf("CAST(x'%x' AS TEXT)", text)
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}
