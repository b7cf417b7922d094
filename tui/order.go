package tui

import "strings"

// ordered is how a list is ordered: by one of its columns, up or down. The zero value is
// the list's own order.
type ordered struct {
	by   int // a column, counted from 1; 0 for the list's own order
	down bool
}

// next orders by the next of so many columns, behind the last as the list came.
func (o ordered) next(columns int) ordered { return ordered{by: (o.by + 1) % (columns + 1)} }

// click orders by a column, or turns its order.
func (o ordered) click(column int) ordered {
	if o.by == column {
		return ordered{column, !o.down}
	}
	return ordered{by: column}
}

// compare is the order of two texts.
func (o ordered) compare(a, b string) int {
	if o.down {
		a, b = b, a
	}
	return strings.Compare(strings.ToLower(a), strings.ToLower(b))
}

// head is a column's head, with a mark where the list is ordered by it.
func (o ordered) head(name string, column int) string {
	switch {
	case o.by != column || column == 0:
		return name
	case o.down:
		return name + " ↓"
	}
	return name + " ↑"
}

// heads is on which head of a list a click falls, counted from 1; 0 for none. The cells
// are those of a line, behind its pointer.
func heads(x int, widths ...int) int {
	at := 2
	for i, w := range widths {
		if w <= 0 {
			continue
		}
		if x >= at && x < at+w {
			return i + 1
		}
		at += w + 1
	}
	return 0
}
