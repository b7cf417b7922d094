package tui

import (
	"fmt"

	tea "charm.land/bubbletea/v2"
)

// helper is the page of all keys of one screen, grouped. What is typed filters them,
// enter runs the one under the cursor.
type helper struct {
	keys   []binding
	query  string
	cursor int
	top    int
}

func newHelper(w where) helper { return helper{keys: keysAt(w)} }

// groups is the order of the groups.
var groups = []group{picking, sampling, sending, saving, finding, going, moving, leaving}

// found are the keys that what is typed leaves, by groups.
func (h *helper) found() (list []binding) {
	match := newMatcher(h.query)
	for _, g := range groups {
		for _, b := range h.keys {
			if b.group == g && match.match(b.Help().Key+" "+b.Help().Desc, "", false) {
				list = append(list, b)
			}
		}
	}
	return list
}

// helpScreen is that page.
type helpScreen struct{ quiet }

func (helpScreen) where(*Model) where { return inHelp }

func (helpScreen) move(m *Model, by int) {
	m.help.cursor = clamp(m.help.cursor+by, len(m.help.found()))
}

func (helpScreen) back(m *Model) bool {
	if m.help.query == "" {
		return false
	}
	m.help.query, m.help.cursor = "", 0
	return true
}

func (helpScreen) click(m *Model, _, y int) action {
	r := m.room()
	lines, at := m.helpLines(r.w - 2)
	for i, line := range at {
		if line == m.help.top+y-r.y-2 && line < len(lines) {
			m.help.cursor = i
			return selected
		}
	}
	return none
}

func (helpScreen) do(m *Model, a action) tea.Cmd {
	if a == enter {
		return m.runHelp()
	}
	return nil
}

func (helpScreen) settle(m *Model) {
	lines, at := m.helpLines(m.w - 2)
	if m.help.cursor < len(at) {
		m.help.top = window(m.help.top, at[m.help.cursor], len(lines), rows(m.room().h)-1)
		if m.help.cursor == 0 {
			m.help.top = 0
		}
	}
}

// helpKey takes a key on the page: letters filter, all else moves, runs or leaves.
func (m *Model) helpKey(msg tea.KeyPressMsg, a action) tea.Cmd {
	h := &m.help
	switch k := msg.String(); {
	case k == "enter":
		return m.runHelp()
	case k == "ctrl+u":
		h.query, h.cursor = "", 0
	case k == "backspace":
		if r := []rune(h.query); len(r) > 0 {
			h.query, h.cursor = string(r[:len(r)-1]), 0
		}
	case h.query == "" && (k == "q" || k == "?"), msg.Text == "":
		if k == "?" {
			a = back
		}
		return m.press(a)
	default:
		h.query, h.cursor = h.query+msg.Text, 0
	}
	return nil
}

// runHelp leaves the page and does what the line under the cursor says.
func (m *Model) runHelp() tea.Cmd {
	list := m.help.found()
	if m.help.cursor >= len(list) {
		return nil
	}
	m.lift()
	if b := list[m.help.cursor]; b.action != help {
		return m.press(b.action)
	}
	return nil
}

// helpLines are the lines of the page, and on which of them each key stands.
func (m *Model) helpLines(w int) (lines []string, at []int) {
	var before group
	wide := 10
	for i, b := range m.help.found() {
		if b.group != before {
			if before != "" && m.h > stackHigh {
				lines = append(lines, "")
			}
			lines = append(lines, "  "+m.st.title.Render(string(b.group)))
			before = b.group
		}
		at = append(at, len(lines))
		lines = append(lines, m.st.line(i == m.help.cursor, w, cell{text: b.Help().Key, w: wide, look: m.st.strong},
			cell{text: b.Help().Desc, w: w - wide - 4}))
	}
	return lines, at
}

func (helpScreen) draw(m *Model) []string {
	r := m.room()
	lines, _ := m.helpLines(r.w - 2)
	query := "  " + m.st.faint.Render("type to filter")
	if m.help.query != "" {
		query = "  " + m.st.strong.Render("/") + safe(m.help.query) + m.st.cursor.Render(" ")
	}
	n := len(m.help.found())
	if n == 0 {
		lines = []string{"  " + m.st.warn.Render("no key does that here; backspace")}
	}
	top := max(0, min(m.help.top, len(lines)-1))
	f := framed{title: "All keys", figure: fmt.Sprintf("%d here", n), focused: true, top: top, at: m.help.cursor, all: len(lines), head: 1}
	return m.st.frame(f, append([]string{query}, lines[top:]...), r.w, r.h)
}
