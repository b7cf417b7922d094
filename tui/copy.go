package tui

import (
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// copyHere puts the path or the value that the cursor of the map is on, on the terminal's
// clipboard (OSC 52, so that it works over SSH), and shows it.
func (m *Model) copyHere(a action) tea.Cmd {
	path, value := "", ""
	if at := m.tree.current(); m.focus == treePane && at != nil {
		path, value = at.Path.String(), at.Value.Raw
	} else if m.focus != treePane && len(m.draft.Receive.Columns) > 0 {
		c := m.draft.Receive.Columns[m.columns.cursor]
		path = c.From.String()
		if n := len(m.samples); n > 0 {
			v, _ := c.From.Get(m.samples[n-1].Body)
			value = v.Raw
		}
	}
	text := path
	if a == copyValue {
		text = value
	}
	return m.clip(text, cut(safe(text), 60))
}

// clip sends text to the terminal's clipboard, and says how far that goes: nobody
// answers.
func (m *Model) clip(text, what string) tea.Cmd {
	if text == "" {
		m.say("there is nothing to copy here")
		return nil
	}
	switch m.cfg.Multiplexer {
	case "tmux":
		m.say("sent to tmux: %s. It goes on to the clipboard only with: tmux set -g set-clipboard on", what)
	case "screen":
		m.say("sent to the terminal's clipboard, past screen: %s", what)
		return tea.Raw(ansi.ScreenPassthrough(ansi.SetSystemClipboard(text), screenString))
	default:
		m.say("sent to the terminal's clipboard: %s", what)
	}
	return tea.SetClipboard(text)
}

// screenString is how long a string of a control sequence GNU screen takes.
const screenString = 768
