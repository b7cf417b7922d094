package mapping

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

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
`, Version, yamledit.Quote(m.Database), yamledit.Quote(m.Table), yamledit.Quote(m.Key), strings.Join(yamledit.QuoteAll(m.Receive.Events), ", "))
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
	return "{name: " + pad(yamledit.Quote(c.Name), width) + "type: " + pad(string(c.Type), len(column.Boolean)) + "from: " + yamledit.Quote(c.From.String()) + "}"
}

// columnItems are columns as items of a list.
func columnItems(columns []Column) (items []yamledit.ItemText) {
	width := nameWidth(columns)
	for _, c := range columns {
		items = append(items, yamledit.ItemText{Line: renderColumn(c, width), Beside: columnInFlow(c)})
	}
	return items
}

func columnInFlow(c Column) string {
	return "{name: " + yamledit.Quote(c.Name) + ", type: " + string(c.Type) + ", from: " + yamledit.Quote(c.From.String()) + "}"
}

func nameWidth(columns []Column) (width int) {
	for _, c := range columns {
		if n := utf8.RuneCountInString(yamledit.Quote(c.Name)); n <= 24 {
			width = max(width, n)
		}
	}
	return width
}

// edit changes the lines of src that say something else than m.
func (doc *document) edit(src []byte, m *Mapping) []byte {
	e := yamledit.NewEditor(src)
	for _, s := range []struct{ key, old, new string }{
		{"database", doc.mapping.Database, m.Database},
		{"table", doc.mapping.Table, m.Table},
		{"key", doc.mapping.Key, m.Key},
	} {
		if s.old != s.new {
			e.Replace(doc.root.Get(s.key), s.new)
		}
	}
	list := doc.root.Get("receive").Get("columns")
	from := matchColumns(doc.mapping.Receive.Columns, m.Receive.Columns)
	items := columnItems(m.Receive.Columns)
	same := func(i int) bool { return doc.mapping.Receive.Columns[from[i]].Equal(m.Receive.Columns[i]) }
	if !inOrder(from, len(doc.mapping.Receive.Columns)) && e.ArrangeFlow(list, from, items, same) {
		return e.Text()
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
				e.Replace(node.Get(s.key), s.new)
			}
		}
	}
	if !inOrder(from, len(doc.mapping.Receive.Columns)) {
		e.Arrange(list, from, items)
	}
	return e.Text()
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
