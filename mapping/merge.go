package mapping

import (
	"fmt"
	"slices"

	"loopmap/mapping/body"
	"loopmap/mapping/column"
)

// Merge brings two people's changes of one mapping together: base is what both began
// with, theirs what one of them has saved, mine what the other wants. A column counts
// as the same one while it keeps its name or its path. Where both have changed the
// same thing in different ways, mine is taken, and a clash says so in words. What the
// mapper does not edit (rules, retention) is theirs.
func Merge(base, mine, theirs *Mapping) (merged *Mapping, clashes []string) {
	m := merger{base: base, mine: mine, theirs: theirs, out: theirs.Clone()}
	m.out.Database = pick(&m, "the database", base.Database, mine.Database, theirs.Database)
	m.out.Table = pick(&m, "the table", base.Table, mine.Table, theirs.Table)
	if d, err := column.DialectOf(m.out.Database); err == nil {
		m.out.Dialect = d
	}
	if !slices.Equal(mine.Receive.Events, base.Receive.Events) {
		m.out.Receive.Events = slices.Clone(mine.Receive.Events)
	}
	m.columns()
	m.key()
	m.push()
	return m.out, m.clashes
}

type merger struct {
	base, mine, theirs, out *Mapping
	clashes                 []string
}

func (m *merger) clash(format string, args ...any) {
	m.clashes = append(m.clashes, fmt.Sprintf(format, args...))
}

// pick is the three-way choice of one thing.
func pick[T comparable](m *merger, what string, base, mine, theirs T) T {
	if mine == base {
		return theirs
	}
	if theirs != base && theirs != mine {
		m.clash("%s: they say %v, you say %v; yours is taken", what, theirs, mine)
	}
	return mine
}

// columns merges the columns, in their order, or in mine where only I have moved some.
func (m *merger) columns() {
	base, mine, theirs := m.base.Receive.Columns, m.mine.Receive.Columns, m.theirs.Receive.Columns
	inMine, inTheirs := became(base, mine), became(base, theirs)
	byMine, byTheirs := map[int]Column{}, map[int]Column{} // merged, by their index
	for i, b := range base {
		a, t := inMine[i], inTheirs[i]
		switch {
		case a < 0 && t < 0:
		case a < 0:
			if !theirs[t].Equal(b) {
				m.clash("column %s: they have changed it, you have dropped it; it is dropped", body.Printable(b.Name))
			}
		case t < 0:
			if !mine[a].Equal(b) {
				m.clash("column %s: they have dropped it, you have changed it; it stays", body.Printable(b.Name))
				byMine[a] = mine[a]
			}
		default:
			c := m.column(b, mine[a], theirs[t])
			byMine[a], byTheirs[t] = c, c
		}
	}
	var list []Column
	order := func(from, others []Column, match, matchOthers []int, mine, theirs map[int]Column) {
		for i := range from {
			if c, ok := mine[i]; ok {
				list = append(list, c)
			} else if !slices.Contains(match, i) {
				list = append(list, from[i])
			}
		}
		for i := range others {
			if _, both := theirs[i]; !both && !slices.Contains(matchOthers, i) {
				list = append(list, others[i])
			}
		}
	}
	if sameOrder(base, theirs, inTheirs) && !sameOrder(base, mine, inMine) {
		order(mine, theirs, inMine, inTheirs, byMine, byTheirs)
	} else {
		order(theirs, mine, inTheirs, inMine, byTheirs, byMine)
		for i := range mine { // what they have dropped and I have changed
			if c, ok := byMine[i]; ok && !slices.ContainsFunc(list, c.Equal) {
				list = append(list, c)
			}
		}
	}
	m.out.Receive.Columns = m.distinct(list)
}

// column merges one column that all three have.
func (m *merger) column(b, mine, theirs Column) Column {
	what := "column " + body.Printable(b.Name) + ": its "
	return Column{
		Name: pick(m, what+"name", b.Name, mine.Name, theirs.Name),
		Type: pick(m, what+"type", b.Type, mine.Type, theirs.Type),
		From: m.pickPath(what+"path", b.From, mine.From, theirs.From),
	}
}

func (m *merger) pickPath(what string, base, mine, theirs Path) Path {
	if pick(m, what, base.String(), mine.String(), theirs.String()) == mine.String() {
		return mine
	}
	return theirs
}

// distinct leaves out a column that both have added alike, and gives the later of two
// with one name another one.
func (m *merger) distinct(list []Column) (out []Column) {
	d := m.out.Dialect
	taken := map[string]Column{}
	isTaken := func(name string) bool { _, ok := taken[name]; return ok }
	for _, c := range list {
		have, both := taken[d.Fold(c.Name)]
		switch {
		case both && have.From.Equal(c.From):
			if have.Type != c.Type {
				m.clash("column %s: both have added it, as %s and as %s; it is %s", body.Printable(c.Name), have.Type, c.Type, have.Type)
			}
			continue
		case both:
			name := column.ProposeName(c.From, d, isTaken)
			m.clash("column %s: both have added one, from %s and from %s; the latter is %s now", body.Printable(c.Name), have.From, c.From, name)
			c.Name = name
		}
		taken[d.Fold(c.Name)] = c
		out = append(out, c)
	}
	return out
}

// key lets the right column tell rows apart, whatever it is called by now.
func (m *merger) key() {
	from := func(n *Mapping) string { return n.column(n.Key).From.String() }
	want := pick(m, "the key's path", from(m.base), from(m.mine), from(m.theirs))
	named := m.theirs.Key
	if want != from(m.theirs) || m.mine.Key != m.base.Key {
		named = m.mine.Key
	}
	for _, c := range m.out.Receive.Columns {
		if c.Name == named {
			m.out.Key = named
			return
		}
	}
	for _, c := range m.out.Receive.Columns { // it was renamed
		if c.From.String() == want {
			m.out.Key = c.Name
			return
		}
	}
	m.out.Receive.Columns = append([]Column{m.theirs.column(m.theirs.Key)}, m.out.Receive.Columns...)
	m.out.Key = m.theirs.Key
	m.clash("the key %s: you have dropped it; it stays", body.Printable(m.out.Key))
}

// became finds for each column of base which one of list it has become: by name
// and path, else by name, else by path; -1 when it was dropped.
func became(base, list []Column) []int {
	match, used := make([]int, len(base)), map[int]bool{}
	for i := range match {
		match[i] = -1
	}
	for _, same := range []func(b, c Column) bool{
		func(b, c Column) bool { return b.Name == c.Name && b.From.Equal(c.From) },
		func(b, c Column) bool { return b.Name == c.Name },
		func(b, c Column) bool { return b.From.Equal(c.From) },
	} {
		for i, b := range base {
			for j, c := range list {
				if match[i] < 0 && !used[j] && same(b, c) {
					match[i], used[j] = j, true
				}
			}
		}
	}
	return match
}

// sameOrder reports whether the columns that list has of base stand as they stood.
func sameOrder(base, list []Column, match []int) bool {
	last := -1
	for i := range base {
		if j := match[i]; j >= 0 {
			if j < last {
				return false
			}
			last = j
		}
	}
	return true
}
