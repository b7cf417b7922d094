package yamledit

import (
	"bytes"
	"errors"
	"slices"
	"strings"
)

// A part of a file, changed setting by setting. After each change the part is
// read again, so that places are always true; it is short.

// Setting is one thing that a part of a file says: where it stands, and its value as YAML.
// What is written, compared and merged are settings.
type Setting struct {
	Path  []string // below the part; an item of a list is named by its name
	Value string
}

// Key tells settings apart by where they stand.
func (s Setting) Key() string { return strings.Join(s.Path, "\x00") }

// ByPath are settings by their key.
func ByPath(list []Setting) map[string]string {
	m := map[string]string{}
	for _, s := range list {
		m[s.Key()] = s.Value
	}
	return m
}

// WritePart brings the part of a file that stands behind a key, last where it is new, from
// some settings to others.
func WritePart(src []byte, name string, from, to []Setting) ([]byte, error) {
	end := ""
	if strings.Contains(string(src), "\r\n") {
		end = "\r"
	}
	root, err := Read(UnixLines(src))
	if err != nil {
		return nil, err
	}
	lines := strings.Split(string(UnixLines(src)), "\n")
	first, last := len(lines), len(lines)
	for i := range root.Members {
		if m := root.Members[i]; m.Key.Text == name && !root.Flow {
			first = m.Key.At.Line - 1
			last = blockEnd(lines, m.Key, m.Value)
		}
	}
	part := slices.Clone(lines[first:last])
	if len(part) == 0 {
		for first > 0 && strings.TrimSpace(lines[first-1]) == "" {
			first--
		}
		part = []string{name + ":"}
		lines = append(lines[:first:first], "") // a blank line before
		first, last = len(lines), len(lines)
	}
	part, err = WriteSettings(part, from, to)
	if err != nil {
		return nil, err
	}
	out := append(append(slices.Clone(lines[:first]), part...), lines[last:]...)
	if len(out) > 0 && out[len(out)-1] != "" {
		out = append(out, "")
	}
	return []byte(strings.Join(out, end+"\n")), nil
}

// WriteSettings changes the lines of a part, which begin with its key.
func WriteSettings(lines []string, from, to []Setting) ([]string, error) {
	from, renamed := renames(from, to)
	for _, r := range renamed {
		if err := change(&lines, []string{"events", r[0], "name"}, Quote(r[1])); err != nil {
			return nil, err
		}
	}
	there := map[string]bool{} // all that to has, blocks included
	for _, s := range to {
		for n := 1; n <= len(s.Path); n++ {
			there[Setting{Path: s.Path[:n]}.Key()] = true
		}
	}
	gone := map[string]bool{}
	for _, s := range from {
		for n := 1; n <= len(s.Path); n++ {
			at := Setting{Path: s.Path[:n]}
			if there[at.Key()] || gone[at.Key()] {
				continue
			}
			gone[at.Key()] = true
			for m := n; m <= len(s.Path); m++ { // what is within goes with it
				gone[Setting{Path: s.Path[:m]}.Key()] = true
			}
			if err := change(&lines, at.Path, ""); err != nil {
				return nil, err
			}
			break
		}
	}
	was := ByPath(from)
	for _, s := range to {
		if was[s.Key()] == s.Value {
			continue
		}
		if err := change(&lines, s.Path, s.Value); err != nil {
			return nil, err
		}
	}
	if len(to) == 0 {
		return nil, nil
	}
	return lines, nil
}

// renames finds events that have got another name at their place, and gives from with
// the new ones.
func renames(from, to []Setting) (after []Setting, list [][2]string) {
	names := func(list []Setting) (names []string) {
		for _, s := range list {
			if s.Path[0] == "events" && s.Path[2] == "name" && len(s.Path) == 3 {
				names = append(names, s.Path[1])
			}
		}
		return names
	}
	old, now := names(from), names(to)
	for i := range min(len(old), len(now)) {
		if old[i] != now[i] && !slices.Contains(now, old[i]) && !slices.Contains(old, now[i]) {
			list = append(list, [2]string{old[i], now[i]})
		}
	}
	for _, s := range from {
		s.Path = slices.Clone(s.Path)
		for _, r := range list {
			if s.Path[0] == "events" && s.Path[1] == r[0] {
				s.Path[1] = r[1]
				if s.Path[2] == "name" && len(s.Path) == 3 {
					s.Value = Quote(r[1])
				}
			}
		}
		after = append(after, s)
	}
	return after, list
}

// change sets what stands at path in the lines of a part, or takes it out when
// value is "".
func change(lines *[]string, path []string, value string) error {
	root, err := Read([]byte(strings.Join(*lines, "\n")))
	if err != nil {
		return err
	}
	at := spot{key: root.Members[0].Key, node: root.Members[0].Value}
	e := &Editor{lines: *lines}
	defer func() { *lines = e.lines }()
	for i, name := range path {
		next, ok := at.child(name)
		if !ok {
			if value == "" {
				return nil
			}
			return e.add(at, path[i:], value)
		}
		at = next
	}
	if value == "" {
		return e.takeOut(at)
	}
	return e.put(at, value)
}

// spot is a part of a file: a member of a block with its key, or an item of a list.
type spot struct {
	parent *Node
	key    *Node // nil for an item
	item   Item
	node   *Node
}

// child is the member of this name; of a list, the item that has it as its name.
func (s spot) child(name string) (spot, bool) {
	for _, m := range s.node.Members {
		if m.Key.Text == name {
			return spot{parent: s.node, key: m.Key, node: m.Value}, true
		}
	}
	for _, item := range s.node.Items {
		if n := item.Value.Get("name"); n != nil && n.Text == name {
			return spot{parent: s.node, item: item, node: item.Value}, true
		}
	}
	return spot{}, false
}

// blockEnd is the index of the line behind all that belongs to a member of a block.
func blockEnd(lines []string, key, value *Node) int {
	end := max(key.At.Line, value.Last.Line)
	for i := key.At.Line; i < len(lines); i++ {
		s := strings.TrimLeft(lines[i], " ")
		indent := len(lines[i]) - len(s)
		beside := value.Kind == List && !value.Flow && strings.HasPrefix(s, "-") && indent == key.At.Col-1
		switch {
		case i < value.Last.Line:
		case s == "" || s[0] == '#' && indent < key.At.Col:
			continue // it belongs to what follows, unless more of this one does
		case indent < key.At.Col && !beside:
			return end
		case s[0] == '#':
			continue
		}
		end = i + 1
	}
	return end
}

// itemEnd is the index of the line behind an item of a block list.
func itemEnd(lines []string, item Item) int {
	return blockEnd(lines, &Node{At: item.Dash}, &Node{})
}

// put gives a member another value.
func (e *Editor) put(at spot, value string) error {
	if at.key == nil {
		return ErrByHand
	}
	if n := at.node; n.Kind == Scalar && n.Raw != "" || n.Flow && n.At.Line == n.Last.Line {
		line := []rune(e.lines[n.At.Line-1])
		start, end := n.At.Col-1, n.At.Col-1+len([]rune(n.Raw))
		if n.Flow {
			end = n.Last.Col
		}
		if start < 0 || end > len(line) {
			return ErrByHand
		}
		e.lines[n.At.Line-1] = string(line[:start]) + value + string(line[end:])
		return nil
	}
	if at.parent != nil && at.parent.Flow {
		return ErrByHand
	}
	if at.node.Kind == List {
		if words, stays, ok := itemsOf(at.node, value); ok {
			e.putItems(at.node, words, stays)
			return nil
		}
	}
	end := blockEnd(e.lines, at.key, at.node)
	head := []rune(e.lines[at.key.At.Line-1])
	stop := at.key.At.Col - 1 + len([]rune(at.key.Raw))
	if at.key.Raw == "" || stop > len(head) {
		return ErrByHand
	}
	e.lines = slices.Replace(e.lines, at.key.At.Line-1, end, string(head[:stop])+": "+value)
	return nil
}

// itemsOf are the words of value, a list in brackets, and which items of a block list
// stay when it is to have them; ok is false when the list is better written anew.
func itemsOf(list *Node, value string) (words []string, stays []bool, ok bool) {
	want, err := Read([]byte(value))
	if err != nil || len(list.Items) == 0 || list.Items[0].Dash.Line == 0 {
		return nil, nil, false
	}
	for _, item := range want.Items {
		words = append(words, item.Value.Text)
	}
	n := 0
	for _, item := range list.Items {
		stay := n < len(words) && item.Value.Text == words[n]
		if stay {
			n++
		} else if slices.Contains(words, item.Value.Text) {
			return nil, nil, false // in another order
		}
		stays = append(stays, stay)
	}
	return words[n:], stays, n > 0
}

// putItems adds words to a block list, and takes out the items that do not stay: all
// others keep their lines.
func (e *Editor) putItems(list *Node, words []string, stays []bool) {
	indent := strings.Repeat(" ", list.Items[0].Dash.Col-1)
	end := itemEnd(e.lines, list.Items[len(list.Items)-1])
	for i, word := range words {
		e.lines = slices.Insert(e.lines, end+i, indent+"- "+Quote(word))
	}
	for i := len(list.Items) - 1; i >= 0; i-- {
		if item := list.Items[i]; !stays[i] {
			e.lines = slices.Delete(e.lines, item.Dash.Line-1, itemEnd(e.lines, item))
		}
	}
}

// ErrByHand says that a value stands as it cannot be changed without its surroundings.
var ErrByHand = errors.New("written in a way that cannot be changed line by line; edit it by hand")

// add puts what is not there yet into a block or a list: path is below at.
func (e *Editor) add(at spot, path []string, value string) error {
	n := at.node
	inList := len(path) > 1 && at.key != nil && at.key.Text == "events" && n.Kind != Map
	switch {
	case n.Flow:
		text := inFlow(path, value, n.Kind == Map)
		if len(n.Members)+len(n.Items) > 0 {
			text = ", " + text
		}
		line := []rune(e.lines[n.Last.Line-1])
		before := strings.TrimRight(string(line[:n.Last.Col-1]), " ")
		if strings.HasSuffix(before, ",") {
			text = strings.TrimPrefix(text, ",")
		}
		if strings.TrimSpace(before) == "" { // the bracket stands alone on its line
			return ErrByHand
		}
		e.lines[n.Last.Line-1] = before + text + string(line[n.Last.Col-1:])
		return nil
	case n.Kind == Empty && at.key != nil:
		indent := strings.Repeat(" ", at.key.At.Col+1)
		e.lines = slices.Insert(e.lines, at.key.At.Line, inBlock(indent, path, value, inList)...)
		return nil
	case n.Kind == Map && len(n.Members) > 0:
		last := n.Members[len(n.Members)-1]
		indent := strings.Repeat(" ", n.Members[0].Key.At.Col-1)
		e.lines = slices.Insert(e.lines, blockEnd(e.lines, last.Key, last.Value), inBlock(indent, path, value, false)...)
		return nil
	case n.Kind == List && len(n.Items) > 0 && n.Items[0].Dash.Line > 0:
		last := n.Items[len(n.Items)-1]
		indent := strings.Repeat(" ", last.Dash.Col-1)
		e.lines = slices.Insert(e.lines, itemEnd(e.lines, last), inBlock(indent, path, value, true)...)
		return nil
	}
	return ErrByHand
}

// takeOut takes a member or an item out, with its lines. Comments above it stay.
func (e *Editor) takeOut(at spot) error {
	switch {
	case at.parent == nil:
		return ErrByHand
	case at.parent.Flow && at.key == nil:
		if at.node.At.Line != at.node.Last.Line {
			return ErrByHand
		}
		e.cutItem(at.node, at.parent.Items[len(at.parent.Items)-1].Value == at.node)
		return nil
	case at.parent.Flow:
		return e.cutMember(at)
	case at.key == nil:
		e.lines = slices.Delete(e.lines, at.item.Dash.Line-1, itemEnd(e.lines, at.item))
		return nil
	}
	from, end := at.key.At.Line-1, blockEnd(e.lines, at.key, at.node)
	if head := e.lines[from][:at.key.At.Col-1]; strings.TrimSpace(head) == "-" { // the first of an item
		if end >= len(e.lines) || len(e.lines[end]) < len(head) || strings.TrimSpace(e.lines[end][:len(head)]) != "" {
			return ErrByHand
		}
		e.lines[end] = head + e.lines[end][len(head):]
	}
	e.lines = slices.Delete(e.lines, from, end)
	return nil
}

// cutMember takes a member out of braces, with its comma.
func (e *Editor) cutMember(at spot) error {
	n := at.node
	if at.key.At.Line != n.At.Line || n.Flow && n.At.Line != n.Last.Line || n.Kind == Scalar && n.Raw == "" || n.Kind == Empty {
		return ErrByHand
	}
	line := []rune(e.lines[n.At.Line-1])
	end := n.At.Col - 1 + len([]rune(n.Raw))
	if n.Flow {
		end = n.Last.Col
	}
	head, tail := string(line[:at.key.At.Col-1]), string(line[end:])
	if rest, ok := strings.CutPrefix(strings.TrimLeft(tail, " "), ","); ok {
		tail = strings.TrimLeft(rest, " ")
	} else {
		head = strings.TrimRight(head, " ")
		head = strings.TrimRight(strings.TrimSuffix(head, ","), " ")
	}
	e.lines[n.At.Line-1] = head + tail
	return nil
}

// UnixLines brings CRLF to LF, so that both read alike and places stay true.
func UnixLines(src []byte) []byte { return bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n")) }
