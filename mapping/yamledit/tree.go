package yamledit

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// What a file is to say is made of nodes too, which have no places: a scalar has its text as
// it is written, an item of a list the names that tell it apart. What is new is written as
// Flow tells: in braces and brackets, or over lines.

// Text is a text.
func Text(s string) *Node { return &Node{Kind: Scalar, Text: s, Raw: Quote(s)} }

// Plain is a number or a truth value, which is written as it is.
func Plain(s string) *Node { return &Node{Kind: Scalar, Text: s, Raw: s} }

// Words is a list of texts in brackets, each told apart by itself.
func Words(list []string) *Node {
	n := &Node{Kind: List, Flow: true}
	for _, s := range list {
		n.Items = append(n.Items, Item{Value: Text(s), Names: []string{s}})
	}
	return n
}

// Add gives a block one more key. A value that says nothing is left out.
func (n *Node) Add(key string, v *Node) {
	if !v.SaysNothing() {
		n.Members = append(n.Members, Member{Text(key), v})
	}
}

// AddText is [Node.Add] of a text that is not "".
func (n *Node) AddText(key, s string) {
	if s != "" {
		n.Add(key, Text(s))
	}
}

// SaysNothing reports whether a value is not there, or holds nothing.
func (n *Node) SaysNothing() bool {
	return n == nil || (n.Kind == Map || n.Kind == List) && len(n.Members)+len(n.Items) == 0
}

// Values are the values of a block by their keys.
func (n *Node) Values() map[string]*Node {
	if n == nil {
		return nil
	}
	m := make(map[string]*Node, len(n.Members))
	for _, k := range n.Members {
		m[k.Key.Text] = k.Value
	}
	return m
}

// Inline is a value as it stands in one line.
func (n *Node) Inline() string { return n.inline(false) }

// inline pads what is wider among its neighbours, when it stands below them.
func (n *Node) inline(below bool) string {
	var parts []string
	switch n.Kind {
	case Empty:
		return "null"
	case Scalar:
		return n.Raw
	case Map:
		for i, m := range n.Members {
			text := m.Value.inline(false)
			width := utf8.RuneCountInString(text)
			if i+1 < len(n.Members) {
				text += ","
				if below {
					text += strings.Repeat(" ", max(0, m.Value.Width-width))
				}
			}
			parts = append(parts, m.Key.Raw+": "+text)
		}
		return "{" + strings.Join(parts, " ") + "}"
	case List:
	}
	for _, item := range n.Items {
		parts = append(parts, item.Value.inline(false))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func (n *Node) isInline() bool { return n.Flow || n.Kind == Scalar || n.Kind == Empty }

// Equal reports whether two values say the same. The order of keys means nothing, and that
// of a loose list.
func Equal(a, b *Node) bool {
	if a == nil || b == nil || a == b {
		return a == b
	}
	if a.Kind != b.Kind || a.Raw != b.Raw || len(a.Members) != len(b.Members) || len(a.Items) != len(b.Items) {
		return false
	}
	var values map[string]*Node
	for i, m := range a.Members {
		other := b.Members[i].Value
		if m.Key.Text != b.Members[i].Key.Text { // the two have another order
			if values == nil {
				values = b.Values()
			}
			other = values[m.Key.Text]
		}
		if !Equal(m.Value, other) {
			return false
		}
	}
	var from []int
	if a.Loose {
		from = Match(a.Items, b.Items)
	}
	for i, item := range b.Items {
		j := i
		if a.Loose {
			j = from[i]
		}
		if j < 0 || !Equal(a.Items[j].Value, item.Value) {
			return false
		}
	}
	return true
}

// Match finds for each new item the old one that it was, or -1: by the first of their names
// where that is one's, else by the second, and so on.
func Match(old, now []Item) []int {
	from, used, most := make([]int, len(now)), make([]bool, len(old)), 0
	for i, item := range now {
		from[i], most = -1, max(most, len(item.Names))
	}
	for k := range most {
		named := map[string][]int{}
		for j, item := range old {
			if !used[j] && k < len(item.Names) {
				named[item.Names[k]] = append(named[item.Names[k]], j)
			}
		}
		for i, item := range now {
			if from[i] >= 0 || k >= len(item.Names) || len(named[item.Names[k]]) == 0 {
				continue
			}
			from[i] = named[item.Names[k]][0]
			used[from[i]], named[item.Names[k]] = true, named[item.Names[k]][1:]
		}
	}
	return from
}

// placed is [Match] for what is written. Of a loose list an item with a new name is the one
// that stood in its place, and all keep their order, the new ones last.
func placed(old, now *Node) (items []Item, from []int) {
	var was []Item
	if old != nil {
		was = old.Items
	}
	from = Match(was, now.Items)
	if !now.Loose {
		return now.Items, from
	}
	var order []int
	for i := range from {
		if from[i] < 0 && i < len(was) && !slices.Contains(from, i) {
			from[i] = i
		}
		order = append(order, i)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if from[a] < 0 || from[b] < 0 {
			return from[b] - from[a]
		}
		return from[a] - from[b]
	})
	sorted := make([]int, len(order))
	for i, j := range order {
		items, sorted[i] = append(items, now.Items[j]), from[j]
	}
	return items, sorted
}
