package table

import (
	"fmt"
	"slices"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

// version is a version of the mapping, ready to read what it has mapped.
type version struct {
	mapping   *mapping.Mapping
	why       string // it cannot be read; "" when it can
	elsewhere string // it writes other rows than today's mapping does; "" when it does not
	alone     []*mapping.Mapping
}

// readVersions reads the versions that are kept. Today's is known whether it is kept or not.
func readVersions(m *mapping.Mapping, kept map[string]Version) map[string]*version {
	list := map[string]*version{}
	if m.Hash != "" {
		list[m.Hash] = &version{mapping: m}
	}
	for hash, k := range kept {
		if list[hash] != nil {
			continue
		}
		v := &version{}
		list[hash] = v
		var err error
		if v.mapping, err = mapping.Parse("loopmap.yaml of version "+hash, []byte(k.Text)); err == nil {
			// The environment that named the database is not there any more. It was this one.
			_, err = v.mapping.ExpandDatabase(func(string) (string, bool) { return anyOfDialect(m.Dialect), true })
		}
		switch {
		case err != nil:
			v.why = fmt.Sprintf("version %s of the mapping cannot be read any more: %v", hash, err)
		case m.Dialect.Fold(v.mapping.Table) != m.Dialect.Fold(m.Table):
			v.elsewhere = fmt.Sprintf("version %s of the mapping writes table %s", hash, v.mapping.Table)
		case m.Dialect.Fold(v.mapping.Key) != m.Dialect.Fold(m.Key):
			v.elsewhere = fmt.Sprintf("version %s of the mapping tells rows apart by %s", hash, v.mapping.Key)
		}
	}
	return list
}

// anyOfDialect is a database's URL of which only the kind counts.
func anyOfDialect(d column.Dialect) string {
	if d == column.Postgres {
		return "postgres://localhost/any"
	}
	return "sqlite:any.db"
}

// source is where the value of an entry's cell comes from: a path of the body, or a rule,
// which may say the value itself.
func (v *version) source(e mapping.Entry, cell int) (path string, rule bool) {
	c := v.mapping.Columns()[cell]
	if v.mapping.Receive.Ruled(e.Row.Event) {
		for i := len(v.mapping.Receive.Rules) - 1; i >= 0; i-- {
			u := v.mapping.Receive.Rules[i]
			set := slices.IndexFunc(u.Set, func(s mapping.RuleValue) bool { return s.Column == c.Name })
			if u.Event != e.Row.Event || set < 0 || !v.wrote(i, e, c.Name) {
				continue
			}
			if u.Set[set].Value == "" {
				path = u.Set[set].From.String()
			}
			return path, true
		}
	}
	if c.From.Len() > 0 {
		path = c.From.String()
	}
	return path, false
}

// wrote reports whether a rule holds for an entry and has a value for a column: as a mapping
// says that has this rule alone, for an event that fills no columns.
func (v *version) wrote(rule int, e mapping.Entry, name string) bool {
	if v.alone == nil {
		v.alone = make([]*mapping.Mapping, len(v.mapping.Receive.Rules))
	}
	if v.alone[rule] == nil {
		m := v.mapping.Clone()
		m.Receive.Events, m.Receive.Rules = nil, v.mapping.Receive.Rules[rule:rule+1]
		v.alone[rule] = m
	}
	m := v.alone[rule]
	row, _ := m.Row(e.Delivery) // which the whole mapping has judged
	i := slices.IndexFunc(m.Columns(), func(c mapping.Column) bool { return c.Name == name })
	return i >= 0 && row.Cells[i].State != column.Missing
}
