package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"loopmap/mapping/body"
)

// linesOf reads what replay is given as one JSON value a line, whatever it is: a list
// gives its elements, and values that go over several lines are brought into one. What
// is in lines already is handed on as it is.
func linesOf(in io.Reader) (_ io.Reader, inLines bool, err error) {
	r := bufio.NewReaderSize(in, 1<<16)
	head, err := r.Peek(1 << 16)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, false, err
	}
	text, err := body.TrimBOM(head)
	if err != nil {
		return nil, false, usage("--from: %v", err)
	}
	_, _ = r.Discard(len(head) - len(text))
	first, _, _ := bytes.Cut(bytes.TrimLeft(text, " \t\r\n"), []byte("\n"))
	first = bytes.TrimRight(first, " \t\r")
	if len(first) == 0 || first[0] != '[' && !opens(first) {
		return r, true, nil
	}
	return &values{in: r}, false, nil
}

// opens reports whether a line can only be the beginning of a value.
func opens(line []byte) bool {
	last := line[len(line)-1]
	return last == '{' || last == '[' || last == ','
}

// values gives the values of a stream of JSON, a line each: those of a list at its top,
// too. It knows of JSON what it takes to find their ends.
type values struct {
	in      *bufio.Reader
	out     []byte // a line that was not read yet
	line    []byte
	depth   int
	inside  bool // a string
	escaped bool
	list    bool // the top is a list
	begun   bool // something has come
	err     error
}

// Read is io.Reader's.
func (v *values) Read(b []byte) (int, error) {
	for len(v.out) == 0 && v.err == nil {
		v.fill()
	}
	if len(v.out) == 0 {
		return 0, v.err
	}
	n := copy(b, v.out)
	v.out = v.out[n:]
	return n, nil
}

// fill reads up to the end of a value, or as much as a line may have.
func (v *values) fill() {
	v.line = v.line[:0]
	for {
		c, err := v.in.ReadByte()
		if err != nil {
			v.err = err
			break
		}
		if v.take(c) {
			break
		}
		if len(v.line) > maxLine { // what is too long is said by who reads lines
			v.out = v.line
			return
		}
	}
	if v.out = bytes.TrimSpace(v.line); len(v.out) > 0 {
		v.out = append(v.out, '\n')
	}
}

// take adds a byte, and reports whether a value ends with it.
func (v *values) take(c byte) (end bool) {
	if !v.begun && c == '[' {
		v.begun, v.list = true, true
		return false
	}
	top := v.depth == 0 && !v.inside
	switch {
	case v.inside && (c == '\n' || c == '\r'):
		c = '\t' // which is as wrong there
	case c == '\n' || c == '\r':
		c = ' '
	case v.escaped:
		v.escaped = false
	case v.inside && c == '\\':
		v.escaped = true
	case c == '"':
		v.inside = !v.inside
	case v.inside:
	case top && c == ',':
		return true
	case top && v.list && c == ']': // another may follow
		v.list, v.begun = false, false
		return true
	case c == '{' || c == '[':
		v.depth++
	case c == '}' || c == ']':
		v.depth--
		end = v.depth <= 0
	}
	if c != ' ' && c != '\t' {
		v.begun = true
	}
	v.line = append(v.line, c)
	return end
}
