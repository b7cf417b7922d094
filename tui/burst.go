package tui

import (
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
)

// rhythm tells the keys that a hand presses from text that comes as keys: from a paste
// on a console, or of a multiplexer, which put no brackets around it. What begins with
// a brace is collected and taken for the paste that it is; what writes, or leaves the
// keyboard to the shell, is done once its key has stood alone.
type rhythm struct {
	now   func() time.Time
	beat  time.Duration // between two looks at whether keys still come
	last  time.Time     // when the last key was done with
	keys  int           // so far
	seen  int           // keys at the last look
	still int           // looks in a row without a new key
	on    bool          // a look is due
	text  *strings.Builder
	then  func() tea.Cmd // is done when no other key follows
}

const (
	handGap   = 25 * time.Millisecond // no hand is quicker, from key to key
	beatTime  = 60 * time.Millisecond
	calmAfter = 3 // beats: the slowest that types for a machine is quicker
	mostPaste = 8 << 20
)

type beatMsg struct{}

// look begins to watch the keys, until none has come for a while.
func (m *Model) look() tea.Cmd {
	if m.rhythm.on {
		return nil
	}
	m.rhythm.on, m.rhythm.still, m.rhythm.seen = true, 0, m.rhythm.keys
	return m.rhythm.tick()
}

func (r *rhythm) tick() tea.Cmd {
	return tea.Tick(r.beat, func(time.Time) tea.Msg { return beatMsg{} })
}

// looked is what happens at each beat: once no key has come for a while, what waits for that
// is done.
func (m *Model) looked() tea.Cmd {
	r := &m.rhythm
	if r.still++; r.keys != r.seen {
		r.seen, r.still = r.keys, 0
	}
	if r.still < calmAfter {
		return r.tick()
	}
	r.on, m.review.read = false, m.review.text != nil
	if m.input != nil {
		m.input.seen = true
	}
	text, then := r.text, r.then
	r.text, r.then = nil, nil
	switch {
	case text != nil:
		return m.paste(tea.PasteMsg{Content: text.String()})
	case then != nil:
		return then()
	}
	return nil
}

// pasted takes a key for a part of a paste; ok is false for a key of its own.
func (m *Model) pasted(msg tea.KeyPressMsg) (cmd tea.Cmd, ok bool) {
	r := &m.rhythm
	if r.text == nil {
		if msg.Text != "{" && (msg.Text != "[" || m.input != nil || m.shows(helpScreen{}) || lookUp(msg, m.at()) != none) {
			return nil, false
		}
		r.text = &strings.Builder{}
	}
	switch {
	case msg.Text != "":
		r.text.WriteString(msg.Text)
	case msg.Code == tea.KeyEnter, msg.String() == "ctrl+j":
		r.text.WriteByte('\n')
	case msg.Code == tea.KeyTab:
		r.text.WriteByte('\t')
	}
	if r.text.Len() > mostPaste {
		r.text.Reset()
	}
	return m.look(), true
}

// alone does what must not happen by accident: only when no key came right before this one,
// and none follows.
func (m *Model) alone(do func() tea.Cmd) tea.Cmd {
	if r := &m.rhythm; r.now().Sub(r.last) < handGap {
		m.note, m.bad = hurried, true
		return nil
	}
	return m.lastly(do)
}

// lastly does what leaves the keyboard to the shell: only when no other key follows, since
// the shell would get it.
func (m *Model) lastly(do func() tea.Cmd) tea.Cmd {
	m.rhythm.then = do
	return m.look()
}

const hurried = "that key came together with others, as a paste does, and is not taken: press it again"

// carry takes one key in its rhythm.
func (m *Model) carry(msg tea.KeyPressMsg) tea.Cmd {
	r := &m.rhythm
	r.keys++
	defer func() { r.last = r.now() }()
	if msg.String() != "ctrl+c" {
		if cmd, ok := m.pasted(msg); ok {
			return cmd
		}
	}
	cancelled := r.then != nil
	r.then = nil
	cmd := m.key(msg)
	if cancelled && r.then == nil && m.note == "" {
		m.note, m.bad = hurried, true
	}
	return cmd
}
