package mapping

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"loopmap/mapping/body"
	"loopmap/mapping/column"
	"loopmap/mapping/yamledit"
)

// Problem is one mistake in a mapping file, with its place. Lines and columns
// count from 1, columns in characters.
type Problem struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Col  int    `json:"column"`
	Msg  string `json:"message"`
}

func (p Problem) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Col, p.Msg)
}

// FileError holds all that is wrong with a mapping file, in the file's order.
type FileError struct{ Problems []Problem }

func (e *FileError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Parse reads a mapping file strictly: what it does not know it refuses, with
// file, line, column and the nearest known word. The error is a *[FileError].
// The name stands in messages only.
func Parse(name string, src []byte) (*Mapping, error) {
	doc, err := readFile(name, src)
	if err != nil {
		return nil, err
	}
	return doc.mapping, nil
}

// document is a mapping file with the places of its parts.
type document struct {
	mapping *Mapping
	root    *yamledit.Node
}

func readFile(name string, src []byte) (*document, error) {
	f := &fileReader{name: name}
	root, err := yamledit.Read(yamledit.UnixLines(src))
	if err != nil {
		var at *yamledit.Error
		if errors.As(err, &at) {
			f.problem(at.Place, "%s", at.Msg)
		}
		return nil, &FileError{f.problems}
	}
	m := f.mapping(root)
	if err := f.err(); err != nil {
		return nil, err
	}
	if f.hidden {
		m.source = &source{name, root}
	}
	m.Hash = HashOf(src)
	return &document{m, root}, nil
}

// fileReader walks the file and collects mistakes.
type fileReader struct {
	name     string
	problems []Problem
	dialect  column.Dialect    // of the database, where the environment has told; else the file tells
	hidden   bool              // the environment is to tell it: what one of the two takes is well
	columns  map[string]Column // of the receive part so far, by folded name
}

// err is what is wrong, in the file's order; nil for nothing.
func (f *fileReader) err() error {
	if len(f.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(f.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	return &FileError{f.problems}
}

// mostProblems are told; who has mended them sees the others.
const mostProblems = 100

func (f *fileReader) problem(at yamledit.Place, format string, args ...any) {
	if len(f.problems) == mostProblems {
		return
	}
	f.problems = append(f.problems, Problem{f.name, at.Line, at.Col, fmt.Sprintf(format, args...)})
}

// block checks that n is a map with no other keys than the known ones.
func (f *fileReader) block(n *yamledit.Node, what string, known ...string) bool {
	if n.Kind != yamledit.Map {
		f.problem(n.At, "%s is a block of keys: %s", what, strings.Join(known, ", "))
		return false
	}
	for _, m := range n.Members {
		if len(f.problems) == mostProblems {
			break // to look for what else is near takes its time
		}
		if !slices.Contains(known, m.Key.Text) {
			msg := fmt.Sprintf("unknown key %q in %s", yamledit.Cut(m.Key.Text), what)
			if near := body.Nearest(m.Key.Text, known); near != "" {
				msg += fmt.Sprintf("; did you mean %s?", near)
			} else {
				msg += "; it has " + strings.Join(known, ", ")
			}
			f.problem(m.Key.At, "%s", msg)
		}
	}
	return true
}

// misspelt reports whether a key of n was probably meant to be this one.
func misspelt(n *yamledit.Node, key string) bool {
	few := n.Members[:min(len(n.Members), mostProblems)]
	return slices.ContainsFunc(few, func(m yamledit.Member) bool { return body.Nearest(m.Key.Text, []string{key}) != "" })
}

// text reads a scalar that must be there and say something.
func (f *fileReader) text(parent *yamledit.Node, what, key, example string) (string, *yamledit.Node) {
	n := parent.Get(key)
	switch {
	case n == nil:
		if !misspelt(parent, key) { // which has been said
			f.problem(parent.At, "%s has no %s; write for example %s: %s", what, key, key, example)
		}
		return "", parent
	case n.Kind != yamledit.Scalar || n.Text == "":
		f.problem(n.At, "%s of %s is one word or text, for example %s", key, what, example)
		return "", n
	}
	return n.Text, n
}

func (f *fileReader) mapping(root *yamledit.Node) *Mapping {
	m := &Mapping{ready: new(ready), Version: Version, Dialect: column.SQLite}
	if !f.block(root, "the mapping file", "version", "database", "table", "key", "receive", "journal", "push") {
		return m
	}
	f.version(root)
	f.database(root, m)
	var at *yamledit.Node
	m.Table, at = f.text(root, "the mapping file", "table", "contacts")
	if m.Table != "" {
		if err := f.checkName(m.Dialect, column.Dialect.CheckTable, m.Table); err != nil {
			f.problem(at.At, "table %q: %v", m.Table, err)
		}
	}
	m.Key, at = f.text(root, "the mapping file", "key", "loops_id")
	f.receive(root, m)
	if m.Key != "" && m.Receive.Columns != nil && m.column(m.Key).Name == "" {
		var names []string
		for _, c := range m.Receive.Columns {
			names = append(names, c.Name)
		}
		msg := fmt.Sprintf("the key %q is not one of the columns", m.Key)
		if near := body.Nearest(m.Key, names); near != "" {
			msg += fmt.Sprintf("; did you mean %s?", near)
		}
		f.problem(at.At, "%s", msg)
	}
	f.journal(root.Get("journal"), m)
	if n := root.Get("push"); n != nil && n.Kind != yamledit.Empty {
		m.Push = f.push(n)
	}
	f.purpose(root, m)
	return m
}

// purpose refuses a file that neither receives nor sends.
func (f *fileReader) purpose(root *yamledit.Node, m *Mapping) {
	push := root.Get("push")
	switch {
	case root.Get("receive") != nil || misspelt(root, "receive"): // which has been said
	case push == nil && misspelt(root, "push"):
	case m.Push == nil:
		f.problem(root.At, "the mapping file has no receive, which says which events become rows, and no push, which says what rows send "+
			"to Loops: it needs one of them")
	case push.Kind == yamledit.Map && m.Push.Contact == nil && len(m.Push.Events) == 0:
		f.problem(push.At, "push sends nothing: give it contact, events or both, or the mapping file a receive")
	}
}

func (f *fileReader) version(root *yamledit.Node) {
	v, at := f.text(root, "the mapping file", "version", "1")
	switch {
	case v == "" || v == "1":
	case strings.Trim(v, "0123456789") == "":
		f.problem(at.At, "version %s was written for a newer loopmap; this one reads version 1", v)
	default:
		f.problem(at.At, "%q is not a version; write version: 1", v)
	}
}

func (f *fileReader) receive(root *yamledit.Node, m *Mapping) {
	n := root.Get("receive")
	if n == nil || !f.block(n, "receive", "events", "columns", "rules") {
		return
	}
	m.Receive.Events = f.words(n, "receive", "events", "[contact.created]")
	list := n.Get("columns")
	if list == nil || list.Kind != yamledit.List || len(list.Items) == 0 {
		at := n.At
		if list != nil {
			at = list.At
		}
		f.problem(at, "columns is a list with at least the key column: - {name: loops_id, type: text, from: contactIdentity.id}")
		return
	}
	if limit := m.Dialect.MaxColumns(); len(list.Items) > limit {
		f.problem(list.At, "%d columns are more than the database takes (%d)", len(list.Items), limit)
	}
	lines := map[string]*yamledit.Node{}
	for _, item := range list.Items {
		c, name := f.column(item.Value, m.Dialect)
		if c.Name != "" {
			folded := m.Dialect.Fold(c.Name)
			switch first := lines[folded]; {
			case first == nil:
				lines[folded] = name
			case first.Text == c.Name:
				f.problem(name.At, "column %q stands here twice (first in line %d)", c.Name, first.At.Line)
			case !f.hidden:
				f.problem(name.At, "column %q is %q to SQLite, which ignores case (line %d)", c.Name, first.Text, first.At.Line)
			}
		}
		m.Receive.Columns = append(m.Receive.Columns, c)
	}
	f.rules(n.Get("rules"), m)
	if limit, all := m.Dialect.MaxColumns(), len(m.allColumns()); all > limit && all > len(list.Items) {
		f.problem(list.At, "%d columns, those of rules included, are more than the database takes (%d)", all, limit)
	}
}

func (f *fileReader) column(n *yamledit.Node, d column.Dialect) (c Column, name *yamledit.Node) {
	if !f.block(n, "a column", "name", "type", "from") {
		return c, n
	}
	c.Name, name = f.text(n, "the column", "name", "email")
	what := "the column"
	if c.Name != "" {
		what = "column " + c.Name
		if err := f.checkName(d, column.Dialect.CheckColumn, c.Name); err != nil {
			f.problem(name.At, "column %q: %v", c.Name, err)
		}
	}
	var err error
	if s, at := f.text(n, what, "type", "text"); s != "" {
		if c.Type, err = column.ParseType(s); err != nil {
			f.problem(at.At, "%s: %v", what, err)
		}
	}
	if s, at := f.text(n, what, "from", "contact.email"); s != "" {
		if c.From, err = ParsePath(s); err != nil {
			where := at.At
			if e := new(body.PathError); errors.As(err, &e) && at.Raw == s {
				where.Col += len([]rune(s[:min(e.Offset, len(s))]))
			}
			f.problem(where, "%s: %v", what, err)
		}
	}
	return c, name
}

// words reads a list of texts.
func (f *fileReader) words(parent *yamledit.Node, what, key, example string) (words []string) {
	n := parent.Get(key)
	if n == nil || n.Kind != yamledit.List || len(n.Items) == 0 {
		at := parent.At
		if n != nil {
			at = n.At
		}
		f.problem(at, "%s needs a list of %s: %s: %s", what, key, key, example)
		return nil
	}
	seen := map[string]bool{}
	for _, item := range n.Items {
		switch v := item.Value; {
		case v.Kind != yamledit.Scalar || v.Text == "":
			f.problem(v.At, "%s of %s are words, for example %s", key, what, example)
		case seen[v.Text]:
			f.problem(v.At, "%q stands here twice", v.Text)
		default:
			words, seen[v.Text] = append(words, v.Text), true
		}
	}
	return words
}
