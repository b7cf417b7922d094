package tui

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping"
)

// mapScreen is the place where attributes become columns.
type mapScreen struct{}

func (mapScreen) where(m *Model) where {
	return [...]where{treePane: inTree, columnsPane: inColumns, rowPane: inRow}[m.focus]
}

func (mapScreen) draw(m *Model) []string {
	l := m.mapLayout()
	return compose(m.room(), part{l.tree, m.drawTree}, part{l.columns, m.drawColumns}, part{l.row, m.drawRow}, part{l.whole, m.drawWhole})
}

func (mapScreen) settle(m *Model) {
	l := m.mapLayout()
	n := len(m.draft.Receive.Columns)
	m.tree.top = window(m.tree.top, m.tree.cursor, len(m.tree.rows), rows(l.tree.h))
	m.columns.top = window(m.columns.top, m.columns.cursor, n, rows(l.columns.h))
	problem := m.row.problem(l.row.w-4, rows(l.row.h), m.row.fits(l.row.w-2, rows(l.row.h), m.draft).shown)
	m.row.top = window(m.row.top, m.columns.cursor, n, rows(l.row.h)-1-len(problem))
}

func (mapScreen) move(m *Model, by int) {
	if m.focus == treePane {
		m.tree.move(by)
		return
	}
	m.columns.cursor = clamp(m.columns.cursor+by, len(m.draft.Receive.Columns))
}

func (mapScreen) back(m *Model) bool {
	switch {
	case m.tree.filtered():
		m.tree.onlyNew = false
		m.tree.find("")
	case m.focus != treePane && len(m.samples) > 0:
		m.focus = treePane
	default:
		return false
	}
	return true
}

func (mapScreen) do(m *Model, a action) tea.Cmd {
	switch a {
	case nextPane, prevPane:
		m.focus = (m.focus + 3 + pane(towards(a))) % 3
	case fetch:
		m.lay(captureScreen{})
	case find, nextHit, prevHit:
		m.findInMap(a)
	case copyPath, copyValue:
		return m.copyHere(a)
	case edit:
		return m.editFile()
	}
	switch m.focus {
	case treePane:
		m.editTree(a)
	case columnsPane:
		m.editColumns(a)
	case rowPane:
		switch a {
		case open:
			m.row.from = clamp(m.row.from+1, len(m.row.rows))
		case shut:
			m.row.from = clamp(m.row.from-1, len(m.row.rows))
		}
	}
	return nil
}

// findInMap finds attributes, or columns by their names and paths.
func (m *Model) findInMap(a action) {
	switch {
	case a == find:
		m.startSearch()
	case m.focus == treePane && a == nextHit:
		m.tree.jump(1)
	case m.focus == treePane:
		m.tree.jump(-1)
	case a == nextHit:
		m.columns.find(m.columns.query, m.draft, 1)
	default:
		m.columns.find(m.columns.query, m.draft, -1)
	}
}

func (m *Model) editTree(a action) {
	switch a {
	case pick:
		m.pick()
	case pickWhole:
		m.pickWhole()
	case pickAll:
		m.pickShown(true)
	case dropAll:
		m.pickShown(false)
	case enter:
		m.startValue()
	case onlyNew:
		if len(m.tree.fresh) == 0 {
			m.say("nothing is new since the mapping was saved")
			return
		}
		m.tree.onlyNew = !m.tree.onlyNew
		m.tree.refresh()
	default:
		m.tree.fold(a)
	}
}

func (m *Model) editColumns(a action) {
	switch a {
	case enter:
		m.startRename()
	case retype, moveUp, moveDown, drop, makeKey:
		m.editColumn(a)
	}
}

func (mapScreen) focus(m *Model, x, y int) {
	l := m.mapLayout()
	for p, r := range map[pane]rect{treePane: l.tree, columnsPane: l.columns, rowPane: l.row} {
		if r.has(x, y) {
			m.focus = p
		}
	}
}

func (mapScreen) click(m *Model, x, y int) action {
	l := m.mapLayout()
	n := len(m.draft.Receive.Columns)
	switch {
	case l.tree.has(x, y):
		i := m.tree.top + y - l.tree.y - 1
		if y == l.tree.y || i < 0 || i >= len(m.tree.rows) {
			return none
		}
		m.tree.cursor = i
		return m.tree.hitBox(x-l.tree.x-1, &m.st)
	case l.columns.has(x, y):
		if i := m.columns.top + y - l.columns.y - 1; y > l.columns.y && i < n {
			m.columns.cursor = i
			return selected
		}
	case l.row.has(x, y):
		if i := m.row.top + y - l.row.y - 2; y > l.row.y+1 && i < n {
			m.columns.cursor = i
		}
	}
	return none
}

func (m *Model) drawTree(w, h int) []string {
	t := &m.tree
	f := framed{title: "Contact", focused: m.focus == treePane, top: t.top, at: t.cursor, all: len(t.rows)}
	f.foot = middle(safe(label(t.path())), w-16)
	f.figure = plural(t.leafs, "attribute") + ", " + plural(len(m.samples), "sample")
	if t.filtered() {
		f.figure = fmt.Sprintf("/%s: %d of %s", safe(label(t.query)), t.hits, plural(t.leafs, "attribute"))
		if t.onlyNew {
			f.figure = plural(t.hits, "new attribute")
		}
	}
	if n := m.hidden(); n > 0 {
		f.figure += fmt.Sprintf(", %s hidden", plural(n, "pick"))
	}
	if len(t.attrs) == 0 {
		return m.st.frame(framed{title: "Contact", figure: "no sample", focused: f.focused}, m.empty(w-2,
			"Here will be what a webhook has: every attribute, with a value.",
			keyFor(fetch)+" awaits a sample of Loops, or takes one from a file, from the journal, or the built-in one."), w, h)
	}
	return m.st.frame(f, t.lines(w-2, rows(h), m.picked, len(m.samples), f.focused, &m.st), w, h)
}

func (m *Model) drawColumns(w, h int) []string {
	n := len(m.draft.Receive.Columns)
	f := framed{title: "Columns", figure: plural(n, "column"), top: m.columns.top, at: m.columns.cursor, all: n}
	f.focused = m.focus == columnsPane && !m.renaming()
	if !m.draft.Receives() {
		return m.st.frame(f, m.empty(w-2, "This mapping only sends: no webhook fills the table.",
			"An attribute that is picked makes it receive, too."), w, h)
	}
	if i := m.columns.cursor; f.focused && i < len(m.columns.problems) && m.columns.problems[i] != "" {
		f.foot = "! " + safe(m.columns.problems[i])
	}
	return m.st.frame(f, m.columns.lines(w-2, rows(h), m.draft, m.listName, f.focused, &m.st), w, h)
}

// drawRow is the row that the samples give, or the field for a name while one is typed.
func (m *Model) drawRow(w, h int) []string {
	if m.renaming() {
		c := m.draft.Receive.Columns[m.input.column]
		f := framed{title: "Rename " + safe(c.Name), figure: safe(c.From.String()), focused: true}
		return m.st.frame(f, m.renameLines(w-2, rows(h)), w, h)
	}
	n := len(m.draft.Receive.Columns)
	f := framed{title: "Row", figure: "as it will stand", focused: m.focus == rowPane, top: m.row.top, at: m.columns.cursor, all: n, head: 1}
	if len(m.row.rows) == 0 {
		f.figure, f.all = "no sample", 0
		return m.st.frame(f, m.empty(w-2, "Here will be the row that each sample gives.", keyFor(fetch)+" takes a sample."), w, h)
	}
	return m.st.frame(f, m.row.lines(w-2, rows(h), m.draft, m.columns.cursor, f.focused, &m.st), w, h)
}

// drawWhole is what the cursor is on, whole.
func (m *Model) drawWhole(w, h int) []string {
	var p pager
	title := "Value"
	if m.focus == treePane {
		if a := m.tree.current(); a != nil {
			title = a.Name()
			p = newPager(m.valueParts(a)...)
		}
	} else if i := m.columns.cursor; i < len(m.draft.Receive.Columns) {
		c := m.draft.Receive.Columns[i]
		title = c.Name
		lines := []string{"column   " + c.Name, "type     " + string(c.Type), "from     " + c.From.String(), "table    " + m.fate(c.Name)}
		if why := m.columns.problems[i]; why != "" {
			lines = append(lines, "", "! "+why)
		}
		for k := len(m.row.rows) - 1; k >= 0; k-- {
			if r := m.row.rows[k]; i < len(r.Cells) {
				lines = append(lines, "", fmt.Sprintf("SAMPLE %d", k+1), sayCell(r.Cells[i]))
			}
		}
		p = newPager(linesOf(lines))
	}
	p.fit(w-4, rows(h))
	var lines []string
	for _, s := range p.lines(w-4, rows(h), &m.st) {
		lines = append(lines, " "+s)
	}
	return m.st.frame(framed{title: safe(label(title)), figure: "under the cursor"}, lines, w, h)
}

// empty are the lines of a pane that has nothing to show yet: what will be here, and the
// key that brings it.
func (m *Model) empty(w int, what, how string) []string {
	lines := []string{""}
	for _, s := range wrap(what, w-4) {
		lines = append(lines, "  "+s)
	}
	for _, s := range wrap(how, w-4) {
		lines = append(lines, "  "+m.st.faint.Render(s))
	}
	return lines
}

// listName is what a mailing list is called, as far as somebody has told: Loops, or a
// webhook that carried the list; "" when nobody has.
func (m *Model) listName(p mapping.Path) string {
	steps := p.Steps()
	if len(steps) != 3 || steps[0].Key != "contact" || steps[1].Key != "mailingLists" {
		return ""
	}
	return m.lists[steps[2].Key]
}

// hidden is how many picks the search does not show.
func (m *Model) hidden() (n int) {
	if m.tree.query == "" {
		return 0
	}
	for i := range m.tree.attrs {
		if m.picked[m.tree.paths[i]] && !m.tree.hit[i] {
			n++
		}
	}
	return n
}

func (m *Model) renaming() bool { return m.input != nil && m.input.what == typingName }
