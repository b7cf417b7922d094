package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/term"

	"loopmap/mapping/body"
	"loopmap/mapping/column"
)

// printJSON writes v on indented lines, with <, > and & as they are.
func printJSON(w io.Writer, v any) error {
	e := jsonEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// jsonEncoder writes a value a line, with <, > and & as they are.
func jsonEncoder(w io.Writer) *json.Encoder {
	e := json.NewEncoder(jsonWriter{w})
	e.SetEscapeHTML(false)
	return e
}

// jsonWriter makes JSON harmless to the terminal that it may come to stand on. Each Write
// is of whole characters.
type jsonWriter struct{ w io.Writer }

// Write is io.Writer's.
func (j jsonWriter) Write(b []byte) (int, error) {
	if _, err := j.w.Write(body.PrintableJSON(b)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// isTerminal reports whether w leads to a terminal.
func isTerminal(w any) bool {
	f, ok := w.(term.File)
	return ok && term.IsTerminal(f.Fd())
}

// printTable lines up cells in columns, two spaces apart. Cells come from outside and
// are made harmless here.
func printTable(w io.Writer, rows [][]string) error {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			row[i] = body.Printable(cell)
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			b.WriteString(cell)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
			}
		}
		text := strings.TrimRight(b.String(), " ")
		b.Reset()
		b.WriteString(text + "\n")
		if _, err := io.WriteString(w, b.String()); err != nil {
			return err
		}
		b.Reset()
	}
	return nil
}

// pretty indents a JSON body for reading; what is no JSON stays as it is. Each
// line is fit for a terminal.
func pretty(raw []byte) string {
	var b bytes.Buffer
	if body.CheckBody(raw) != nil || json.Indent(&b, raw, "", "  ") != nil {
		b.Reset()
		b.Write(raw)
	}
	lines := strings.Split(b.String(), "\n")
	for i, line := range lines {
		lines[i] = body.Printable(line)
	}
	return strings.Join(lines, "\n")
}

// cellJSON is a cell as a JSON value: numbers and JSON as they were written.
func cellJSON(t column.Type, c column.Cell) any {
	switch {
	case c.State != column.Present:
		return nil
	case !t.Bare():
		return c.Text
	}
	return json.RawMessage(c.Text)
}
