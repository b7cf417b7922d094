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

// at is where the next key is looked up.
func (m *Model) at() where {
	switch {
	case m.help != nil:
		return inHelp
	case m.screen == mapping_:
		return [...]where{treePane: inTree, columnsPane: inColumns, previewPane: inPreview}[m.focus]
	case m.screen == pushing:
		return [...]where{requestsPane: inRequests, rowsPane: inRows, bodyPane: inBody}[m.push.focus]
	}
	return [...]where{capturing: onCapture, saving: onSave, listing: onDeliveries, showing: onDelivery, valuing: onValue}[m.screen]
}

func (m *Model) key(msg tea.KeyPressMsg) tea.Cmd {
	if msg.String() == "ctrl+c" {
		if m.ctrlC || !m.Unsaved() {
			return m.leave()
		}
		m.ctrlC, m.ask, m.input, m.help = true, true, nil, nil
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
	m.note, m.told = "", false
	a := lookUp(msg, m.at())
	m.push.sure = m.push.sure && (a == quit || a == makeSlot) // the same key again
	return m.do(a, msg)
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
		m.screen = mapping_
		m.say("the draft is taken: s saves it, u goes back to the file")
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

// do carries out an action where the cursor is.
func (m *Model) do(a action, msg tea.KeyPressMsg) tea.Cmd {
	switch a {
	case up, down, pageUp, pageDown, first, last:
		m.moveCursor(a)
	case back:
		m.goBack()
	case suspend:
		return tea.Suspend
	case help:
		m.help = newHelper(m.at())
	case quit:
		if m.push.running && !m.push.sure {
			m.push.sure = true
			m.say("rows are being sent: q again leaves them; x on the push screen stops. What is sent stays sent")
			return nil
		}
		if m.ask = m.Unsaved(); !m.ask {
			return m.lastly(m.leave)
		}
	case proceed:
		m.proceed()
	case builtIn:
		m.useBuiltIn()
	case fromFile:
		m.input = newInput(typingFile, "")
	case fromJournal:
		return m.readJournal()
	case save:
		return m.startSaving()
	case write:
		if m.review.refused || m.review.writing {
			return m.startWriting() // which says why not
		}
		return m.alone(m.startWriting)
	case recapture:
		m.screen = capturing
	case nextPane:
		m.turnPane(1)
	case prevPane:
		m.turnPane(2)
	case undo:
		m.step(&m.done, &m.undone, "undone")
	case redo:
		m.step(&m.undone, &m.done, "redone")
	case copyPath, copyValue:
		return m.copy(a)
	case deliveries_:
		return m.startListing()
	case push_:
		return m.startPush()
	case reread_:
		return tea.Batch(m.readPushes(), m.askLoops())
	case runRows:
		m.startRun()
		return m.look() // enter sends once the field can have been seen
	case stopRows:
		m.stopRun()
	case showDelivery, otherView, asSample:
		return m.onCame(a)
	case showValue:
		m.startValue()
	case find:
		m.startSearch()
	case takeTheirs, mergeTheirs:
		return m.takeTheirs(a == mergeTheirs)
	default:
		if m.help != nil && msg.String() == "enter" {
			return m.runHelp()
		}
		switch m.screen {
		case mapping_:
			return m.edit(a, msg)
		case pushing:
			return m.editPush(a)
		case showing:
			return m.onCame(a)
		}
	}
	return nil
}

// turnPane gives the focus to the pane so many further on.
func (m *Model) turnPane(by int) {
	if m.screen == pushing {
		m.push.focus = (m.push.focus + pushPane(by)) % 3
		return
	}
	m.focus = (m.focus + pane(by)) % 3
}

// moveCursor moves whatever has the cursor.
func (m *Model) moveCursor(a action) {
	by := map[action]int{up: -1, down: 1, pageUp: -(m.h - 6), pageDown: m.h - 6, first: -1 << 30, last: 1 << 30}[a]
	switch {
	case m.help != nil:
		m.help.move(by)
	case m.screen == capturing:
		m.capture.cursor = clamp(m.capture.cursor+by, len(m.capture.arrivals))
	case m.screen == saving:
		n := len(m.reviewLines(m.w))
		m.review.top = max(0, min(m.reviewTop(n, m.h-2)+by, n-(m.h-2)))
	case m.screen == listing:
		m.came.move(by)
	case m.screen == showing:
		m.came.scroll(by, m.w, m.h-2)
	case m.screen == pushing:
		m.push.move(by)
	case m.screen == valuing:
		m.value.scroll(by, m.w, m.h-2)
	case m.focus == treePane:
		m.tree.move(by)
	case m.focus == columnsPane:
		m.columns.cursor = clamp(m.columns.cursor+by, len(m.draft.Receive.Columns))
	case m.focus == previewPane:
		m.preview.top = clamp(m.preview.top+by, len(m.preview.rows))
	}
}

// goBack is what esc does: it clears or goes back, and never loses work.
func (m *Model) goBack() {
	switch {
	case m.help != nil:
		m.help = nil
	case m.screen == saving:
		m.screen = m.review.before
	case m.screen == valuing:
		m.screen = mapping_
	case m.screen == pushing && m.push.focus != requestsPane:
		m.push.focus = requestsPane
	case m.screen == pushing:
		m.screen = m.push.before
	case m.screen == showing:
		m.screen = listing
	case m.screen == listing && m.came.query != "":
		m.came.stopSearch()
		m.came.find("")
	case m.screen == listing:
		m.screen = m.came.before
	case m.screen == capturing && (len(m.samples) > 0 || m.opens()):
		m.screen = mapping_
	case m.screen == mapping_ && m.tree.filtered():
		m.tree.onlyNew = false
		m.tree.find("")
	case m.screen == mapping_:
		m.focus = treePane
	}
}
