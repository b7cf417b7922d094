package tui

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"loopmap/mapping"
	"loopmap/mapping/condition"
	"loopmap/mapping/outgoing"
)

// What the screens ask for besides: of a backend that knows it all by heart.

func (f *fake) Replay(_ context.Context, id string) (string, error) {
	f.replayed = append(f.replayed, id)
	return "mapped again: applied", f.err
}

func (f *fake) Counts(_ context.Context, was Counts) (Counts, error) {
	if f.counts != was {
		return f.counts, nil
	}
	return was, context.Canceled
}

func (f *fake) Tables(_ context.Context, database string) (string, []string, error) {
	var names []string
	for _, t := range f.tables {
		names = append(names, t.Name)
	}
	return database, names, f.err
}

func (f *fake) Table(_ context.Context, _, name string) (Table, error) {
	for _, t := range f.tables {
		if t.Name == name {
			return t, f.err
		}
	}
	return Table{Name: name}, errors.New("no such table")
}

func (f *fake) MapWaiting(context.Context) (string, error) {
	f.mapped++
	return "1 waiting delivery mapped", f.err
}

func (f *fake) CheckFile(string) (string, error) {
	if f.err != nil {
		return "", errors.New("no such file")
	}
	return "1 byte", nil
}

// Rows are those of the table, in the order and from the row that is asked for.
func (f *fake) Rows(_ context.Context, _ *mapping.Mapping, q RowsQuery) (v RowsView, err error) {
	f.asked = append(f.asked, q)
	v = f.pushes
	v.Rows, v.End = nil, true
	all := slices.Clone(f.pushes.Rows)
	for i := range all {
		all[i].Mark = all[i].Key
	}
	slices.SortStableFunc(all, func(a, b TableRow) int {
		x, y := a.Cells[q.Column], b.Cells[q.Column]
		by := cmp.Or(cmp.Compare(len(x.Text), len(y.Text)), cmp.Compare(x.Text, y.Text))
		if q.Column == "email" {
			by = cmp.Compare(x.Text, y.Text)
		}
		if q.Down {
			by = -by
		}
		return cmp.Or(cmp.Compare(min(y.State, 2), min(x.State, 2)), by)
	})
	if q.Back {
		slices.Reverse(all)
	}
	var where *condition.Condition
	if q.Where != "" {
		if where, err = condition.Compile(q.Where, v.Fields); err != nil {
			return v, err
		}
	}
	at := slices.IndexFunc(all, func(r TableRow) bool { return r.Mark == q.From })
	if q.From != "" && !q.With {
		at++
	}
	for _, r := range all[max(0, at):] {
		if q.Failed && !slices.ContainsFunc(r.Lines, func(l outgoing.Line) bool { return l.Status == outgoing.Failed }) {
			continue
		}
		if len(v.Rows) == q.Limit || where != nil && f.looks > 0 && v.Looked == f.looks {
			v.End = false
			break
		}
		v.Looked, v.Mark = v.Looked+1, r.Mark
		if where != nil {
			if met, _ := where.Met(v.Fields, r.Cells, v.Now); !met {
				continue
			}
		}
		v.Rows = append(v.Rows, r)
	}
	return v, f.err
}

func (f *fake) Story(_ context.Context, key string) (Story, error) {
	s := f.story
	s.Key = key
	return s, f.err
}

func (f *fake) TableLook(context.Context, *mapping.Mapping) (TableLook, error) { return f.look, nil }
func (f *fake) KeepTableLook(_ context.Context, _ *mapping.Mapping, l TableLook) error {
	f.look = l
	return f.err
}
