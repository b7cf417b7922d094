package tui

import (
	"context"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping"
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
	rows   []int // indexes into list of what the search shows
	cursor int
	top    int

	shown  *Delivery // the one that is shown whole
	body   pager
	tree   tree
	asTree bool
}

func (m *Model) startListing() tea.Cmd {
	if m.screen != listing {
		m.came.before = m.screen
	}
	m.stopListing()
	m.turn++
	m.screen, m.came.mark = listing, 0
	var ctx context.Context
	ctx, m.came.stop = context.WithCancel(context.Background())
	m.came.ctx = ctx
	return m.readDeliveries()
}

// stopListing ends the wait for news once their screen is left.
func (m *Model) stopListing() {
	if m.came.stop != nil {
		m.came.stop()
		m.came.stop = nil
	}
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
	return m.readDeliveries()
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

func (c *came) find(query string) {
	c.query = query
	c.rows, c.cursor = c.rows[:0], 0
	m := newMatcher(query)
	for i, d := range c.list {
		if m.empty() || m.match(strings.Join([]string{d.Event, d.Email, d.Status, d.Reason, d.ID}, " "), string(d.Body), false) {
			c.rows = append(c.rows, i)
		}
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

func (c *came) scroll(by, h int) {
	if c.asTree {
		c.tree.move(by)
		c.tree.top = window(c.tree.top, c.tree.cursor, len(c.tree.rows), h-1)
		return
	}
	c.body.scroll(by, h)
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
	return s
}

// onCame carries out what is done on a delivery.
func (m *Model) onCame(a action) {
	c := &m.came
	switch a {
	case showDelivery:
		if d := c.current(); d != nil {
			one := *d
			c.shown, m.screen = &one, showing
			c.body = newPager(m.tellDelivery(one), m.w)
			c.tree = tree{}
			c.tree.load(mapping.Attributes([][]byte{one.Body}))
			c.tree.cursor, c.asTree = 0, false
		}
	case otherView:
		if len(c.tree.rows) == 0 {
			m.say("the body is no JSON object: there is no tree")
			return
		}
		c.asTree = !c.asTree
	case open:
		c.tree.open()
	case shut:
		c.tree.shut()
	case asSample:
		d := c.current()
		if m.screen == showing {
			d = c.shown
		}
		if d != nil {
			m.use(Sample{From: "delivery " + d.ID, Body: d.Body})
		}
	}
}

// sayCell is a cell in words that tell null from absent.
func sayCell(c mapping.Cell) string {
	if c.State == mapping.Missing {
		return "absent: the row keeps what it has, a new one gets NULL"
	}
	return cellText(c)
}

// tellDelivery is all there is to say of a delivery: its facts, the row that the
// mapping makes of it, the body.
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
		if i >= len(row.Cells) || row.Event == "" || row.Cells[i].State == mapping.Missing && (row.Action != mapping.Upsert || col.From.Len() == 0) {
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
	if len(d.Body) == 0 {
		return append(lines, "", "BODY", "none: it came without, or is not kept any more (journal.keep)")
	}
	return append(append(lines, "", "BODY"), pretty(d.Body)...)
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
