package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"loopmap/mapping/body"
)

// Whatever JSON replay is given comes as one value a line; what is in lines stays.
func TestLinesOf(t *testing.T) {
	for in, want := range map[string]string{
		"{\"a\":1}\n{\"b\":2}\n":                       "{\"a\":1}\n{\"b\":2}\n",
		"\ufeff{\"a\":1}\n{\"b\":2}\n":                 "{\"a\":1}\n{\"b\":2}\n",
		"[{\"a\":1},{\"b\":[2,{}]}]":                   "{\"a\":1}\n{\"b\":[2,{}]}\n",
		"\ufeff [\r\n {\"a\": 1},\r\n {\"b\": 2}\r\n]": "{\"a\": 1}\n{\"b\": 2}\n",
		"[]": "", "[ ]\n": "",
		"{\n  \"a\": 1\n}\n{\n  \"b\": \"],{\"\n}": "{   \"a\": 1 }\n{   \"b\": \"],{\" }\n",
		"[{\"a\":\"x\\\"]},{\"},{\"b\":1}]":        "{\"a\":\"x\\\"]},{\"}\n{\"b\":1}\n",
		"[{\"a\":1}]\n[{\"b\":2},{\"c\":3}]\n":     "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n",
		"{\"a\":1},\n{\"b\":2},\n":                 "{\"a\":1}\n{\"b\":2}\n",
		"[1, \"x\", null, {}]":                     "1\n\"x\"\nnull\n{}\n",
		"[{\"a\":1}":                               "{\"a\":1}\n",
		"[{\"a\":\"b\nc\"}]":                       "{\"a\":\"b\tc\"}\n",
		"no JSON\n{}\n":                            "no JSON\n{}\n",
		"":                                         "",
		"\n\n[{\"a\":1}]":                          "{\"a\":1}\n",
	} {
		for _, r := range []io.Reader{strings.NewReader(in), iotest.OneByteReader(strings.NewReader(in))} {
			lines, _, err := linesOf(r)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(lines); err != nil || string(got) != want {
				t.Errorf("%q: %q %v, want %q", in, got, err, want)
			}
		}
	}
	if _, _, err := linesOf(strings.NewReader("\xff\xfe{\x00}\x00")); exitCode(err) != 2 {
		t.Errorf("UTF-16: %v", err)
	}
	lines, _, err := linesOf(io.MultiReader(strings.NewReader("[\""), strings.NewReader(strings.Repeat("x", maxLine+pieceSize+1<<20))))
	if err != nil {
		t.Fatal(err)
	}
	var last error
	readPieces(lines, func(p *piece) bool { last = errors.Join(last, p.err); return true })
	if last == nil || !strings.Contains(last.Error(), "longer than") {
		t.Errorf("a value without end: %v", last)
	}
}

// Of a list each element is a sample.
func TestBodies(t *testing.T) {
	for in, want := range map[string]int{`{"a":1}`: 1, "\ufeff{}": 1, `[{"a":1}, {"b":2}]`: 2, "\ufeff[{}]": 1, `[1,`: 1, "no JSON": 1, "": 1} {
		if list, err := body.Bodies([]byte(in)); err != nil || len(list) != want || strings.Contains(string(list[0]), "\ufeff") {
			t.Errorf("%q: %q %v", in, list, err)
		}
	}
	for _, in := range []string{"[]", "\xff\xfe{\x00", "\xfe\xff\x00{"} {
		if _, err := body.Bodies([]byte(in)); err == nil {
			t.Errorf("%q is taken", in)
		}
	}
}
