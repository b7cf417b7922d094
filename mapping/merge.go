package mapping

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"loopmap/mapping/body"
	"loopmap/mapping/column"
	"loopmap/mapping/yamledit"
)

// Merge brings two people's changes of one mapping together: base is what both began
// with, theirs what one of them has saved, mine what the other wants. A column counts
// as the same one while it keeps its name or its path. Where both have changed the
// same thing in different ways, mine is taken, and a clash says so in words.
func Merge(base, mine, theirs *Mapping) (merged *Mapping, clashes []string) {
	m := merger{base: base, mine: mine, theirs: theirs}
	f := &fileReader{}
	m.out = f.mapping(m.settings(nil, base.settings(), mine.settings(), theirs.settings()))
	m.out.Hash = theirs.Hash
	if f.hidden {
		m.out.Dialect = theirs.Dialect
	}
	m.out.Receive.Columns = m.distinct(m.out.Receive.Columns)
	m.key()
	if m.out.Push != nil {
		m.out.Push = m.out.Push.clone() // without places, which are of no file
	}
	if err := m.out.Push.Check(); err != nil && mine.Push.Check() == nil && theirs.Push.Check() == nil {
		m.clash("push: the two cannot be brought together (%v); yours is taken", err)
		m.out.Push = mine.Push
	}
	return m.out, m.clashes
}

type merger struct {
	base, mine, theirs, out *Mapping
	clashes                 []string
}

func (m *merger) clash(format string, args ...any) {
	m.clashes = append(m.clashes, fmt.Sprintf(format, args...))
}

// settings is the three-way choice of what stands at a path. What is written in one line is
// chosen as a whole.
func (m *merger) settings(path []string, base, mine, theirs *yamledit.Node) *yamledit.Node {
	switch {
	case yamledit.Equal(mine, base), slices.Equal(path, []string{"key"}): // the key is found later
		return theirs
	case yamledit.Equal(theirs, base), yamledit.Equal(mine, theirs):
		return mine
	}
	switch some := cmp.Or(mine, theirs); {
	case some.Kind == yamledit.Map && !some.Flow:
		return m.block(path, base, mine, theirs)
	case some.Kind == yamledit.List && !some.Flow:
		return m.list(path, orNone(base), orNone(mine), orNone(theirs))
	case mine == nil:
		m.clash("%s: they say %s, you have dropped it; it is dropped", inWords(path), theirs.Inline())
	case theirs == nil:
		m.clash("%s: they have dropped it, you say %s; it stays", inWords(path), mine.Inline())
	default:
		m.clash("%s: they say %s, you say %s; yours is taken", inWords(path), theirs.Inline(), mine.Inline())
	}
	return mine
}

// orNone is a list, or one that has no items.
func orNone(n *yamledit.Node) *yamledit.Node { return cmp.Or(n, &yamledit.Node{}) }

// block merges key by key.
func (m *merger) block(path []string, base, mine, theirs *yamledit.Node) *yamledit.Node {
	out := block()
	was, now, other := base.Values(), mine.Values(), theirs.Values()
	if theirs != nil {
		for _, k := range theirs.Members {
			out.Add(k.Key.Text, m.settings(below(path, k.Key.Text), was[k.Key.Text], now[k.Key.Text], k.Value))
		}
	}
	if mine != nil {
		for _, k := range mine.Members {
			if other[k.Key.Text] == nil {
				out.Add(k.Key.Text, m.settings(below(path, k.Key.Text), was[k.Key.Text], k.Value, nil))
			}
		}
	}
	return out
}

func below(path []string, name string) []string { return append(slices.Clone(path), name) }

// list merges item by item, in their order, or in mine where only I have moved some.
func (m *merger) list(path []string, base, mine, theirs *yamledit.Node) *yamledit.Node {
	inMine, inTheirs := yamledit.Match(mine.Items, base.Items), yamledit.Match(theirs.Items, base.Items)
	ours, others := values(mine), values(theirs) // what becomes of each
	for i, b := range base.Items {
		a, t, at := inMine[i], inTheirs[i], below(path, nameOf(b))
		switch {
		case a < 0 && t < 0:
		case a < 0:
			if !yamledit.Equal(others[t], b.Value) {
				m.clash("%s: they have changed it, you have dropped it; it is dropped", inWords(at))
			}
			others[t] = nil
		case t < 0 && yamledit.Equal(ours[a], b.Value):
			ours[a] = nil
		case t < 0:
			m.clash("%s: they have dropped it, you have changed it; it stays", inWords(at))
		default:
			ours[a] = m.block(at, b.Value, ours[a], others[t])
			others[t] = ours[a]
		}
	}
	for a, item := range mine.Items { // what both have added
		t := slices.IndexFunc(theirs.Items, func(other yamledit.Item) bool { return other.Names[0] == item.Names[0] })
		if t >= 0 && !slices.Contains(inMine, a) && !slices.Contains(inTheirs, t) {
			ours[a] = m.block(below(path, nameOf(item)), nil, ours[a], others[t])
			others[t] = ours[a]
		}
	}
	first, second := others, ours
	if slices.IsSorted(found(inTheirs)) && !slices.IsSorted(found(inMine)) {
		first, second = ours, others
	}
	out, seen := &yamledit.Node{Kind: yamledit.List}, map[*yamledit.Node]bool{nil: true}
	for _, v := range slices.Concat(first, second) {
		if !seen[v] {
			out.Items = append(out.Items, yamledit.Item{Value: v})
		}
		seen[v] = true
	}
	return out
}

func values(n *yamledit.Node) (list []*yamledit.Node) {
	for _, item := range n.Items {
		list = append(list, item.Value)
	}
	return list
}

// found are the places of those that are there.
func found(match []int) []int {
	return slices.DeleteFunc(slices.Clone(match), func(i int) bool { return i < 0 })
}

// nameOf is what people call an item by.
func nameOf(item yamledit.Item) string {
	if n := item.Value.Get("name"); n != nil {
		return n.Text
	}
	return item.Names[len(item.Names)-1]
}

// inWords names a setting in a message.
func inWords(path []string) string {
	words := strings.Join(path, " ")
	switch {
	case len(path) == 1:
		words = "the " + path[0]
	case path[0] == "receive" && len(path) == 2:
		words = "the " + path[1]
	case path[0] == "receive": // an item of columns or of rules
		words = strings.TrimSuffix(path[1], "s") + " " + path[2]
		if len(path) > 3 {
			words += ": its " + strings.Replace(path[3], "from", "path", 1)
		}
	case len(path) == 3 && path[1] == "events":
		words = "push event " + path[2]
	}
	return body.Printable(words)
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
	if !m.out.Receives() { // it is a column of the table's own
		if m.out.Key = m.theirs.Key; m.mine.Key != m.base.Key {
			m.out.Key = m.mine.Key
		}
		if m.out.Key != m.theirs.Key && m.theirs.Key != m.base.Key {
			m.clash("the key: they say %s, you say %s; yours is taken", body.Printable(m.theirs.Key), body.Printable(m.mine.Key))
		}
		return
	}
	from := func(n *Mapping) string { return n.column(n.Key).From.String() }
	base, mine, theirs := from(m.base), from(m.mine), from(m.theirs)
	want, named := theirs, m.theirs.Key
	if mine != base {
		want = mine
		if theirs != base && theirs != mine {
			m.clash("the key's path: they say %s, you say %s; yours is taken", theirs, mine)
		}
	}
	if want != theirs || m.mine.Key != m.base.Key {
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
