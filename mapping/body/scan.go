package body

import (
	"fmt"
	"unicode/utf8"
)

// MaxDepth is how many objects and arrays may stand within each other in a body.
// Loops sends three; RFC 8259 section 9 lets a reader set a limit.
const MaxDepth = 1000

// Span is where a value stands in a body: body[Start:End].
type Span struct{ Start, End int }

// Found reports whether there is a value.
func (s Span) Found() bool { return s.End > 0 }

// SyntaxError says where and why a body is no JSON text by RFC 8259.
type SyntaxError struct {
	Offset int // bytes into the body
	Msg    string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("the body is not JSON: %s at byte %d", e.Msg, e.Offset)
}

// scanJSON checks that body is one JSON text and, when t is given, writes the
// spans of the values that t's paths lead to, one for each of t's nodes. It is
// the only reader of bodies: one walk, whatever the number of paths.
func scanJSON(body []byte, t *Finder, spans []Span) *SyntaxError {
	if !utf8.Valid(body) {
		return &SyntaxError{InvalidUTF8(body), "invalid UTF-8"}
	}
	s := scanner{body: body, spans: spans}
	var root *node
	if t != nil {
		root, s.nodes = &t.nodes[0], t.nodes
	}
	i := skipSpace(body, 0)
	if i == len(body) {
		return &SyntaxError{i, "the end instead of a value"}
	}
	i = s.value(i, root, 0)
	if s.err != nil {
		return s.err
	}
	if i = skipSpace(body, i); i < len(body) {
		return &SyntaxError{i, fmt.Sprintf("%s after the end of the value", describe(body, i))}
	}
	return nil
}

type scanner struct {
	body  []byte
	nodes []node
	spans []Span
	err   *SyntaxError
}

// fail notes the first mistake and returns an offset that ends every loop.
func (s *scanner) fail(i int, msg string) int {
	if s.err == nil {
		s.err = &SyntaxError{min(i, len(s.body)), msg}
	}
	return len(s.body)
}

func (s *scanner) unexpected(i int, want string) int {
	return s.fail(i, fmt.Sprintf("%s instead of %s", describe(s.body, i), want))
}

// value reads the value at i, which belongs to node n (nil: nobody asked for
// it), and returns the offset behind it. Recursion is bounded by MaxDepth.
func (s *scanner) value(i int, n *node, depth int) int {
	if i >= len(s.body) {
		return s.unexpected(i, "a value")
	}
	start := i
	var end int
	switch c := s.body[i]; {
	case c == '"':
		end = s.str(i)
	case c == '{':
		end = s.object(i, n, depth+1)
	case c == '[':
		end = s.array(i, n, depth+1)
	case c == '-' || c >= '0' && c <= '9':
		var ok bool
		if end, ok = scanNumber(s.body, i); !ok {
			return s.unexpected(end, "a digit")
		}
	case c == 't':
		end = s.literal(i, "true")
	case c == 'f':
		end = s.literal(i, "false")
	case c == 'n':
		end = s.literal(i, "null")
	default:
		return s.unexpected(i, "a value")
	}
	if n != nil && s.err == nil {
		s.spans[n.id] = Span{start, end}
	}
	return end
}

// child makes n ready to take a value. When it has one already its key is
// doubled: the last counts, so all that was found below the first is forgotten.
func (s *scanner) child(n *node) *node {
	if n != nil && s.spans[n.id].Found() {
		clear(s.spans[n.id:n.end])
	}
	return n
}

func (s *scanner) object(i int, n *node, depth int) int {
	if depth > MaxDepth {
		return s.fail(i, fmt.Sprintf("nesting deeper than %d levels", MaxDepth))
	}
	i = skipSpace(s.body, i+1)
	if i < len(s.body) && s.body[i] == '}' {
		return i + 1
	}
	for {
		if i >= len(s.body) || s.body[i] != '"' {
			return s.unexpected(i, "a quoted key")
		}
		end := s.str(i)
		if s.err != nil {
			return end
		}
		var to *node
		if n != nil && n.members {
			to = s.child(s.member(n, s.body[i:end]))
		}
		i = skipSpace(s.body, end)
		if i >= len(s.body) || s.body[i] != ':' {
			return s.unexpected(i, `":"`)
		}
		i = s.value(skipSpace(s.body, i+1), to, depth)
		if s.err != nil {
			return i
		}
		i = skipSpace(s.body, i)
		switch {
		case i < len(s.body) && s.body[i] == ',':
			i = skipSpace(s.body, i+1)
		case i < len(s.body) && s.body[i] == '}':
			return i + 1
		default:
			return s.unexpected(i, `"," or "}"`)
		}
	}
}

func (s *scanner) array(i int, n *node, depth int) int {
	if depth > MaxDepth {
		return s.fail(i, fmt.Sprintf("nesting deeper than %d levels", MaxDepth))
	}
	i = skipSpace(s.body, i+1)
	if i < len(s.body) && s.body[i] == ']' {
		return i + 1
	}
	for at := 0; ; at++ {
		var to *node
		if n != nil && n.elements {
			to = s.child(s.element(n, at))
		}
		i = s.value(i, to, depth)
		if s.err != nil {
			return i
		}
		i = skipSpace(s.body, i)
		switch {
		case i < len(s.body) && s.body[i] == ',':
			i = skipSpace(s.body, i+1)
		case i < len(s.body) && s.body[i] == ']':
			return i + 1
		default:
			return s.unexpected(i, `"," or "]"`)
		}
	}
}

func (s *scanner) str(i int) int {
	end, msg := scanString(s.body, i)
	if msg != "" {
		return s.fail(end, msg)
	}
	return end
}

func (s *scanner) literal(i int, word string) int {
	if len(s.body)-i < len(word) || string(s.body[i:i+len(word)]) != word {
		return s.unexpected(i, "a value")
	}
	return i + len(word)
}

// describe names what stands at offset i in words fit for a message.
func describe(b []byte, i int) string {
	if i >= len(b) {
		return "the end"
	}
	r, _ := utf8.DecodeRune(b[i:])
	if r == '\ufeff' {
		return "a byte order mark"
	}
	return fmt.Sprintf("%+q", string(r))
}

// InvalidUTF8 is where the first byte that is not UTF-8 stands; the length of b without one.
func InvalidUTF8(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(b)
}
