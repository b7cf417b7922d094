package tui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/column"
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
		deliveriesScreen{}.move(m, map[action]int{nextHit: 1, prevHit: -1}[a])
	case a == fetch:
		return m.startListing()
	case a == order:
		m.came.orderBy(m.came.order.next(4))
	case d == nil:
	case a == enter, a == open:
		return m.readDelivery(false)
	case a == asSample:
		return m.readDelivery(true)
	case a == replay:
		return m.replay(d.ID)
	case a == copyPath:
		return m.clip(d.ID, safe(d.ID))
	}
	return nil
}

func (deliveriesScreen) draw(m *Model) []string {
	l := m.cameLayout()
	list := m.drawDeliveries(l.list.w, l.list.h)
	switch {
	case l.one.h == 0:
		return list
	case l.one.x > 0:
		return beside(list, m.drawAbout(l.one.w, l.one.h))
	}
	return append(list, m.drawAbout(l.one.w, l.one.h)...)
}

type replayedMsg struct {
	words string
	err   error
}

// replay maps a delivery of the journal again.
func (m *Model) replay(id string) tea.Cmd {
	if m.Unsaved() {
		m.say("save the mapping first (%s): deliveries are mapped by the file", keyFor(save))
		return nil
	}
	b, ctx := m.cfg.Backend, m.ctx
	m.say("mapping %s again", safe(id))
	return func() tea.Msg {
		words, err := b.Replay(ctx, id)
		return replayedMsg{words, err}
	}
}

func (m *Model) replayed(msg replayedMsg) tea.Cmd {
	if m.say("%s", msg.words); msg.err != nil {
		m.complain(msg.err)
	}
	if m.place == deliveriesPlace && len(m.over) == 0 {
		return m.startListing()
	}
	return nil
}

// readDelivery reads the delivery under the cursor whole.
func (m *Model) readDelivery(sample bool) tea.Cmd {
	d := m.came.current()
	if d == nil {
		return nil
	}
	if m.came.ctx == nil {
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
	case msg.turn != m.turn || m.place != deliveriesPlace:
	case msg.err != nil:
		m.complain(msg.err)
	case msg.sample:
		m.use(Sample{From: "delivery " + d.ID, Body: d.Body})
		m.toMisfit()
	default:
		c.shown = &d
		m.lay(deliveryScreen{})
		c.body = newPager(m.factsOf(m.tellDelivery(d)), bodyOf(d.Body))
		if len(d.Body) == 0 {
			none := "none: it came without, or is not kept any more (journal.keep)"
			c.body = newPager(m.factsOf(append(m.tellDelivery(d), none)))
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
		untold := i >= len(row.Cells) || row.Event == ""
		if untold || row.Cells[i].State == column.Missing && (row.Action != mapping.Upsert || col.From.Len() == 0) {
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

// deliveryScreen is one delivery whole, as text or as a tree.
type deliveryScreen struct{ quiet }

func (deliveryScreen) where(*Model) where { return onDelivery }

func (deliveryScreen) settle(m *Model) {
	w, h := m.w-4, rows(m.room().h)
	if m.came.asTree {
		m.came.tree.top = window(m.came.tree.top, m.came.tree.cursor, len(m.came.tree.rows), h)
		return
	}
	m.came.body.fit(w, h)
}

func (deliveryScreen) move(m *Model, by int) {
	if m.came.asTree {
		m.came.tree.move(by)
		return
	}
	m.came.body.scroll(by, m.w-4, rows(m.room().h))
}

func (deliveryScreen) do(m *Model, a action) tea.Cmd {
	c := &m.came
	switch a {
	case nextPane:
		if c.tree.attrs == nil {
			c.tree.label = m.listName
			c.tree.load(body.Attributes([][]byte{c.shown.Body}))
			c.tree.cursor = 0
		}
		if len(c.tree.rows) == 0 {
			m.say("the body is not a JSON object: there is no tree")
			return nil
		}
		c.asTree = !c.asTree
	case nextItem, prevItem:
		return m.nextDelivery(a)
	case asSample:
		m.use(Sample{From: "delivery " + c.shown.ID, Body: c.shown.Body})
		m.toMisfit()
	case replay:
		return m.replay(c.shown.ID)
	case copyPath:
		return m.clip(string(c.shown.Body), "the body of "+safe(c.shown.ID))
	case edit:
		return m.editText(c.shown.Body)
	case find, nextHit, prevHit:
		c.asTree = false
		m.findInText(&c.body, a, m.w-4, rows(m.room().h))
	default:
		if c.asTree {
			c.tree.fold(a)
		}
	}
	return nil
}

// nextDelivery shows the next of the list, or the one before.
func (m *Model) nextDelivery(a action) tea.Cmd {
	was := m.came.cursor
	m.came.cursor = clamp(was+map[action]int{nextItem: 1, prevItem: -1}[a], len(m.came.rows))
	if m.came.cursor == was {
		m.say("that is the %s of the list", map[action]string{nextItem: "last", prevItem: "first"}[a])
		return nil
	}
	return m.readDelivery(false)
}

func (deliveryScreen) draw(m *Model) []string {
	c, r := &m.came, m.room()
	figure := safe(c.shown.Event) + ", " + safe(c.shown.Status)
	title := "Delivery " + safe(label(c.shown.ID))
	if c.asTree {
		f := framed{title: title, figure: figure, focused: true, top: c.tree.top, at: c.tree.cursor, all: len(c.tree.rows)}
		f.foot = safe(label(c.tree.path()))
		return m.st.frame(f, c.tree.lines(r.w-2, rows(r.h), m.picked, 1, true, &m.st), r.w, r.h)
	}
	return m.st.frame(c.body.framedIn(title, figure), padded(c.body.lines(r.w-4, rows(r.h), &m.st)), r.w, r.h)
}

// factsOf are lines of facts, in colours: headings, and what became of it.
func (m *Model) factsOf(lines []string) flow {
	f := linesOf(lines)
	f.paint = func(t *theme, line string) string {
		name, rest, ok := strings.Cut(line, " ")
		switch {
		case ok && name == strings.ToUpper(name) && len(name) > 2, line == "BODY":
			return t.title.Render(line)
		case name == "status":
			return t.faint.Render(name) + " " + t.status(strings.TrimSpace(rest)).Render(rest)
		case name == "reason", strings.HasPrefix(line, "  no row"):
			return t.bad.Render(line)
		case name == "received" || name == "id" || name == "event":
			return t.faint.Render(name) + " " + rest
		}
		return line
	}
	return f
}
