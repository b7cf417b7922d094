package body

import (
	"fmt"
	"strings"

	"github.com/tidwall/gjson"
)

// CheckJSON says why text is not one JSON value of any kind, as a *[SyntaxError].
func CheckJSON(text []byte) error {
	if err := scanJSON(text, nil, nil); err != nil {
		return err
	}
	return nil
}

// CheckBody says why body is not a JSON object; of one that is no JSON as a
// *[SyntaxError].
func CheckBody(body []byte) error {
	if err := CheckJSON(body); err != nil {
		return err
	}
	return CheckObject(body)
}

// CheckObject says why a text that is JSON is not an object.
func CheckObject(text []byte) error {
	if text[skipSpace(text, 0)] != '{' {
		return fmt.Errorf("the body is %s, not an object", KindOf(gjson.ParseBytes(text)))
	}
	return nil
}

// ValueAt wraps a value that has been checked. Only its type and its text are
// ever used: gjson's float stays untouched.
func ValueAt(body string, s Span) gjson.Result {
	r := gjson.Result{Raw: body[s.Start:s.End], Index: s.Start}
	switch r.Raw[0] {
	case '"':
		r.Type = gjson.String
	case 't':
		r.Type = gjson.True
	case 'f':
		r.Type = gjson.False
	case 'n':
		r.Type = gjson.Null
	case '{', '[':
		r.Type = gjson.JSON
	default:
		r.Type = gjson.Number
	}
	return r
}

// Value wraps a value that stands alone.
func Value(text string) gjson.Result { return ValueAt(text, Span{0, len(text)}) }

// TextOf is the text of a JSON string, and of any other value the JSON itself.
func TextOf(v gjson.Result) string {
	if v.Type == gjson.String {
		return Unquote(v.Raw)
	}
	return v.Raw
}

// IsNumber reports whether s, the text of v, is one JSON number.
func IsNumber(v gjson.Result, s string) bool {
	if v.Type != gjson.Number && v.Type != gjson.String {
		return false
	}
	end, ok := scanNumber(s, 0)
	return ok && end == len(s)
}

// Excerpt is a value cut short for a message: its JSON text in printable
// characters, at most about forty of them.
func Excerpt(v gjson.Result) string {
	s := Printable(v.Raw)
	if r := []rune(s); len(r) > 40 {
		s = string(r[:39]) + "…"
	}
	return s
}

// Quote writes a text as JavaScript's JSON.stringify does, whose length Loops
// counts.
func Quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' && strings.ContainsRune("\b\t\n\f\r", r):
			b.WriteString(map[rune]string{'\b': `\b`, '\t': `\t`, '\n': `\n`, '\f': `\f`, '\r': `\r`}[r])
		case r < ' ':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
