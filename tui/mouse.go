package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"
)

// clicks tells a double click from two.
type clicks struct {
	at   time.Time
	x, y int
}

const doubleClick = 400 * time.Millisecond

// selected is what a click means that has put the cursor on something that enter opens.
const selected action = -1

// wheelLines is how far one step of the wheel scrolls.
const wheelLines = 3

// clicked puts the cursor where somebody has clicked; on a place it goes there, on a key
// it does what that does, on a box it picks, and twice it opens.
func (m *Model) clicked(msg tea.MouseClickMsg) tea.Cmd {
	if msg.Button != tea.MouseLeft || m.tooSmall() || m.quit {
		return nil
	}
	now := m.rhythm.now()
	twice := now.Sub(m.clicks.at) < doubleClick && m.clicks.x == msg.X && m.clicks.y == msg.Y
	m.clicks = clicks{now, msg.X, msg.Y}
	if msg.Y == m.h-1 {
		return m.clickedKey(msg.X)
	}
	if m.ask || m.offer {
		return nil
	}
	m.note, m.news = "", false
	if msg.Y == 0 && m.input == nil { // what is typed is not lost by a click
		for i, t := range m.tabs(m.w) {
			if msg.X >= t.x && msg.X < t.x+t.w {
				return m.goTo(place(i))
			}
		}
		return nil
	}
	if m.input != nil {
		return nil
	}
	m.screen().focus(m, msg.X, msg.Y)
	switch a := m.screen().click(m, msg.X, msg.Y); {
	case a == selected && twice:
		m.clicks.at = time.Time{}
		return m.press(enter)
	case a != none && a != selected:
		return m.press(a)
	}
	return nil
}

// clickedKey presses a key of the last line.
func (m *Model) clickedKey(x int) tea.Cmd {
	for _, h := range m.hints(m.w - 2) {
		if x < h.x || x >= h.x+h.width() {
			continue
		}
		m.rhythm.last = time.Time{} // a click is nobody's paste
		switch {
		case m.ask || m.offer || m.input != nil:
			code := rune(h.key[0])
			switch h.key {
			case "enter":
				return m.key(tea.KeyPressMsg{Code: tea.KeyEnter})
			case "esc":
				return m.key(tea.KeyPressMsg{Code: tea.KeyEscape})
			}
			return m.key(tea.KeyPressMsg{Code: code, Text: h.key})
		case h.action != none:
			m.note, m.news = "", false
			return m.press(h.action)
		}
	}
	return nil
}

// wheeled scrolls what is under the pointer.
func (m *Model) wheeled(msg tea.MouseWheelMsg) tea.Cmd {
	if m.tooSmall() || m.quit || m.ask || m.offer || m.input != nil && m.input.what != typingSearch {
		return nil
	}
	by := wheelLines
	switch msg.Button {
	case tea.MouseWheelUp:
		by = -wheelLines
	case tea.MouseWheelDown:
	default:
		return nil
	}
	m.screen().focus(m, msg.X, msg.Y)
	m.screen().move(m, by)
	return nil
}
