package body

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// The tokens of JSON: white space, strings and numbers.

type text interface{ ~string | ~[]byte }

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// plain marks the bytes that stand for themselves within a JSON string.
var plain = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 0x20 && c != '"' && c != '\\'
	}
	return
}()

// scanString reads the JSON string that opens at i and returns the offset behind
// its closing quote, or where it is wrong and why.
func scanString[T text](b T, i int) (end int, msg string) {
	for i++; i < len(b); i++ {
		for i < len(b) && plain[b[i]] {
			i++
		}
		if i == len(b) {
			break
		}
		switch c := b[i]; {
		case c == '"':
			return i + 1, ""
		case c < 0x20:
			return i, fmt.Sprintf("an unescaped control character (0x%02x) in a string", c)
		}
		if i++; i == len(b) { // behind a backslash
			break
		}
		switch b[i] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		case 'u':
			for k := 1; k <= 4; k++ {
				if i+k >= len(b) || hexDigit(b[i+k]) < 0 {
					return min(i+k, len(b)), `\u without four hexadecimal digits`
				}
			}
			i += 4
		default:
			return i, "an unknown escape in a string"
		}
	}
	return len(b), "a string that does not end"
}

// scanNumber reads the JSON number at i. When ok is false, end is where a digit
// is missing.
func scanNumber[T text](b T, i int) (end int, ok bool) {
	digits := func() bool {
		from := i
		for i < len(b) && b[i] >= '0' && b[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(b) && b[i] == '-' {
		i++
	}
	if i < len(b) && b[i] == '0' {
		i++
	} else if !digits() {
		return i, false
	}
	if i < len(b) && b[i] == '.' {
		if i++; !digits() {
			return i, false
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if !digits() {
			return i, false
		}
	}
	return i, true
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// Unquote decodes a JSON string that scanString has accepted, quotes included.
// An escape that is half a surrogate pair becomes U+FFFD; see [NotText].
func Unquote(s string) string {
	s = s[1 : len(s)-1]
	i := 0
	for i < len(s) && s[i] != '\\' {
		i++
	}
	if i == len(s) {
		return s
	}
	b := append(make([]byte, 0, len(s)), s[:i]...)
	for i < len(s) {
		c := s[i]
		if c != '\\' {
			b = append(b, c)
			i++
			continue
		}
		i += 2
		switch c = s[i-1]; c {
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		case 'u':
			r := hex4(s[i:])
			i += 4
			if utf16.IsSurrogate(r) && i+6 <= len(s) && s[i] == '\\' && s[i+1] == 'u' {
				if pair := utf16.DecodeRune(r, hex4(s[i+2:])); pair != utf8.RuneError {
					r = pair
					i += 6
				}
			}
			b = utf8.AppendRune(b, r)
		default:
			b = append(b, c)
		}
	}
	return string(b)
}

func hex4(s string) (r rune) {
	for k := range 4 {
		r = r<<4 | rune(hexDigit(s[k]))
	}
	return r
}

// NotText says why the JSON text raw cannot be kept as text by every database:
// an escaped NUL, or half a surrogate pair. PostgreSQL refuses both (22021,
// 22P05, 22P02), so loopmap does everywhere. It is empty for all other text.
func NotText(raw string) string {
	for i := 0; i+5 < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		if i++; raw[i] != 'u' || i+4 >= len(raw) {
			continue
		}
		switch r := hex4(raw[i+1:]); {
		case r == 0:
			return `it holds a NUL character (\u0000), which databases cannot keep as text`
		case utf16.IsSurrogate(r):
			if i+10 < len(raw) && raw[i+5] == '\\' && raw[i+6] == 'u' &&
				utf16.DecodeRune(r, hex4(raw[i+7:])) != utf8.RuneError {
				i += 10
				continue
			}
			return fmt.Sprintf(`it holds half a character (the lone surrogate \u%04x), which databases cannot keep as text`, r)
		}
		i += 4
	}
	return ""
}
