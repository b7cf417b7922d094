package main

import (
	"context"
	"fmt"
	"slices"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/loops/loopstest"
	"loopmap/mapping/table"
)

// scratchTable makes the table with the columns that the real table has, and those that
// push names: as the real table has them, else as what push makes of them. It returns
// them all.
func (a *app) scratchTable(ctx context.Context, file string, m *mapping.Mapping, dir string) ([]column.Field, error) {
	store, err := table.Open(ctx, table.Options{URL: "sqlite:rehearsal.db", Dir: dir, Write: true})
	if err != nil {
		return nil, err
	}
	defer store.Close()
	plan, err := store.Plan(ctx, m)
	if err != nil {
		return nil, err
	}
	var fields []column.Field
	has := func(name string) bool {
		return slices.ContainsFunc(fields, func(f column.Field) bool { return f.Name == name })
	}
	add := func(f column.Field) {
		if !has(f.Name) {
			fields = append(fields, f)
		}
	}
	for _, c := range m.Columns() {
		add(column.Field{Name: c.Name, Type: c.Type})
	}
	made := len(fields) // by the plan
	if original, url, err := a.readMapping(file); err == nil {
		if _, columns, err := planOf(ctx, url, file, original); err == nil {
			for _, f := range table.Fields(original, columns) {
				add(f)
			}
		} else {
			a.say("the real table cannot be looked at, so the types of its columns are guessed: %v", err)
		}
	}
	known := len(fields)
	for _, name := range m.PushNames() {
		add(column.Field{Name: name, Type: column.Text})
	}
	guess(m, file, fields, known)
	for _, f := range fields[made:] {
		plan.SQL = append(plan.SQL, fmt.Sprintf(`ALTER TABLE %s ADD COLUMN %s %s`, quoteName(m.Table), quoteName(f.Name), sqlTypes[f.Type]))
	}
	return fields, store.Apply(ctx, plan)
}

// sqlTypes are what a scratch table calls its columns, so that they are read as these types.
var sqlTypes = map[column.Type]string{
	column.Text: "TEXT", column.Integer: "INTEGER", column.Number: "NUMERIC", column.Boolean: "BOOLEAN", column.Time: "TIMESTAMP",
	column.JSON: "JSON",
}

// guess gives the fields from an index on types that push can work with: booleans go to
// mailing lists, and what a condition compares is what it is compared with.
func guess(m *mapping.Mapping, file string, fields []column.Field, from int) {
	lists := map[string]bool{}
	if p := m.Push; p != nil {
		var pairs []mapping.Pair
		if p.Contact != nil {
			pairs = append(pairs, p.Contact.Lists...)
		}
		for _, e := range p.Events {
			pairs = append(pairs, e.Lists...)
		}
		for _, q := range pairs {
			lists[q.Column] = true
		}
	}
	for i := from; i < len(fields); i++ {
		if lists[fields[i].Name] {
			fields[i].Type = column.Boolean
		}
	}
	for range fields[from:] { // one may show only once another is right
		for i := from; i < len(fields); i++ {
			best, least := fields[i].Type, wrongs(m, file, fields)
			for _, t := range []column.Type{column.Number, column.Boolean, column.Time} {
				if lists[fields[i].Name] {
					continue
				}
				fields[i].Type = t
				if n := wrongs(m, file, fields); n < least {
					best, least = t, n
				}
			}
			fields[i].Type = best
		}
	}
}

// wrongs is how much of push does not fit the fields: the further its mistakes stand
// back, the less.
func wrongs(m *mapping.Mapping, file string, fields []column.Field) (n int) {
	for _, p := range m.PushProblems(file, fields) {
		n += 1<<20 - min(p.Col, 1<<10)
	}
	return n
}

// pretended are the custom properties that the mapping names; nil, which is a few, when
// it names none.
func pretended(m *mapping.Mapping, fields []column.Field) (list []loopstest.Property) {
	for name, t := range m.PushProperties(fields) {
		list = append(list, loopstest.Property{Key: name, Label: name, Type: t})
	}
	return list
}

func pretendedLists(m *mapping.Mapping) (list []loopstest.List) {
	if m.Push != nil && m.Push.Contact != nil {
		for _, p := range m.Push.Contact.Lists {
			list = append(list, loopstest.List{ID: p.Loops, Name: p.Column})
		}
	}
	return list
}

func pretendedEvents(m *mapping.Mapping, fields []column.Field) (list []loopstest.EventPattern) {
	if m.Push != nil {
		for _, e := range m.Push.Events {
			pattern := loopstest.EventPattern{Name: e.Name}
			for name, t := range m.EventProperties(e, fields) {
				pattern.Properties = append(pattern.Properties, loopstest.Property{Key: name, Label: name, Type: t})
			}
			list = append(list, pattern)
		}
	}
	return list
}
