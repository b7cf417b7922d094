package tui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
)

// came is the screen of what came in, and of one delivery of it.
type came struct {
	list   []Delivery
	mark   int64
	ctx    context.Context // of the wait for news
	stop   context.CancelFunc
	read   bool // the journal has been looked at
	query  string
	holds  map[string]bool // ids of deliveries that the search has found in their bodies
	search context.CancelFunc
	rows   []int // indexes into list of what the search shows
	order  ordered
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
		from     place
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
	m.stopListing()
	m.turn++
	m.came.mark = 0
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
	if c.order.by > 0 {
		slices.SortStableFunc(c.rows, func(a, b int) int { return c.order.compare(c.list[a].shown(c.order.by), c.list[b].shown(c.order.by)) })
	}
}

// shown is what the list shows of a delivery in one of its columns.
func (d *Delivery) shown(column int) string {
	return [...]string{"", d.At.Format(time.DateTime), d.Event, d.Email, d.Status}[column]
}

// orderBy orders the list anew, the cursor on the same delivery.
func (c *came) orderBy(o ordered) {
	c.order = o
	id := ""
	if d := c.current(); d != nil {
		id = d.ID
	}
	c.find(c.query)
	c.cursor = max(0, slices.IndexFunc(c.rows, func(i int) bool { return c.list[i].ID == id }))
}

// widths are the cells of the list's columns: when, event, email, outcome. The email takes
// what the others leave.
func (c *came) widths(w, h int) (list [4]int) {
	list = [4]int{14, 8, 0, 12}
	for i := c.top; i < len(c.rows) && i < c.top+h; i++ {
		list[1] = max(list[1], width(safe(c.list[c.rows[i]].Event)))
	}
	room := w - 2 - list[0] - list[3] - 3
	if room < 30 {
		list[0], room = 5, room+9 // the time alone
	}
	list[1] = min(list[1], max(room-32, room/3))
	list[2] = room - list[1]
	return list
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

func (c *came) status() string {
	if !c.read {
		return "looking at the journal"
	}
	s := fmt.Sprintf("%d deliveries", len(c.list))
	if len(c.list) == 1 {
		s = "1 delivery"
	}
	if c.query != "" {
		s = fmt.Sprintf("/%s: %d of %s", safe(label(c.query)), len(c.rows), s)
	}
	if c.search != nil {
		s += ", looking into the bodies"
	}
	return s
}

// when is when a delivery came, in so many cells.
func (*came) when(d Delivery, w int) string {
	if w < 14 {
		return d.At.Format("15:04")
	}
	return d.At.Format("01-02 15:04:05")
}

// deliveriesScreen is the place of what came in.
type deliveriesScreen struct{ quiet }

func (deliveriesScreen) where(*Model) where { return onDeliveries }

func (deliveriesScreen) move(m *Model, by int) {
	m.came.cursor = clamp(m.came.cursor+by, len(m.came.rows))
}

func (deliveriesScreen) settle(m *Model) {
	m.came.top = window(m.came.top, m.came.cursor, len(m.came.rows), rows(m.cameLayout().list.h)-1)
}

func (deliveriesScreen) back(m *Model) bool {
	if m.came.query == "" {
		return false
	}
	m.came.stopSearch()
	m.came.find("")
	return true
}

func (deliveriesScreen) click(m *Model, x, y int) action {
	r := m.cameLayout().list
	if w := m.came.widths(r.w-2, rows(r.h)); y == r.y+1 {
		if column := heads(x-r.x-1, w[:]...); column > 0 {
			m.came.orderBy(m.came.order.click(column))
		}
		return none
	}
	if i := m.came.top + y - r.y - 2; r.has(x, y) && y > r.y+1 && i < len(m.came.rows) {
		m.came.cursor = i
		return selected
	}
	return none
}

func (deliveriesScreen) do(m *Model, a action) tea.Cmd {
	d := m.came.current()
	switch {
	case a == find:
		m.startSearch()
	case a == nextHit, a == prevHit: // all that is shown was found
		deliveriesScreen{}.move(m, towards(a))
	case a == fetch:
		return m.startListing()
	case a == order:
		m.came.orderBy(m.came.order.next(4))
	case d == nil:
	case a == enter, a == open:
		return m.readDelivery(d.ID, false)
	case a == asSample:
		return m.readDelivery(d.ID, true)
	case a == replay:
		return m.replay(d.ID)
	case a == copyPath:
		return m.clip(d.ID, safe(d.ID))
	}
	return nil
}

func (deliveriesScreen) draw(m *Model) []string {
	l := m.cameLayout()
	return compose(m.room(), part{l.list, m.drawDeliveries}, part{l.one, m.drawAbout})
}

// drawDeliveries draws the list.
func (m *Model) drawDeliveries(w, h int) []string {
	c := &m.came
	f := framed{title: "Deliveries", figure: c.status(), focused: true, top: c.top, at: c.cursor, all: len(c.rows), head: 1}
	if c.read && len(c.list) == 0 {
		f.figure, f.all = "none yet", 0
		return m.st.frame(f, m.empty(w-2, "Here will be what Loops sends: each webhook, with its body and what became of it.",
			"`loopmap sync` receives; `loopmap trigger contact.created` tries it."), w, h)
	}
	inner := w - 2
	w4 := c.widths(inner, rows(h))
	when, event, email, status := w4[0], w4[1], w4[2], w4[3]
	st := &m.st
	lines := []string{st.line(false, inner, cell{text: c.order.head("received", 1), w: when, look: st.faint},
		cell{text: c.order.head("event", 2), w: event, look: st.faint},
		cell{text: c.order.head("email", 3), w: email, look: st.faint}, cell{text: c.order.head("outcome", 4), w: status, look: st.faint})}
	for i := c.top; i < len(c.rows) && len(lines) < rows(h); i++ {
		d := c.list[c.rows[i]]
		lines = append(lines, st.line(i == c.cursor, inner,
			cell{text: c.when(d, when), w: when, look: st.faint}, cell{text: safe(d.Event), w: event},
			cell{text: safe(d.Email), w: email}, cell{text: safe(d.Status), w: status, look: st.status(d.Status)}))
	}
	if c.query != "" && len(c.rows) == 0 && c.search == nil {
		lines = append(lines, "  "+st.warn.Render("nothing matches; esc clears the search"))
	}
	return st.frame(f, lines, w, h)
}

// drawAbout draws what is known of the delivery under the cursor.
func (m *Model) drawAbout(w, h int) []string {
	d := m.came.current()
	if d == nil {
		return m.st.frame(framed{title: "About it"}, nil, w, h)
	}
	var lines []string
	add := func(s string, look func(...string) string) {
		for _, s := range wrap(s, w-4) {
			lines = append(lines, " "+look(s))
		}
	}
	switch {
	case h <= 8 && d.Reason == "":
		lines = append(lines, " "+m.st.status(d.Status).Render(safe(d.Status))+"  row "+safe(d.RowKey))
	case h > 8:
		for _, f := range [][2]string{{"id", d.ID}, {"email", d.Email}, {"row", d.RowKey}} {
			if f[1] != "" {
				lines = append(lines, " "+m.st.faint.Render(fill(f[0], 6))+safe(f[1]))
			}
		}
		lines = append(lines, " "+m.st.faint.Render(fill("is", 6))+m.st.status(d.Status).Render(safe(d.Status)), "")
	}
	if d.Reason != "" {
		add(safe(d.Reason), m.st.status(d.Status).Render)
	}
	if len(d.Pushes) > 0 && (h > 8 || d.Reason == "") {
		add("sent back: "+outcomes(d.Pushes), m.st.plain.Render)
	}
	return m.st.frame(framed{title: "About it", figure: d.At.Format(time.DateTime)}, lines, w, h)
}
