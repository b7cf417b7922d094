package tui

import (
	tea "charm.land/bubbletea/v2"
)

// helper is the help screen: the key table of one place. Enter runs the key
// under the cursor.
type helper struct {
	where  where
	keys   []binding
	cursor int
}

func newHelper(w where) *helper { return &helper{where: w, keys: keysAt(w)} }

func (h *helper) move(by int) { h.cursor = clamp(h.cursor+by, len(h.keys)) }

// runHelp leaves the help screen and does what the line under the cursor says.
func (m *Model) runHelp() tea.Cmd {
	b := m.help.keys[m.help.cursor]
	m.help = nil
	if b.action == help {
		return nil
	}
	r := []rune(b.Keys()[0])
	return m.do(b.action, tea.KeyPressMsg{Code: r[0], Text: string(r[:1])})
}

func (m *Model) helpLines(w, h int) []string {
	lines := []string{m.st.title.Render(fill("KEYS  enter runs the one under the cursor, esc goes back", w)), ""}
	top := window(0, m.help.cursor, len(m.help.keys), h-2)
	for i := top; i < len(m.help.keys) && len(lines) < h; i++ {
		k := m.help.keys[i].Help()
		pointer := "  "
		if i == m.help.cursor {
			pointer = "> "
		}
		line := fill(pointer+fill(k.Key, 11)+" "+k.Desc, w)
		if i == m.help.cursor {
			line = m.st.cursor.Render(line)
		}
		lines = append(lines, line)
	}
	return block(lines, w, h)
}
