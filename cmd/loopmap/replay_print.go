package main

import (
	"fmt"
	"io"
	"strings"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/column"
	"loopmap/mapping/table"
)

// add keeps each row's change once: every page shows rows as they end.
func (c *replayed) add(changes []table.Change) {
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	for _, ch := range changes {
		if c.seen[ch.Key] {
			continue
		}
		c.seen[ch.Key] = true
		row := func(values []table.Value) map[string]any {
			if values == nil {
				return nil
			}
			cells := map[string]any{}
			for i, col := range ch.Mapping.Columns() {
				if cells[col.Name] = any(asRead(col.Type, values[i].Text)); values[i].Null {
					cells[col.Name] = nil
				}
			}
			return cells
		}
		c.Changes = append(c.Changes, rowChange{ch.Key, row(ch.Before), row(ch.After)})
	}
}

// asRead is what a table holds as rows shows it: SQLite keeps true as 1.
func asRead(t column.Type, stored string) string {
	switch {
	case t == column.Boolean && stored == "1":
		return "true"
	case t == column.Boolean && stored == "0":
		return "false"
	}
	return stored
}

// print writes the counts, and with --diff the changes.
func (r *replay) print() error {
	c := r.counts
	if r.app.output == "json" {
		return printJSON(r.app.stdout, c)
	}
	for _, ch := range c.Changes {
		if err := printChange(r.app.stdout, r.mapping, ch); err != nil {
			return err
		}
	}
	var parts []string
	for _, p := range []struct {
		n    int64
		what string
	}{{c.Applied, "applied"}, {c.Ignored, "ignored"}, {c.Quarantined, "quarantined"}, {c.Pending, "pending"}, {c.Duplicate, "seen before"},
		{c.Unreadable, "unreadable lines"}, {c.Forgotten, "without body"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing to do"}
	}
	words := plural(c.Deliveries, "delivery", "deliveries")
	if r.flags.diff {
		n := int64(len(c.Changes))
		words += fmt.Sprintf(", %d %s would change,", n, plural(n, "row", "rows"))
	} else {
		words += " in"
	}
	_, err := fmt.Fprintf(r.app.stdout, "%d %s %.1f s: %s\n", c.Deliveries, words, c.Seconds, strings.Join(parts, ", "))
	return err
}

func printChange(w io.Writer, m *mapping.Mapping, ch rowChange) error {
	sign := "~"
	if ch.Before == nil {
		sign = "+"
	} else if ch.After == nil {
		sign = "-"
	}
	fmt.Fprintf(w, "%s %s %s\n", sign, body.Printable(m.Key), body.Printable(ch.Key))
	var rows [][]string
	text := func(v any) string {
		if v == nil {
			return "NULL"
		}
		return fmt.Sprint(v)
	}
	for _, c := range m.Columns() {
		before, after := ch.Before[c.Name], ch.After[c.Name]
		switch {
		case c.Name == m.Key || before == after:
		case ch.Before == nil:
			rows = append(rows, []string{"    " + c.Name, text(after)})
		case ch.After == nil:
			rows = append(rows, []string{"    " + c.Name, text(before)})
		default:
			rows = append(rows, []string{"    " + c.Name, text(before) + " -> " + text(after)})
		}
	}
	return printTable(w, rows)
}
