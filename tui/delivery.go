package tui

import (
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/column"
)

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
	if m.place == deliveriesPlace {
		m.came.cursor = clamp(was+towards(a), len(m.came.rows))
	}
	if m.came.cursor == was {
		end := "last"
		if towards(a) < 0 {
			end = "first"
		}
		m.say("that is the %s of the list", end)
		return nil
	}
	return m.readDelivery(m.came.current().ID, false)
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

// readDelivery reads a delivery whole, to show it or to map by it.
func (m *Model) readDelivery(id string, sample bool) tea.Cmd {
	turn, from, ctx, b := m.turn, m.place, m.ctx, m.cfg.Backend
	return func() tea.Msg {
		d, err := b.Delivery(ctx, id)
		return deliveryMsg{turn, from, d, sample, err}
	}
}

// opened shows a delivery that was read whole, or maps by it.
func (m *Model) opened(msg deliveryMsg) {
	c := &m.came
	switch d := msg.delivery; {
	case msg.turn != m.turn || m.place != msg.from:
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
		lines = append(lines, "  "+safe(l.Kind)+"  "+tellOutcome(l))
	}
	return append(lines, "", "BODY")
}
