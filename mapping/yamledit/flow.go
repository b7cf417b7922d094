package yamledit

import (
	"strings"
)

// Lists in brackets (YAML's flow style), changed in their place.

// rebuild writes a list in brackets anew, one item a line, below the comments
// that stood in it.
func (e *Editor) rebuild(list *Node, items []ItemText) {
	if !list.Flow || list.Last.Line == 0 || list.Last.Line > len(e.lines) {
		return
	}
	start, stop := list.At, list.Last
	head, tail := []rune(e.lines[start.Line-1]), []rune(e.lines[stop.Line-1])
	lines := []string{string(head[:start.Col-1]) + "[" + e.end}
	for i := start.Line - 1; i < stop.Line-1; i++ {
		if c := comment(e.lines[i]); c != "" {
			lines = append(lines, "      "+c)
		}
	}
	for _, item := range items {
		lines = append(lines, "      "+item.Line+","+e.end)
	}
	lines = append(lines, "    ]"+string(tail[stop.Col:]))
	e.lines = append(append(append([]string(nil), e.lines[:start.Line-1]...), lines...), e.lines[stop.Line:]...)
}

// ArrangeFlow is [Editor.Arrange] for a list in brackets whose items are in braces, each
// on one line. The items of a place that stays are put into the places in their
// new order, so that what stands between them stays; new ones follow the last.
func (e *Editor) ArrangeFlow(list *Node, from []int, items []ItemText, same func(i int) bool) bool {
	if !list.Flow || len(list.Items) == 0 {
		return false
	}
	texts, keep := make([]string, len(list.Items)), make([]bool, len(list.Items))
	for i, item := range list.Items {
		v := item.Value
		if !v.Flow || v.Kind != Map || v.At.Line != v.Last.Line || v.At.Line > len(e.lines) {
			return false
		}
		line := []rune(e.lines[v.At.Line-1])
		if v.Last.Col > len(line) || line[v.At.Col-1] != '{' || line[v.Last.Col-1] != '}' {
			return false
		}
		texts[i] = string(line[v.At.Col-1 : v.Last.Col])
	}
	for _, j := range from {
		if j >= 0 {
			keep[j] = true
		}
	}
	var want []string // the texts of the items, in their new order
	for i, j := range from {
		if j >= 0 && same(i) {
			want = append(want, texts[j])
		} else {
			want = append(want, items[i].Beside)
		}
	}
	places := 0
	for _, k := range keep {
		if k {
			places++
		}
	}
	// From the end to the beginning, so that the places before stay true.
	next, last := places-1, true
	for i := len(list.Items) - 1; i >= 0; i-- {
		v := list.Items[i].Value
		if !keep[i] {
			e.cutItem(v, i == len(list.Items)-1)
			continue
		}
		text := want[next]
		if last {
			text += e.following(v, want[places:], list.At.Line != list.Last.Line)
		}
		next, last = next-1, false
		line := []rune(e.lines[v.At.Line-1])
		e.lines[v.At.Line-1] = string(line[:v.At.Col-1]) + text + string(line[v.Last.Col:])
	}
	return true
}

// following is the text of new items behind the last: on lines of their own when
// nothing but a comment follows it on its line, else beside it.
func (e *Editor) following(v *Node, more []string, lines bool) string {
	if len(more) == 0 {
		return ""
	}
	line := []rune(e.lines[v.At.Line-1])
	rest := strings.TrimSuffix(string(line[v.Last.Col:]), e.end)
	behind, comma := strings.CutPrefix(strings.TrimSpace(rest), ",")
	behind = strings.TrimSpace(behind)
	if !lines || behind != "" && behind[0] != '#' {
		return ", " + strings.Join(more, ", ")
	}
	e.lines[v.At.Line-1] = string(line[:v.Last.Col]) // the rest is given back here
	between := e.end + "\n" + e.lines[v.At.Line-1][:len(e.lines[v.At.Line-1])-len(strings.TrimLeft(e.lines[v.At.Line-1], " "))]
	text := rest + between + strings.Join(more, ","+between)
	if comma {
		return text + "," + e.end
	}
	return "," + text + e.end
}

// cutItem takes an item and its comma out, and its line when nothing else is on it.
func (e *Editor) cutItem(v *Node, isLast bool) {
	at := v.At.Line - 1
	line := []rune(e.lines[at])
	head, tail := string(line[:v.At.Col-1]), string(line[v.Last.Col:])
	if rest, ok := strings.CutPrefix(strings.TrimLeft(tail, " "), ","); ok {
		tail = strings.TrimLeft(rest, " ")
	} else if isLast && strings.HasSuffix(strings.TrimRight(head, " "), ",") {
		head = strings.TrimSuffix(strings.TrimRight(head, " "), ",")
	}
	if s := strings.TrimSpace(tail); strings.TrimSpace(head) == "" && (s == "" || s[0] == '#') {
		e.lines = append(e.lines[:at:at], e.lines[at+1:]...)
		return
	}
	e.lines[at] = head + tail
}

// comment is the comment that a line of YAML ends with, "" when it has none.
func comment(line string) string {
	var quote byte
	for i := range len(line) {
		switch c := line[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '#' && (i == 0 || line[i-1] == ' '):
			return line[i:]
		}
	}
	return ""
}
