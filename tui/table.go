package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
)

// tableScreen is the place of the rows, with what happened to each.
type tableScreen struct{ quiet }

func (tableScreen) where(*Model) where { return inTable }

func (tableScreen) move(m *Model, by int) {
	m.push.row = clamp(m.push.row+by, len(m.push.rows))
	m.push.body.top = 0
}

func (tableScreen) settle(m *Model) {
	m.push.tableTop = window(m.push.tableTop, m.push.row, len(m.push.rows), rows(m.room().h)-1)
}

func (tableScreen) back(m *Model) bool {
	was := m.push.from
	m.push.from = 0
	return was != 0
}

func (tableScreen) click(m *Model, x, y int) action {
	r := m.room()
	if y == r.y+1 {
		shown, _ := m.tableColumns(r.w - 2)
		var w []int
		for _, c := range shown {
			w = append(w, c.w)
		}
		if i := heads(x-r.x-1, w...); i > 0 && !shown[i-1].kind {
			m.push.orderRows(m.push.order.click(m.push.orderOf(shown[i-1].name)))
		}
		return none
	}
	if i := m.push.tableTop + y - r.y - 2; y > r.y+1 && i < len(m.push.rows) {
		m.push.row, m.push.body.top = i, 0
		return selected
	}
	return none
}

func (tableScreen) do(m *Model, a action) tea.Cmd {
	p := &m.push
	switch a {
	case enter:
		m.place, p.focus = sendPlace, bodyPane
		p.stale = true
	case open:
		p.from = clamp(p.from+1, len(p.fields))
	case shut:
		p.from = clamp(p.from-1, len(p.fields))
	case run, stop, fetch:
		return m.running(a)
	case order:
		p.orderRows(p.order.next(len(p.fields)))
	case find:
		m.startSearch()
	case nextHit, prevHit:
		m.nextRow(a)
	case copyPath:
		if r, ok := p.shownRow(); ok {
			return m.clip(r.Key, safe(r.Key))
		}
	}
	return nil
}

func (tableScreen) draw(m *Model) []string {
	p, st, r := &m.push, &m.st, m.room()
	inner := r.w - 2
	f := framed{title: safe(m.draft.Table), figure: m.rowsFigure(), focused: true, top: p.tableTop, at: p.row, all: len(p.rows), head: 1}
	if len(p.rows) == 0 || p.samples {
		f.figure, f.all = "no rows", 0
		why := "What webhooks bring fills it: `loopmap sync` receives."
		if p.problem != "" {
			why = safe(strings.ToUpper(p.problem[:1])+p.problem[1:]) + " (" + keyFor(save) + " on Map)."
		}
		what := "Here will be the rows of your table, with what happened to each: where it came from, and what it sent back."
		return st.frame(f, m.empty(inner, what, why), r.w, r.h)
	}
	shown, more := m.tableColumns(inner)
	var head []cell
	for _, c := range shown {
		head = append(head, cell{text: p.order.head(safe(c.name), p.orderOf(c.name)), w: c.w, look: st.faint})
	}
	lines := []string{st.line(false, inner, head...)}
	for i := p.tableTop; i < len(p.rows) && len(lines) < rows(r.h); i++ {
		var cells []cell
		for _, c := range shown {
			text, look := c.of(p.rows[i], st)
			cells = append(cells, cell{text: text, w: c.w, look: look})
		}
		lines = append(lines, st.line(i == p.row, inner, cells...))
	}
	if p.from > 0 || more {
		f.foot = fmt.Sprintf("from column %d of %d: left right", p.from+1, len(p.fields))
	}
	return st.frame(f, lines, r.w, r.h)
}

// tableColumn is a column of the table as it is shown: one of its own, or what became of
// one kind of what rows send.
type tableColumn struct {
	name string
	kind bool
	typ  column.Type
	w    int
}

// of is what the column shows of a row.
func (c tableColumn) of(row outgoing.Row, st *theme) (string, lipgloss.Style) {
	if c.kind {
		return outcomeOf(row, c.name, st)
	}
	v := row.Cells[c.name]
	return cellText(v), st.cell(v, c.typ)
}

// mostCell is how wide a column of the table gets.
const mostCell = 44

// tableColumns are those that w cells have room for; more says that there are others.
func (m *Model) tableColumns(w int) (shown []tableColumn, more bool) {
	p, kinds, outcome := &m.push, m.kinds(), 0
	for _, k := range kinds { // as wide as what is shown, within bounds
		outcome = max(outcome, min(14, 2+width(safe(k))))
		for i := p.tableTop; i < len(p.rows) && i < p.tableTop+rows(m.room().h); i++ {
			text, _ := outcomeOf(p.rows[i], k, &m.st)
			outcome = max(outcome, width(text))
		}
	}
	if len(kinds) > 0 {
		outcome = min(outcome, w/(2*len(kinds)), 30)
	}
	list := p.fields[min(p.from, len(p.fields)):]
	named := func(f column.Field) bool { return f.Name == m.naming() }
	if i := slices.IndexFunc(list, named); i > 0 && p.from == 0 { // what people know a row by comes first
		list = append([]column.Field{list[i]}, slices.Delete(slices.Clone(list), i, i+1)...)
	}
	room := w - 2 - len(kinds)*(outcome+1)
	for _, f := range list {
		c := tableColumn{name: f.Name, typ: f.Type, w: max(4, 2+width(safe(f.Name)))}
		for i := p.tableTop; i < len(p.rows) && i < p.tableTop+rows(m.room().h); i++ {
			c.w = max(c.w, min(mostCell, width(cellText(p.rows[i].Cells[f.Name]))))
		}
		if more = room < min(c.w, 8); more {
			break
		}
		c.w = min(c.w, room)
		shown = append(shown, c)
		room -= c.w + 1
	}
	for _, k := range kinds {
		shown = append(shown, tableColumn{name: k, kind: true, w: outcome})
	}
	return shown, more
}

// orderOf is the number of a column for the order of the table, counted from 1.
func (p *pushScreen) orderOf(name string) int {
	return 1 + slices.IndexFunc(p.fields, func(f column.Field) bool { return f.Name == name })
}

// orderRows orders the rows that are there by a column, the cursor on the same row; by
// none in the order in which they were read.
func (p *pushScreen) orderRows(o ordered) {
	p.order = o
	row, _ := p.shownRow()
	slices.SortStableFunc(p.rows, func(a, b outgoing.Row) int {
		if o.by == 0 {
			return strings.Compare(a.Key, b.Key)
		}
		f := p.fields[o.by-1]
		x, y := a.Cells[f.Name], b.Cells[f.Name]
		m, errX := strconv.ParseFloat(x.Text, 64)
		n, errY := strconv.ParseFloat(y.Text, 64)
		switch {
		case x.State != y.State: // NULL comes last, whichever way
			return cmp.Compare(x.State, y.State)
		case errX == nil && errY == nil && f.Type != column.Text && o.down:
			return cmp.Compare(n, m)
		case errX == nil && errY == nil && f.Type != column.Text:
			return cmp.Compare(m, n)
		}
		return o.compare(x.Text, y.Text)
	})
	p.row = max(0, slices.IndexFunc(p.rows, func(r outgoing.Row) bool { return r.Key == row.Key }))
	p.stale = true
}

// kinds are what rows of the mapping send: the contact update and the events.
func (m *Model) kinds() (list []string) {
	if m.draft.Push == nil {
		return nil
	}
	if m.draft.Push.Contact != nil {
		list = append(list, mapping.ContactKind)
	}
	for _, e := range m.draft.Push.Events {
		list = append(list, e.Name)
	}
	return list
}

// naming is the column that people know a row by; "" where none is known.
func (m *Model) naming() string {
	if push := m.draft.Push; push != nil && push.Contact != nil && push.Contact.Email != "" {
		return push.Contact.Email
	}
	email, _ := m.facts().Identity()
	return email
}

// outcomeOf is what became of one thing that a row sent, as a cell: 200, or what the API
// said.
func outcomeOf(row outgoing.Row, kind string, st *theme) (string, lipgloss.Style) {
	for _, l := range row.Lines {
		if l.Kind != kind {
			continue
		}
		text := string(l.Status)
		switch {
		case l.Status == outgoing.Sent && l.Code > 0:
			text = fmt.Sprint(l.Code)
		case l.Status == outgoing.NotMet:
			text = "not met"
		case l.Status == outgoing.Failed && l.Code > 0:
			text = fmt.Sprintf("%d %s", l.Code, safe(l.Message))
		case l.Status == outgoing.Failed:
			text = "failed " + safe(l.Message)
		}
		return text, st.pushed(l.Status)
	}
	return "-", st.faint
}

// findRow puts the cursor on the next row of which a shown text holds what is looked for,
// or on the one before; by 0 the one under the cursor counts, too. It reports whether there
// is one.
func (p *pushScreen) findRow(query string, by int) bool {
	p.find = query
	match, n := newMatcher(query), len(p.rows)
	for k := range n {
		i := ((p.row+by+k*cmp.Or(by, 1))%n + n) % n
		text := p.rows[i].Key
		for _, c := range p.rows[i].Cells {
			text += " " + c.Text
		}
		if !match.empty() && match.match(text+" "+outcomes(p.rows[i].Lines), "", false) {
			p.row, p.body.top = i, 0
			return true
		}
	}
	return match.empty()
}

// nextRow goes to the next row that was found, or the one before.
func (m *Model) nextRow(a action) {
	by := 1
	if a == prevHit {
		by = -1
	}
	switch p := &m.push; {
	case p.find == "":
		m.say("nothing is looked for yet: %s", keyFor(find))
	case !p.findRow(p.find, by):
		m.say("%s is in none of these rows", safe(p.find))
	}
}
