package tui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping/outgoing"
)

// running begins and ends sending, and looks at the table anew.
func (m *Model) running(a action) tea.Cmd {
	switch a {
	case run:
		m.startRun()
		return m.look() // enter sends once the field can have been seen
	case stop:
		if m.push.looking && !m.push.running {
			m.push.looking = false
			return nil
		}
		m.stopRun()
	case fetch:
		return tea.Batch(m.readRows(anew), m.askLoops())
	}
	return nil
}

// startRun asks which rows are to be sent.
func (m *Model) startRun() {
	switch p := &m.push; {
	case m.cfg.ReadOnly:
		m.say("read-only: you may look, and not send")
	case p.running:
		m.say("rows are being sent already; %s stops", keyFor(stop))
	case m.draft.Push == nil:
		m.say("there is nothing to send yet: %s on Send picks what a row sends", keyFor(pick))
	case m.Unsaved():
		m.say("save the mapping first (%s): rows are sent by the file", keyFor(save))
	case len(p.misfits) > 0:
		m.complain(errors.New(p.misfits[0]))
	case len(p.rows) == 0 && (p.where != "" || p.bad):
		m.say("no row is shown that could be sent: esc on Table shows all")
	case len(p.rows) == 0 || p.samples:
		m.say("the table has no rows to send")
	case p.catalog.Keyless:
		m.complain(errors.New(m.keyTrouble()))
	default:
		m.input = newInput(typingCount, m.sendings()[0])
	}
}

// What R may send, by a word; a number is so many rows that have something to send. Behind
// each again says: also what Loops has already.
const (
	sendThis   = "this"
	sendMarked = "marked"
	sendFilter = "filter"
	sendFailed = "failed"
	sendAgain  = " again"
)

// sendings are the words that mean something now, the likeliest first.
func (m *Model) sendings() (list []string) {
	if len(m.push.marked) > 0 && m.place == tablePlace && !m.shows(storyScreen{}) {
		list = append(list, sendMarked)
	}
	if m.push.where != "" && m.place == tablePlace && !m.shows(storyScreen{}) {
		list = append(list, sendFilter)
	}
	if m.push.bad && m.place == tablePlace && !m.shows(storyScreen{}) {
		return append(list, sendFailed, sendThis, "10")
	}
	return append(list, sendThis, "10", sendFailed)
}

// chooseSending puts the next of the words into the field, or the one before.
func (m *Model) chooseSending(by int) {
	list := m.sendings()
	at := slices.Index(list, strings.TrimSpace(m.input.field.Value()))
	m.input.field.SetValue(list[(at+by+2*len(list))%len(list)])
	m.input.field.CursorEnd()
	m.input.touched = false
}

// sendingOf is what a word means, and says it.
func (m *Model) sendingOf(text string) (s Sending, words string, err error) {
	p := &m.push
	word, again := strings.CutSuffix(" "+strings.ToLower(strings.TrimSpace(text)), sendAgain)
	if word = strings.TrimSpace(word); again && word == "" {
		word = sendThis
	}
	s.Again = again
	switch n, notNumber := strconv.Atoi(word); {
	case word == sendThis:
		row, _ := p.shownRow()
		s.Keys, words = []string{row.Key}, m.rowName(row.Row)+": "+m.wouldSend(again)
		return s, words, nil
	case word == sendMarked && len(p.marked) > 0:
		s.Keys = slices.Sorted(maps.Keys(p.marked))
		words = plural(len(s.Keys), "marked row")
	case word == sendFilter && p.where != "":
		s.Where, words = p.where, "all rows that meet "+p.where
		if p.begin && p.end {
			words = fmt.Sprintf("the %s of %s", plural(len(p.rows), "row"), p.where)
		}
	case word == sendFailed && !again:
		s.Failed, words = true, "those that failed, again"
	case notNumber == nil && n > 0:
		s.Rows, words = n, plural(n, "row")+" at most, that differ from what Loops has"
		if again {
			words = plural(n, "row") + " at most"
		}
	default:
		return s, "", fmt.Errorf("%q is none of these, nor a number of rows", strings.TrimSpace(text))
	}
	if again {
		words += ", also what Loops has already"
	}
	return s, words, nil
}

// wouldGo names what the row under the cursor sends when it alone is sent, or says why it
// sends nothing.
func (m *Model) wouldGo(again bool) (kinds []string, why string) {
	return m.kindsSent(outgoing.Resend{Failed: true, Known: again})
}

// wouldSend says what the row under the cursor sends, or why it sends nothing.
func (m *Model) wouldSend(again bool) string {
	kinds, why := m.wouldGo(again)
	switch {
	case len(kinds) > 0:
		return strings.Join(kinds, ", ")
	case again:
		return "sends nothing: " + why
	}
	if more, _ := m.wouldGo(true); len(more) > 0 {
		return "enter asks first: " + why
	}
	return "sends nothing: " + why
}

// kindsSent names what the row under the cursor sends, or says why it sends nothing.
func (m *Model) kindsSent(again outgoing.Resend) (kinds []string, why string) {
	p := &m.push
	row, ok := p.shownRow()
	if !ok || p.sender == nil {
		return nil, "it cannot be judged yet"
	}
	for _, st := range p.sender.Judge(row.Row, again) {
		switch {
		case st.Request != nil:
			kinds = append(kinds, safe(st.Kind))
		case why == "":
			why = st.Why.Words(st.Reason)
		}
	}
	return kinds, cmp.Or(why, "there is nothing to send")
}

// run sends what the word says.
func (m *Model) run(text string) tea.Cmd {
	if m.input == nil {
		return nil // it was left meanwhile
	}
	s, _, err := m.sendingOf(text)
	if err != nil {
		return nil // it stands beside the field
	}
	if len(s.Keys) == 1 && !s.Again && strings.TrimSpace(text) == sendThis && m.push.sender != nil {
		kinds, why := m.wouldGo(false)
		more, _ := m.wouldGo(true)
		switch {
		case len(kinds) > 0:
			s.Failed = true // who asks for one row has seen that it failed
		case len(more) > 0: // ask
			m.input.field.SetValue(sendThis + sendAgain)
			m.input.field.CursorEnd()
			return nil
		default:
			m.complain(errors.New("nothing is sent: " + why))
			return nil
		}
	}
	ctx, stop := context.WithCancel(m.ctx)
	m.input, m.push.running, m.push.stop, m.push.progress = nil, true, stop, PushProgress{}
	b := m.cfg.Backend
	heard := make(chan PushProgress)
	return tea.Batch(func() tea.Msg {
		defer stop()
		defer close(heard)
		words, err := b.Push(ctx, s, heard)
		return pushedMsg{words, err}
	}, hearProgress(heard))
}

func hearProgress(more <-chan PushProgress) tea.Cmd {
	return func() tea.Msg {
		p, ok := <-more
		if !ok {
			return nil
		}
		return progressMsg{p, more}
	}
}

// went takes the outcomes of a run so far.
func (m *Model) went(msg progressMsg) tea.Cmd {
	p := &m.push
	p.progress = msg.progress
	for _, o := range msg.progress.Outcomes {
		for i := range p.rows {
			if p.rows[i].Key == o.Key {
				p.rows[i].Lines = withLine(p.rows[i].Lines, o.Line)
			}
		}
	}
	return hearProgress(msg.more)
}

// withLine is lines with l first, and without the one that it replaces.
func withLine(lines []outgoing.Line, l outgoing.Line) []outgoing.Line {
	list := []outgoing.Line{l}
	for _, old := range lines {
		if old.Kind != l.Kind || old.IdempotencyKey != l.IdempotencyKey {
			list = append(list, old)
		}
	}
	return list
}

func (m *Model) stopRun() {
	if !m.push.running {
		m.say("nothing is being sent")
		return
	}
	m.push.stop()
	m.say("stopping: what is under way is waited for")
}

func (m *Model) ran(msg pushedMsg) tea.Cmd {
	m.push.running = false
	if m.say("%s", safe(msg.words)); msg.err != nil {
		m.complain(msg.err)
	}
	m.push.marked = nil
	if m.shows(storyScreen{}) {
		return tea.Batch(m.readRows(anew), m.readStory())
	}
	return m.readRows(anew)
}
