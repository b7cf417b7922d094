package tui

import (
	"fmt"
	"slices"

	"loopmap/mapping/body"
)

// capture is the screen that awaits a sample.
type capture struct {
	arrivals []Arrival // the latest first
	cursor   int
}

// remembered is how many arrivals the screen keeps.
const remembered = 200

const testEvent = "testing.testEvent"

// arrived notes a webhook.
func (m *Model) arrived(a Arrival) {
	c := &m.capture
	c.arrivals = slices.Insert(c.arrivals, 0, a)
	if len(c.arrivals) > remembered {
		c.arrivals = c.arrivals[:remembered]
	}
	if c.cursor > 0 {
		c.cursor = min(c.cursor+1, len(c.arrivals)-1) // stay on the same one
	}
	if m.screen == mapping_ && !m.told && a.sample() {
		m.say("a new %s has arrived; r, enter merges it", safe(a.Event))
	}
}

// sample reports whether an arrival can be mapped by.
func (a Arrival) sample() bool {
	return a.Body != nil && a.Event != testEvent && body.CheckBody(a.Body) == nil
}

// proceed maps by the arrival under the cursor and all contacts that came.
func (m *Model) proceed() {
	var list []Sample
	for i := len(m.capture.arrivals) - 1; i >= 0; i-- {
		a := m.capture.arrivals[i]
		if a.sample() && (i == m.capture.cursor || a.Event == "contact.created") {
			list = append(list, Sample{From: "the network", Body: a.Body})
		}
	}
	switch {
	case len(list) > 0:
		m.use(list...)
	case len(m.samples) > 0:
		m.screen = mapping_
	case m.opens():
		m.screen, m.focus = mapping_, columnsPane
		m.say("this is the mapping as it is saved; a sample shows what webhooks have (r)")
	default:
		m.say("nothing to map by yet: create a contact in Loops, or press b for the built-in sample")
	}
}

// opens reports whether there is a mapping to look at without a sample.
func (m *Model) opens() bool { return !m.cfg.New || m.Unsaved() }

func (m *Model) useBuiltIn() { m.use(m.cfg.Example) }

// state says in words where the capture stands.
func (m *Model) state() (text string, good bool) {
	l := m.cfg.Listen
	if len(m.capture.arrivals) == 0 {
		if l.Problem != "" {
			return l.Problem, false
		}
		return "waiting for the first webhook", true
	}
	text, good = m.capture.arrivals[0].state()
	if m.capture.arrivals[0].Event == testEvent && slices.ContainsFunc(m.capture.arrivals, Arrival.sample) {
		text += ". A contact has arrived as well: enter maps it"
	}
	return text, good
}

func (a Arrival) state() (text string, good bool) {
	switch {
	case a.Code == 401:
		return "received, but " + a.Problem, false
	case a.Body == nil:
		return "received, but " + a.Problem, false
	case a.Event == testEvent && a.Signed:
		return "Loops' own test event received, signature verified: good. Now create a contact in Loops", true
	case a.Event == testEvent:
		return "Loops' own test event received, not verified (no secret is set). Now create a contact in Loops", true
	case !a.sample():
		return "received, but it cannot be mapped: " + body.CheckBody(a.Body).Error(), false
	case !a.Signed:
		return a.Event + " received, not verified: set LOOPS_SIGNING_SECRET to check signatures. Enter maps it", true
	case a.Code != 200:
		return a.Event + " received and verified, but not stored: " + a.Problem + ". Loops was told to send it again. Enter maps it", false
	}
	return a.Event + " received and verified, kept in the journal. Enter maps it", true
}

func (m *Model) captureLines(w, h int) []string {
	var lines []string
	gap := func() {
		if h >= 20 {
			lines = append(lines, "")
		}
	}
	gap()
	state, good := m.state()
	style := m.st.bad
	if good {
		style = m.st.good
	}
	for _, s := range hang("STATE   ", safe(state), w) {
		lines = append(lines, m.st.title.Render(s[:8])+style.Render(s[8:]))
	}
	gap()
	if h < 16 {
		return block(append(append(lines, m.brief(w)...), m.arrivalLines(w, h-len(lines)-len(m.brief(w)))...), w, h)
	}
	for i, step := range m.steps() {
		lines = append(lines, hang(fmt.Sprintf("   %d    ", i+1), step, w)...)
		if i == 0 && m.cfg.Listen.Problem == "" {
			lines = append(lines, "        "+m.st.title.Render(safe(m.cfg.Listen.URL)))
		}
		gap()
	}
	if m.input != nil && m.input.what == typingFile {
		m.input.field.SetWidth(max(8, w-8))
		lines = append(lines, m.input.field.View())
	}
	lines = append(lines, m.arrivalLines(w, h-len(lines))...)
	return block(lines, w, h)
}

// brief is what a small screen has room for.
func (m *Model) brief(w int) []string {
	lines := []string{}
	if m.cfg.Listen.Problem == "" {
		lines = append(lines, fill("URL     "+safe(m.cfg.Listen.URL), w))
	}
	if m.input != nil && m.input.what == typingFile {
		m.input.field.SetWidth(max(8, w-8))
		return append(lines, m.input.field.View())
	}
	return append(lines, hang("OR      ", "b built-in sample, f file, J journal, or paste one", w)...)
}

// steps are what a person does to get a sample.
func (m *Model) steps() []string {
	l := m.cfg.Listen
	url := "Paste this URL in Loops under Settings, Webhooks, and turn contact.created on:"
	switch {
	case l.Problem != "":
		url = "Not listening: " + safe(l.Problem)
	case !l.Public:
		url = "Loops must reach this address: put a tunnel or a reverse proxy with HTTPS before it (cloudflared, caddy, ssh -R) " +
			"and start again with --public-url https://your.name.example to see here what to paste in Loops under Settings, Webhooks"
	}
	secret := "Set LOOPS_SIGNING_SECRET to the secret on that page (whsec_...) and start again. Until then nothing is verified and nothing stored"
	switch {
	case l.URL == "" || l.Problem != "" && l.Secrets > 0:
		secret = "What `loopmap sync` receives, with signatures checked, stands in the journal"
	case l.Secrets == 1:
		secret = "The signing secret is set: each webhook is verified, and kept in the journal"
	case l.Secrets > 1:
		secret = fmt.Sprintf("%d signing secrets are set: each webhook is verified by one of them, and kept in the journal", l.Secrets)
	}
	sample := "Create a contact in Loops. Without Loops at hand: b takes the built-in sample, f reads a file, J the journal, and a paste works too"
	if len(m.samples) == 0 && m.opens() {
		sample = "Enter opens the mapping as it is saved. " + sample
	}
	if l.Problem != "" {
		sample = "b takes the built-in sample, f reads a file, J the journal, and a paste works too"
	}
	return []string{url, secret, sample}
}

func (m *Model) arrivalLines(w, h int) []string {
	c := &m.capture
	if len(c.arrivals) == 0 || h < 2 {
		return nil
	}
	event, email := min(24, w*30/100), min(30, w*32/100)
	row := func(a, b, c, d, e string) string {
		return fill(fill(a, 10)+" "+fill(b, event)+" "+fill(c, email)+" "+fill(d, 4)+" "+e, w)
	}
	lines := []string{m.st.title.Render(row("ARRIVED", "event", "email", "code", "verdict"))}
	top := window(0, c.cursor, len(c.arrivals), h-1)
	for i := top; i < len(c.arrivals) && len(lines) < h; i++ {
		a := c.arrivals[i]
		pointer := "  "
		if i == c.cursor {
			pointer = "> "
		}
		verdict := a.Problem
		switch {
		case a.Signed && a.Code == 200:
			verdict = "verified"
		case a.Signed:
			verdict = "not stored"
		case a.Body != nil:
			verdict = "not verified"
		}
		line := row(pointer+a.At.Format("15:04:05"), safe(a.Event), safe(a.Email), fmt.Sprint(a.Code), safe(verdict))
		if i == c.cursor {
			line = m.st.cursor.Render(line)
		}
		lines = append(lines, line)
	}
	return lines
}
