package tui

import (
	"strings"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

// columns is the pane of the columns that were picked.
type columns struct {
	cursor   int
	top      int      // the first that is visible
	problems []string // for each column why it does not fit; "" when it does
}

// nameWidth is the cells of the column of names.
func (c *columns) nameWidth(m *mapping.Mapping) int {
	name := 14
	for _, col := range m.Receive.Columns {
		n := 2 + min(40, width(safe(col.Name)))
		if col.Name == m.Key {
			n += len(" key")
		}
		name = max(name, n)
	}
	return name
}

// lines draws the pane in w by h cells.
func (c *columns) lines(w, h int, m *mapping.Mapping, focused bool, st styles) []string {
	name := min(c.nameWidth(m), w*55/100)
	row := func(a, b, d string) string { return fill(fill(a, name)+" "+fill(b, 9)+" "+d, w) }
	lines := []string{st.title.Render(row("COLUMNS", "type", "from"))}
	list := m.Receive.Columns
	for i := c.top; i < len(list) && len(lines) < h; i++ {
		pointer := "  "
		if i == c.cursor && focused {
			pointer = "> "
		}
		shown := safe(list[i].Name)
		if list[i].Name == m.Key {
			shown = cut(shown, name-6) + " key"
		}
		kind := string(list[i].Type)
		switch {
		case i >= len(c.problems) || c.problems[i] == "":
		case c.problems[i] == notSeen:
			kind += " ?"
		default:
			kind += " !"
		}
		line := row(pointer+shown, kind, list[i].From.String())
		if i == c.cursor && focused {
			line = st.cursor.Render(line)
		}
		lines = append(lines, line)
	}
	return block(lines, w, h)
}

// preview is the pane that shows the samples as the rows they give, made by the
// function that sync calls.
type preview struct {
	rows []previewRow
	top  int
}

type previewRow struct {
	mapping.Row
	problem string // why it would be no row
}

// previewed is how many samples the preview shows: the latest.
const previewed = 20

func (p *preview) compute(m *mapping.Mapping, samples []Sample) {
	p.rows = p.rows[:0]
	for i := max(0, len(samples)-previewed); i < len(samples); i++ {
		row, err := m.Row(mapping.Delivery{Body: samples[i].Body})
		r := previewRow{Row: row}
		if err != nil {
			r.problem = err.Error()
		}
		p.rows = append(p.rows, r)
	}
	p.top = clamp(p.top, len(p.rows))
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
	}
	return "NULL"
}

// margin is the room left of the preview's cells.
const margin = 10

// lines draws the pane: the key, then as many columns as there is room for, the
// one at index at among them; below the rows, why one of them is none.
func (p *preview) lines(w, h int, m *mapping.Mapping, at int, focused bool, st styles) []string {
	title := fill("PREVIEW", margin)
	if focused {
		title = fill("> PREVIEW", margin)
	}
	if len(p.rows) == 0 {
		return block([]string{st.title.Render(title) + "no sample yet"}, w, h)
	}
	problem := p.problem(w, h)
	shown := p.rows[p.top:min(len(p.rows), p.top+max(1, h-1-len(problem)))]
	texts := make([][]string, len(m.Receive.Columns)) // of each column, its name first
	wide := make([]int, len(texts))
	for i, c := range m.Receive.Columns {
		texts[i] = append(texts[i], safe(c.Name))
		for _, r := range shown {
			texts[i] = append(texts[i], cellText(r.Cells[i]))
		}
		for _, s := range texts[i] {
			wide[i] = min(22, max(wide[i], width(s)))
		}
		if c.Name == m.Key && len(m.Receive.Columns) > 1 {
			wide[i] = min(14, wide[i]) // it is only there to tell rows apart
		}
	}
	lines := make([]string, 1+len(shown))
	lines[0] = title
	for k := range shown {
		lines[k+1] = strings.Repeat(" ", margin)
	}
	order := inView(m, at, wide, w-margin-3)
	drawn := 0
	for n, i := range order {
		gap := strings.Repeat(" ", min(2, 2*n))
		room := min(wide[i], w-3-width(lines[0])-len(gap))
		if room < min(4, wide[i]) {
			break
		}
		for k, s := range texts[i] {
			lines[k] += gap + fill(s, room)
		}
		drawn++
	}
	if drawn < len(order) || len(order) < len(m.Receive.Columns) {
		lines[0] += " " + map[bool]string{true: "<"}[len(order) < len(m.Receive.Columns)] + map[bool]string{true: ">"}[drawn < len(order)]
	}
	lines[0] = st.title.Render(fill(lines[0], w))
	for _, s := range problem {
		lines = append(lines, st.bad.Render(s))
	}
	return block(lines, w, h)
}

// inView is which columns to draw in room cells: the key, then a run of the others
// that begins as early as it can and still shows the one at index at.
func inView(m *mapping.Mapping, at int, wide []int, room int) (order []int) {
	var others []int
	for i, c := range m.Receive.Columns {
		if c.Name == m.Key {
			order, room = append(order, i), room-wide[i]
		} else {
			others = append(others, i)
		}
	}
	from, taken := 0, 0
	for k, i := range others {
		taken += 2 + wide[i]
		for ; taken > room && from < k; from++ {
			taken -= 2 + wide[others[from]]
		}
		if i >= at {
			break
		}
	}
	return append(order, others[min(from, len(others)):]...)
}

// problem says why the first of the rows that is none is none.
func (p *preview) problem(w, h int) []string {
	for _, r := range p.rows[p.top:] {
		if r.problem != "" {
			lines := wrap("no row: "+safe(r.problem), w)
			if n := max(0, h-2); len(lines) > n {
				lines = lines[:n]
				if n > 0 {
					lines[n-1] = cut(lines[n-1]+" ...", w)
				}
			}
			return lines
		}
	}
	return nil
}
