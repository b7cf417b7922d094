package tui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping/column"
)

// TableLook is how somebody has set the columns of a table on the screen. It is theirs, and
// not the mapping's.
type TableLook struct {
	Order  []string       `json:"order,omitempty"`  // as they stand; those that it does not name follow
	Hidden []string       `json:"hidden,omitempty"` // are not shown
	Wide   map[string]int `json:"wide,omitempty"`   // by how many cells a column is wider, or less than 0 narrower
}

type lookMsg struct {
	look TableLook
	err  error
}

// readLook asks how the columns were set.
func (m *Model) readLook() tea.Cmd {
	b, ctx, n := m.cfg.Backend, m.ctx, m.draft
	return func() tea.Msg {
		look, err := b.TableLook(ctx, n)
		return lookMsg{look, err}
	}
}

func (m *Model) sawLook(msg lookMsg) {
	if msg.err != nil {
		m.complain(msg.err)
		return
	}
	m.push.look = msg.look
}

// seen are the columns of the table that are shown, in their order: unless somebody has
// moved them, what people know a row by comes first.
func (m *Model) seen() (list []column.Field) {
	p := &m.push
	for _, f := range p.fields {
		if !slices.Contains(p.look.Hidden, f.Name) && !slices.Contains(p.lacks, f.Name) {
			list = append(list, f)
		}
	}
	rank := func(f column.Field) int {
		switch i := slices.Index(p.look.Order, f.Name); {
		case i >= 0:
			return i
		case len(p.look.Order) == 0 && f.Name == m.naming():
			return -1
		}
		return len(p.look.Order)
	}
	slices.SortStableFunc(list, func(a, b column.Field) int { return rank(a) - rank(b) })
	return list
}

// column is the column of the table under the cursor.
func (m *Model) column() (f column.Field, ok bool) {
	list := m.seen()
	if len(list) == 0 {
		return f, false
	}
	return list[clamp(m.push.col, len(list))], true
}

// setColumns changes how the columns are shown, and keeps it.
func (m *Model) setColumns(a action) tea.Cmd {
	p := &m.push
	f, ok := m.column()
	look := TableLook{slices.Clone(p.look.Order), slices.Clone(p.look.Hidden), map[string]int{}}
	for name, by := range p.look.Wide {
		look.Wide[name] = by
	}
	switch {
	case a == asItWas:
		look = TableLook{}
	case !ok:
		return nil
	case a == hide && len(m.seen()) == 1:
		m.say("the last column stays")
		return nil
	case a == hide:
		look.Hidden = append(look.Hidden, f.Name)
		m.say("%s is hidden; %s shows all columns as they were", safe(f.Name), keyFor(asItWas))
	case a == wider:
		look.Wide[f.Name] += 4
	case a == narrower:
		look.Wide[f.Name] -= 4
	case a == leftwards, a == rightwards:
		var names []string
		for _, f := range m.seen() {
			names = append(names, f.Name)
		}
		i := slices.Index(names, f.Name)
		j := i + 1
		if a == leftwards {
			j = i - 1
		}
		if j < 0 || j >= len(names) {
			return nil
		}
		names[i], names[j], p.col = names[j], names[i], j
		look.Order = names
	}
	p.look = look
	b, ctx, n := m.cfg.Backend, m.ctx, m.draft
	return func() tea.Msg {
		if err := b.KeepTableLook(ctx, n, look); err != nil {
			return lookMsg{look, err}
		}
		return nil
	}
}

// orderColumn orders by the column under the cursor: up, then down, then as it was.
func (m *Model) orderColumn() {
	f, ok := m.column()
	p := &m.push
	if !ok {
		return
	}
	n := p.orderOf(f.Name)
	switch o := p.order; {
	case o.by == n && o.down:
		m.orderBy(ordered{})
	default:
		m.orderBy(o.click(n))
	}
}

// inView scrolls the columns until the one under the cursor is shown.
func (m *Model) inView(w int) {
	p := &m.push
	p.col = clamp(p.col, len(m.seen()))
	if p.from = min(p.from, p.col); len(p.rows) == 0 {
		return
	}
	for {
		shown, more := m.tableColumns(w)
		n := 0
		for _, c := range shown {
			if c.field() {
				n++
			}
		}
		if !more || n == 0 || p.col < p.from+n {
			return
		}
		p.from++
	}
}

// copyCell copies the cell under the cursor.
func (m *Model) copyCell() tea.Cmd {
	row, there := m.push.shownRow()
	f, ok := m.column()
	if !there || !ok {
		return nil
	}
	return m.clip(row.Cells[f.Name].Text, strings.TrimSpace(safe(f.Name)+" of "+m.rowName(row.Row)))
}
