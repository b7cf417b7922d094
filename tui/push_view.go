package tui

import (
	"fmt"
	"strings"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
)

// pushLayout is the room of the push screen's panes. Rows have a height of 0 where only
// the one that is shown is named.
type pushLayout struct {
	wide           bool
	slotsW, slotsH int
	restW          int
	rowsH, bodyH   int
}

func (m *Model) pushLayout() pushLayout {
	w, h := m.w, m.h-2
	rows := 1 + max(1, len(m.push.rows))
	if m.push.keyless > 0 {
		rows++
	}
	if w >= sideBySide {
		left := w / 2
		rows = min(rows, h*2/5)
		return pushLayout{true, left, h, w - left - 3, rows, h - rows - 1}
	}
	l := pushLayout{slotsW: w, restW: w, slotsH: h * 11 / 20}
	if m.push.focus != requestsPane || m.typingOnPush() {
		l.slotsH = max(4, h/4)
	}
	l.bodyH = h - l.slotsH - 1
	if m.push.focus == rowsPane && l.bodyH > 8 {
		l.rowsH = min(rows, l.bodyH/2)
		l.bodyH -= l.rowsH + 1
	}
	return l
}

// typingOnPush reports whether a field stands in a pane of the push screen.
func (m *Model) typingOnPush() bool {
	return m.screen == pushing && m.input != nil && m.input.what != typingCount && m.input.what != typingJump
}

// pushLines draws the push screen.
func (m *Model) pushLines() []string {
	p, l := &m.push, m.pushLayout()
	slots := m.slotLines(l.slotsW, l.slotsH)
	var rest []string
	switch {
	case m.typingOnPush():
		h := l.bodyH
		if l.rowsH > 0 {
			h += l.rowsH + 1
		}
		rest = m.typedOnPush(l.restW, h)
	case l.rowsH > 0:
		rest = append(m.rowLines(l.restW, l.rowsH), strings.Repeat("-", l.restW))
		fallthrough
	default:
		body := m.bodyLines(l.restW)
		rest = append(rest, block(body[max(0, min(p.bodyTop, len(body)-l.bodyH)):], l.restW, l.bodyH)...)
	}
	if !l.wide {
		return append(append(slots, strings.Repeat("-", m.w)), rest...)
	}
	for i := range slots {
		slots[i] += " | " + rest[i]
	}
	return slots
}

// slotLines draws the requests pane.
func (m *Model) slotLines(w, h int) []string {
	p, st := &m.push, m.st
	name := min(28, w*2/5)
	row := func(a, b, c string) string { return fill(fill(a, name)+" "+fill(b, 8)+" "+c, w) }
	lines := []string{st.title.Render(row("REQUESTS", "type", "from column"))}
	for i := p.top; i < len(p.slots) && len(lines) < h; i++ {
		s := p.slots[i]
		pointer := "  "
		at := i == p.cursor && p.focus == requestsPane
		if at {
			pointer = "> "
		}
		label := pointer
		if s.isPair() || s.kind == autoSlot {
			label += map[bool]string{true: "[x] ", false: "[ ] "}[s.value != ""]
		} else if !s.heads() {
			label += "    "
		}
		label += safe(s.label)
		line := row(label, slotType(s), m.slotValue(s))
		if s.heads() {
			line = fill(fill(label, name+9)+" "+m.slotValue(s), w)
		}
		switch {
		case at:
			line = st.cursor.Render(line)
		case s.heads():
			line = st.title.Render(line)
		case s.lacks && s.value != "":
			line = st.warn.Render(line)
		}
		lines = append(lines, line)
	}
	return block(lines, w, h)
}

// judge says of a condition how many rows meet it.
func (m *Model) judge(s *slot) {
	if s.kind != runIfSlot || s.value == "" || !m.push.read {
		return
	}
	c, err := m.condition(s.value)
	if s.wrong = err != nil; err == nil && len(m.push.rows) > 0 {
		s.typ = fmt.Sprintf("%d/%d met", m.met(c), len(m.push.rows))
	}
}

// slotType is Loops' type of a slot; of a condition how many rows meet it.
func slotType(s slot) string {
	if s.lacks && s.isPair() {
		return "! none" // Loops has it not
	}
	return safe(s.typ)
}

// slotValue is what stands on the right of a slot.
func (m *Model) slotValue(s slot) string {
	switch {
	case s.kind == autoSlot:
		return "by loopmap sync"
	case s.kind == everySlot && s.value == "":
		return "- (1h, or a cron line)"
	case s.kind == newEventSlot || s.kind == whenSlot:
		return ""
	case s.kind == eventSlot && s.lacks:
		return "! Loops has no event of this name"
	case s.kind == runIfSlot && s.value == "":
		return "- (always)"
	case s.kind == onceSlot && s.value == "":
		return "- (whenever what it says changes)"
	case s.wrong:
		return "! " + safe(s.value)
	case (s.kind == emailSlot || s.kind == userIDSlot) && s.value == "" && s.event >= 0 && m.draft.Push != nil && m.draft.Push.Contact != nil:
		return "- (as above)"
	}
	if s.value == "" {
		return "-"
	}
	value := safe(s.value)
	if f, ok := m.push.field(s.value); !ok && m.push.read && s.kind != runIfSlot && !s.heads() && s.kind != everySlot && s.kind != onceSlot {
		value = "! " + value
	} else if s.isPair() && s.pair.As != "" {
		value += " as " + safe(s.pair.As)
	} else if s.isPair() && ok && s.typ != "" && f.Type.SentAs() != s.typ && !standard(s) && !(s.kind == listSlot && f.Type == column.Integer) {
		value += " ! is " + string(f.Type)
	}
	if s.pair.OnNull == mapping.ClearNull {
		value += ", NULL clears"
	}
	return value
}

// slotStatus says what is to be known of the slot under the cursor.
func (m *Model) slotStatus() string {
	p := &m.push
	s := p.current()
	switch {
	case p.running:
		return m.runStatus()
	case len(p.wrong) > 0:
		return "! " + safe(p.wrong[0])
	case len(p.misfits) > 0 && !s.lacks:
		return "! " + safe(p.misfits[0])
	case s.lacks && s.kind == eventSlot:
		return "Loops has no event of this name: make it there first"
	case s.lacks && s.isPair() && s.kind != listSlot && (s.event < 0 || s.kind == eventContactSlot) && s.value != "":
		return "Loops has no property " + safe(s.loops) + ": c makes it there"
	case s.loops == "subscribed" && s.value != "":
		return "careful: true signs people up again who have opted out"
	case s.isPair() && s.value == "":
		if column := m.matching(s); column != "" {
			return "space takes " + safe(column)
		}
	}
	switch {
	case !p.read:
		return "looking at the table"
	case !p.known:
		return "asking Loops what it has"
	case p.catalog.Problem != "":
		return safe(p.catalog.Problem)
	case m.Unsaved():
		return "unsaved"
	case p.catalog.Team != "" && m.w >= sideBySide:
		return "Loops: " + safe(p.catalog.Team)
	}
	return ""
}

func (m *Model) runStatus() string {
	g := m.push.progress
	s := fmt.Sprintf("sending: %d of %d done", g.Done, max(g.Requests, g.Done))
	if g.Left > 0 {
		s += ", " + g.Left.Round(time.Second).String() + " left"
	}
	return s + "; x stops"
}

// rowLines draws the rows pane.
func (m *Model) rowLines(w, h int) []string {
	p, st := &m.push, m.st
	key, sends := min(30, w*35/100), min(26, w*22/100)
	row := func(a, b, c string) string { return fill(fill(a, key)+" "+fill(b, sends)+" "+c, w) }
	title := "ROWS"
	if p.focus == rowsPane {
		title = "> ROWS"
	}
	lines := []string{st.title.Render(row(title, "sends now", "outcome"))}
	for i := p.rowTop; i < len(p.rows) && len(lines) < h; i++ {
		r := p.rows[i]
		pointer := "  "
		if i == p.row {
			pointer = "> "
		}
		line := row(pointer+m.rowName(r), m.sendsNow(i), outcomes(r.Lines))
		if i == p.row && p.focus == rowsPane {
			line = st.cursor.Render(line)
		}
		lines = append(lines, line)
	}
	if len(p.rows) == 0 {
		lines = append(lines, hang("  ", p.noRows(), w)...)
	}
	if p.keyless > 0 && len(lines) < h {
		lines = append(lines, cut("  "+plural(p.keyless, "row")+" without "+safe(m.draft.Key)+", which is the key: not sent", w))
	}
	return block(lines, w, h)
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
	name := m.matching(slot{kind: emailSlot, label: "email"})
	if push := m.draft.Push; push != nil && push.Contact != nil && push.Contact.Email != "" {
		name = push.Contact.Email
	}
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
