package main

import (
	"fmt"
	"io"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"loopmap/mapping/body"
	"loopmap/mapping/column"
	"loopmap/mapping/table"
)

// rowPrinter writes to w in the form that is asked for, and that fits where w leads.
func (a *app) rowPrinter(w io.Writer, fields []column.Field) rowPrinter {
	switch {
	case a.output == "json":
		return &jsonRows{w: w, fields: fields}
	case isTerminal(a.stdout):
		d := a.dress()
		return &tableRows{w: d.writer(w), d: d, fields: fields, width: widthOf(a.stdout), say: a.say}
	}
	return &tabbedRows{w: w, fields: fields}
}

// jsonRows writes an array with an object a row, one a line.
type jsonRows struct {
	w      io.Writer
	fields []column.Field
	n      int
}

func (p *jsonRows) row(cells []table.RowCell) error {
	b := []byte("[\n")
	if p.n > 0 {
		b = []byte(",\n")
	}
	for i, c := range cells {
		sep := ","
		if i == 0 {
			sep = "{"
		}
		b = append(b, sep+body.Quote(p.fields[i].Name)+":"+jsonOf(p.fields[i].Type, c)...)
	}
	p.n++
	_, err := p.w.Write(append(body.PrintableJSON(b), '}'))
	return err
}

func jsonOf(t column.Type, c table.RowCell) string {
	switch {
	case c.State == column.Present:
		return t.AsJSON(c.Cell)
	case c.State == column.Misfit && c.Stored != "":
		return body.Quote(c.Stored)
	case c.State == column.Misfit:
		return `{"unreadable":` + body.Quote(c.Text) + "}"
	}
	return "null"
}

// end closes the array where it is whole; else nobody may take it for that.
func (p *jsonRows) end(whole bool) error {
	text := "\n]\n"
	if p.n == 0 {
		text = "[]\n"
	}
	if !whole {
		text = "\n"
	}
	_, err := io.WriteString(p.w, text)
	return err
}

// tabbedRows writes a line a row and a tab between cells, as COPY of PostgreSQL does.
type tabbedRows struct {
	w      io.Writer
	fields []column.Field
	begun  bool
}

var tabbed = strings.NewReplacer("\\", `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`)

func (p *tabbedRows) row(cells []table.RowCell) error {
	var list []string
	if !p.begun {
		for _, f := range p.fields {
			list = append(list, body.Printable(tabbed.Replace(f.Name)))
		}
		if _, err := fmt.Fprintln(p.w, strings.Join(list, "\t")); err != nil {
			return err
		}
	}
	p.begun, list = true, list[:0]
	for _, c := range cells {
		text := `\N`
		switch {
		case c.State == column.Present:
			text = tabbed.Replace(c.Text)
		case c.State == column.Misfit && c.Stored != "":
			text = tabbed.Replace(c.Stored)
		case c.State == column.Misfit:
			text = tabbed.Replace("(" + c.Text + ")")
		}
		list = append(list, body.Printable(text))
	}
	_, err := fmt.Fprintln(p.w, strings.Join(list, "\t"))
	return err
}

func (p *tabbedRows) end(bool) error { return nil }

// tableRows lines rows up on a terminal. How wide a column is the first rows say.
type tableRows struct {
	w      io.Writer
	d      *dress
	fields []column.Field
	width  int
	say    func(string, ...any)

	first  [][]table.RowCell // that have not been written yet
	widths []int             // of the columns that there is room for; nil before
}

const (
	rowsMeasured = 100
	cellLeast    = 8 // what a cell is cut to at most
	cellGap      = 2
)

func (p *tableRows) row(cells []table.RowCell) error {
	if p.widths != nil {
		return p.line(cells)
	}
	if p.first = append(p.first, cells); len(p.first) < rowsMeasured {
		return nil
	}
	return p.begin()
}

// begin writes the heading and the rows that have waited for it.
func (p *tableRows) begin() error {
	natural := make([]int, len(p.fields))
	for i, f := range p.fields {
		natural[i] = ansi.StringWidth(p.d.text(f.Name))
		for _, cells := range p.first {
			text, _ := p.cell(f, cells[i])
			natural[i] = max(natural[i], ansi.StringWidth(p.d.text(text)))
		}
	}
	p.widths = fitWidths(natural, p.width-1)
	var b strings.Builder
	for i, n := range p.widths {
		b.WriteString(p.d.bold.Render(p.d.cell(p.fields[i].Name, n)) + strings.Repeat(" ", cellGap))
	}
	if err := p.write(b.String()); err != nil {
		return err
	}
	for _, cells := range p.first {
		if err := p.line(cells); err != nil {
			return err
		}
	}
	p.first = nil
	return nil
}

// fitWidths are the widths of as many columns as a line has room for: the widest give way
// first, and none below cellLeast.
func fitWidths(natural []int, room int) []int {
	least := func(most int) (all int) {
		for _, n := range natural {
			all += min(n, most) + cellGap
		}
		return all - cellGap
	}
	for len(natural) > 1 && least(cellLeast) > room {
		natural = natural[:len(natural)-1]
	}
	most := cellLeast
	for wider := most + 1; wider <= room && least(wider) <= room; wider++ {
		most = wider
	}
	widths := make([]int, len(natural))
	for i, n := range natural {
		widths[i] = min(n, most)
	}
	return widths
}

func (p *tableRows) line(cells []table.RowCell) error {
	var b strings.Builder
	for i, n := range p.widths {
		text, look := p.cell(p.fields[i], cells[i])
		text = p.d.cell(text, n)
		if t := p.fields[i].Type; t == column.Integer || t == column.Number { // digits below digits
			short := strings.TrimRight(text, " ")
			text = strings.Repeat(" ", len(text)-len(short)) + short
		}
		b.WriteString(look.Render(text) + strings.Repeat(" ", cellGap))
	}
	return p.write(b.String())
}

func (p *tableRows) write(line string) error {
	_, err := io.WriteString(p.w, strings.TrimRight(line, " ")+"\n")
	return err
}

// cell is how a cell reads and looks. A text that could be taken for another thing stands
// in quotes: NULL, nothing at all, blanks at an end.
func (p *tableRows) cell(f column.Field, c table.RowCell) (text string, look lipgloss.Style) {
	plain := lipgloss.NewStyle()
	switch c.State {
	case column.Present:
	case column.Misfit:
		if c.Stored == "" {
			return "(" + c.Text + ")", p.d.bad
		}
		return body.Quote(c.Stored), p.d.bad
	case column.Missing, column.Null:
		return "NULL", p.d.faint
	}
	text = c.Text
	switch f.Type {
	case column.Integer, column.Number:
		return text, plain.Foreground(lipgloss.Cyan)
	case column.Boolean:
		return text, plain.Foreground(lipgloss.Magenta)
	case column.Time:
		return text, plain.Foreground(lipgloss.Blue)
	case column.JSON:
		return text, p.d.faint
	case column.Text:
	}
	if text == "" || text == "NULL" || strings.TrimSpace(text) != text || strings.HasPrefix(text, `"`) || strings.HasPrefix(text, "(") {
		text = body.Quote(text)
	}
	return text, plain
}

func (p *tableRows) end(bool) error {
	if p.widths == nil && p.first != nil {
		if err := p.begin(); err != nil {
			return err
		}
	}
	if p.widths != nil && len(p.widths) < len(p.fields) {
		p.say("%d columns more have no room here: -o json shows all", len(p.fields)-len(p.widths))
	}
	return nil
}
