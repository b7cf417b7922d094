package tui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
	"loopmap/tui/slots"
)

// pushScreen is where the requests that rows send to Loops are put together, beside
// what they are for real rows and what became of them.
type pushScreen struct {
	focus   pushPane
	read    bool // the table has been looked at
	asked   bool // Loops has been asked
	stale   bool // the mapping has changed since compute
	fields  []column.Field
	rows    []outgoing.Row
	more    bool   // the table has more rows
	keyless int    // and so many that nothing tells apart
	samples bool   // rows are those of the samples: the table has none
	problem string // why no row can be looked at
	catalog Catalog

	slots       []slots.Slot
	cursor, top int // of slots
	row, rowTop int
	tableTop    int // the first row that the table shows
	from        int // and the first column
	order       ordered
	body        pager             // what goes out of the row that is shown
	query       string            // what was looked for among the slots
	find        string            // and among the rows
	at          time.Time         // when the rows were looked at
	now         [][]outgoing.Step // of each row, what it sends now, and why not
	wrong       []string          // what keeps the requests from being made
	misfits     []string          // what Loops would refuse: nothing is sent
	sender      *outgoing.Sender  // nil while something is wrong, or there is no push part
	sure        bool              // the last key has said what the same one would do now

	running  bool
	stop     context.CancelFunc
	progress PushProgress
}

type pushPane int

const (
	requestsPane pushPane = iota
	rowsPane
	bodyPane
)

type (
	pushViewMsg struct {
		view PushView
		err  error
	}
	catalogMsg struct{ catalog Catalog }
	createdMsg struct {
		property mapping.Property
		err      error
	}
	progressMsg struct {
		progress PushProgress
		more     <-chan PushProgress
	}
	pushedMsg struct {
		words string
		err   error
	}
)

// startPush opens the push screen.
func (m *Model) startPush() tea.Cmd {
	p := &m.push
	p.stale = true
	if p.asked {
		return m.readPushes()
	}
	return tea.Batch(m.readPushes(), m.askLoops())
}

func (m *Model) readPushes() tea.Cmd {
	b, n := m.cfg.Backend, m.draft
	return func() tea.Msg {
		view, err := b.Pushes(m.ctx, n)
		return pushViewMsg{view, err}
	}
}

// askLoops finds out which properties, lists and events Loops has.
func (m *Model) askLoops() tea.Cmd {
	b := m.cfg.Backend
	var events []string
	if m.draft.Push != nil {
		for _, e := range m.draft.Push.Events {
			events = append(events, e.Name)
		}
	}
	return func() tea.Msg { return catalogMsg{b.Catalog(m.ctx, events)} }
}

func (m *Model) sawPushes(msg pushViewMsg) {
	p := &m.push
	if p.read, p.stale = true, true; msg.err != nil {
		m.complain(msg.err)
		return
	}
	key := ""
	if r, ok := p.shownRow(); ok {
		key = r.Key
	}
	p.fields, p.rows, p.more, p.problem, p.samples = msg.view.Fields, msg.view.Rows, msg.view.More, msg.view.Problem, false
	p.at, p.keyless = msg.view.Now, msg.view.Keyless
	if i := slices.IndexFunc(p.rows, func(r outgoing.Row) bool { return r.Key == key }); i >= 0 {
		p.row = i // the cursor follows its row
	}
	if len(p.rows) > 0 {
		if p.order.by > 0 && p.order.by <= len(p.fields) {
			p.orderRows(p.order)
		}
		return
	}
	for i, r := range m.row.rows { // what the samples would make of an empty table
		if r.problem != "" || r.Action != mapping.Upsert {
			continue
		}
		row := outgoing.Row{Key: r.Key, Cells: map[string]column.Cell{}}
		for k, c := range m.draft.Columns() {
			if k < len(r.Cells) {
				row.Cells[c.Name] = r.Cells[k]
			}
		}
		row.Key += fmt.Sprintf(" (sample %d)", i+1)
		p.rows, p.samples = append(p.rows, row), true
	}
}

func (m *Model) sawCatalog(msg catalogMsg) {
	m.push.catalog, m.push.asked, m.push.stale = msg.catalog, true, true
	for _, l := range msg.catalog.Lists {
		m.nameList(l.ID, l.Name)
	}
}

// compute derives what the screen shows from the mapping, the rows and what Loops has.
func (p *pushScreen) compute(m *Model) {
	p.stale, p.sender, p.wrong, p.misfits, p.now = false, nil, nil, nil, nil
	at := p.current()
	p.slots = m.facts().Slots()
	for i := range p.slots {
		m.judge(&p.slots[i])
	}
	p.cursor = clamp(p.cursor, len(p.slots))
	for i, s := range p.slots { // the line stays under the cursor, wherever it is now
		if s.Is(at) {
			p.cursor = i
		}
	}
	p.row = clamp(p.row, len(p.rows))
	if m.draft.Push == nil || !p.read {
		return
	}
	for _, problem := range m.draft.PushProblems(m.cfg.File, p.fields) {
		p.wrong = append(p.wrong, problem.Msg)
	}
	if len(p.wrong) > 0 {
		return
	}
	var err error
	if p.sender, err = outgoing.NewSender(m.draft, m.cfg.File, p.fields); err != nil {
		p.wrong = []string{err.Error()}
		return
	}
	p.sender = p.sender.At(p.at)
	if cat := p.catalog; cat.Properties != nil && cat.Lists != nil {
		p.misfits, _ = m.draft.PushMisfits(mapping.Team{Properties: cat.Properties, Lists: cat.Lists, Events: cat.EventProperties}, p.fields)
	}
	for _, row := range p.rows {
		p.now = append(p.now, p.sender.Judge(row, outgoing.Resend{}))
	}
}

// current is the slot under the cursor.
func (p *pushScreen) current() slots.Slot {
	if p.cursor < len(p.slots) {
		return p.slots[p.cursor]
	}
	return slots.Slot{}
}

// shownRow is the row whose requests are shown.
func (p *pushScreen) shownRow() (row outgoing.Row, ok bool) {
	if p.row >= len(p.rows) {
		return row, false
	}
	return p.rows[p.row], true
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

// withLine puts an outcome in the place of the one before it, first of all.
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

// sendScreen is the place where requests are put together, and rows sent.
type sendScreen struct{}

func (sendScreen) where(m *Model) where {
	return [...]where{requestsPane: inRequests, rowsPane: inRows, bodyPane: inBody}[m.push.focus]
}

func (sendScreen) back(m *Model) bool {
	was := m.push.focus
	m.push.focus = requestsPane
	return was != requestsPane
}

func (sendScreen) move(m *Model, by int) { m.push.move(by) }

func (sendScreen) do(m *Model, a action) tea.Cmd {
	p := &m.push
	switch a {
	case nextPane, prevPane:
		p.focus = (p.focus + pushPane(towards(a)) + 3) % 3
	case nextItem, prevItem:
		p.row = clamp(p.row+towards(a), len(p.rows))
		p.body.top = 0
	case run, stop, fetch:
		return m.running(a)
	case copyPath:
		return m.copyBody()
	case edit:
		return m.editFile()
	}
	switch p.focus {
	case requestsPane:
		return m.editRequests(a)
	case rowsPane:
		switch a {
		case enter, open:
			p.focus = bodyPane
		case find:
			m.startSearch()
		}
	case bodyPane:
		if a == shut {
			p.focus = rowsPane
			return nil
		}
		l := m.sendLayout()
		m.findInText(&p.body, a, l.body.w-4, rows(l.body.h))
	}
	return nil
}

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

// editRequests changes the requests.
func (m *Model) editRequests(a action) tea.Cmd {
	p := &m.push
	switch a {
	case enter:
		m.startSlot()
	case pick:
		m.pickSlot()
	case drop:
		m.take(m.facts().Drop(p.current()))
	case onNull:
		m.alter(p.current(), slots.NextNull)
	case retype:
		m.alter(p.current(), slots.NextAs)
	case pickAll:
		m.matchAll()
	case add:
		m.startAdding()
	case find:
		m.input = newInput(typingJump, "")
	case nextHit:
		p.jump(p.query, 1)
	case prevHit:
		p.jump(p.query, -1)
	case create:
		ask := func() tea.Cmd { return m.createProperty(p.current()) }
		if p.sure {
			return m.alone(ask)
		}
		return ask()
	}
	return nil
}

// move moves what has the focus.
func (p *pushScreen) move(by int) {
	switch p.focus {
	case requestsPane:
		p.cursor = clamp(p.cursor+by, len(p.slots))
		p.body.top = 0
	case rowsPane:
		p.row = clamp(p.row+by, len(p.rows))
		p.body.top = 0
	case bodyPane:
		p.body.top = max(0, p.body.top+by)
	}
}

// jump goes to a slot whose name holds text: the next one by steps, or with 0 steps the
// one under the cursor if it does.
func (p *pushScreen) jump(text string, step int) {
	p.query = text
	m := newMatcher(text)
	n := len(p.slots)
	from, by := p.cursor, cmp.Or(step, 1)
	if step != 0 {
		from += step
	}
	for i := range n {
		at := ((from+i*by)%n + n) % n
		if s := p.slots[at]; !m.empty() && m.match(s.Label, s.Value, false) {
			p.cursor, p.body.top = at, 0
			return
		}
	}
}

// copyBody puts the body of the request that the cursor is on on the clipboard.
func (m *Model) copyBody() tea.Cmd {
	row, ok := m.push.shownRow()
	if ok && m.push.sender != nil {
		for _, st := range m.push.sender.Steps(row, outgoing.Resend{Failed: true, Unknown: true, Same: true}) {
			if st.Kind == requestKind(m.draft, m.push.current().Event) && st.Request != nil {
				return m.clip(string(st.Request.Body), "the body of "+st.Request.Method+" "+st.Request.Path)
			}
		}
	}
	m.say("there is no request to copy here")
	return nil
}
