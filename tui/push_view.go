package tui

import (
	"fmt"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
	"loopmap/tui/slots"
)

// typingOnPush reports whether a field stands in a pane of the push screen.
func (m *Model) typingOnPush() bool {
	return m.place == sendPlace && m.input != nil && !m.input.inLine()
}

func (sendScreen) settle(m *Model) {
	p, l := &m.push, m.sendLayout()
	p.top = window(p.top, p.cursor, len(p.slots), rows(l.requests.h))
	p.rowTop = window(p.rowTop, p.row, len(p.rows), rows(l.rows.h)-1)
	top, query, hit := p.body.top, p.body.query, p.body.hit
	p.body = newPager(m.bodyParts()...)
	p.body.top, p.body.query, p.body.hit = top, query, hit
	p.body.fit(l.body.w-4, rows(l.body.h))
}

func (sendScreen) focus(m *Model, x, y int) {
	l := m.sendLayout()
	for p, r := range map[pushPane]rect{requestsPane: l.requests, rowsPane: l.rows, bodyPane: l.body} {
		if r.has(x, y) {
			m.push.focus = p
		}
	}
}

func (sendScreen) click(m *Model, x, y int) action {
	p, l := &m.push, m.sendLayout()
	switch {
	case l.requests.has(x, y):
		i := p.top + y - l.requests.y - 1
		if y == l.requests.y || i >= len(p.slots) {
			return none
		}
		p.cursor, p.body.top = i, 0
		if s := p.slots[i]; (s.IsPair() || s.Kind == slots.Auto) && x-l.requests.x-1 < 2+width(m.st.picked) {
			return pick
		}
		return selected
	case l.rows.has(x, y):
		if i := p.rowTop + y - l.rows.y - 2; y > l.rows.y+1 && i < len(p.rows) {
			p.row, p.body.top = i, 0
			return selected
		}
	}
	return none
}

func (sendScreen) draw(m *Model) []string {
	l := m.sendLayout()
	return compose(m.room(),
		part{l.requests, m.drawRequests}, part{l.rows, m.drawRows}, part{l.body, m.drawBody}, part{l.field, m.typedOnPush})
}

// drawRequests draws the requests pane.
func (m *Model) drawRequests(w, h int) []string {
	p, st, inner := &m.push, &m.st, w-2
	focused := p.focus == requestsPane && !m.typingOnPush()
	name, typ := max(14, inner*2/5), 8
	if name = min(name, 30); inner >= 56 {
		typ = 12 // 200/200 met
	}
	value := inner - 2 - name - typ - 2
	var lines []string
	for i := p.top; i < len(p.slots) && len(lines) < rows(h); i++ {
		s := p.slots[i]
		at := i == p.cursor && focused
		text, wrong := m.slotValue(s)
		look, valueLook := st.plain, st.accent
		if s.Heads() {
			lines = append(lines, st.line(at, inner, cell{text: safe(s.Label), w: name, look: st.title},
				cell{text: wrong + text, w: inner - name - 3, look: st.faint}))
			continue
		}
		label := strings.Repeat(" ", width(st.picked))
		if s.IsPair() || s.Kind == slots.Auto {
			label = st.unpicked
			if s.Value != "" {
				label, look = st.picked, st.good
			}
		}
		typLook := st.faint
		switch {
		case wrong != "":
			valueLook = st.bad
		case s.Value == "":
			valueLook = st.faint
		}
		if s.Lacks && s.IsPair() {
			typLook = st.bad
		}
		label += middle(safe(s.Label), name-width(label))
		lines = append(lines, st.line(at, inner, cell{text: label, w: name, look: look},
			cell{text: slotType(s), w: typ, look: typLook}, cell{text: wrong + text, w: value, look: valueLook}))
	}
	f := framed{title: "Requests", figure: m.requestsFigure(), focused: focused, top: p.top, at: p.cursor, all: len(p.slots)}
	if focused {
		f.foot = m.slotStatus()
	}
	return st.frame(f, lines, w, h)
}

// requestsFigure is what is true of all requests.
func (m *Model) requestsFigure() string {
	switch p := &m.push; {
	case !p.asked:
		return "asking Loops what it has"
	case p.catalog.Connects && p.catalog.Keyless:
		return "no API key: " + keyFor(connect) + " connects"
	case p.catalog.Problem != "":
		return "Loops was not asked"
	case p.catalog.Team != "":
		return "Loops: " + safe(p.catalog.Team)
	}
	return "what rows send to Loops"
}

// drawBody draws what goes out of the row that is shown.
func (m *Model) drawBody(w, h int) []string {
	p := &m.push
	f := p.body.framedIn("What goes out", "")
	f.focused = p.focus == bodyPane
	if row, ok := p.shownRow(); ok {
		f.title, f.figure = m.rowName(row.Row), m.rowNumber()
	}
	return m.st.frame(f, padded(p.body.lines(w-4, rows(h), &m.st)), w, h)
}

// judge says of a condition how many rows meet it.
func (m *Model) judge(s *slots.Slot) {
	if s.Kind != slots.RunIf || s.Value == "" || !m.push.read {
		return
	}
	c, err := m.facts().Condition(s.Value)
	if s.Wrong = err != nil; err == nil && len(m.push.rows) > 0 {
		s.Type = fmt.Sprintf("%d/%d met", m.met(c), len(m.push.rows))
	}
}

// slotType is Loops' type of a slot; of a condition how many rows meet it.
func slotType(s slots.Slot) string {
	if s.Lacks && s.IsPair() {
		return "! none" // Loops has it not
	}
	return safe(s.Type)
}

// slotValue is what stands on the right of a slot; before it "! " where that is wrong.
func (m *Model) slotValue(s slots.Slot) (text, wrong string) {
	switch {
	case s.Kind == slots.Auto:
		return "by loopmap sync", ""
	case s.Kind == slots.Every && s.Value == "":
		return "- (1h, or a cron line)", ""
	case s.Kind == slots.NewEvent || s.Kind == slots.When:
		return "", ""
	case s.Kind == slots.Event && s.Lacks:
		return "Loops has no event of this name", "! "
	case s.Kind == slots.RunIf && s.Value == "":
		return "- (always)", ""
	case s.Kind == slots.OncePer && s.Value == "":
		return "- (whenever what it says changes)", ""
	case s.Wrong:
		return safe(s.Value), "! "
	case s.TakesColumn() && !s.IsPair() && s.Value == "" && s.Event >= 0 && m.draft.Push != nil && m.draft.Push.Contact != nil:
		return "- (as above)", ""
	}
	if s.Value == "" {
		return "-", ""
	}
	value := safe(s.Value)
	f, ok := m.facts().Field(s.Value)
	switch {
	case s.TakesColumn() && !ok && m.push.read:
		wrong = "! "
	case s.IsPair() && s.Pair.As != "":
		value += " as " + safe(s.Pair.As)
	case s.IsPair() && ok && s.Refuses(f.Type):
		value += " ! is " + string(f.Type)
	}
	if s.Pair.OnNull == mapping.ClearNull {
		value += ", NULL clears"
	}
	return value, wrong
}

// slotStatus says what there is to know about the slot under the cursor.
func (m *Model) slotStatus() string {
	p := &m.push
	s := p.current()
	switch {
	case p.running:
		return m.runStatus()
	case len(p.wrong) > 0:
		return "! " + safe(p.wrong[0])
	case len(p.misfits) > 0 && !s.Lacks:
		return "! " + safe(p.misfits[0])
	case s.Lacks && s.Kind == slots.Event:
		return "Loops has no event of this name: make it there first"
	case s.Lacks && s.IsContactProperty() && s.Value != "":
		return "Loops has no property " + safe(s.Loops) + ": " + keyFor(create) + " makes it there"
	case s.Loops == "subscribed" && s.Value != "":
		return "careful: true signs up again who has opted out"
	case s.IsPair() && s.Value == "":
		if column := m.facts().Match(s); column != "" {
			return keyFor(pick) + " takes " + safe(column)
		}
	}
	switch {
	case !p.read:
		return "looking at the table"
	case !p.asked:
		return "asking Loops what it has"
	case p.catalog.Problem != "":
		return safe(m.keyTrouble())
	}
	return ""
}

func (m *Model) runStatus() string {
	g := m.push.progress
	s := fmt.Sprintf("sending, %s done", thousands(g.Done))
	if g.Requests > 0 {
		s = fmt.Sprintf("sending %s of %s", thousands(g.Done), thousands(max(g.Requests, g.Done)))
	}
	if g.Left > 0 {
		s += ", " + g.Left.Round(time.Second).String() + " left"
	}
	return s
}

// drawRows draws the rows pane.
func (m *Model) drawRows(w, h int) []string {
	p, st, inner := &m.push, &m.st, w-2
	f := framed{title: "Rows", figure: m.rowsFigure(inner), focused: p.focus == rowsPane, top: p.rowTop, at: p.row, all: len(p.rows), head: 1}
	if f.at, f.all = p.row, len(p.rows); len(p.rows) > 0 && !p.samples {
		f.top, f.at, f.all = p.inWhole()
		f.top += p.rowTop - p.tableTop
	}
	if len(p.rows) == 0 {
		return st.frame(f, m.empty(inner, safe(p.noRows()), "what `loopmap sync` receives fills it"), w, h)
	}
	key, sends, out := 8, len("sends now"), len("outcome")
	for i := p.rowTop; i < len(p.rows) && i < p.rowTop+rows(h); i++ {
		key, sends = max(key, width(m.rowName(p.rows[i].Row))), max(sends, width(m.sendsNow(i)))
		out = max(out, width(outcomes(p.rows[i].Lines)))
	}
	if key+sends+out+4 > inner { // not all of them have the room that they want
		sends = min(sends, inner*24/100)
		key = min(key, max(inner*38/100, inner-sends-24))
	}
	outcome := inner - key - sends - 4
	lines := []string{st.line(false, inner, cell{text: "row", w: key, look: st.faint},
		cell{text: "sends now", w: sends, look: st.faint}, cell{text: "outcome", w: outcome, look: st.faint})}
	for i := p.rowTop; i < len(p.rows) && len(lines) < rows(h); i++ {
		r := p.rows[i]
		lines = append(lines, st.line(i == p.row && p.focus == rowsPane, inner, cell{text: middle(m.rowName(r.Row), key), w: key},
			cell{text: m.sendsNow(i), w: sends, look: st.accent}, cell{text: outcomes(r.Lines), w: outcome, look: m.worst(r.Lines)}))
	}
	return st.frame(f, lines, w, h)
}

// worst is the look of what became of a row.
func (m *Model) worst(lines []outgoing.Line) lipgloss.Style {
	for _, s := range []outgoing.Status{outgoing.Failed, outgoing.Pending, outgoing.Sent} {
		for _, l := range lines {
			if l.Status == s {
				return m.st.pushed(s)
			}
		}
	}
	return m.st.faint
}

func (p *pushScreen) noRows() string {
	switch {
	case !p.read:
		return "looking at the table"
	case p.problem != "":
		return safe(p.problem)
	}
	return "the table has no rows yet"
}

// rowName is what people know a row by: its email, where it has one.
func (m *Model) rowName(r outgoing.Row) string {
	name := m.naming()
	if c := r.Cells[name]; c.State == column.Present && c.Text != "" {
		return safe(c.Text)
	}
	return safe(r.Key)
}

// sendsNow names what a row would send now.
func (m *Model) sendsNow(i int) string {
	if i >= len(m.push.now) {
		return "-"
	}
	var kinds []string
	for _, st := range m.push.now[i] {
		if st.Request != nil {
			kinds = append(kinds, safe(st.Kind))
		}
	}
	if len(kinds) == 0 {
		return "nothing" // why, the body says
	}
	return strings.Join(kinds, ", ")
}
