package tui

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"loopmap/mapping/body"
)

// safe makes text from outside fit for a line.
func safe(s string) string { return body.Printable(s) }

// border is the last thing that a line of w cells passes: nothing but what the styles
// have put there gets through, whatever was forgotten before.
func border(line string, w int) string {
	var b strings.Builder
	from := 0
	for i := 0; i < len(line); {
		if n := styling(line[i:]); n > 0 {
			i += n
			continue
		}
		n := 1
		if line[i] >= utf8.RuneSelf {
			_, n = utf8.DecodeRuneInString(line[i:])
		}
		if c := line[i : i+n]; n > 1 || c < " " || c >= "\x7f" {
			if shown := safe(c); shown != c {
				b.WriteString(line[from:i])
				b.WriteString(shown)
				from = i + n
			}
		}
		i += n
	}
	if from == 0 {
		return line
	}
	b.WriteString(line[from:])
	return fill(b.String(), w)
}

// styling is the length of the sequence at the beginning of s that sets a look; 0 when
// none stands there.
func styling(s string) int {
	if !strings.HasPrefix(s, "\x1b[") {
		return 0
	}
	for i := 2; i < len(s); i++ {
		switch c := s[i]; {
		case c == 'm':
			return i + 1
		case c != ';' && (c < '0' || c > '9'):
			return 0
		}
	}
	return 0
}

// label is what a line has room for of a name from outside, however long that is.
func label(s string) string { return safe(head(s, mostLabel)) }

const mostLabel = 1 << 10 // bytes

// head is s as far as n bytes, and whole characters, go.
func head(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// width is how many cells a line takes.
func width(s string) int { return ansi.StringWidth(s) }

// cut shortens s to w cells, with a mark where something is left out.
func cut(s string, w int) string {
	if w <= 0 {
		return ""
	}
	if len(s) > mostLabel+16*w {
		s = head(s, mostLabel+16*w)
	}
	if width(s) <= w {
		return s
	}
	if w <= 4 {
		return ansi.Truncate(s, w, "")
	}
	return ansi.Truncate(s, w, "…")
}

// fill cuts or pads s to exactly w cells.
func fill(s string, w int) string {
	s = cut(s, w)
	if n := w - width(s); n > 0 {
		s += strings.Repeat(" ", n)
	}
	return s
}

// window is which of n lines to show in h, so that the cursor is among them and
// the window moves as little as it can from top.
func window(top, cursor, n, h int) int {
	if h <= 0 {
		return 0
	}
	if cursor < top {
		top = cursor
	}
	if cursor >= top+h {
		top = cursor - h + 1
	}
	return max(0, min(top, n-h))
}

// wrap breaks plain text into lines of at most w cells: at spaces, and within a
// word only when it alone is longer. White space at the beginning stays.
func wrap(s string, w int) []string {
	if w < 1 {
		return nil
	}
	var lines []string
	for p := (spot{}); !p.done; {
		var b []byte
		b, p = flow{text: s}.line(nil, p, w)
		lines = append(lines, string(b))
	}
	return lines
}

func clamp(i, n int) int { return max(0, min(i, n-1)) }

// block pads lines to h lines of w cells.
func block(lines []string, w, h int) []string {
	out := make([]string, 0, h)
	for i := range h {
		if i < len(lines) {
			out = append(out, fill(lines[i], w))
		} else {
			out = append(out, strings.Repeat(" ", max(0, w)))
		}
	}
	return out
}

// hang wraps text behind a label, the further lines below the first.
func hang(label, s string, w int) []string {
	indent := strings.Repeat(" ", width(label))
	lines := wrap(s, w-len(indent))
	for i := range lines {
		if i == 0 {
			lines[i] = label + lines[i]
		} else {
			lines[i] = indent + lines[i]
		}
	}
	return lines
}

// plural is a number of things.
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
