package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping/outgoing"
)

// rowStory is the story of a row, as it is shown: its cells, and then what has happened.
type rowStory struct {
	Story
	name        string // what people know the row by
	cursor, top int
	find        string
}

type storyMsg struct {
	key, name string
	story     Story
	err       error
}

// readStory reads the story of the row under the cursor of the table.
func (m *Model) readStory() tea.Cmd {
	r, ok := m.push.shownRow()
	if !ok || m.push.samples {
		return nil
	}
	b, ctx, key, name := m.cfg.Backend, m.ctx, r.Key, m.rowName(r.Row)
	return func() tea.Msg {
		s, err := b.Story(ctx, key)
		return storyMsg{key, name, s, err}
	}
}

func (m *Model) sawStory(msg storyMsg) {
	r, ok := m.push.shownRow()
	switch {
	case m.place != tablePlace || !ok || r.Key != msg.key: // it was left meanwhile
	case msg.err != nil:
		m.complain(msg.err)
	default:
		cursor, find := 0, m.story.find
		if m.shows(storyScreen{}) && m.story.Key == msg.story.Key {
			cursor = m.story.cursor
		}
		m.story = rowStory{Story: msg.story, name: msg.name, cursor: cursor, find: find}
		m.lay(storyScreen{})
	}
}

// storyScreen shows what is known of a row: what wrote each cell, and what has happened.
type storyScreen struct{ quiet }

func (storyScreen) where(*Model) where { return onStory }

// all is how many lines the cursor can be on.
func (s *rowStory) all() int { return len(s.Cells) + len(s.Happened) }

func (storyScreen) settle(m *Model) {
	s := &m.story
	s.cursor = clamp(s.cursor, s.all())
	s.top = window(s.top, s.line(s.cursor), s.line(s.all()), rows(m.room().h))
	if s.cursor == 0 {
		s.top = 0
	}
}

// line is on which line the nth cell or happening stands: heads stand between.
func (s *rowStory) line(n int) int {
	n++ // the head of the cells
	if s.Note != "" {
		n++
	}
	if n > len(s.Cells) && len(s.Happened) > 0 && n-1 >= len(s.Cells) {
		n += 2
	}
	return n
}

func (storyScreen) move(m *Model, by int) { m.story.cursor = clamp(m.story.cursor+by, m.story.all()) }

func (storyScreen) click(m *Model, _, y int) action {
	s := &m.story
	for n := range s.all() {
		if s.line(n) == s.top+y-m.room().y-1 {
			s.cursor = n
			return selected
		}
	}
	return none
}

func (storyScreen) do(m *Model, a action) tea.Cmd {
	s, p := &m.story, &m.push
	switch a {
	case enter, open:
		return m.openStory()
	case nextItem, prevItem:
		if next := p.row + towards(a); next < 0 || next >= len(p.rows) {
			m.say("that is the last row in this direction")
			return nil
		}
		p.moveRow(towards(a))
		return m.readStory()
	case run, stop:
		return m.running(a)
	case fetch:
		return tea.Batch(m.readStory(), m.readRows(anew))
	case find:
		m.startSearch()
	case nextHit, prevHit:
		if s.find == "" {
			m.say("nothing is looked for yet: %s", keyFor(find))
		} else if !s.search(s.find, towards(a)) {
			m.say("%s is not there", safe(s.find))
		}
	case copyPath:
		switch {
		case s.cursor >= s.all():
			return nil
		case s.cursor >= len(s.Cells):
			h := s.Happened[s.cursor-len(s.Cells)]
			return m.clip(h.ID, safe(h.ID))
		}
		return m.clip(s.Cells[s.cursor].Value, "the value of "+safe(s.Cells[s.cursor].Column))
	}
	return nil
}

// search goes to the next line that holds a text, or the one before; by 0 the one under the
// cursor counts, too.
func (s *rowStory) search(query string, by int) bool {
	s.find = query
	match, n := newMatcher(query), s.all()
	if match.empty() {
		return true
	}
	step := by
	if step == 0 {
		step = 1
	}
	for k := range n {
		i := ((s.cursor+by+k*step)%n + n) % n
		text := ""
		if i < len(s.Cells) {
			c := s.Cells[i]
			text = strings.Join([]string{c.Column, c.Value, c.From, c.Delivery, c.Mapping, c.Before}, " ")
		} else {
			h := s.Happened[i-len(s.Cells)]
			text = strings.Join([]string{h.At, h.What, h.Became, h.ID, h.Mapping}, " ")
		}
		if match.match(text, "", false) {
			s.cursor = i
			return true
		}
	}
	return false
}

// openStory opens what is under the cursor: all that a cell has held, a delivery, a request.
func (m *Model) openStory() tea.Cmd {
	s := &m.story
	if s.cursor < len(s.Cells) {
		c := s.Cells[s.cursor]
		var lines []string
		for _, l := range c.Held {
			lines = append(lines, safe(l))
		}
		m.showValue("Column "+c.Column+" of "+s.name, c.From, c.Value, painted(asTitle, "HOLDS"), flow{text: c.Value},
			painted(asTitle, "", "WHAT IT HAS HELD"), linesOf(lines))
		return nil
	}
	if s.cursor >= s.all() {
		return nil
	}
	h := s.Happened[s.cursor-len(s.Cells)]
	if !h.Push {
		return m.readDelivery(h.ID, false)
	}
	parts := []flow{painted(nil, h.At, h.What+": "+h.Became), painted(asTitle, "", "REQUEST")}
	switch {
	case h.Status == string(outgoing.NotMet):
		parts = append(parts, painted(asFaint, "none was made"))
	case len(h.Request) == 0:
		parts = append(parts, painted(asFaint, "it is not kept; Send shows what would go out now"))
	}
	m.showValue(h.What+" of "+s.name, h.Became, string(h.Request), append(parts, bodyOf(h.Request))...)
	return nil
}

func (storyScreen) draw(m *Model) []string {
	s, st, r := &m.story, &m.st, m.room()
	inner := r.w - 2
	figure := fmt.Sprintf("%s, %s", plural(len(s.Cells), "cell"), plural(len(s.Happened), "event"))
	if !s.There {
		figure = "the row is not there"
	}
	f := framed{title: "Story of " + safe(label(s.name)), figure: figure, focused: true, top: s.top, at: s.line(s.cursor),
		all: s.line(s.all())}
	if s.name != s.Key {
		f.foot = safe(label(s.Key))
	}
	var lines []string
	if s.Note != "" {
		lines = append(lines, "  "+st.warn.Render(cut(safe(s.Note), inner-2)))
	}
	lines = append(lines, m.storyCells(inner)...)
	if len(s.Happened) > 0 {
		lines = append(lines, "")
		lines = append(lines, m.storyHappened(inner)...)
	}
	return st.frame(f, lines[min(s.top, len(lines)):], r.w, r.h)
}

// storyCells are the lines of the cells: the value and where it came from have what the
// others leave.
func (m *Model) storyCells(w int) []string {
	s, st := &m.story, &m.st
	name, from, written, before, holds := 6, 4, 0, 0, 5
	for _, c := range s.Cells {
		holds = max(holds, width(safe(c.Value)))
		name, from = max(name, width(safe(c.Column))), max(from, width(safe(c.From)))
		if w >= 96 { // the value needs the room more
			written = max(written, width(c.Written))
		}
		if w >= 110 {
			before = max(before, min(24, width(safe(c.Before))), len("before"))
		}
	}
	name = min(name, w/4)
	from = min(from, max(w/4, w-2-name-written-before-4-holds)) // what values leave
	value := w - 2 - name - from - written - before - 4
	lines := []string{st.line(false, w, cell{text: "column", w: name, look: st.faint}, cell{text: "holds", w: value, look: st.faint},
		cell{text: "from", w: from, look: st.faint}, cell{text: "written", w: written, look: st.faint},
		cell{text: "before", w: before, look: st.faint})}
	for i, c := range s.Cells {
		look, source := st.plain, st.accent
		if c.Value == "NULL" || c.Value == "-" {
			look = st.faint
		}
		if c.Delivery == "" || strings.HasPrefix(c.From, "somebody") {
			source = st.warn
		}
		lines = append(lines, st.line(i == s.cursor, w, cell{text: middle(safe(c.Column), name), w: name, look: st.title},
			cell{text: safe(c.Value), w: value, look: look}, cell{text: sourceText(safe(c.From), from), w: from, look: source},
			cell{text: c.Written, w: written, look: st.faint}, cell{text: safe(c.Before), w: before, look: st.faint}))
	}
	return lines
}

// storyHappened are the lines of what has happened.
func (m *Model) storyHappened(w int) []string {
	s, st := &m.story, &m.st
	what, id, when := 4, 0, 5
	for _, h := range s.Happened {
		what, when = max(what, width(safe(h.What))), max(when, width(h.At))
		if w >= 100 {
			id = max(id, width(safe(h.ID)))
		}
	}
	what, id = min(what, w/4), min(id, 28)
	if w < 60 {
		when = 0
	}
	became := w - 2 - when - what - id - 3
	lines := []string{st.line(false, w, cell{text: "when", w: when, look: st.faint}, cell{text: "what", w: what + 2, look: st.faint},
		cell{text: "became", w: became - 2, look: st.faint}, cell{text: "id", w: id, look: st.faint})}
	for i, h := range s.Happened {
		look := st.status(h.Status)
		if h.Push {
			look = st.pushed(outgoing.Status(h.Status))
		}
		mark := "← "
		if h.Push {
			mark = "→ "
		}
		lines = append(lines, st.line(len(s.Cells)+i == s.cursor, w, cell{text: h.At, w: when, look: st.faint},
			cell{text: mark + middle(safe(h.What), what), w: what + 2}, cell{text: safe(h.Became), w: became - 2, look: look},
			cell{text: safe(h.ID), w: id, look: st.faint}))
	}
	return lines
}

// sourceText is where a cell came from, in w cells: of a path its end says most, of words
// their beginning.
func sourceText(s string, w int) string {
	if strings.Contains(s, " ") {
		return cut(s, w)
	}
	return tail(s, w)
}
