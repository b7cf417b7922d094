package mapping

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"loopmap/mapping/body"
	"loopmap/mapping/column"
	"loopmap/mapping/yamledit"
)

// Rewrite brings a mapping file to say what m says, and changes no more than
// that: comments, order, blank lines and the look of all other lines stay. With
// no source it writes a new file. The result is read back before it is
// returned: it says what m says, or there is an error and no result.
func Rewrite(name string, src []byte, m *Mapping) ([]byte, error) {
	var err error
	out := render(m)
	if len(bytes.TrimSpace(src)) > 0 {
		doc, err := readFile(name, src)
		if err != nil {
			return nil, err
		}
		if out, err = writePush(doc.edit(src, m), doc.mapping.Push, m.Push); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	} else if out, err = writePush(out, nil, m.Push); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	back, err := Parse(name, out)
	if err != nil {
		return nil, fmt.Errorf("the mapping cannot be saved: %w", err)
	}
	if !back.Same(m) {
		return nil, fmt.Errorf("%s is written in a way that cannot be changed line by line; edit it by hand", name)
	}
	return out, nil
}

func render(m *Mapping) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `# How Loops webhooks become rows: "loopmap check" reads this file over,
# "loopmap sync" keeps the table in step by it.
version: %d
database: %s
table: %s
key: %s   # the column that tells rows apart

receive:
  events: [%s]
  columns:
`, Version, quoteYAML(m.Database), quoteYAML(m.Table), quoteYAML(m.Key), strings.Join(quoteAll(m.Receive.Events), ", "))
	width := nameWidth(m.Receive.Columns)
	for _, c := range m.Receive.Columns {
		fmt.Fprintf(&b, "    - %s\n", renderColumn(c, width))
	}
	return b.Bytes()
}

// renderColumn writes a column in flow style, its parts aligned.
func renderColumn(c Column, width int) string {
	pad := func(s string, n int) string {
		return s + "," + strings.Repeat(" ", max(1, n+1-utf8.RuneCountInString(s)))
	}
	return "{name: " + pad(quoteYAML(c.Name), width) + "type: " + pad(string(c.Type), len(column.Boolean)) + "from: " + quoteYAML(c.From.String()) + "}"
}

func nameWidth(columns []Column) (width int) {
	for _, c := range columns {
		if n := utf8.RuneCountInString(quoteYAML(c.Name)); n <= 24 {
			width = max(width, n)
		}
	}
	return width
}

var plainYAML = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_.$/:-]*$`)

// quoteYAML writes a scalar, plain where that reads back as the same text both
// in block and in flow style.
func quoteYAML(s string) string {
	switch strings.ToLower(s) {
	case "null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf":
		return "'" + s + "'"
	}
	switch {
	case plainYAML.MatchString(s) && !strings.HasSuffix(s, ":"), bareVariable.MatchString(s):
		return s
	case body.IsPrintable(s):
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	var b strings.Builder
	body.WriteQuoted(&b, s)
	return b.String()
}

// bareVariable is a database that is all in the environment. Outside of flow
// style, where it is only ever written, it needs no quotes.
var bareVariable = regexp.MustCompile(`^\$\{[A-Z_]+\}$`)

func quoteAll(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = quoteYAML(s)
	}
	return out
}

// edit changes the lines of src that say something else than m.
func (doc *document) edit(src []byte, m *Mapping) []byte {
	e := &lineEditor{lines: strings.Split(string(src), "\n")}
	if strings.HasSuffix(e.lines[0], "\r") {
		e.end = "\r"
	}
	for _, s := range []struct{ key, old, new string }{
		{"database", doc.mapping.Database, m.Database},
		{"table", doc.mapping.Table, m.Table},
		{"key", doc.mapping.Key, m.Key},
	} {
		if s.old != s.new {
			e.replace(doc.root.Get(s.key), s.new)
		}
	}
	list := doc.root.Get("receive").Get("columns")
	from := matchColumns(doc.mapping.Receive.Columns, m.Receive.Columns)
	if !inOrder(from, len(doc.mapping.Receive.Columns)) && e.arrangeFlow(list, from, doc.mapping.Receive.Columns, m.Receive.Columns) {
		return []byte(strings.Join(e.lines, "\n"))
	}
	for i, c := range m.Receive.Columns {
		if from[i] < 0 {
			continue
		}
		old, node := doc.mapping.Receive.Columns[from[i]], list.Items[from[i]].Value
		for _, s := range []struct{ key, old, new string }{
			{"from", old.From.String(), c.From.String()},
			{"type", string(old.Type), string(c.Type)},
			{"name", old.Name, c.Name},
		} {
			if s.old != s.new {
				e.replace(node.Get(s.key), s.new)
			}
		}
	}
	if !inOrder(from, len(doc.mapping.Receive.Columns)) {
		e.arrange(list, from, m.Receive.Columns)
	}
	return []byte(strings.Join(e.lines, "\n"))
}

// inOrder reports whether from is 0, 1, 2 ... n-1: nothing added, dropped or moved.
func inOrder(from []int, n int) bool {
	for i, j := range from {
		if i != j {
			return false
		}
	}
	return len(from) == n
}

// matchColumns finds for each new column the old one that it was, or -1: the
// same column, else one from the same path, else one of the same name.
func matchColumns(old, new []Column) []int {
	from := make([]int, len(new))
	for i := range from {
		from[i] = -1
	}
	used := make([]bool, len(old))
	for _, same := range []func(a, b Column) bool{
		Column.Equal,
		func(a, b Column) bool { return a.From.Equal(b.From) && a.Name == b.Name },
		func(a, b Column) bool { return a.From.Equal(b.From) },
		func(a, b Column) bool { return a.Name == b.Name },
	} {
		for i := range new {
			for j := range old {
				if from[i] < 0 && !used[j] && same(old[j], new[i]) {
					from[i], used[j] = j, true
				}
			}
		}
	}
	return from
}

// lineEditor changes a file held as lines. Those of a file with CRLF line ends
// keep their CR, and new ones get it.
type lineEditor struct {
	lines []string
	end   string
}

// replace puts another value in a scalar's place. A gap that aligns what follows
// grows or shrinks with it. What cannot be replaced so (a value over several
// lines) stays, and Rewrite finds that out.
func (e *lineEditor) replace(n *yamledit.Node, text string) {
	if n == nil || n.Kind != yamledit.Scalar || n.Raw == "" || n.At.Line > len(e.lines) {
		return
	}
	line := []rune(e.lines[n.At.Line-1])
	start, old, new := n.At.Col-1, []rune(n.Raw), []rune(quoteYAML(text))
	end := start + len(old)
	if start < 0 || end > len(line) || string(line[start:end]) != n.Raw {
		return
	}
	rest := line[end:]
	if len(rest) > 2 && rest[0] == ',' && rest[1] == ' ' && rest[2] == ' ' {
		gap := 1
		for gap < len(rest) && rest[gap] == ' ' {
			gap++
		}
		spaces := max(1, gap-1+len(old)-len(new))
		rest = append([]rune(","+strings.Repeat(" ", spaces)), rest[gap:]...)
	}
	e.lines[n.At.Line-1] = string(line[:start]) + string(new) + string(rest)
}

// chunk is the lines of one column: the comments and blank lines above it, and
// its own.
type chunk struct{ above, own []string }

// arrange brings a list of columns into the order of from, writes those that are
// new (-1) and leaves out those that are not named. Comments above a column that
// goes stay where they are.
func (e *lineEditor) arrange(list *yamledit.Node, from []int, columns []Column) {
	width := nameWidth(columns)
	if list.Flow || len(list.Items) == 0 || list.Items[0].Dash.Line == 0 {
		e.rebuild(list, columns, width)
		return
	}
	chunks, first, end := e.chunks(list)
	indent := strings.Repeat(" ", list.Items[0].Dash.Col-1)
	kept := map[int]bool{}
	for _, j := range from {
		kept[j] = true
	}
	var left []string // comments whose column is gone, for the next one that stays
	for j := range chunks {
		if kept[j] {
			chunks[j].above = append(left, chunks[j].above...)
			left = nil
		} else if strings.TrimSpace(strings.Join(chunks[j].above, "")) != "" {
			left = append(left, chunks[j].above...)
		}
	}
	var lines []string
	for i, j := range from {
		if j < 0 {
			lines = append(lines, indent+"- "+renderColumn(columns[i], width)+e.end)
			continue
		}
		lines = append(append(lines, chunks[j].above...), chunks[j].own...)
	}
	lines = append(lines, left...)
	e.lines = append(append(append([]string(nil), e.lines[:first]...), lines...), e.lines[end:]...)
}

// chunks takes a block list apart. The list is e.lines[first:end].
func (e *lineEditor) chunks(list *yamledit.Node) (chunks []chunk, first, end int) {
	n := len(list.Items)
	first, end = list.Items[0].Dash.Line-1, len(e.lines)
	last := list.Items[n-1].Dash
	for i := last.Line; i < len(e.lines); i++ {
		s := strings.TrimLeft(e.lines[i], " ")
		if strings.TrimSpace(s) != "" && s[0] != '#' && len(e.lines[i])-len(s) < last.Col {
			end = i
			break
		}
	}
	own := func(from, to int) int { // where the lines above the next begin
		for to > from+1 {
			if s := strings.TrimSpace(e.lines[to-1]); s != "" && s[0] != '#' {
				break
			}
			to--
		}
		return to
	}
	above := first
	for i, item := range list.Items {
		start, next := item.Dash.Line-1, end
		if i+1 < n {
			next = list.Items[i+1].Dash.Line - 1
		}
		stop := own(start, next)
		chunks = append(chunks, chunk{e.lines[above:start], e.lines[start:stop]})
		above = stop
	}
	return chunks, first, above
}
