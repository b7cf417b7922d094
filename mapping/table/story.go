package table

import (
	"context"
	"slices"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
)

// Story is what has happened to a row, as far as journal and outcomes tell.
type Story struct {
	Key    string
	There  bool   // the table has the row now
	Note   string // what no delivery explains of the row as a whole; "" for nothing
	Cells  []StoryCell
	Told   []Telling       // every delivery about the row, in the order in which they had their effect
	Pushes []outgoing.Line // every outcome that is kept, the oldest first
}

// Author is who a cell's value is of.
type Author string

// The authors of a [StoryCell].
const (
	Nobody       Author = "nobody"        // it is empty, and no delivery has written it
	ByDelivery   Author = "delivery"      // it holds what the last delivery wrote
	SomebodyElse Author = "somebody else" // it holds something else: another program wrote it, or the table
	Unknown      Author = "unknown"       // it may be of a delivery of which it cannot be told any more what it wrote
)

// StoryCell is a cell of the row.
type StoryCell struct {
	column.Field
	Now     column.Cell // what the table holds; missing where the row is not there
	Author  Author
	History []Write // what deliveries did to it; the last one last
}

// Last is what the last delivery wrote.
func (c StoryCell) Last() (w Write, ok bool) {
	if len(c.History) == 0 {
		return w, false
	}
	return c.History[len(c.History)-1], true
}

// Before is what deliveries had written into the cell before the value that it came to hold
// last; false when it had been empty from the start.
func (c StoryCell) Before() (before column.Cell, ok bool) {
	for i := len(c.History) - 1; i >= 0; i-- {
		if w := c.History[i]; !c.Type.Same(w.Before, w.After) {
			return w.Before, i > 0
		}
	}
	return before, false
}

// Write is what a delivery did to a cell.
type Write struct {
	Delivery      string // its id
	Mapping       string // hash of the version that read it
	Path          string // where in the body the value stands; "" where a rule says the value, or the row was taken out
	Rule          bool   // a rule wrote it
	Before, After column.Cell
	unsure        bool // it is not known whether the row was there
}

// Telling is a delivery about the row.
type Telling struct {
	Record        // without its body
	Effect string // on the row, in words; "" where it is none by its status
	Untold bool   // what it wrote cannot be told any more
}

// Story is the story of the row that has a key. It reads the row, its deliveries and its
// outcomes, and no others.
func (s *Store) Story(ctx context.Context, m *mapping.Mapping, key string) (*Story, error) {
	story, err := s.story(ctx, m, key)
	return story, s.explain(err)
}

func (s *Store) story(ctx context.Context, m *mapping.Mapping, key string) (*Story, error) {
	keys, err := s.canonicalKeys(ctx, m, []string{key})
	if err != nil {
		return nil, err
	}
	key = keys[0]
	form, err := s.keyForm(ctx, m)
	if err != nil {
		return nil, err
	}
	columns, err := s.columns(ctx, m.Table)
	if err != nil {
		return nil, err
	}
	fields := Present(m, Fields(m, columns), columns)
	var row map[string]column.Cell
	if slices.ContainsFunc(fields, func(f column.Field) bool { return m.Dialect.Fold(f.Name) == m.Dialect.Fold(m.Key) }) {
		rows, _, err := s.cells(ctx, m, fields, columns, keys, outgoing.Query{})
		if err != nil {
			return nil, err
		}
		row = rows[key]
	}
	var records []Record
	var hashes []string
	err = s.records(ctx, Filter{Keys: keys, Oldest: true}, func(r Record) error {
		if records = append(records, r); r.Mapping != "" && !slices.Contains(hashes, r.Mapping) {
			hashes = append(hashes, r.Mapping)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	versions, err := s.Versions(ctx, hashes)
	if err != nil {
		return nil, err
	}
	story := tell(m, form, key, fields, row, records, versions)
	lines, err := s.pushLines(ctx, m.Table, keys)
	story.Pushes = lines[key]
	slices.Reverse(story.Pushes) // which are the newest first
	return story, err
}
