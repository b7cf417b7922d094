package tui

import (
	"cmp"
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping/column"
)

// Of the table there is a part at hand: rows that follow each other in its order. When the
// cursor comes near an end of it, more is read there, and what has become too much is let
// go at the other. However large the table is, no more is held than that.
const (
	rowsRead = 200 // at once
	rowsHeld = 600 // at most
	rowsNear = 60  // from which on more is read
)

// tableRows is the part that is at hand.
type tableRows struct {
	rows       []TableRow
	begin, end bool // the table has none before, none behind
	first      int  // number of the first of them in the order, counted from 0; -1 where it is not known
	row        int  // under the cursor
	guess      int  // how many rows the table may have; 0 where nothing is known

	order ordered
	where string // a condition that all of them meet; "" shows all
	bad   bool   // only rows that have something that could not be sent
	// Of a condition: how many rows it was held against, where that goes on, and whether
	// it does.
	looked  int
	mark    string
	looking bool

	follow  string // key of the row that the cursor stays on in another order
	far     piece  // an end of the table that the cursor is to go to; anew for none
	turn    int    // numbers what is read, so that what is late is dropped
	reading bool
	stuck   bool            // reading failed: nothing more is read until somebody asks
	marked  map[string]bool // keys of rows that are to be sent
}

// piece says which rows are read.
type piece int

const (
	anew   piece = iota // those that are at hand, as they are now
	top                 // the first of the table
	bottom              // the last
	before              // more in front
	behind              // more at the end
)

type rowsMsg struct {
	turn  int
	piece piece
	from  string
	view  RowsView
	err   error
}

// asks is the question for a part.
func (p *pushScreen) asks(which piece) RowsQuery {
	q := RowsQuery{Limit: rowsRead, Where: p.where, Down: p.order.down, Failed: p.bad}
	if p.order.by > 0 && p.order.by <= len(p.fields) {
		q.Column = p.fields[p.order.by-1].Name
	}
	n := len(p.rows)
	switch {
	case which == bottom:
		q.Back = true
	case which == behind && p.mark != "":
		q.From = p.mark
	case n == 0 || which == top:
	case which == before:
		q.Back, q.From = true, p.rows[0].Mark
	case which == behind:
		q.From = p.rows[n-1].Mark
	case which == anew:
		q.Limit = max(rowsRead, n)
		if !p.begin {
			q.From, q.With = p.rows[0].Mark, true
		}
	}
	return q
}

// readRows reads a part of the table.
func (m *Model) readRows(which piece) tea.Cmd {
	p := &m.push
	p.turn++
	p.reading = true
	if which == anew { // the condition looks for as many rows as before, however far they are
		p.looking = p.where != ""
	}
	b, n, q, turn, ctx := m.cfg.Backend, m.draft, p.asks(which), p.turn, m.ctx
	return func() tea.Msg {
		view, err := b.Rows(ctx, n, q)
		return rowsMsg{turn, which, q.From, view, err}
	}
}

// followRows reads the rows anew where something has come since they were read, and nobody
// is in the middle of something. What a condition has found took its time, and stays.
func (m *Model) followRows() tea.Cmd {
	p := &m.push
	shown := (m.place == tablePlace || m.place == sendPlace) && len(m.over) == 0 && m.input == nil
	if !shown || p.reading || !p.read || p.running || p.where != "" {
		return nil
	}
	return m.readRows(anew)
}

// moreRows reads more where the cursor is near the end of what is at hand, and goes on
// looking for rows that meet the condition.
func (m *Model) moreRows() tea.Cmd {
	p := &m.push
	n := len(p.rows)
	switch far := p.far; {
	case far != anew:
		p.far = anew
		return m.readRows(far)
	case p.reading || p.stuck || !p.read || p.samples || m.place != tablePlace && m.place != sendPlace:
	case p.looking && n < rowsRead:
		return m.readRows(behind)
	case n == 0:
	case !p.end && p.row >= n-rowsNear && (p.where == "" || p.looking):
		return m.readRows(behind)
	case !p.begin && p.row < rowsNear:
		return m.readRows(before)
	}
	return nil
}

// sawRows takes what was read.
func (m *Model) sawRows(msg rowsMsg) {
	p := &m.push
	if msg.turn != p.turn {
		return
	}
	p.reading, p.read, p.stale = false, true, true
	if p.stuck = msg.err != nil || msg.view.Mark == msg.from && msg.from != "" && !msg.view.End; msg.err != nil {
		p.looking = false
		m.complain(msg.err)
		return
	}
	v := msg.view
	p.lacks = v.Lacks
	p.fields, p.problem, p.at, p.keyless, p.samples = v.Fields, v.Problem, v.Now, v.Keyless, false
	if v.Guess > 0 {
		p.guess = v.Guess
	}
	switch msg.piece {
	case anew, top, bottom:
		p.take(msg, v)
	case before:
		slices.Reverse(v.Rows)
		p.rows = append(v.Rows, p.rows...)
		p.shift(len(v.Rows))
		p.begin = v.End
		if p.begin {
			p.first = 0
		}
		if n := len(p.rows); n > rowsHeld {
			p.rows, p.end = slices.Clone(p.rows[:max(rowsHeld, p.row+1)]), false
			p.mark = ""
		}
	case behind:
		p.rows, p.end = append(p.rows, v.Rows...), v.End
		p.looked += v.Looked
		p.mark = v.Mark
		if n := len(p.rows) - rowsHeld; n > 0 && p.row >= n {
			p.rows, p.begin = slices.Clone(p.rows[n:]), false
			p.shift(-n)
		}
	}
	if p.where != "" && p.end {
		p.looking = false
	}
	if len(p.rows) == 0 && p.where == "" && !p.bad {
		m.sampleRows()
	}
}

// take takes rows in the place of those that are at hand. The cursor follows its row.
func (p *pushScreen) take(msg rowsMsg, v RowsView) {
	key := ""
	if r, ok := p.shownRow(); ok && msg.piece == anew {
		key = r.Key
	}
	key, p.follow = cmp.Or(key, p.follow), ""
	p.rows, p.mark, p.looked = v.Rows, v.Mark, v.Looked
	switch {
	case msg.piece == bottom:
		slices.Reverse(p.rows)
		p.begin, p.end, p.first, p.mark = v.End, true, -1, ""
		if p.begin {
			p.first = 0
		}
		p.row = max(0, len(p.rows)-1)
		return
	case msg.piece == anew && msg.from != "":
		p.end = v.End
	default:
		p.begin, p.end, p.first = true, v.End, 0
	}
	p.row = clamp(p.row, len(p.rows))
	if msg.piece == top {
		p.row, p.tableTop, p.rowTop = 0, 0, 0
	}
	if i := slices.IndexFunc(p.rows, func(r TableRow) bool { return r.Key == key }); i >= 0 {
		p.row = i
	}
}

// shift moves what counts rows by so many that have come in front, or gone.
func (p *pushScreen) shift(n int) {
	p.row, p.tableTop, p.rowTop = p.row+n, max(0, p.tableTop+n), max(0, p.rowTop+n)
	if p.first >= 0 {
		p.first = max(0, p.first-n)
	}
}

// moveRow moves the cursor among the rows, also to an end of the table that is not at hand.
func (p *pushScreen) moveRow(by int) {
	p.body.top = 0
	switch {
	case by <= -farAway && !p.begin:
		p.far = top
	case by >= farAway && !p.end && p.where == "":
		p.far = bottom
	default:
		p.row = clamp(p.row+by, len(p.rows))
	}
}

// farAway is how far the keys go that lead to the ends of a list.
const farAway = 1 << 30

// orderBy orders the table by a column.
func (m *Model) orderBy(o ordered) {
	p := &m.push
	if o.by > 0 && o.by <= len(p.fields) && p.fields[o.by-1].Type == column.JSON {
		m.say("%s holds JSON, which has no order", safe(p.fields[o.by-1].Name))
		return
	}
	p.order, p.far, p.follow = o, top, ""
	if r, ok := p.shownRow(); ok {
		p.follow = r.Key
	}
	switch { // a large table takes a while
	case o.by == 0:
		m.say("in the order of %s", safe(m.draft.Key))
	case o.down:
		m.say("in the order of %s, down", safe(p.fields[o.by-1].Name))
	default:
		m.say("in the order of %s; %s turns it", safe(p.fields[o.by-1].Name), keyFor(order))
	}
}

// setFilter shows the rows that meet a condition; "" shows all.
func (p *pushScreen) setFilter(where string) {
	p.bad = false
	p.where, p.looking, p.looked, p.mark, p.far, p.follow = where, where != "", 0, "", top, ""
	p.rows, p.row, p.stuck = nil, 0, false
}

// onlyFailed shows the rows that have something that could not be sent, or all again.
func (p *pushScreen) onlyFailed() {
	bad := !p.bad
	p.setFilter("")
	p.bad, p.order = bad, ordered{}
}

// startFilter asks for the condition.
func (m *Model) startFilter() {
	m.input = newInput(typingWhere, m.push.where)
}

// rowsFigure says in about w cells how many rows are shown, by what, and of those that are
// not why.
func (m *Model) rowsFigure(w int) string {
	p := &m.push
	s, where := "", middle(safe(label(p.where)), max(12, w/2-12))
	switch n := len(p.rows); {
	case p.samples:
		return "of the samples"
	case p.where != "":
		s = fmt.Sprintf("%s: %s", where, plural(n, "row"))
		if !p.begin || n >= rowsHeld {
			s = fmt.Sprintf("%s: more than %d rows", where, n)
		}
		switch {
		case p.looking && !p.end:
			s += fmt.Sprintf(", %s looked at", thousands(p.looked))
		case !p.end:
			s += fmt.Sprintf(", stopped after %s", thousands(p.looked))
		}
	case p.bad && p.end:
		s = "failed: " + plural(n, "row")
	case p.bad:
		s = fmt.Sprintf("failed: more than %d rows", n)
	case p.begin && p.end:
		s = plural(n, "row")
	case p.end && p.first >= 0:
		s = plural(p.first+n, "row")
	case p.guess > n:
		s = "about " + thousands(p.guess) + " rows"
	default:
		s = "more than " + plural(max(0, p.first)+n, "row")
	}
	if p.order.by > 0 && p.order.by <= len(p.fields) {
		s += ", by " + safe(p.fields[p.order.by-1].Name)
		if p.order.down {
			s += " down"
		}
	}
	if n := len(p.marked); n > 0 {
		s += fmt.Sprintf(", %d marked", n)
	}
	if p.keyless > 0 {
		s += fmt.Sprintf(", %d without %s not sent", p.keyless, safe(m.draft.Key))
	}
	return s
}

// thousands writes a number with commas.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// mark marks the row under the cursor, or no longer, and goes to the next.
func (m *Model) mark() {
	p := &m.push
	r, ok := p.shownRow()
	if !ok || p.samples {
		return
	}
	if p.marked == nil {
		p.marked = map[string]bool{}
	}
	if p.marked[r.Key] {
		delete(p.marked, r.Key)
	} else {
		p.marked[r.Key] = true
	}
	p.row = clamp(p.row+1, len(p.rows))
}
