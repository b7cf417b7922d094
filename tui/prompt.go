package tui

import (
	"fmt"
	"strings"

	"loopmap/mapping/column"
)

// What stands around a field: what could be typed, and what that which is typed means.

// inputLine is the field, and what it finds or what is wrong with it.
func (m *Model) inputLine(w int) string {
	in := m.input
	verdict, good := m.verdict()
	if in.long() {
		verdict = "" // it stands above
	}
	in.field.SetWidth(max(14, min(w-width(in.field.Prompt)-width(verdict)-4, w*3/4)))
	look := m.st.good
	if !good {
		look = m.st.bad
	}
	if verdict != "" {
		verdict = "   " + look.Render(verdict)
	}
	return in.field.View() + verdict
}

// long reports whether what is said of what is typed wants a line of its own.
func (in *input) long() bool { return in.what == typingWhere || in.what == typingCount }

// aboveInput are the lines above a field for which one is not enough: what could be typed,
// and what that which is typed means.
func (m *Model) aboveInput(w int) (lines []string) {
	if !m.input.long() {
		return nil
	}
	if m.input.what == typingCount && m.h >= saidHigh {
		choices := "up down: " + strings.Join(m.sendings(), ", ") + "; or a number of rows. again behind it: also what Loops has already"
		for _, s := range wrap(choices, w-2) {
			lines = append(lines, m.st.faint.Render(fill(" "+s, w)))
		}
	}
	verdict, good := m.verdict()
	look := m.st.good
	if !good {
		look = m.st.bad
	}
	for _, s := range wrap(verdict, w-2) {
		lines = append(lines, look.Render(fill(" "+s, w)))
	}
	return lines
}

// verdict says of what is typed what it means.
func (m *Model) verdict() (words string, good bool) {
	in := m.input
	text := strings.TrimSpace(in.field.Value())
	switch in.what {
	case typingSearch:
		switch {
		case in.text != nil:
			return "", true
		case m.shows(deliveriesScreen{}):
			return fmt.Sprintf("%d of %d", len(m.came.rows), len(m.came.list)), len(m.came.rows) > 0
		case m.shows(mapScreen{}) && m.focus == treePane && m.tree.filtered():
			return fmt.Sprintf("%d of %d", m.tree.hits, m.tree.leafs), m.tree.hits > 0
		}
	case typingCount:
		_, words, err := m.sendingOf(text)
		if err != nil {
			return safe(err.Error()), false
		}
		return safe(words), true
	case typingWhere:
		return m.judgeWhere(text)
	case typingFile:
		return m.fileVerdict, m.fileVerdict == "" || m.fileGood
	case typingPublic:
		return m.judgePublic(text)
	case typingDatabase:
		if _, err := column.DialectOf(text); err != nil && !strings.Contains(text, "${") {
			return safe(err.Error()), false
		}
	}
	return "", true
}

// inputHints are the keys of a field.
func (m *Model) inputHints() []hint {
	take, leave := hint{key: "enter", does: "take"}, hint{key: "esc", does: "leave"}
	switch in := m.input; {
	case in.what == typingSearch:
		return []hint{{key: "enter", does: "keep"}, {key: "esc", does: "clear"}, {key: "up down", does: "move"}}
	case in.what == typingCount:
		return []hint{{key: "enter", does: "send"}, leave, {key: "up down", does: "others"}}
	case in.what == typingJump:
		return []hint{take, leave, {key: "up down", does: "more"}}
	case in.what == typingKey:
		return []hint{{key: "enter", does: "try it"}, leave}
	case in.what == typingKept:
		return []hint{{key: "enter", does: "keep"}, leave}
	case len(in.offers) > 0:
		return []hint{take, leave, {key: "up down", does: "choose"}}
	}
	return []hint{take, leave}
}
