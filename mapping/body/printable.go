package body

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Printable makes text from outside harmless to a terminal and to a log: what is
// not a printable character (Unicode, general category) comes out as a visible
// stand-in. Control characters of ASCII become their control pictures (ESC is
// ␛), all else that is invisible or moves the cursor (C1 controls, bidirectional
// marks, zero-width characters, tags) becomes ⟨U+202E⟩, a byte that is no UTF-8
// ⟨0x9b⟩. Every line of output that carries such text passes through here, and
// nothing else needs to.
func Printable(s string) string {
	if IsPrintable(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, "⟨0x%02x⟩", s[i])
		case r < 0x20:
			b.WriteRune('␀' + r)
		case r == 0x7f:
			b.WriteRune('␡')
		case shows(r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "⟨U+%04X⟩", r)
		}
		i += n
	}
	return b.String()
}

// PrintableJSON is JSON fit for a terminal, and still the same JSON: what stands in its
// strings and is not printable is written as an escape, \u009b for one. Line feeds and
// tabs between its tokens stay.
func PrintableJSON(text []byte) []byte {
	at := unprintable(text, 0)
	if at < 0 {
		return text
	}
	out, from := make([]byte, 0, len(text)+len(text)/4), 0
	for ; at >= 0; at = unprintable(text, from) {
		r, n := utf8.DecodeRune(text[at:])
		out = append(out, text[from:at]...)
		if a, b := utf16.EncodeRune(r); a != utf8.RuneError {
			out = fmt.Appendf(out, `\u%04x\u%04x`, a, b)
		} else {
			out = fmt.Appendf(out, `\u%04x`, r) // of a byte that is no UTF-8 the sign for such
		}
		from = at + n
	}
	return append(out, text[from:]...)
}

// unprintable is where the first character of text from an index on is that has to be
// escaped in JSON, or -1.
func unprintable(text []byte, from int) int {
	for i := from; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			if c < 0x20 && c != '\n' && c != '\t' && c != '\r' || c == 0x7f {
				return i
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 || !shows(r) {
			return i
		}
		i += n
	}
	return -1
}

// IsPrintable reports whether all of s is fit for a terminal.
func IsPrintable(s string) bool {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c < 0x20 || c == 0x7f {
				return false
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || !shows(r) {
			return false
		}
		i += n
	}
	return true
}

// shows reports whether r is a character that one can see. A few that Unicode
// counts as letters and marks are blank all the same.
func shows(r rune) bool {
	switch r {
	case 0x034f, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x2800, 0x3164, 0xffa0:
		return false
	}
	return unicode.IsPrint(r)
}
