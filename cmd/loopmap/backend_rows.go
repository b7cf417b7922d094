package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/table"
	"loopmap/tui"
)

// What the places Table and Send ask of the table.

// looksAtOnce is against how many rows a condition is held before the screen is told how far
// it is.
const looksAtOnce = 20_000

// Rows are rows of m's table with all that decides what they send. A column that the table
// has not yet is NULL in them.
func (b *backend) Rows(ctx context.Context, m *mapping.Mapping, q tui.RowsQuery) (view tui.RowsView, err error) {
	view.Fields, view.Now, view.End = table.Fields(m, nil), b.app.now(), true
	if view.Problem = "the table is not there yet: saving the mapping makes it"; !m.Receives() {
		view.Problem = "table " + m.Table + " is not there, and a mapping that only sends makes none"
	}
	err = b.lookOn(ctx, m, func(s *table.Store) error {
		columns, err := s.Columns(ctx, m.Table)
		if err != nil || len(columns) == 0 {
			return err
		}
		view.Fields, view.Problem = table.Fields(m, columns), ""
		there := table.Present(m, view.Fields, columns)
		for _, f := range view.Fields {
			if !slices.Contains(there, f) {
				view.Lacks = append(view.Lacks, f.Name)
			}
		}
		if !slices.ContainsFunc(there, func(f column.Field) bool { return m.Dialect.Fold(f.Name) == m.Dialect.Fold(m.Key) }) {
			view.Problem = "the table has no column " + m.Key + " yet, which is to tell its rows apart: saving the mapping makes it"
			return nil
		}
		if view.Keyless, err = s.Keyless(ctx, m); err != nil {
			return err
		}
		p := table.Page{Column: q.Column, Down: q.Down, From: q.From, With: q.With, Back: q.Back, Limit: q.Limit, Now: view.Now,
			Most: looksAtOnce, Failed: q.Failed}
		if !slices.ContainsFunc(there, func(f column.Field) bool { return f.Name == q.Column }) {
			p.Column = ""
		}
		if q.Where != "" {
			if p.Where, err = whereOf(q.Where, there); err != nil {
				return err
			}
		}
		rows, err := s.TableRows(ctx, m, there, p)
		view.End, view.Mark, view.Looked = rows.End, rows.Mark, rows.Looked
		for _, r := range rows.List {
			view.Rows = append(view.Rows, tui.TableRow{Row: r.Row, Mark: r.Mark, Came: tui.Came{Status: string(r.Came.Status), At: r.Came.Received}})
		}
		if n, ok := s.Guess(ctx, m.Table); ok {
			view.Guess = n
		}
		return err
	})
	return view, err
}

// lookOn hands over the database for reading, which stays open for the next look.
func (b *backend) lookOn(ctx context.Context, m *mapping.Mapping, f func(*table.Store) error) error {
	url, err := b.app.databaseURL(m)
	if err != nil {
		return err
	}
	return b.rows.look(ctx, table.Options{URL: url, Dir: folder(b.file)}, f)
}

// keysWhere are the keys of the rows that meet a condition.
func (b *backend) keysWhere(ctx context.Context, s *table.Store, m *mapping.Mapping, where string) ([]string, error) {
	columns, err := s.Columns(ctx, m.Table)
	if err != nil {
		return nil, err
	}
	fields := table.Fields(m, columns)
	p := table.Page{Limit: 1000, Now: b.app.now(), Most: looksAtOnce} // a page holds the deliveries of its rows
	if p.Where, err = whereOf(where, fields); err != nil {
		return nil, err
	}
	keys := []string{}
	for {
		rows, err := s.TableRows(ctx, m, table.Present(m, fields, columns), p)
		if err != nil {
			return nil, err
		}
		for _, r := range rows.List {
			keys = append(keys, r.Key)
		}
		if rows.End || rows.Mark == p.From {
			return keys, nil
		}
		p.From = rows.Mark
	}
}

// Story is what is known of a row, as loopmap why tells it.
func (b *backend) Story(ctx context.Context, key string) (out tui.Story, err error) {
	m := b.mapping()
	err = b.lookOn(ctx, m, func(s *table.Store) error {
		story, err := s.Story(ctx, m, key)
		if err != nil {
			return err
		}
		out = tui.Story{Key: story.Key, There: story.There, Note: story.Note}
		told := map[string]table.Telling{}
		for _, t := range story.Told {
			told[t.ID] = t
		}
		for _, c := range story.Cells {
			l := cellLine(c, told)
			cell := tui.StoryCell{Column: l[0], Value: cellText(c.Now), From: l[2], Written: l[3], Delivery: l[4], Mapping: l[5], Before: l[6]}
			switch {
			case c.Now.State == column.Missing:
				cell.Value = l[1]
			case c.Now.State == column.Present && c.Now.Text == "":
				cell.Value = `""`
			}
			for _, held := range wholeCell(story, c, told)[1:] {
				cell.Held = append(cell.Held, strings.Join(slices.DeleteFunc(held, func(s string) bool { return s == "" }), "  "))
			}
			out.Cells = append(out.Cells, cell)
		}
		for _, h := range happenings(story) {
			out.Happened = append(out.Happened, h.told())
		}
		return nil
	})
	return out, err
}

// looksFile has how tables are shown, by the databases' names and the tables'.
const looksFile = "tables.json"

func (b *backend) looks(m *mapping.Mapping) (file, name string, all map[string]tui.TableLook) {
	all = map[string]tui.TableLook{}
	url, err := b.app.databaseURL(m)
	dir := b.app.configDir()
	if err != nil || dir == "" || b.owner != "" { // a guest's are not this user's
		return "", "", all
	}
	file = filepath.Join(dir, looksFile)
	if src, err := readSmall(file); err == nil && json.Unmarshal(src, &all) != nil {
		all = map[string]tui.TableLook{} // what cannot be read is written anew
	}
	return file, databaseName(url) + " " + m.Table, all
}

// TableLook is how this user has set the columns of a table.
func (b *backend) TableLook(_ context.Context, m *mapping.Mapping) (tui.TableLook, error) {
	_, name, all := b.looks(m)
	return all[name], nil
}

// KeepTableLook keeps it among the user's settings.
func (b *backend) KeepTableLook(_ context.Context, m *mapping.Mapping, l tui.TableLook) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	file, name, all := b.looks(m)
	if file == "" {
		return nil
	}
	all[name] = l
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return writeAtomic(file, append(text, '\n'))
}
