package tui

import (
	"cmp"
	"context"
	"fmt"
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
	read    bool   // the table has been looked at
	asked   bool   // Loops has been asked
	askedBy string // by the connection that the mapping named
	stale   bool   // the mapping has changed since compute
	fields  []column.Field
	lacks   []string // columns that the table has not yet
	keyless int      // rows of the table without a key: they are not sent
	samples bool     // rows are those of the samples: the table has none
	problem string   // why no row can be looked at
	catalog Catalog

	slots       []slots.Slot
	cursor, top int // of slots
	tableRows
	rowTop   int
	tableTop int // the first row that the table shows
	from     int // the first column that it shows
	col      int // the column under the cursor
	look     TableLook
	body     pager             // what goes out of the row that is shown
	query    string            // what was looked for among the slots
	find     string            // what was looked for among the rows
	at       time.Time         // when the rows were looked at
	now      [][]outgoing.Step // of each row, what it sends now, and why not
	wrong    []string          // what keeps the requests from being made
	misfits  []string          // what Loops would refuse: nothing is sent
	sender   *outgoing.Sender  // nil while something is wrong, or there is no push part
	sure     bool              // the last key asked to be pressed again

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
	catalogMsg struct {
		catalog Catalog
		by      string // the connection that the mapping named when it was asked for
	}
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
		return m.readRows(anew)
	}
	return tea.Batch(m.readRows(anew), m.askLoops(), m.readLook())
}

// askLoops finds out which properties, lists and events Loops has.
func (m *Model) askLoops() tea.Cmd {
	b, n, by := m.cfg.Backend, m.draft, m.connection()
	m.push.askedBy = by
	var events []string
	if n.Push != nil {
		for _, e := range n.Push.Events {
			events = append(events, e.Name)
		}
	}
	return func() tea.Msg { return catalogMsg{b.Catalog(m.ctx, n, events), by} }
}

// sampleRows shows what the samples would make of an empty table.
func (m *Model) sampleRows() {
	p := &m.push
	for i, r := range m.row.rows {
		if r.problem != "" || r.Action != mapping.Upsert {
			continue
		}
		row := TableRow{Row: outgoing.Row{Key: r.Key, Cells: map[string]column.Cell{}}}
		for k, c := range m.draft.Columns() {
			if k < len(r.Cells) {
				row.Cells[c.Name] = r.Cells[k]
			}
		}
		row.Key += fmt.Sprintf(" (sample %d)", i+1)
		p.rows, p.samples, p.begin, p.end = append(p.rows, row), true, true, true
	}
}

func (m *Model) sawCatalog(msg catalogMsg) {
	if msg.by != m.connection() {
		return // of another team than the one that the mapping sends to by now
	}
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
		p.now = append(p.now, p.sender.Judge(row.Row, outgoing.Resend{}))
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
func (p *pushScreen) shownRow() (row TableRow, ok bool) {
	if p.row >= len(p.rows) {
		return row, false
	}
	return p.rows[p.row], true
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
		p.moveRow(towards(a))
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
		case nextHit, prevHit:
			m.nextRow(a)
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
		p.moveRow(by)
	case bodyPane:
		p.body.top = max(0, p.body.top+by)
	}
}

// jump goes to the next slot, in the direction of step, whose name or value holds text. With
// a step of 0 that may be the one under the cursor.
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

// copyBody copies the body of the request under the cursor.
func (m *Model) copyBody() tea.Cmd {
	row, ok := m.push.shownRow()
	if ok && m.push.sender != nil {
		for _, st := range m.push.sender.Steps(row.Row, outgoing.Resend{Failed: true, Unknown: true, Same: true}) {
			if st.Kind == requestKind(m.draft, m.push.current().Event) && st.Request != nil {
				return m.clip(string(st.Request.Body), "the body of "+st.Request.Method+" "+st.Request.Path)
			}
		}
	}
	m.say("there is no request to copy here")
	return nil
}
