package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
)

func (m *Model) say(format string, args ...any) {
	m.note, m.bad = safe(fmt.Sprintf(format, args...)), false
}
func (m *Model) complain(err error) {
	m.note, m.bad = safe(strings.ReplaceAll(err.Error(), "\n", "; ")), true
}

func (m *Model) key(msg tea.KeyPressMsg) tea.Cmd {
	if msg.String() == "ctrl+c" {
		if m.ctrlC || !m.Unsaved() {
			return m.leave()
		}
		m.ctrlC, m.ask, m.input = true, true, nil
		return nil
	}
	m.ctrlC = false
	if msg.String() == "ctrl+z" {
		return tea.Suspend
	}
	switch {
	case m.ask:
		return m.answer(msg)
	case m.tooSmall(): // nothing can be seen, so nothing else is done
		if m.ask = msg.String() == "q" && m.Unsaved(); msg.String() == "q" && !m.ask {
			return m.lastly(m.leave)
		}
		return nil
	case m.offer:
		return m.answerOffer(msg)
	case m.input != nil:
		return m.typed(msg)
	}
	m.note, m.news = "", false
	a := lookUp(msg, m.at())
	if m.shows(helpScreen{}) {
		return m.helpKey(msg, a)
	}
	return m.press(a)
}

// press does what a key does.
func (m *Model) press(a action) tea.Cmd {
	m.push.sure = m.push.sure && (a == quit || a == create) // the same key again
	return m.do(a)
}

// answer takes the answer to "quit without saving?".
func (m *Model) answer(msg tea.KeyPressMsg) tea.Cmd {
	switch msg.String() {
	case "y":
		return m.alone(m.leave)
	case "s":
		m.ask = false
		return m.startSaving()
	case "n", "esc":
		m.ask = false
	}
	return nil
}

// answerOffer takes the answer to "take the draft?".
func (m *Model) answerOffer(msg tea.KeyPressMsg) tea.Cmd {
	switch msg.String() {
	case "enter", "y":
		m.offer = false
		m.change(m.cfg.Draft)
		if m.draft.Receives() {
			m.place, m.over = mapPlace, nil
		}
		if len(m.samples) == 0 {
			m.focus = columnsPane
		}
		m.say("the draft is taken: %s saves it, %s goes back to the file", keyFor(save), keyFor(undo))
	case "x":
		return m.alone(m.dropDraft)
	case "q":
		return m.lastly(m.leave)
	}
	return nil
}

func (m *Model) dropDraft() tea.Cmd {
	m.offer = false
	m.say("the draft is thrown away")
	drop := m.cfg.Backend.DropDraft
	return func() tea.Msg {
		if err := drop(); err != nil {
			return samplesMsg{err: err}
		}
		return nil
	}
}

func (m *Model) leave() tea.Cmd {
	if m.push.running {
		m.push.stop()
	}
	m.quit = true
	return tea.Quit
}

// do carries out an action where the cursor is: what means the same everywhere here, all
// else on the screen that is seen.
func (m *Model) do(a action) tea.Cmd {
	s := m.screen()
	switch a {
	case up, down, pageUp, pageDown, first, last:
		s.move(m, m.steps(a))
	case back:
		return m.goBack()
	case suspend:
		return tea.Suspend
	case help:
		m.help = newHelper(m.at())
		m.lay(helpScreen{})
	case quit:
		if m.push.running && !m.push.sure {
			m.push.sure = true
			m.say("rows are being sent: %s again stops that and leaves; %s on Send or Table stops alone. What is sent stays sent",
				keyFor(quit), keyFor(stop))
			return nil
		}
		if m.ask = m.Unsaved(); !m.ask {
			return m.lastly(m.leave)
		}
	case goMap, goTable, goSend, goDeliveries:
		return m.goTo(place(a - goMap))
	case save:
		return m.startSaving()
	case undo:
		m.step(&m.done, &m.undone, "undone")
	case redo:
		m.step(&m.undone, &m.done, "redone")
	case tables:
		return m.startTables()
	case connect:
		return m.startAccounts()
	default:
		return s.do(m, a)
	}
	return nil
}

// towards is -1 for a key that leads back, and 1 for one that leads on.
func towards(a action) int {
	switch a {
	case prevItem, prevHit, prevPane:
		return -1
	default:
		return 1
	}
}

// steps is how far a key moves the cursor.
func (m *Model) steps(a action) int {
	switch a {
	case up:
		return -1
	case down:
		return 1
	case pageUp:
		return -(m.h - 6)
	case pageDown:
		return m.h - 6
	case first:
		return -farAway
	case last:
		return farAway
	}
	return 0
}

// goBack is what esc does: it clears or goes back, and never loses work.
func (m *Model) goBack() tea.Cmd {
	switch s := m.screen(); {
	case s.back(m):
	case len(m.over) == 0 && m.place != m.before:
		return m.goTo(m.before)
	case len(m.over) > 1 || len(m.over) == 1 && (!m.shows(captureScreen{}) || len(m.samples) > 0 || m.opens()):
		m.lift()
	}
	return nil
}
