package body

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Set returns body with the JSON value raw at p. What is on the way and missing
// is made: objects for keys, and for an index the next element of a list.
func (p Path) Set(body, raw []byte) ([]byte, error) {
	if err := scanJSON(raw, nil, nil); err != nil {
		return nil, err
	}
	// Find how far the path leads in body as it is.
	at := Span{0, len(bytes.TrimRight(body, " \t\r\n"))}
	at.Start = skipSpace(body, 0)
	known := 0
	for ; known < len(p.steps); known++ {
		r, ok := Path{p.steps[:known+1]}.Get(body)
		if !ok {
			break
		}
		at = Span{r.Index, r.Index + len(r.Raw)}
	}
	if known == len(p.steps) {
		return splice(body, at, raw), nil
	}
	// Build what is missing from its leaf up, and put it into the last that is there.
	value := raw
	for i := len(p.steps) - 1; i > known; i-- {
		var err error
		if value, err = wrap(p.steps[i], value); err != nil {
			return nil, err
		}
	}
	return insert(body, at, p.steps[known], value, Path{p.steps[:known]})
}

func splice(body []byte, at Span, raw []byte) []byte {
	out := append([]byte(nil), body[:at.Start]...)
	return append(append(out, raw...), body[at.End:]...)
}

func wrap(s Step, value []byte) ([]byte, error) {
	if s.IsIndex && s.Index > 0 {
		return nil, fmt.Errorf("there is no list to have an element [%d]", s.Index)
	}
	if s.IsIndex {
		return append(append([]byte("["), value...), ']'), nil
	}
	return append(append(append([]byte("{"), member(s.Key)...), value...), '}'), nil
}

func member(key string) string {
	var b strings.Builder
	WriteQuoted(&b, key)
	return b.String() + ":"
}

// insert adds the member or element s to the object or list at at.
func insert(body []byte, at Span, s Step, value []byte, parent Path) ([]byte, error) {
	open := body[at.Start]
	switch {
	case s.IsIndex && open != '[':
		return nil, fmt.Errorf("%s is not a list", parent)
	case !s.IsIndex && open != '{':
		return nil, fmt.Errorf("%s is not an object", parent)
	case s.IsIndex:
		if _, ok := parent.Index(s.Index - 1).Get(body); s.Index > 0 && !ok {
			return nil, fmt.Errorf("%s has no element [%d] to come before [%d]", parent, s.Index-1, s.Index)
		}
	default:
		value = append([]byte(member(s.Key)), value...)
	}
	end := at.End - 1 // the closing bracket
	for end > 0 && (body[end-1] == ' ' || body[end-1] == '\n' || body[end-1] == '\t' || body[end-1] == '\r') {
		end--
	}
	if end > at.Start+1 {
		value = append([]byte(","), value...)
	}
	return splice(body, Span{end, end}, value), nil
}

// Compact takes the white space between the parts of a JSON text out.
func Compact(body []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, body) != nil {
		return body
	}
	return b.Bytes()
}
