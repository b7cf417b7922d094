package tui

import (
	"cmp"
	"fmt"
	"slices"
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

func (tableScreen) move(m *Model, by int) { m.push.moveRow(by) }

func (tableScreen) settle(m *Model) {
	m.push.tableTop = window(m.push.tableTop, m.push.row, len(m.push.rows), rows(m.room().h)-1)
	m.inView(m.room().w - 2)
}

func (tableScreen) back(m *Model) bool {
	p := &m.push
	switch {
	case p.where != "" || p.bad:
		p.setFilter("")
	case p.col > 0:
		p.col, p.from = 0, 0
	default:
		return false
	}
	return true
}

func (tableScreen) click(m *Model, x, y int) action {
	r, p := m.room(), &m.push
	if y == r.y+1 {
		shown, _ := m.tableColumns(r.w - 2)
		w := []int{1} // the mark
		for _, c := range shown {
			w = append(w, c.w)
		}
		if i := heads(x-r.x-1, w...) - 2; i >= 0 && shown[i].field() {
			p.col = p.from + i
			m.orderBy(p.order.click(p.orderOf(shown[i].name)))
		}
		return none
	}
	if i := p.tableTop + y - r.y - 2; y > r.y+1 && i < len(p.rows) {
		p.row, p.body.top = i, 0
		if x-r.x-1 >= 2 && x-r.x-1 < 4 {
			return pick
		}
		return selected
	}
	return none
}

func (tableScreen) do(m *Model, a action) tea.Cmd {
	p := &m.push
	switch a {
	case enter:
		return m.readStory()
	case open:
		p.col = clamp(p.col+1, len(m.seen()))
	case shut:
		p.col = clamp(p.col-1, len(m.seen()))
	case hide, asItWas, wider, narrower, leftwards, rightwards:
		return m.setColumns(a)
	case copyValue:
		return m.copyCell()
	case pick:
		m.mark()
	case dropAll:
		p.marked = nil
	case filter:
		m.startFilter()
	case onlyBad:
		p.onlyFailed()
	case run, stop, fetch:
		return m.running(a)
	case order:
		m.orderColumn()
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
	f := framed{title: safe(m.draft.Table), focused: true, top: p.tableTop, at: p.row, all: len(p.rows), head: 1}
	f.figure = m.rowsFigure(inner - width(f.title))
	if len(p.rows) == 0 || p.samples {
		return st.frame(f, m.noTable(&f, inner), r.w, r.h)
	}
	f.top, f.at, f.all = p.inWhole()
	shown, _ := m.tableColumns(inner)
	head := []cell{{w: 1}}
	for _, c := range shown {
		look := st.faint
		if at, ok := m.column(); ok && c.field() && at.Name == c.name {
			look = st.strong
		}
		head = append(head, cell{text: p.order.head(safe(c.title()), p.orderOf(c.name)), w: c.w, look: look})
	}
	lines := []string{st.line(false, inner, head...)}
	for i := p.tableTop; i < len(p.rows) && len(lines) < rows(r.h); i++ {
		mark := cell{w: 1, look: st.good}
		if p.marked[p.rows[i].Key] {
			mark.text = "*"
		}
		cells := []cell{mark}
		for _, c := range shown {
			text, look := c.of(m, p.rows[i])
			if c.field() {
				text = middle(text, c.w)
			}
			cells = append(cells, cell{text: text, w: c.w, look: look})
		}
		lines = append(lines, st.line(i == p.row, inner, cells...))
	}
	if n := len(m.seen()); n > 0 {
		f.foot = fmt.Sprintf("%s, column %d of %d", safe(m.seen()[p.col].Name), p.col+1, n)
		if n < len(p.fields) {
			f.foot += fmt.Sprintf(", %d hidden", len(p.fields)-n)
		}
	}
	return st.frame(f, lines, r.w, r.h)
}

// noTable is the page where no row is shown.
func (m *Model) noTable(f *framed, w int) []string {
	p := &m.push
	f.all = 0
	switch {
	case p.stuck:
		f.figure = ""
		return m.empty(w, "The table could not be read.", keyFor(fetch)+" reads it again.")
	case p.where != "" && (p.looking || p.reading):
		return m.empty(w, "Looking for rows that meet "+safe(p.where)+".", keyFor(stop)+" stops, esc shows all again.")
	case p.where != "":
		return m.empty(w, "No row meets "+safe(p.where)+".", keyFor(filter)+" changes the condition, esc shows all again.")
	case p.bad && !p.reading:
		return m.empty(w, "Nothing that these rows have sent has failed.", "esc shows all again.")
	case !p.read || p.reading:
		f.figure = ""
		return m.empty(w, "Looking at the table.", "")
	}
	f.figure = "no rows"
	why := "What webhooks bring fills it: `loopmap sync` receives."
	if !m.draft.Receives() {
		why = "Your own programs fill it: the mapping only sends."
	}
	if p.problem != "" {
		if why = safe(strings.ToUpper(p.problem[:1]) + p.problem[1:]); m.draft.Receives() { // else it is not for a save to mend
			why += " (" + keyFor(save) + " on Map)"
		}
		why += "."
	}
	return m.empty(w, "Here will be the rows of your table, with what happened to each: where it came from, and what it sent back.", why)
}

// inWhole is where the part at hand stands in the whole table, as far as that is known: the
// first line that is shown, the cursor, and how many rows there are.
func (p *pushScreen) inWhole() (from, at, all int) {
	first, all := max(0, p.first), len(p.rows)
	if p.first < 0 && p.end {
		first = max(0, p.guess-all)
	}
	if all += first; !p.end && p.where == "" && !p.bad {
		all = max(all+1, p.guess)
	}
	return p.tableTop + first, p.row + first, all
}

// rowNumber says which row the cursor is on.
func (m *Model) rowNumber() string {
	p := &m.push
	switch {
	case p.first < 0 && p.guess > len(p.rows):
		return "row about " + thousands(p.guess-len(p.rows)+p.row+1)
	case p.first < 0:
		return "row"
	case p.end:
		return fmt.Sprintf("row %s of %s", thousands(p.first+p.row+1), thousands(p.first+len(p.rows)))
	}
	return "row " + thousands(p.first+p.row+1)
}

// tableColumn is a column of the table as it is shown: one of its own, the last delivery
// about the row, or what became of one kind of what rows send.
type tableColumn struct {
	name  string // of the column, or of the kind
	what  shownIn
	typ   column.Type
	w     int
	short bool // there is little room
}

type shownIn int

const (
	inField shownIn = iota
	inCame
	inKind
)

func (c tableColumn) field() bool { return c.what == inField }

func (c tableColumn) title() string {
	if c.what == inCame {
		return "received"
	}
	return c.name
}

// of is what the column shows of a row.
func (c tableColumn) of(m *Model, row TableRow) (string, lipgloss.Style) {
	switch c.what {
	case inKind:
		return outcomeOf(row.Row, c.name, &m.st)
	case inCame:
		return m.cameOf(row, c.short)
	case inField:
	}
	v := row.Cells[c.name]
	return cellText(v), m.st.cell(v, c.typ)
}

// cameOf is the last delivery about a row: what became of it, and when; in short the one of
// the two that says more.
func (m *Model) cameOf(row TableRow, short bool) (string, lipgloss.Style) {
	if row.Came.At.IsZero() {
		return "-", m.st.faint
	}
	at, status := row.Came.At.Local().Format("01-02 15:04"), safe(row.Came.Status)
	switch {
	case short && mapping.Status(row.Came.Status) == mapping.Applied:
		return at, m.st.status(row.Came.Status)
	case short:
		return status, m.st.status(row.Came.Status)
	}
	return status + " " + at, m.st.status(row.Came.Status)
}

// mostCells are how wide a column of the table gets: as wide as all columns have room for,
// or the least.
var mostCells = []int{44, 32, 24, 18, 14}

// tableColumns are those that w cells have room for; more says that there are others.
func (m *Model) tableColumns(w int) (shown []tableColumn, more bool) {
	p := &m.push
	last := []tableColumn{{what: inCame, w: len("received"), short: w < sideBySide}}
	for _, k := range m.kinds() {
		last = append(last, tableColumn{name: k, what: inKind, w: min(14, 2+width(safe(k)))})
	}
	to := min(len(p.rows), p.tableTop+rows(m.room().h))
	at := p.rows[min(p.tableTop, to):to]
	outcomes := 0
	for k := range last { // as wide as what is shown, within bounds
		for _, r := range at {
			text, _ := last[k].of(m, r)
			last[k].w = max(last[k].w, width(text))
		}
		last[k].w = max(4, min(last[k].w, w*11/20/len(last), 30))
		outcomes += last[k].w + 1
	}
	list := m.seen()
	list = list[min(p.from, len(list)):]
	for _, most := range mostCells {
		shown, more = shown[:0], false
		room := w - 4 - outcomes
		for _, f := range list {
			c := tableColumn{name: f.Name, typ: f.Type, w: m.cellsOf(f, at, most)}
			if more = room < min(c.w, 8); more {
				break
			}
			shown = append(shown, tableColumn{name: c.name, typ: c.typ, w: min(c.w, room)})
			room -= c.w + 1
		}
		if !more && room >= -1 {
			break
		}
	}
	return append(shown, last...), more
}

// cellsOf is how wide a column is by its name and its values, and by what somebody has set.
func (m *Model) cellsOf(f column.Field, at []TableRow, most int) int {
	w := 2 + width(safe(f.Name))
	for _, r := range at {
		v := width(cellText(r.Cells[f.Name]))
		if f.Name != m.naming() { // what people know a row by gives way last
			v = min(v, most)
		}
		w = max(w, min(v, mostCells[0]))
	}
	return max(4, w+m.push.look.Wide[f.Name])
}

// orderOf is the number of a column for the order of the table, counted from 1.
func (p *pushScreen) orderOf(name string) int {
	return 1 + slices.IndexFunc(p.fields, func(f column.Field) bool { return f.Name == name })
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
		m.say("%s is in none of the %s that are at hand; %s looks through all of the table", safe(p.find), plural(len(p.rows), "row"),
			keyFor(filter))
	}
}
