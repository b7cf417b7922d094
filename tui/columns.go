package tui

import (
	"fmt"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

// columns is the pane of the columns that were picked.
type columns struct {
	cursor   int
	top      int      // the first that is visible
	query    string   // what was looked for
	problems []string // for each column why it does not fit; "" when it does
}

// find goes to the next column whose name or path holds a text.
func (c *columns) find(query string, m *mapping.Mapping, by int) {
	c.query = query
	match, n := newMatcher(query), len(m.Receive.Columns)
	for k := range n {
		i := ((c.cursor+by*(k+1))%n + n) % n
		if by == 0 {
			i = (c.cursor + k) % n
		}
		if col := m.Receive.Columns[i]; !match.empty() && match.match(col.Name+" "+col.From.String(), "", false) {
			c.cursor = i
			return
		}
	}
}

// lines draws the pane in w by h cells.
func (c *columns) lines(w, h int, m *mapping.Mapping, listName func(mapping.Path) string, focused bool, st *theme) (lines []string) {
	list := m.Receive.Columns
	name, kind := 10, 7
	for i := c.top; i < len(list) && i < c.top+h; i++ {
		n := width(safe(list[i].Name))
		if list[i].Name == m.Key {
			n += len(" key")
		}
		name = max(name, n)
	}
	room := w - 2 - kind - 3
	name = min(name, max(room-16, room*11/20))
	for i := c.top; i < len(list) && len(lines) < h; i++ {
		col := list[i]
		shown, look := middle(safe(col.Name), name), st.plain
		if col.Name == m.Key {
			shown, look = middle(safe(col.Name), name-4)+" key", st.title
		}
		typ, typLook := string(col.Type), st.column(col.Type)
		switch {
		case i >= len(c.problems) || c.problems[i] == "":
		case c.problems[i] == notSeen:
			typ, look = typ+" ?", st.faint
		default:
			typ, typLook = typ+" !", st.bad
		}
		from := safe(col.From.String())
		if called := listName(col.From); called != "" {
			from = "list " + safe(called)
		}
		lines = append(lines, st.line(i == c.cursor && focused, w, cell{text: shown, w: name, look: look},
			cell{text: typ, w: kind + 2, look: typLook}, cell{text: tail(from, room-name-2), w: room - name - 2, look: st.faint}))
	}
	return lines
}

// sampleRows is the pane that shows the samples as the rows they give, made by the
// function that sync calls.
type sampleRows struct {
	rows []previewRow
	top  int // the first column that is shown
	from int // the first sample that is shown, from the latest back
}

type previewRow struct {
	mapping.Row
	problem string // why it would be no row
}

// previewed is how many samples the preview shows: the latest.
const previewed = 20

func (p *sampleRows) compute(m *mapping.Mapping, samples []Sample) {
	p.rows = p.rows[:0]
	for i := max(0, len(samples)-previewed); i < len(samples); i++ {
		row, err := m.Row(mapping.Delivery{Body: samples[i].Body})
		r := previewRow{Row: row}
		if err != nil {
			r.problem = err.Error()
		}
		p.rows = append(p.rows, r)
	}
	p.from = clamp(p.from, len(p.rows))
}

// cellText is a cell as the table will hold it.
func cellText(c column.Cell) string {
	switch c.State {
	case column.Present:
		if c.Text == "NULL" || c.Text == "" {
			return `"` + c.Text + `"` // which is not NULL
		}
		return safe(c.Text[:min(len(c.Text), 400)])
	case column.Misfit:
		return "! does not fit"
	case column.Missing, column.Null:
	}
	return "NULL"
}

// lines draws the pane: each column with its value in the samples, the latest first, as
// many as there is room for; below, why one of them is no row.
func (p *sampleRows) lines(w, h int, m *mapping.Mapping, at int, focused bool, st *theme) (lines []string) {
	list := m.Receive.Columns
	fit := p.fits(w, h, m)
	name, shown, each := fit.name, fit.shown, fit.each
	problem := p.problem(w-2, h, shown)
	n := max(0, h-1-len(problem))
	head := []cell{{text: "", w: name}}
	for k := range shown {
		i := len(p.rows) - 1 - p.from - k
		text, look := fmt.Sprintf("sample %d", i+1), st.faint
		if p.rows[i].problem != "" {
			text, look = text+": no row", st.bad
		}
		head = append(head, cell{text: text, w: each, look: look})
	}
	lines = append(lines, st.line(false, w, head...))
	for i := p.top; i < len(list) && len(lines) <= n; i++ {
		look := st.plain
		if list[i].Name == m.Key {
			look = st.title
		}
		cells := []cell{{text: middle(safe(list[i].Name), name), w: name, look: look}}
		for k := range shown {
			r := p.rows[len(p.rows)-1-p.from-k]
			if i >= len(r.Cells) {
				cells = append(cells, cell{w: each})
				continue
			}
			text := cellText(r.Cells[i])
			if r.Cells[i].State == column.Missing {
				text = "-" // the row keeps what it has
			}
			cells = append(cells, cell{text: text, w: each, look: st.cell(r.Cells[i], list[i].Type)})
		}
		lines = append(lines, st.line(i == at && focused, w, cells...))
	}
	for _, s := range problem {
		lines = append(lines, " "+st.bad.Render(s))
	}
	return lines
}

// fitting is how many samples stand beside one another, and in how many cells each.
type fitting struct{ name, shown, each int }

// fits divides w cells between the names of the columns and the samples.
func (p *sampleRows) fits(w, h int, m *mapping.Mapping) (f fitting) {
	f.name = 8
	for i := p.top; i < len(m.Receive.Columns) && i < p.top+h; i++ {
		f.name = max(f.name, width(safe(m.Receive.Columns[i].Name)))
	}
	f.name = min(f.name, max(12, w*2/5))
	room := w - 2 - f.name - 1
	f.shown = min(len(p.rows)-p.from, max(1, room/20))
	f.each = (room - (f.shown - 1)) / max(1, f.shown)
	return f
}

// problem says why the first of so many samples that are no row is none.
func (p *sampleRows) problem(w, h, shown int) []string {
	for k := p.from; k < min(len(p.rows), p.from+shown); k++ {
		if r := p.rows[len(p.rows)-1-k]; r.problem != "" {
			lines := wrap(fmt.Sprintf("sample %d, no row: %s", len(p.rows)-k, safe(r.problem)), w)
			if n := max(0, h/2); len(lines) > n {
				lines = lines[:n]
				if n > 0 {
					lines[n-1] = cut(lines[n-1]+" …", w)
				}
			}
			return lines
		}
	}
	return nil
}
