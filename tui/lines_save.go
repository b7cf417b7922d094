package tui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// Saving, line by line.

// save shows the change and writes it when the answer is yes.
func (l *liner) save(typed <-chan string) {
	m := l.m
	if !l.review() {
		return
	}
	if m.review.theirs {
		cmd := tea.Cmd(nil)
		switch l.hear("What now? merge brings yours into theirs, theirs takes theirs alone, n leaves it", typed) {
		case "merge", "m":
			cmd = m.takeTheirs(true)
		case "theirs", "t":
			cmd = m.takeTheirs(false)
		}
		if cmd != nil {
			m.update(cmd())
			l.result()
		}
		if cmd == nil || !m.Unsaved() || !l.review() {
			return
		}
	}
	if m.review.refused || !l.ask("Write it? y or n", typed) {
		return
	}
	saved, err := m.cfg.Backend.Save(l.ctx, m.draft)
	m.wrote(savedMsg{m.draft, saved, err})
	l.result()
}

// review says what saving would change, and reports whether that could be found out.
func (l *liner) review() bool {
	m := l.m
	m.lay(reviewScreen{})
	m.turn++
	m.review = reviewing{}
	r, err := m.cfg.Backend.Review(l.ctx, m.draft)
	m.reviewed(reviewMsg{m.turn, r, err})
	m.over = nil
	l.result()
	for _, line := range m.review.text {
		l.say("%s", line)
	}
	return err == nil
}

func (l *liner) ask(question string, typed <-chan string) bool {
	return slices.Contains([]string{"y", "yes"}, l.hear(question, typed))
}

// hear asks something, and returns the answer in lower case.
func (l *liner) hear(question string, typed <-chan string) string {
	l.say("%s", question)
	select {
	case answer := <-typed:
		return strings.ToLower(strings.TrimSpace(answer))
	case <-l.ctx.Done():
		return ""
	}
}
