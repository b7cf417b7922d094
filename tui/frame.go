package tui

import (
	"fmt"
	"strings"

	"charm.land/lipgloss/v2"
)

// rect is a part of the screen, in cells from its upper left corner.
type rect struct{ x, y, w, h int }

func (r rect) has(x, y int) bool { return x >= r.x && x < r.x+r.w && y >= r.y && y < r.y+r.h }

// framed is what a pane says of itself on its frame.
type framed struct {
	title   string // at the left of the top line
	figure  string // at the right of it
	foot    string // at the left of the bottom line
	focused bool   // it has the keys
	top     int    // the first line that is shown
	at, all int    // where the cursor is among how many lines; none are said where all is 0
	head    int    // lines at the top that do not scroll
}

// rows is how many lines a frame of h lines has room for.
func rows(h int) int { return max(0, h-2) }

// frame draws lines in a thin frame of w by h cells: with its title, its figure, a mark
// where there is more than fits, and where the cursor is.
func (t *theme) frame(f framed, lines []string, w, h int) []string {
	if w < 4 || h < 2 {
		return block(lines, w, h)
	}
	line, title := t.faint, t.title.Faint(true)
	if f.focused {
		line, title = t.accent, t.strong
	}
	inner := w - 2
	out := make([]string, 0, h)
	out = append(out, t.edge(line, t.border.TopLeft, t.border.TopRight, title.Render(" "+cut(f.title, inner-4)+" "), pad(f.figure), w))
	n := rows(h)
	from, to := thumb(f.top, n-f.head, f.all)
	left := line.Render(t.border.Left)
	for i := range n {
		s := ""
		if i < len(lines) {
			s = lines[i]
		}
		right := left
		if k := i - f.head; k >= from && k < to {
			right = t.accentOr(f.focused).Render("┃")
		}
		out = append(out, left+fill(s, inner)+right)
	}
	where := ""
	if f.focused && f.all > n-f.head {
		where = fmt.Sprintf("%d/%d", f.at+1, f.all)
	}
	foot := ""
	if f.foot != "" {
		foot = t.plain.Render(" " + cut(f.foot, inner-4-width(pad(where))) + " ")
	}
	return append(out, t.edge(line, t.border.BottomLeft, t.border.BottomRight, foot, t.faint.Render(pad(where)), w))
}

func (t *theme) accentOr(focused bool) lipgloss.Style {
	if focused {
		return t.accent
	}
	return t.faint
}

// edge is a top or bottom line of w cells with words at its two ends; the right ones
// give way.
func (t *theme) edge(line lipgloss.Style, begin, end, left, right string, w int) string {
	room := w - 4 - width(left)
	if width(right) > room {
		right = ""
	}
	return line.Render(begin+"─") + left + line.Render(strings.Repeat("─", max(0, room-width(right)))) + right + line.Render("─"+end)
}

// pad puts a blank at both ends of what is not empty.
func pad(s string) string {
	if s == "" {
		return ""
	}
	return " " + s + " "
}

// thumb is where the mark of a scrolled list stands: of n lines those from, up to to.
func thumb(top, n, all int) (from, to int) {
	if n <= 0 || all <= n {
		return 0, 0
	}
	size := max(1, n*n/all)
	from = top * (n - size) / max(1, all-n)
	return min(from, n-size), min(from, n-size) + size
}

// cell is a part of a line: a text that is cut or padded to a width, and its look.
type cell struct {
	text  string
	w     int
	look  lipgloss.Style
	right bool // the text stands at its right end
}

// line is a line of a list in w cells: a pointer and its cells, one blank apart. That
// under the cursor is drawn in one look.
func (t *theme) line(at bool, w int, cells ...cell) string {
	var b strings.Builder
	if at {
		b.WriteString("> ")
	} else {
		b.WriteString("  ")
	}
	for i, c := range cells {
		if c.w <= 0 {
			continue
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		s := fill(c.text, c.w)
		if c.right {
			s = flush(c.text, c.w)
		}
		if at {
			b.WriteString(s)
		} else {
			b.WriteString(render(c.look, s))
		}
	}
	if at {
		return t.cursor.Render(fill(b.String(), w))
	}
	return b.String()
}

// render is a text in a look, without a sequence where there is nothing to be seen of it.
func render(look lipgloss.Style, s string) string {
	trimmed := strings.TrimRight(s, " ")
	if trimmed == "" {
		return s
	}
	return look.Render(trimmed) + s[len(trimmed):]
}

// flush is s at the right end of w cells.
func flush(s string, w int) string {
	s = cut(s, w)
	return strings.Repeat(" ", max(0, w-width(s))) + s
}

// middle shortens s to w cells by what is in its middle, so that names which begin alike
// stay apart.
func middle(s string, w int) string {
	if width(s) <= w || w < 8 {
		return cut(s, w)
	}
	tail := (w - 1) / 3
	r := []rune(s)
	end := ""
	for i := len(r) - 1; i >= 0 && width(string(r[i])+end) <= tail; i-- {
		end = string(r[i]) + end
	}
	return strings.TrimSuffix(cut(s, w-width(end)), "…") + "…" + end
}

// tail shortens s to w cells by its beginning: of a path the end says most.
func tail(s string, w int) string {
	if width(s) <= w || w < 4 {
		return cut(s, w)
	}
	r := []rune(s)
	end := ""
	for i := len(r) - 1; i >= 0 && width(string(r[i])+end) < w; i-- {
		end = string(r[i]) + end
	}
	return "…" + end
}
