package mapping

import (
	"fmt"
	"slices"

	"loopmap/mapping/body"
	"loopmap/mapping/column"
)

// The methods of this file are the mapper's edits. Each returns a changed copy
// and leaves m as it is, so that undo is a list of mappings.

// ColumnFrom is the index of the first column that is read from p, or -1.
func (m *Mapping) ColumnFrom(p Path) int {
	return slices.IndexFunc(m.Receive.Columns, func(c Column) bool { return c.From.Equal(p) })
}

// Add appends a column for each attribute that is none yet, with proposed names
// and types. A mapping that only sends begins to receive.
func (m *Mapping) Add(attrs ...*body.Attribute) *Mapping {
	if !m.Receives() && len(attrs) > 0 {
		m = m.receiving()
	}
	taken, from := map[string]bool{}, map[string]bool{}
	for _, c := range m.Receive.Columns {
		taken[m.Dialect.Fold(c.Name)], from[c.From.String()] = true, true
	}
	n := m.Clone()
	for _, a := range attrs {
		if path := a.Path.String(); !from[path] {
			named := a.Path
			if a.Called != "" {
				named = body.MakePath(body.Step{Key: a.Called})
			}
			c := Column{column.ProposeName(named, m.Dialect, func(s string) bool { return taken[s] }), column.ProposeType(a), a.Path}
			taken[m.Dialect.Fold(c.Name)], from[path] = true, true
			n.Receive.Columns = append(n.Receive.Columns, c)
		}
	}
	return n
}

// AddAs appends a column for an attribute that is none yet, by a name that is given. What
// names the column that would be proposed stays as it is: that is another one.
func (m *Mapping) AddAs(a *body.Attribute, name string) (*Mapping, error) {
	n := m.Add(a)
	at := len(n.Receive.Columns) - 1
	if err := m.Dialect.CheckColumn(name); err != nil {
		return m, err
	}
	if err := n.checkUnique(at, name); err != nil {
		return m, err
	}
	n.Receive.Columns[at].Name = name
	return n, nil
}

// receiving is m with a receive part of the key column alone. What the key is sent as says
// where webhooks have it.
func (m *Mapping) receiving() *Mapping {
	n := m.Clone()
	from := "id"
	if m.Push != nil && m.Push.Contact != nil {
		switch fold := m.Dialect.Fold; fold(m.Key) {
		case fold(m.Push.Contact.UserID):
			from = "userId"
		case fold(m.Push.Contact.Email):
			from = "email"
		}
	}
	n.Receive.Events = []string{ContactCreated}
	n.Receive.Columns = []Column{{m.Key, column.Text, body.MakePath(body.Step{Key: "contactIdentity"}, body.Step{Key: from})}}
	return n
}

// Drop takes column i out. The key column stays.
func (m *Mapping) Drop(i int) (*Mapping, error) {
	if c := m.Receive.Columns[i]; c.Name == m.Key {
		return m, fmt.Errorf("%s is the key: it tells rows apart and stays", body.Printable(c.Name))
	}
	n := m.Clone()
	n.Receive.Columns = slices.Delete(n.Receive.Columns, i, i+1)
	return n, nil
}

// DropAll takes the columns that are read from these paths out. The key column
// stays; kept reports whether it was among them.
func (m *Mapping) DropAll(paths map[string]bool) (n *Mapping, kept bool) {
	n = m.Clone()
	n.Receive.Columns = slices.DeleteFunc(n.Receive.Columns, func(c Column) bool {
		drop := paths[c.From.String()]
		if drop && c.Name == m.Key {
			kept = true
			return false
		}
		return drop
	})
	return n, kept
}

// Move puts column i in place of its neighbour, by steps down (or up, when
// negative), and returns where it is then.
func (m *Mapping) Move(i, by int) (*Mapping, int) {
	j := i + by
	if j < 0 || j >= len(m.Receive.Columns) {
		return m, i
	}
	n := m.Clone()
	n.Receive.Columns[i], n.Receive.Columns[j] = n.Receive.Columns[j], n.Receive.Columns[i]
	return n, j
}

// Retype gives column i another type.
func (m *Mapping) Retype(i int, t column.Type) *Mapping {
	n := m.Clone()
	n.Receive.Columns[i].Type = t
	return n
}

// CheckRename says why column i cannot have a name: because of the database, or
// because another column has it.
func (m *Mapping) CheckRename(i int, name string) error {
	if err := m.Dialect.CheckColumn(name); err != nil {
		return err
	}
	if old := m.Receive.Columns[i].Name; old != name {
		if where := m.namedElsewhere(old); where != "" {
			return fmt.Errorf("%s is named by %s too; rename it in the file", body.Printable(old), where)
		}
	}
	return m.checkUnique(i, name)
}

// checkUnique says which column but i has a name already.
func (m *Mapping) checkUnique(i int, name string) error {
	for j, c := range m.Receive.Columns {
		if j != i && m.Dialect.Fold(c.Name) == m.Dialect.Fold(name) {
			if c.Name != name {
				return fmt.Errorf("%s has the same name to SQLite, which ignores case", body.Printable(c.Name))
			}
			return fmt.Errorf("another column has this name; it comes from %s", c.From)
		}
	}
	return nil
}

// Rename gives column i another name. The key follows its column, and so does what the
// push part sends from it.
func (m *Mapping) Rename(i int, name string) (*Mapping, error) {
	if err := m.CheckRename(i, name); err != nil {
		return m, err
	}
	n := m.Clone()
	if n.Receive.Columns[i].Name == m.Key {
		n.Key = name
	}
	old := n.Receive.Columns[i].Name
	n.Receive.Columns[i].Name = name
	if m.Push != nil {
		n = n.EditPush(func(p *Push) { p.renameColumn(old, name) })
	}
	return n, nil
}

// MakeKey lets column i tell rows apart.
func (m *Mapping) MakeKey(i int) *Mapping {
	n := m.Clone()
	n.Key = n.Receive.Columns[i].Name
	return n
}

// namedElsewhere says where else a column is named that a new name does not reach.
func (m *Mapping) namedElsewhere(name string) string {
	for _, u := range m.Receive.Rules {
		if slices.ContainsFunc(u.Set, func(s RuleValue) bool { return s.Column == name }) {
			return "rules"
		}
	}
	if slices.Contains(m.pushConditions(), name) {
		return "a condition of push"
	}
	if m.Push != nil && slices.ContainsFunc(m.Push.Events, func(e PushEvent) bool { return slices.Contains(e.OncePer, name) }) {
		return "once_per of push, by which events would be sent again,"
	}
	return ""
}
