package body

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// Step is one literal step of a [Path]: a member of an object or an element of
// an array. The member "0" and the element [0] are different steps.
type Step struct {
	Key     string // the member's name, decoded; any text at all
	Index   int    // the element's index from 0, when IsIndex
	IsIndex bool
}

// Path leads from the root of a JSON body to one value. The zero Path is the
// root itself and has no text form.
type Path struct{ steps []Step }

// MakePath returns the path of the given steps.
func MakePath(steps ...Step) Path { return Path{slices.Clone(steps)} }

// Steps returns a copy of the path's steps, from the root down.
func (p Path) Steps() []Step { return slices.Clone(p.steps) }

// Len is the number of steps.
func (p Path) Len() int { return len(p.steps) }

// Key returns the path of member key of p. It shares nothing with p.
func (p Path) Key(key string) Path { return p.with(Step{Key: key}) }

// Index returns the path of element i of p.
func (p Path) Index(i int) Path { return p.with(Step{Index: i, IsIndex: true}) }

func (p Path) with(s Step) Path {
	return Path{append(p.steps[:len(p.steps):len(p.steps)], s)}
}

// Last returns the last step; ok is false for the root.
func (p Path) Last() (s Step, ok bool) {
	if len(p.steps) == 0 {
		return Step{}, false
	}
	return p.steps[len(p.steps)-1], true
}

// Equal reports whether p and q have the same steps.
func (p Path) Equal(q Path) bool { return slices.Equal(p.steps, q.steps) }

// String writes the path as people write it in code: contact.firstName,
// contact.tags[0], contact["fav.color"]. [ParsePath] reads it back. Characters
// that do not print are written as \u escapes, so the text is fit for a screen.
func (p Path) String() string {
	var b strings.Builder
	for i, s := range p.steps {
		switch {
		case s.IsIndex:
			fmt.Fprintf(&b, "[%d]", s.Index)
		case isIdentifier(s.Key):
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s.Key)
		default:
			b.WriteByte('[')
			WriteQuoted(&b, s.Key)
			b.WriteByte(']')
		}
	}
	return b.String()
}

// Get returns the value at p in a JSON body, and whether it is there. Of doubled
// keys the last counts. A body that is not JSON has no values.
func (p Path) Get(body []byte) (gjson.Result, bool) {
	if len(p.steps) == 0 {
		if scanJSON(body, nil, nil) != nil {
			return gjson.Result{}, false
		}
		return gjson.ParseBytes(body), true
	}
	t := NewFinder([]Path{p})
	spans := t.Room()
	if t.Find(body, spans) != nil {
		return gjson.Result{}, false
	}
	s := t.At(spans, 0)
	if !s.Found() {
		return gjson.Result{}, false
	}
	r := gjson.Parse(string(body[s.Start:s.End]))
	r.Index = s.Start
	return r, true
}

// PathError says where a path's text is wrong and what to write instead.
type PathError struct {
	Offset int // bytes into the text
	Msg    string
}

func (e *PathError) Error() string {
	return fmt.Sprintf("path, character %d: %s", e.Offset+1, e.Msg)
}

// ParsePath reads a path: names joined by dots, [n] for an element, and any key
// that is no plain identifier in brackets as a JSON string. The error is a
// *[PathError].
func ParsePath(s string) (Path, error) {
	if s == "" {
		return Path{}, &PathError{0, "a path is empty; write for example contact.email"}
	}
	if !utf8.ValidString(s) {
		return Path{}, &PathError{0, "the path is not UTF-8 text"}
	}
	var p Path
	for i := 0; i < len(s); {
		var step Step
		var err error
		switch {
		case s[i] == '[':
			step, i, err = bracket(s, i)
		case s[i] == '.' && i > 0:
			step, i, err = identifier(s, i+1)
		case i == 0:
			step, i, err = identifier(s, 0)
		default:
			err = &PathError{i, fmt.Sprintf("%q cannot follow a bracket; write . or [", firstRune(s[i:]))}
		}
		if err != nil {
			return Path{}, err
		}
		if len(p.steps) == MaxDepth {
			return Path{}, &PathError{i, fmt.Sprintf("a path has at most %d steps", MaxDepth)}
		}
		p.steps = append(p.steps, step)
	}
	return p, nil
}

func identifier(s string, i int) (Step, int, error) {
	j := i
	for j < len(s) && isIdentByte(s[j], j > i) {
		j++
	}
	// What follows up to the next separator belongs to the name a person meant.
	end := j
	for end < len(s) && s[end] != '.' && s[end] != '[' {
		end++
	}
	if j == i && end == i {
		return Step{}, i, &PathError{i, "a name is missing here"}
	}
	if end > j {
		var q strings.Builder
		WriteQuoted(&q, s[i:end])
		return Step{}, i, &PathError{j, fmt.Sprintf("%q needs quotes; write [%s] in place of %s", firstRune(s[j:]), q.String(), s[i:end])}
	}
	return Step{Key: s[i:j]}, j, nil
}

func bracket(s string, i int) (Step, int, error) {
	open := i
	i++
	if i < len(s) && s[i] == '"' {
		end, msg := scanString(s, i)
		if msg != "" {
			return Step{}, i, &PathError{end, msg}
		}
		key := Unquote(s[i:end])
		if end >= len(s) || s[end] != ']' {
			return Step{}, i, &PathError{end, `the key is not closed; write "]" after it`}
		}
		return Step{Key: key}, end + 1, nil
	}
	j := i
	for j < len(s) && s[j] >= '0' && s[j] <= '9' {
		j++
	}
	digits := s[i:j]
	switch {
	case j >= len(s) || s[j] != ']' || digits == "":
		return Step{}, i, &PathError{open, `a bracket holds an index or a quoted key: [0] or ["any key"]`}
	case len(digits) > 9 || (len(digits) > 1 && digits[0] == '0'):
		return Step{}, i, &PathError{i, fmt.Sprintf("%s is not an index; write 0 to 999999999 without leading zeros", digits)}
	}
	n, _ := strconv.Atoi(digits)
	return Step{Index: n, IsIndex: true}, j + 1, nil
}

func firstRune(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return s[:n]
}

func isIdentByte(c byte, digits bool) bool {
	return c == '_' || c == '$' || c|0x20 >= 'a' && c|0x20 <= 'z' || digits && c >= '0' && c <= '9'
}

func isIdentifier(s string) bool {
	for i := range len(s) {
		if !isIdentByte(s[i], i > 0) {
			return false
		}
	}
	return s != ""
}

// WriteQuoted writes s as a JSON string in which every character prints.
func WriteQuoted(b *strings.Builder, s string) {
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case shows(r):
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
}
