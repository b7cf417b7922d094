package tui

import (
	"strconv"
	"strings"
)

// The table and the story of a row, line by line.

const tableHelp = `table: the first rows, and what happened to each. table plan == "pro": those that meet a condition.
table failed: those that have something that could not be sent. table by email: in the order of a column. table more: the next ones.
story 2: what wrote each cell of row 2, and what has happened to it; or story and a key.
send row 2: sends that row. send row 2 again: also what Loops has already.`

// rowsSaid is how many rows are said at once.
const rowsSaid = 10

// table says rows of the table.
func (l *liner) table(rest []string) {
	m, p := l.m, &l.m.push
	m.place, p.row = tablePlace, 0
	words := strings.Join(rest, " ")
	switch {
	case words == "more":
		l.from += rowsSaid
	case words == "failed":
		p.setFilter("")
		p.bad = true
	case len(rest) == 2 && rest[0] == "by" && p.orderOf(rest[1]) > 0:
		l.from = 0
		m.orderBy(ordered{by: p.orderOf(rest[1])})
		l.result()
	case words == "":
		p.setFilter("")
		p.order = ordered{}
	default:
		if why, good := m.judgeWhere(words); !good {
			l.say("No: %s.", why)
			return
		}
		p.setFilter(words)
	}
	if words != "more" {
		l.from = 0
	}
	p.row = l.from
	for more := m.moreRows(); more != nil; more = m.moreRows() { // as far as these rows
		m.sawRows(more().(rowsMsg))
		p.row = min(l.from, max(0, len(p.rows)-1))
		if len(p.rows) >= l.from+rowsSaid && p.begin {
			break
		}
	}
	p.compute(m)
	l.result()
	if len(p.rows) == 0 {
		l.say("No rows.")
		return
	}
	if l.from >= len(p.rows) {
		l.say("There are no more.")
		l.from = 0
		return
	}
	for i := l.from; i < min(l.from+rowsSaid, len(p.rows)); i++ {
		l.sayRow(i)
	}
	l.say("%s. Say table more for the next.", m.rowsFigure(200))
}

// sayRow says a row: its cells, the last delivery about it, and what became of what it sent.
func (l *liner) sayRow(i int) {
	m, row := l.m, l.m.push.rows[i]
	var words []string
	for _, f := range m.push.fields {
		if c, ok := row.Cells[f.Name]; ok && !c.Empty() && f.Name != m.naming() {
			words = append(words, f.Name+" "+c.Text)
		}
	}
	came, _ := m.cameOf(row, false)
	if came == "-" {
		came = "no delivery"
	}
	if out := outcomes(row.Lines); out != "-" {
		came += "; " + out
	}
	l.say("%d. %s: %s. %s.", i+1, m.rowName(row.Row), strings.Join(words, ", "), came)
}

// tell says the story of a row.
func (l *liner) tell(rest []string) {
	p := &l.m.push
	key := strings.Join(rest, " ")
	if n, err := strconv.Atoi(key); err == nil && n > 0 && n <= len(p.rows) {
		key = p.rows[n-1].Key
	}
	if key == "" {
		l.say("Of which row? For example story 1, or story and a key.")
		return
	}
	s, err := l.m.cfg.Backend.Story(l.ctx, key)
	if err != nil {
		l.say("%v.", err)
		return
	}
	if l.say("Row %s.", s.Key); !s.There {
		l.say("The row is not there.")
	}
	if s.Note != "" {
		l.say("%s", s.Note)
	}
	for _, c := range s.Cells {
		line := c.Column + ": " + c.Value
		for _, more := range []struct{ word, what string }{{"from", c.From}, {"written", c.Written}, {"by delivery", c.Delivery},
			{"by mapping", c.Mapping}, {"before it was", c.Before}} {
			if more.what != "" && more.what != "-" {
				line += ", " + more.word + " " + more.what
			}
		}
		l.say("%s.", line)
	}
	for _, h := range s.Happened {
		what := h.What
		if h.Push {
			what = "sent " + what
		}
		l.say("%s, %s: %s.", h.At, what, strings.TrimSpace(h.Became+" "+h.ID))
	}
}

// sendRow sends one row by its number.
func (l *liner) sendRow(rest []string) {
	p := &l.m.push
	n := 0
	if len(rest) > 0 {
		n, _ = strconv.Atoi(rest[0])
	}
	if n < 1 || n > len(p.rows) || p.samples {
		l.say("Which row? There are %d: send row 1.", len(p.rows))
		return
	}
	again := len(rest) > 1 && rest[1] == "again"
	p.row = n - 1
	if kinds, why := l.m.wouldGo(again); len(kinds) == 0 {
		if !again {
			why += ". Say send row " + rest[0] + " again to send it all the same, where that can be"
		}
		l.say("Nothing is sent: %s.", why)
		return
	}
	l.sendThese(Sending{Keys: []string{p.rows[n-1].Key}, Failed: true, Again: again})
}
