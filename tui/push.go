package tui

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping"
)

// pushScreen shows what rows send to Loops, and what became of it.
type pushScreen struct {
	before  screen // where esc leads
	view    PushView
	read    bool // the table has been looked at
	running bool
	cursor  int
	top     int
}

type (
	pushViewMsg struct {
		view PushView
		err  error
	}
	pushedMsg struct {
		words string
		err   error
	}
)

// startPush opens the screen of what rows send, by the file as it is saved.
func (m *Model) startPush() tea.Cmd {
	if m.screen != pushing {
		m.push.before = m.screen
	}
	m.screen = pushing
	return m.readPushes()
}

func (m *Model) readPushes() tea.Cmd {
	b := m.cfg.Backend
	return func() tea.Msg {
		view, err := b.Pushes(context.Background())
		return pushViewMsg{view, err}
	}
}

func (m *Model) sawPushes(msg pushViewMsg) {
	if m.push.read = true; msg.err != nil {
		m.complain(msg.err)
		return
	}
	m.push.view = msg.view
	m.push.cursor = clamp(m.push.cursor, len(msg.view.Rows))
}

// startRun asks how many rows are to be sent.
func (m *Model) startRun() {
	switch p := &m.push; {
	case p.running:
		m.say("rows are being sent already")
	case p.view.Problem != "" || len(p.view.Rows) == 0:
		m.say("there is nothing to send")
	case m.Unsaved():
		m.say("save the mapping first: rows are sent by the file")
	default:
		m.input = newInput(typingCount, "10")
	}
}

// run sends so many rows.
func (m *Model) run(text string) tea.Cmd {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 1 {
		m.complain(fmt.Errorf("%q is no number of rows", text))
		return nil
	}
	m.input, m.push.running = nil, true
	m.say("sending %s", plural(n, "row"))
	b := m.cfg.Backend
	return func() tea.Msg {
		words, err := b.Push(context.Background(), n)
		return pushedMsg{words, err}
	}
}

func (m *Model) ran(msg pushedMsg) tea.Cmd {
	m.push.running = false
	if m.say("%s", safe(msg.words)); msg.err != nil {
		m.complain(msg.err)
	}
	return m.readPushes()
}

// sends names what a row would send now.
func (r PushedRow) sends() string {
	var kinds []string
	for _, st := range r.Steps {
		if st.Request != nil {
			kinds = append(kinds, safe(st.Kind))
		}
	}
	if len(kinds) == 0 {
		return "nothing"
	}
	return strings.Join(kinds, ", ")
}

// outcomes says what became of what a row sent, or would have.
func outcomes(lines []mapping.PushLine) string {
	var words []string
	for _, l := range lines {
		words = append(words, safe(l.Kind)+" "+outcomeWord(l))
	}
	if len(words) == 0 {
		return "-"
	}
	return strings.Join(words, ", ")
}

// outcomeWord is "sent 200", or what else became of it.
func outcomeWord(l mapping.PushLine) string {
	word := strings.ReplaceAll(string(l.Status), "_", " ")
	if l.Code > 0 && l.Status != mapping.PushNotMet {
		word += fmt.Sprintf(" %d", l.Code)
	}
	return word
}

// tellOutcome is an outcome on lines of its own, with the API's message.
func tellOutcome(l mapping.PushLine) string {
	s := safe(l.Kind) + "  " + outcomeWord(l)
	if l.Message != "" {
		s += ": " + safe(l.Message)
	}
	switch {
	case l.Status == mapping.PushPending && !l.NextAt.IsZero():
		s += ", again at " + l.NextAt.Local().Format(time.TimeOnly)
	case !l.SentAt.IsZero():
		s += ", last sent " + l.SentAt.Local().Format(time.DateTime)
	}
	return s
}

// lines draws the rows, and below them the requests of the one under the cursor.
func (p *pushScreen) lines(w, h int, st styles) []string {
	switch {
	case !p.read:
		return block([]string{"  looking at the table"}, w, h)
	case p.view.Problem != "":
		return block(wrap(safe(p.view.Problem), w), w, h)
	case len(p.view.Rows) == 0:
		return block(hang("  ", "the table has no rows yet", w), w, h)
	}
	listed := max(3, min(len(p.view.Rows)+1, h/3))
	key, sends := min(28, w*3/10), min(30, w*3/10)
	row := func(a, b, c string) string { return fill(fill(a, key)+" "+fill(b, sends)+" "+c, w) }
	lines := []string{st.title.Render(row("  ROW", "sends now", "outcome"))}
	for i := p.top; i < len(p.view.Rows) && len(lines) < listed; i++ {
		r := p.view.Rows[i]
		line := row("  "+safe(r.Key), r.sends(), outcomes(r.Lines))
		if i == p.cursor {
			line = st.cursor.Render(row("> "+safe(r.Key), r.sends(), outcomes(r.Lines)))
		}
		lines = append(lines, line)
	}
	lines = append(lines, strings.Repeat("-", w))
	for _, text := range p.view.Rows[p.cursor].tell() {
		lines = append(lines, wrap(text, w)...)
	}
	return block(lines, w, h)
}

// tell is what a row sends now and has sent.
func (r PushedRow) tell() (lines []string) {
	for _, st := range r.Steps {
		switch {
		case st.Request != nil:
			lines = append(lines, st.Request.Method+" "+st.Request.Path)
			if st.Request.IdempotencyKey != "" {
				lines = append(lines, "Idempotency-Key: "+st.Request.IdempotencyKey)
			}
			lines = append(lines, pretty(st.Request.Body)...)
		case st.Status == mapping.PushNotMet:
			lines = append(lines, safe(st.Kind)+": the condition is not met: "+safe(st.Reason))
		case st.Status == mapping.PushFailed:
			lines = append(lines, safe(st.Kind)+": cannot be sent: "+safe(st.Reason))
		}
	}
	if len(lines) == 0 {
		lines = append(lines, "Loops has this row as it is: nothing is sent")
	}
	if len(r.Lines) > 0 {
		lines = append(lines, "", "OUTCOME")
	}
	for _, l := range r.Lines {
		lines = append(lines, "  "+tellOutcome(l))
	}
	return lines
}

// settle keeps the row under the cursor on the screen.
func (p *pushScreen) settle(h int) {
	p.top = window(p.top, p.cursor, len(p.view.Rows), max(3, min(len(p.view.Rows)+1, h/3))-1)
}
