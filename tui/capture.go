package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping"
	"loopmap/mapping/body"
)

// capture is the screen that awaits a sample.
type capture struct {
	arrivals []Arrival // the latest first
	cursor   int
	top      int
	proven   time.Time // when a webhook came by the public URL for the first time; zero when none has
}

// remembered is how many arrivals the screen keeps.
const remembered = 200

// arrived notes a webhook.
func (m *Model) arrived(a Arrival) {
	c := &m.capture
	if a.Public && c.proven.IsZero() {
		c.proven = a.At
	}
	c.arrivals = slices.Insert(c.arrivals, 0, a)
	if len(c.arrivals) > remembered {
		c.arrivals = c.arrivals[:remembered]
	}
	if c.cursor > 0 {
		c.cursor = min(c.cursor+1, len(c.arrivals)-1) // stay on the same one
	}
	if m.shows(mapScreen{}) && !m.news && a.sample() {
		m.say("a new %s has arrived; %s, enter merges it", safe(a.Event), keyFor(fetch))
	}
}

type waitedMsg struct {
	words string
	err   error
}

// mapWaiting maps a webhook that was stored at once, where the mapping is saved: while it
// is being made, saving does that.
func (m *Model) mapWaiting(a Arrival) tea.Cmd {
	if m.cfg.New || m.cfg.ReadOnly || m.Unsaved() || !a.Signed || a.Code != 200 {
		return nil
	}
	b, ctx := m.cfg.Backend, m.ctx
	return func() tea.Msg {
		words, err := b.MapWaiting(ctx)
		return waitedMsg{words, err}
	}
}

func (m *Model) waited(msg waitedMsg) {
	switch {
	case msg.err != nil:
		m.complain(msg.err)
	case msg.words != "" && m.note == "":
		m.say("%s", msg.words)
	}
}

// sample reports whether an arrival can be mapped by.
func (a Arrival) sample() bool {
	return a.Body != nil && a.Event != mapping.TestEvent && body.CheckBody(a.Body) == nil
}

// proceed maps by the arrival under the cursor and all contacts that came.
func (m *Model) proceed() {
	var list []Sample
	for i := len(m.capture.arrivals) - 1; i >= 0; i-- {
		a := m.capture.arrivals[i]
		if a.sample() && (i == m.capture.cursor || a.Event == mapping.ContactCreated) {
			list = append(list, Sample{From: "the network", Body: a.Body})
		}
	}
	switch {
	case len(list) > 0:
		m.use(list...)
	case len(m.samples) > 0:
		m.lift()
	case m.opens():
		m.lift()
		m.focus = columnsPane
		m.say("this is the mapping as it is saved; a sample shows what webhooks have (%s)", keyFor(fetch))
	default:
		m.say("nothing to map by yet: create a contact in Loops, or press %s for the built-in sample", keyFor(builtIn))
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
	text, good = m.capture.arrivals[0].state("Enter maps it")
	if m.capture.arrivals[0].Event == mapping.TestEvent && slices.ContainsFunc(m.capture.arrivals, Arrival.sample) {
		text += ". A contact has arrived as well: enter maps it"
	}
	return text, good
}

// state says how an arrival went; what maps it is said where it can be mapped by.
func (a Arrival) state(maps string) (text string, good bool) {
	switch {
	case a.Code == 401:
		return "received, but " + a.Problem, false
	case a.Body == nil:
		return "received, but " + a.Problem, false
	case a.Event == mapping.TestEvent && a.Signed:
		return "Loops' own test event received, signature verified: good. Now create a contact in Loops", true
	case a.Event == mapping.TestEvent:
		return "Loops' own test event received, not verified (no secret is set). Now create a contact in Loops", true
	case !a.sample():
		return "received, but it cannot be mapped: " + body.CheckBody(a.Body).Error(), false
	case !a.Signed:
		return a.Event + " received, not verified: set LOOPS_SIGNING_SECRET to check signatures. " + maps, true
	case a.Trial && a.Code == 200:
		return a.Event + " received, signed by the trial secret, kept in the journal. " + maps, true
	case a.Code != 200:
		return a.Event + " received and verified, but not stored: " + a.Problem + ". Loops was told to send it again. " + maps, false
	}
	return a.Event + " received and verified, kept in the journal. " + maps, true
}

// captureScreen is the page on which a sample is awaited.
type captureScreen struct{ quiet }

func (captureScreen) where(*Model) where { return onCapture }

func (captureScreen) move(m *Model, by int) {
	m.capture.cursor = clamp(m.capture.cursor+by, len(m.capture.arrivals))
}

func (captureScreen) settle(m *Model) {
	c := &m.capture
	c.top = window(c.top, c.cursor, len(c.arrivals), rows(m.captureLayout().arrived.h)-1)
}

func (captureScreen) do(m *Model, a action) tea.Cmd {
	switch a {
	case enter:
		m.proceed()
	case builtIn:
		m.useBuiltIn()
	case fromFile:
		m.input = newInput(typingFile, "")
	case fromJournal:
		return m.readJournal()
	case publish:
		m.askPublic()
	}
	return nil
}

// askPublic opens the field for the public URL.
func (m *Model) askPublic() {
	switch l := m.cfg.Listen; {
	case l.Publish == nil:
		m.say("who started this says by which URL Loops reaches it: --public-url")
	case l.Public:
		m.input = newInput(typingPublic, l.URL)
	default:
		m.input = newInput(typingPublic, "https://")
	}
}

// judgePublic says of a public URL that is being typed what Loops will call.
func (m *Model) judgePublic(text string) (words string, good bool) {
	text = pastedURL(text)
	url, err := m.cfg.Listen.Judge(text)
	if err != nil {
		return safe(err.Error()), false
	}
	if rest, begins := strings.CutPrefix(url, strings.TrimRight(text, "/")); begins && rest != "" {
		return "ok: Loops calls " + safe(rest) + " there", true
	}
	return "ok", true
}

// pastedURL is a whole URL that was pasted behind the https:// that stands in the field.
func pastedURL(text string) string {
	if rest, ok := strings.CutPrefix(text, "https://"); ok && strings.Contains(rest, "://") {
		return rest
	}
	return text
}

// takePublic takes the public URL that was typed.
func (m *Model) takePublic(text string) {
	text = pastedURL(text)
	url, err := m.cfg.Listen.Judge(text)
	if err != nil {
		return // it stands beside the field
	}
	m.input = nil
	m.cfg.Listen.Publish(text)
	m.cfg.Listen.URL, m.cfg.Listen.Public = url, true
	m.capture.proven = time.Time{}
}

func (captureScreen) click(m *Model, _, y int) action {
	r := m.captureLayout().arrived
	if i := m.capture.top + y - r.y - 2; r.h > 0 && y > r.y+1 && i < len(m.capture.arrivals) {
		m.capture.cursor = i
		return selected
	}
	return none
}

func (captureScreen) draw(m *Model) []string {
	l := m.captureLayout()
	return compose(m.room(), part{l.steps, m.drawSteps}, part{l.arrived, m.drawArrived})
}

// drawSteps says where the capture stands, and what a person does to get a sample.
func (m *Model) drawSteps(w, h int) []string {
	var lines []string
	inner := w - 4
	gap := func() {
		if h >= 19 {
			lines = append(lines, "")
		}
	}
	gap()
	state, good := m.state()
	look := m.st.bad
	if good {
		look = m.st.good
	}
	for i, s := range hang("● ", safe(state), inner) {
		if i > 0 {
			s = "  " + strings.TrimPrefix(s, "  ")
		}
		lines = append(lines, " "+look.Render(s))
	}
	gap()
	if h < 14 {
		lines = append(lines, m.brief(inner)...)
	} else {
		for i, step := range m.howTo() {
			for k, s := range wrap(step, inner-4) {
				number := "    "
				if k == 0 {
					number = m.st.strong.Render(fmt.Sprint(i+1)) + "   "
				}
				lines = append(lines, " "+number+s)
			}
			if i == 0 && m.cfg.Listen.Problem == "" {
				lines = append(lines, m.reached(inner-4)...)
			}
			gap()
		}
	}
	return m.st.frame(framed{title: "A sample", figure: mapping.ContactCreated + " is awaited", focused: true}, lines, w, h)
}

// reached is where Loops reaches this machine: the proof that it does, or lines to copy that
// make it so.
func (m *Model) reached(w int) (lines []string) {
	l := m.cfg.Listen
	add := func(s string) { lines = append(lines, "     "+s) }
	add(m.st.strong.Render(safe(l.URL)))
	switch {
	case !l.Public:
		for _, way := range l.Ways {
			add(cut(safe(way), w))
		}
	case m.capture.proven.IsZero():
		add(m.st.warn.Render(cut("nothing has come by it yet: the first webhook that does is the proof", w)))
	default:
		add(m.st.good.Render(cut("proven: a webhook came by it at "+m.capture.proven.Format("15:04:05"), w)))
	}
	return lines
}

// brief is what a small screen has room for.
func (m *Model) brief(w int) (lines []string) {
	if m.cfg.Listen.Problem == "" {
		lines = append(lines, " "+m.st.strong.Render(cut(safe(m.cfg.Listen.URL), w)))
	}
	or := fmt.Sprintf("or %s built-in sample, %s file, %s journal, or paste one", keyFor(builtIn), keyFor(fromFile), keyFor(fromJournal))
	for _, s := range wrap(or, w) {
		lines = append(lines, " "+s)
	}
	return lines
}

// howTo are what a person does to get a sample.
func (m *Model) howTo() []string {
	l := m.cfg.Listen
	ways := fmt.Sprintf("%s takes the built-in sample, %s reads a file, %s the journal, and a paste works too",
		keyFor(builtIn), keyFor(fromFile), keyFor(fromJournal))
	url := "Paste this URL in Loops under Settings, Webhooks, and turn " + mapping.ContactCreated + " on:"
	switch {
	case l.Problem != "":
		url = "Nothing arrives here as it is. The samples below need no webhook"
	case !l.Public:
		url = "Loops must reach this address, with HTTPS. Each command below it leads there; "
		if l.Publish != nil {
			url += keyFor(publish) + " takes the URL that comes of it, and says what to paste in Loops:"
		} else {
			url += "--public-url https://your.name.example then says here what to paste in Loops:"
		}
	}
	secret := "Set LOOPS_SIGNING_SECRET to the secret under Settings, Webhooks in Loops (whsec_...) and start again. " +
		"Until then nothing is verified and nothing stored"
	switch {
	case l.Trial && l.Problem == "":
		secret = "This is a trial, without LOOPS_SIGNING_SECRET: `loopmap trigger contact.created` on this machine brings a sample; " +
			"with the secret under Settings, Webhooks in Loops (whsec_...) set, Loops can"
	case l.URL == "" || l.Problem != "" && l.Secrets > 0:
		secret = "What `loopmap sync` receives, with signatures checked, stands in the journal"
	case l.Secrets == 1:
		secret = "The signing secret is set: each webhook is verified, and kept in the journal"
	case l.Secrets > 1:
		secret = fmt.Sprintf("%d signing secrets are set: each webhook is verified by one of them, and kept in the journal", l.Secrets)
	}
	sample := "Create a contact in Loops. Without Loops at hand: " + ways
	if len(m.samples) == 0 && m.opens() {
		sample = "Enter opens the mapping as it is saved. " + sample
	}
	if l.Problem != "" {
		sample = ways
	}
	return []string{url, secret, sample}
}

// drawArrived is the list of what has come, the latest first.
func (m *Model) drawArrived(w, h int) []string {
	c := &m.capture
	inner := w - 2
	event, email := min(24, inner*28/100), min(32, inner*32/100)
	verdict := inner - 2 - 8 - event - email - 4 - 5
	faint := m.st.faint
	lines := []string{m.st.line(false, inner, cell{text: "time", w: 8, look: faint}, cell{text: "event", w: event, look: faint},
		cell{text: "email", w: email, look: faint}, cell{text: "code", w: 4, look: faint}, cell{text: "verdict", w: verdict, look: faint})}
	for i := c.top; i < len(c.arrivals) && len(lines) < rows(h); i++ {
		a := c.arrivals[i]
		text, look := a.Problem, m.st.bad
		switch {
		case a.Trial && a.Code == 200:
			text, look = "verified (trial)", m.st.good
		case a.Signed && a.Code == 200:
			text, look = "verified", m.st.good
		case a.Signed:
			text, look = "not stored", m.st.warn
		case a.Body != nil:
			text, look = "not verified", m.st.warn
		}
		lines = append(lines, m.st.line(i == c.cursor, inner,
			cell{text: a.At.Format("15:04:05"), w: 8, look: faint}, cell{text: safe(a.Event), w: event}, cell{text: safe(a.Email), w: email},
			cell{text: fmt.Sprint(a.Code), w: 4, look: look}, cell{text: safe(text), w: verdict, look: look}))
	}
	f := framed{title: "Arrived", figure: plural(len(c.arrivals), "webhook"), top: c.top, at: c.cursor, all: len(c.arrivals), head: 1}
	return m.st.frame(f, lines, w, h)
}
