package tui

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// flow is text that is broken into lines as they are wanted: JSON is indented on the
// way. Nothing is held but the text itself, whatever it is: a line of a megabyte, or a
// bracket for each byte.
type flow struct {
	text string
	json bool // it is valid JSON

	paint func(t *theme, line string) string // its colours; nil for none
}

// spot is where a line begins.
type spot struct {
	at      int
	depth   int
	inside  bool // a string of JSON
	escaped bool // behind a backslash in it
	begun   bool // in the middle of what would be one line, were there room
	done    bool // behind all of it
}

// mostIndent is how far JSON is indented at most, for deep nesting to leave room.
const mostIndent = 40

// line appends the line at p, of at most w cells, to b, and says where the next begins.
// It is broken at a space, and within a word only when that alone is longer. What comes
// from outside is made harmless here.
func (f flow) line(b []byte, p spot, w int) ([]byte, spot) {
	start, cells, most := len(b), 0, len(b)+16*w+256
	space, spaceEnd := spot{at: -1}, 0  // behind the last space of the line, and where that is in b
	if f.json && p.begun && !p.inside { // what closes begins a line of its own
		if p.at = f.skip(p.at); p.at < len(f.text) && closes(f.text[p.at]) {
			p.begun = false
		}
	}
	if !p.begun && f.json {
		if p.at = f.skip(p.at); p.at < len(f.text) && closes(f.text[p.at]) {
			p.depth--
		}
		cells = min(2*p.depth, mostIndent, w/2)
		for range cells {
			b = append(b, ' ')
		}
	}
	indent := len(b)
	p.begun = true
	for p.at < len(f.text) {
		c := f.text[p.at]
		if f.json && !p.inside {
			switch c {
			case ' ', '\t', '\n', '\r':
				p.at++
				continue
			case '}', ']':
				if len(b) > indent {
					p.begun = false
					return b, p
				}
			}
		} else if c == '\n' && !f.json {
			p.at, p.begun = p.at+1, false
			return b, p
		}
		var n, wide int
		before := len(b)
		if b, n, wide = appendShown(b, f.text[p.at:]); cells+wide > w && cells > 0 || len(b) > most && before > start {
			b = b[:before]
			if space.at >= 0 && c != ' ' {
				b, p = b[:spaceEnd], space
			}
			for p.at < len(f.text) && f.text[p.at] == ' ' {
				p.at++
			}
			return b, f.behind(p)
		}
		cells, p.at = cells+wide, p.at+n
		if !f.json {
			if c == ' ' && n == 1 && before > start && b[before-1] != ' ' {
				space, spaceEnd = p, before
			}
			continue
		}
		if p.inside {
			switch {
			case p.escaped:
				p.escaped = false
			case c == '\\':
				p.escaped = true
			case c == '"':
				p.inside = false
			}
			if c == ' ' && n == 1 && before > indent && b[before-1] != ' ' {
				space, spaceEnd = p, before
			}
			continue
		}
		switch c {
		case '"':
			p.inside = true
		case ':':
			if cells < w {
				space, spaceEnd = p, len(b)
				b, cells = append(b, ' '), cells+1
			}
		case ',':
			p.begun = false
			return b, f.behind(p)
		case '{', '[':
			if next := f.skip(p.at); next < len(f.text) && f.text[next] == c+2 { // empty
				b, cells, p.at = append(b, c+2), cells+1, next+1
				continue
			}
			p.depth++
			p.begun = false
			return b, p
		}
	}
	p.done = true
	return b, p
}

// behind marks a spot that has nothing left behind it.
func (f flow) behind(p spot) spot {
	end := p.at
	if f.json && !p.inside {
		end = f.skip(end)
	}
	p.done = end >= len(f.text)
	return p
}

func closes(c byte) bool { return c == '}' || c == ']' }

func (f flow) skip(at int) int {
	for at < len(f.text) && (f.text[at] == ' ' || f.text[at] == '\t' || f.text[at] == '\n' || f.text[at] == '\r') {
		at++
	}
	return at
}

// mostCluster bounds what is taken for one character, whatever is piled on it.
const mostCluster = 64

// appendShown appends the first character of s as it is shown, and says how many bytes
// of s and how many cells that is.
func appendShown(b []byte, s string) (_ []byte, n, wide int) {
	if c := s[0]; c < utf8.RuneSelf {
		switch {
		case len(s) > 1 && s[1] >= utf8.RuneSelf && c >= 0x20 && c != 0x7f: // a mark may stand on it
		case c < 0x20:
			return utf8.AppendRune(b, '␀'+rune(c)), 1, 1
		case c == 0x7f:
			return utf8.AppendRune(b, '␡'), 1, 1
		default:
			return append(b, c), 1, 1
		}
	}
	r, n := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && n == 1 {
		return append(strconv.AppendUint(append(b, "⟨0x"...), uint64(s[0]), 16), "⟩"...), 1, 6
	}
	if wide := plainWidth(r); wide > 0 {
		if next, _ := utf8.DecodeRuneInString(s[n:]); plainWidth(next) > 0 || next < 0x80 {
			return append(b, s[:n]...), n, wide
		}
	}
	if !unicode.IsPrint(r) { // as safe has it, for there may be a million
		digits := strconv.FormatUint(uint64(r), 16)
		b = append(append(b, "⟨U+"...), "0000"[:max(0, 4-len(digits))]...)
		return append(append(b, strings.ToUpper(digits)...), "⟩"...), n, 4 + max(4, len(digits))
	}
	if shown := safe(s[:n]); shown != s[:n] {
		return append(b, shown...), n, width(shown)
	}
	end := min(len(s), mostCluster)
	if next, size := utf8.DecodeRuneInString(s[n:]); size > 0 && !unicode.IsPrint(next) {
		end = n
	}
	cluster, wide := ansi.FirstGraphemeCluster(s[:end], ansi.GraphemeWidth)
	whole := 0
	for whole < len(cluster) { // up to what does not show, or is cut by the bound
		_, n := utf8.DecodeRuneInString(cluster[whole:])
		if c := cluster[whole : whole+n]; safe(c) != c {
			break
		}
		whole += n
	}
	if whole < len(cluster) {
		cluster, wide = cluster[:whole], width(cluster[:whole])
	}
	return append(b, cluster...), len(cluster), wide
}

// plainWidth is the width of a letter that nothing joins to but marks; 0 for all else.
func plainWidth(r rune) int {
	switch {
	case r < 0x20:
		return 0
	case r < 0x7f:
		return 1
	case r >= 0xc0 && r <= 0x24f, r >= 0x400 && r <= 0x481, r >= 0x3b1 && r <= 0x3c9:
		return 1
	case r >= 0x4e00 && r <= 0x9fff, r >= 0xac00 && r <= 0xd7a3, r >= 0x3041 && r <= 0x3096:
		return 2
	case r > 0xffff || unicode.Is(unicode.M, r):
		return 0
	}
	return 0
}
