package tui

import (
	"fmt"
	"slices"
	"strings"

	"loopmap/mapping/body"
	"loopmap/mapping/column"
)

// pick toggles the attribute under the cursor, or all that is within it.
func (m *Model) pick() {
	if m.tree.current() == nil {
		return
	}
	i := m.tree.rows[m.tree.cursor]
	leaves := []int{i}
	if m.tree.attrs[i].Kinds&body.KindList == 0 {
		leaves = m.tree.leaves(i)
	}
	m.set(leaves, m.tree.share(i, m.picked) != allPicked)
}

// pickWhole makes the object under the cursor one column of JSON.
func (m *Model) pickWhole() {
	if m.tree.current() != nil {
		i := m.tree.rows[m.tree.cursor]
		m.set([]int{i}, !m.picked[m.tree.paths[i]])
	}
}

// pickShown picks or drops what the search has found, or all that is visible. A
// list is picked whole.
func (m *Model) pickShown(on bool) {
	var list []int
	behind := 0 // the end of the last list
	for _, i := range m.tree.rows {
		a := &m.tree.attrs[i]
		isList := a.Kinds&body.KindList != 0
		if i < behind || m.tree.filtered() && !m.tree.hit[i] {
			continue
		}
		if isList || a.End == i+1 {
			list = append(list, i)
		}
		if isList {
			behind = a.End
		}
	}
	m.set(list, on)
}

// set makes columns of attributes, or drops the columns that they are.
func (m *Model) set(attrs []int, on bool) {
	before := len(m.draft.Receive.Columns)
	n, kept := m.draft, false
	if on {
		var add []*body.Attribute
		for _, i := range attrs {
			a := m.tree.attrs[i]
			a.Called = m.listName(a.Path)
			add = append(add, &a)
		}
		n = n.Add(add...)
		if most := n.Dialect.MaxColumns(); len(n.Receive.Columns) > most {
			m.complain(fmt.Errorf("that would be %d columns; a table has at most %d. Pick fewer, or %s makes an object one column",
				len(n.Receive.Columns), most, keyFor(pickWhole)))
			return
		}
	} else {
		paths := map[string]bool{}
		for _, i := range attrs {
			paths[m.tree.paths[i]] = true
		}
		n, kept = n.DropAll(paths)
	}
	m.change(n)
	switch changed := len(n.Receive.Columns) - before; {
	case kept && changed == 0:
		m.complain(fmt.Errorf("%s is the key: it tells rows apart and stays", safe(n.Key)))
	case changed > 0:
		m.columns.cursor = len(n.Receive.Columns) - 1
		if changed > 1 {
			m.say("%s added", plural(changed, "column"))
		}
	case changed < -1:
		m.say("%s dropped", plural(-changed, "column"))
	}
}

// editColumn does to the column under the cursor what a key says.
func (m *Model) editColumn(a action) {
	if len(m.draft.Receive.Columns) == 0 {
		return
	}
	switch i := m.columns.cursor; a {
	case retype:
		m.nextType(i)
	case moveUp:
		m.moveColumn(i, -1)
	case moveDown:
		m.moveColumn(i, 1)
	case makeKey:
		m.makeKey(i)
	case drop:
		m.dropColumn(i)
	}
}

func (m *Model) nextType(i int) {
	at := slices.Index(column.Types, m.draft.Receive.Columns[i].Type)
	m.change(m.draft.Retype(i, column.Types[(at+1)%len(column.Types)]))
	m.say("%s", m.types(i))
	if why := m.columns.problems[i]; why != "" {
		m.note += ". ! " + safe(why)
	}
}

func (m *Model) moveColumn(i, by int) {
	n, at := m.draft.Move(i, by)
	m.change(n)
	m.columns.cursor = at
}

func (m *Model) makeKey(i int) {
	m.change(m.draft.MakeKey(i))
	m.say("%s tells rows apart now", m.draft.Key)
}

func (m *Model) dropColumn(i int) {
	name := m.draft.Receive.Columns[i].Name
	n, err := m.draft.Drop(i)
	if err != nil {
		m.complain(err)
		return
	}
	m.change(n)
	m.say("dropped %s (%s brings it back)", name, keyFor(undo))
}

// types names all types, the one of column i in brackets, and marks those that do
// not hold the samples.
func (m *Model) types(i int) string {
	c := m.draft.Receive.Columns[i]
	words, marked := []string{}, false
	for _, t := range column.Types {
		word := string(t)
		for _, s := range m.samples[max(0, len(m.samples)-previewed):] {
			v, ok := c.From.Get(s.Body)
			if ok && t.Read(v, m.draft.Dialect).State == column.Misfit {
				word, marked = string(t)+"!", true
				break
			}
		}
		if t == c.Type {
			word = "[" + word + "]"
		}
		words = append(words, word)
	}
	if marked {
		words = append(words, " (! does not hold the samples)")
	}
	return strings.Join(words, " ")
}

// startRename opens the field for a column's name, with the table's columns that
// no other column has taken to choose from.
func (m *Model) startRename() {
	if len(m.draft.Receive.Columns) == 0 {
		return
	}
	i := m.columns.cursor
	m.input = newInput(typingName, m.draft.Receive.Columns[i].Name)
	m.input.column = i
	for _, have := range m.cfg.Columns {
		if m.draft.CheckRename(i, have.Name) == nil {
			m.input.offers = append(m.input.offers, have)
		}
	}
}

// nameProblem is what stands beside the name while it is typed.
func (m *Model) nameProblem(name string) error {
	if err := m.draft.CheckRename(m.input.column, name); err != nil {
		return err
	}
	c := m.draft.Receive.Columns[m.input.column]
	for _, have := range m.cfg.Columns {
		if m.draft.Dialect.Fold(have.Name) == m.draft.Dialect.Fold(name) {
			if why := m.cfg.Backend.Misfit(c.Type, have); why != "" {
				return fmt.Errorf("the table has it as %s, which does not hold %s: %s", safe(have.Type), c.Type, why)
			}
		}
	}
	return nil
}
