package tui

import (
	"context"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/column"
)

// came is the screen of what came in, and of one delivery of it.
type came struct {
	before screen // where esc leads
	list   []Delivery
	mark   int64
	ctx    context.Context // of the wait for news
	stop   context.CancelFunc
	read   bool // the journal has been looked at
	query  string
	holds  map[string]bool // ids of deliveries that the search has found in their bodies
	search context.CancelFunc
	rows   []int // indexes into list of what the search shows
	cursor int
	top    int

	shown  *Delivery // the one that is shown whole
	body   pager
	tree   tree
	asTree bool
}

type (
	cameMsg struct {
		turn int
		list []Delivery
		mark int64
		err  error
	}
	deliveryMsg struct {
		turn     int
		delivery Delivery
		sample   bool // it is to be mapped by, not shown
		err      error
	}
	holdMsg struct {
		query string
		ids   map[string]bool
		err   error
	}
)

func (m *Model) startListing() tea.Cmd {
	if m.screen != listing {
		m.came.before = m.screen
	}
	m.stopListing()
	m.turn++
	m.screen, m.came.mark = listing, 0
	m.came.ctx, m.came.stop = context.WithCancel(m.ctx)
	return m.readDeliveries()
}

// stopListing ends the wait for news once their screen is left.
func (m *Model) stopListing() {
	if m.came.stop != nil {
		m.came.stop()
		m.came.stop = nil
	}
	m.came.stopSearch()
}

func (m *Model) readDeliveries() tea.Cmd {
	turn, mark, ctx, b := m.turn, m.came.mark, m.came.ctx, m.cfg.Backend
	return func() tea.Msg {
		list, next, err := b.Deliveries(ctx, mark)
		if ctx.Err() != nil || list == nil && err == nil {
			return nil
		}
		return cameMsg{turn, list, next, err}
	}
}

// listed takes what was read, and waits for more.
func (m *Model) listed(msg cameMsg) tea.Cmd {
	if msg.turn != m.turn || m.came.stop == nil {
		return nil
	}
	c := &m.came
	if c.read = true; msg.err != nil {
		m.complain(msg.err)
		return nil
	}
	c.mark = msg.mark
	c.take(msg.list)
	if c.search != nil { // it goes on: what comes all the time must not begin it anew for ever
		return m.readDeliveries()
	}
	return tea.Batch(m.readDeliveries(), m.searchBodies())
}

// take shows another list, the cursor on the same delivery as before, or on the
// newest when it stood there.
func (c *came) take(list []Delivery) {
	id := ""
	if d := c.current(); d != nil && c.cursor > 0 {
		id = d.ID
	}
	c.list = list
	c.find(c.query)
	for i, r := range c.rows {
		if id != "" && c.list[r].ID == id {
			c.cursor = i
		}
	}
}

// find shows what the search finds, as far as is known of the bodies.
func (c *came) find(query string) {
	if c.query != query {
		c.holds = nil
	}
	c.query = query
	c.rows, c.cursor = c.rows[:0], 0
	m := newMatcher(query)
	for i, d := range c.list {
		if m.empty() || c.holds[d.ID] || m.match(facts(d), "", false) {
			c.rows = append(c.rows, i)
		}
	}
}

func facts(d Delivery) string {
	return strings.Join([]string{d.Event, d.Email, d.Status, d.Reason, d.ID}, " ")
}

// searchBodies looks for the search in the bodies, which are not kept here.
func (m *Model) searchBodies() tea.Cmd {
	c := &m.came
	c.stopSearch()
	match := newMatcher(c.query)
	if match.empty() || c.stop == nil {
		return nil
	}
	ctx, stop := context.WithCancel(c.ctx)
	c.search = stop
	b, query := m.cfg.Backend, c.query
	return func() tea.Msg {
		defer stop()
		ids, err := b.Search(ctx, func(d Delivery) bool { return match.match(facts(d), string(d.Body), false) })
		if ctx.Err() != nil {
			return nil
		}
		return holdMsg{query, ids, err}
	}
}

func (c *came) stopSearch() {
	if c.search != nil {
		c.search()
		c.search = nil
	}
}

// found takes what the bodies hold, the cursor on the same delivery.
func (m *Model) found(msg holdMsg) {
	c := &m.came
	switch {
	case msg.query != c.query:
	case msg.err != nil:
		m.complain(msg.err)
	default:
		c.search, c.holds = nil, msg.ids
		c.take(c.list)
	}
}

func (c *came) current() *Delivery {
	if c.cursor >= len(c.rows) {
		return nil
	}
	return &c.list[c.rows[c.cursor]]
}

func (c *came) move(by int)  { c.cursor = clamp(c.cursor+by, len(c.rows)) }
func (c *came) settle(h int) { c.top = window(c.top, c.cursor, len(c.rows), h) }

func (c *came) scroll(by, w, h int) {
	if c.asTree {
		c.tree.move(by)
		c.tree.top = window(c.tree.top, c.tree.cursor, len(c.tree.rows), h-1)
		return
	}
	c.body.scroll(by, w, h)
}

func (c *came) shownID() string {
	if c.shown == nil {
		return ""
	}
	return c.shown.ID
}

func (c *came) status() string {
	if !c.read {
		return "looking at the journal"
	}
	s := fmt.Sprintf("%d deliveries", len(c.list))
	if len(c.list) == 1 {
		s = "1 delivery"
	}
	if c.query != "" {
		s += fmt.Sprintf(", %d found", len(c.rows))
	}
	if c.search != nil {
		s += ", looking into the bodies"
	}
	return s
}

// onCame carries out what is done on a delivery.
func (m *Model) onCame(a action) tea.Cmd {
	c := &m.came
	switch a {
	case showDelivery:
		return m.readDelivery(false)
	case otherView:
		if c.tree.attrs == nil {
			c.tree.load(body.Attributes([][]byte{c.shown.Body}))
			c.tree.cursor = 0
		}
		if len(c.tree.rows) == 0 {
			m.say("the body is not a JSON object: there is no tree")
			return nil
		}
		c.asTree = !c.asTree
	case open:
		c.tree.open()
	case shut:
		c.tree.shut()
	case asSample:
		if m.screen != showing {
			return m.readDelivery(true)
		}
		m.use(Sample{From: "delivery " + c.shown.ID, Body: c.shown.Body})
	}
	return nil
}

// readDelivery reads the delivery under the cursor whole.
func (m *Model) readDelivery(sample bool) tea.Cmd {
	d := m.came.current()
	if d == nil {
		return nil
	}
	turn, id, ctx, b := m.turn, d.ID, m.came.ctx, m.cfg.Backend
	return func() tea.Msg {
		d, err := b.Delivery(ctx, id)
		return deliveryMsg{turn, d, sample, err}
	}
}

// opened shows a delivery that was read whole, or maps by it.
func (m *Model) opened(msg deliveryMsg) {
	c := &m.came
	switch d := msg.delivery; {
	case msg.turn != m.turn || m.screen != listing:
	case msg.err != nil:
		m.complain(msg.err)
	case msg.sample:
		m.use(Sample{From: "delivery " + d.ID, Body: d.Body})
	default:
		c.shown, m.screen = &d, showing
		c.body = newPager(linesOf(m.tellDelivery(d)), bodyOf(d.Body))
		if len(d.Body) == 0 {
			c.body = newPager(linesOf(append(m.tellDelivery(d), "none: it came without, or is not kept any more (journal.keep)")))
		}
		c.tree, c.asTree = tree{}, false
	}
}

// sayCell is a cell in words that tell null from absent.
func sayCell(c column.Cell) string {
	if c.State == column.Missing {
		return "absent: the row keeps what it has, a new one gets NULL"
	}
	return cellText(c)
}

// tellDelivery is all there is to say of a delivery before its body: its facts, and the
// row that the mapping makes of it.
func (m *Model) tellDelivery(d Delivery) []string {
	lines := []string{
		"received  " + d.At.Format(time.DateTime),
		"id        " + safe(d.ID),
		"event     " + safe(d.Event),
		"status    " + safe(d.Status),
	}
	if d.Reason != "" {
		lines = append(lines, "reason    "+safe(d.Reason))
	}
	lines = append(lines, "", "ROW by the mapping as it is on the screen")
	row, err := m.draft.Row(mapping.Delivery{ID: d.ID, Body: d.Body})
	switch {
	case err == nil && row.Action == mapping.Delete:
		lines = append(lines, "  deleted: "+safe(row.Key))
	case err == nil && row.Action == mapping.Update:
		lines = append(lines, "  changed where it is there: "+safe(row.Key))
	}
	for i, col := range m.draft.Columns() {
		if i >= len(row.Cells) || row.Event == "" || row.Cells[i].State == column.Missing && (row.Action != mapping.Upsert || col.From.Len() == 0) {
			continue
		}
		lines = append(lines, "  "+fill(safe(col.Name), 24)+" "+sayCell(row.Cells[i]))
	}
	if err != nil {
		lines = append(lines, "  no row: "+safe(err.Error()))
	}
	if len(d.Pushes) > 0 {
		lines = append(lines, "", "SENT BACK from its row")
	}
	for _, l := range d.Pushes {
		lines = append(lines, "  "+tellOutcome(l))
	}
	return append(lines, "", "BODY")
}

// whyLines is the room below the list for why the one under the cursor is no row.
const whyLines = 3

// lines draws the list.
func (c *came) lines(w, h int, st styles) []string {
	event, email := min(26, w*26/100), min(40, w*36/100)
	row := func(a, b, d, e string) string {
		if w < 60 { // the email is on the screen of each
			return fill(fill(a, 16)+" "+fill(b, w-30)+" "+e, w)
		}
		return fill(fill(a, 16)+" "+fill(b, event)+" "+fill(d, email)+" "+e, w)
	}
	lines := []string{st.title.Render(row("  RECEIVED", "event", "email", "status"))}
	if c.read && len(c.list) == 0 {
		lines = append(lines, hang("  ", "nothing has come in yet: `loopmap sync` receives, `loopmap trigger contact.created` tries it", w)...)
	}
	h -= whyLines
	for i := c.top; i < len(c.rows) && len(lines) < h; i++ {
		d := c.list[c.rows[i]]
		pointer := "  "
		if i == c.cursor {
			pointer = "> "
		}
		line := row(pointer+d.At.Format("01-02 15:04:05"), safe(d.Event), safe(d.Email), safe(d.Status))
		if i == c.cursor {
			line = st.cursor.Render(line)
		}
		lines = append(lines, line)
	}
	lines = append(block(lines, w, h), strings.Repeat("-", w))
	if d := c.current(); d != nil && d.Reason != "" {
		lines = append(lines, wrap(safe(d.Reason), w)...)
	} else if d != nil && len(d.Pushes) > 0 {
		lines = append(lines, wrap("sent back: "+outcomes(d.Pushes), w)...)
	}
	return block(lines, w, h+whyLines)
}

// oneLines draws one delivery, as text or as a tree.
func (c *came) oneLines(w, h int, picked map[string]bool, st styles) []string {
	if c.asTree {
		return c.tree.lines(w, h, picked, 1, true, st)
	}
	return c.body.lines(w, h)
}
