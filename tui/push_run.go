package tui

import (
	"context"
	"errors"
	"fmt"
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
		m.stopRun()
	case fetch:
		return tea.Batch(m.readPushes(), m.askLoops())
	}
	return nil
}

// startRun asks how many rows are to be sent.
func (m *Model) startRun() {
	switch p := &m.push; {
	case p.running:
		m.say("rows are being sent already; %s stops", keyFor(stop))
	case m.draft.Push == nil:
		m.say("there is nothing to send yet: %s on Send picks what a row sends", keyFor(pick))
	case m.Unsaved():
		m.say("save the mapping first (%s): rows are sent by the file", keyFor(save))
	case len(p.misfits) > 0:
		m.complain(errors.New(p.misfits[0]))
	case len(p.rows) == 0 || p.samples:
		m.say("the table has no rows to send")
	case p.catalog.Keyless:
		m.complain(errors.New(p.catalog.Problem))
	default:
		m.input = newInput(typingCount, "10")
	}
}

// run sends so many rows.
func (m *Model) run(text string) tea.Cmd {
	if text = strings.TrimSpace(text); m.input == nil {
		return nil // it was left meanwhile
	}
	failed := strings.EqualFold(text, "failed")
	n, err := strconv.Atoi(text)
	if (err != nil || n < 1) && !failed {
		m.complain(fmt.Errorf("%q is not a number of rows", text))
		return nil
	}
	ctx, stop := context.WithCancel(m.ctx)
	m.input, m.push.running, m.push.stop, m.push.progress = nil, true, stop, PushProgress{}
	b := m.cfg.Backend
	heard := make(chan PushProgress)
	return tea.Batch(func() tea.Msg {
		defer stop()
		defer close(heard)
		words, err := b.Push(ctx, n, failed, heard)
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
	return m.readPushes()
}
