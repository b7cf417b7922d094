package main

import (
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// A column of a fitted table loses half of what it has at most, and keeps so many characters
// in any case; more than so many it never insists on.
const (
	fittedLeast  = 12
	fittedMost   = 32
	fittedIndent = 4 // before the columns that go on below the others
)

// printFitted is printTable, which on a terminal keeps to its width. The columns whole are
// never cut, since people copy what stands there.
func (a *app) printFitted(rows [][]string, whole ...int) error {
	if !isTerminal(a.stdout) {
		return printTable(a.stdout, rows)
	}
	_, err := io.WriteString(a.stdout, a.dress().fitted(rows, widthOf(a.stdout)-1, whole...))
	return err
}

// fitted lines cells up within a width: what is too long loses its middle, and columns that
// have no room even so go on below the others.
func (d *dress) fitted(rows [][]string, width int, whole ...int) string {
	var natural, least []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(natural) {
				natural = append(natural, 0)
			}
			natural[i] = max(natural[i], ansi.StringWidth(d.text(cell)))
		}
	}
	for _, n := range natural {
		least = append(least, min(n, max(n/2, fittedLeast), fittedMost, max(width-fittedIndent, 1)))
	}
	for _, i := range whole {
		if i < len(least) {
			least[i] = natural[i]
		}
	}
	widths := make([]int, 0, len(natural))
	ends := linesOfColumns(least, width)
	for n, to := range ends {
		room := width
		if n > 0 {
			room -= fittedIndent
		}
		widths = append(widths, shareRoom(natural[len(widths):to], least[len(widths):to], room)...)
	}
	var b strings.Builder
	for _, row := range rows {
		from, indent := 0, ""
		for _, to := range ends {
			text := indent
			for i := from; i < min(to, len(row)); i++ {
				text += d.cell(row[i], widths[i]) + strings.Repeat(" ", cellGap)
			}
			if text = strings.TrimRight(text, " "); text != "" {
				b.WriteString(text + "\n")
			}
			from, indent = to, strings.Repeat(" ", fittedIndent)
		}
	}
	return b.String()
}

// linesOfColumns says before which column each line ends, that columns may stand on several.
func linesOfColumns(least []int, width int) (ends []int) {
	at := 0
	for i, n := range least {
		if i > 0 && at+cellGap+n > width {
			ends, at = append(ends, i), fittedIndent+n
			continue
		}
		if i > 0 {
			at += cellGap
		}
		at += n
	}
	return append(ends, len(least))
}

// shareRoom are the widths of a line's columns: the widest give way first, none below its
// least.
func shareRoom(natural, least []int, room int) []int {
	widths := make([]int, len(natural))
	for most := room; ; most-- {
		all := -cellGap
		for i, n := range natural {
			widths[i] = max(min(n, most), least[i])
			all += widths[i] + cellGap
		}
		if all <= room || most <= fittedLeast {
			return widths
		}
	}
}
