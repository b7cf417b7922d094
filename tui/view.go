package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// View draws the screen.
func (m *Model) View() tea.View {
	v := tea.NewView(m.Screen())
	v.AltScreen = !m.quit
	v.WindowTitle = "loopmap"
	v.KeyboardEnhancements.ReportAlternateKeys = true // for ctrl+c of other layouts
	if !m.cfg.NoMouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	return v
}

// Screen is the screen as text: h lines of w cells. The first are the places, the last
// the keys; what is said to a person lies on the lines above those.
func (m *Model) Screen() string {
	if m.quit {
		return ""
	}
	w, h := m.w, m.h
	if m.tooSmall() {
		text := fmt.Sprintf("the terminal is too small (it has %dx%d, 40x10 are needed); q quits", w, h)
		if m.ask {
			text = "not saved: y quits, n stays"
		}
		return strings.Join(block(wrap(text, max(1, w)), max(1, w), max(1, h)), "\n")
	}
	lines := make([]string, 0, h)
	lines = append(lines, m.strip(w))
	lines = append(lines, block(m.screen().draw(m), w, h-2)...)
	lines = append(lines, m.keyLine(w))
	said := m.said(w)
	copy(lines[h-1-len(said):], said)
	for i := range lines {
		lines[i] = border(lines[i], w)
		if m.st.ascii {
			lines[i] = inASCII(lines[i])
		}
	}
	return strings.Join(lines, "\n")
}

// inASCII draws with ASCII what lines are drawn with.
func inASCII(line string) string {
	return strings.Map(func(r rune) rune {
		if c, ok := twins[r]; ok {
			return rune(c)
		}
		if r >= '␀' && r <= '␡' { // as control characters of values are shown
			return '?'
		}
		return r
	}, line)
}

// part is a part of a screen: where it stands, and what draws it.
type part struct {
	rect
	draw func(w, h int) []string
}

// compose draws the parts of a screen in a rect, those beside one another from left to
// right. What has no height is left out.
func compose(r rect, parts ...part) []string {
	out := make([]string, r.h)
	for _, p := range parts {
		if p.h == 0 {
			continue
		}
		for i, line := range p.draw(p.w, p.h) {
			out[p.y-r.y+i] += line
		}
	}
	return out
}
