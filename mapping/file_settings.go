package mapping

import (
	"errors"
	"slices"
	"strings"

	"loopmap/mapping/yamledit"
)

// The push part of a file, changed setting by setting. After each change the part is
// read again, so that places are always true; it is short.

// writePush brings the push part of a file from what it says to what m says.
func writePush(src []byte, from, to *Push) ([]byte, error) {
	if samePush(from, to) {
		return src, nil
	}
	end := ""
	if strings.Contains(string(src), "\r\n") {
		end = "\r"
	}
	root, err := yamledit.Read(unixLines(src))
	if err != nil {
		return nil, err
	}
	lines := strings.Split(string(unixLines(src)), "\n")
	first, last := len(lines), len(lines)
	for i := range root.Members {
		if m := root.Members[i]; m.Key.Text == "push" && !root.Flow {
			first = m.Key.At.Line - 1
			last = blockEnd(lines, m.Key, m.Value)
		}
	}
	part := slices.Clone(lines[first:last])
	if len(part) == 0 {
		for first > 0 && strings.TrimSpace(lines[first-1]) == "" {
			first--
		}
		part = []string{"push:"}
		lines = append(lines[:first:first], "") // a blank line before
		first, last = len(lines), len(lines)
	}
	part, err = writeSettings(part, from.settings(), to.settings())
	if err != nil {
		return nil, err
	}
	out := append(append(slices.Clone(lines[:first]), part...), lines[last:]...)
	if len(out) > 0 && out[len(out)-1] != "" {
		out = append(out, "")
	}
	return []byte(strings.Join(out, end+"\n")), nil
}

// writeSettings changes the lines of a push part, which begin with its key.
func writeSettings(lines []string, from, to []setting) ([]string, error) {
	from, renamed := renames(from, to)
	for _, r := range renamed {
		if err := change(&lines, []string{"events", r[0], "name"}, quoteYAML(r[1])); err != nil {
			return nil, err
		}
	}
	there := map[string]bool{} // all that to has, blocks included
	for _, s := range to {
		for n := 1; n <= len(s.path); n++ {
			there[setting{path: s.path[:n]}.key()] = true
		}
	}
	gone := map[string]bool{}
	for _, s := range from {
		for n := 1; n <= len(s.path); n++ {
			at := setting{path: s.path[:n]}
			if there[at.key()] || gone[at.key()] {
				continue
			}
			gone[at.key()] = true
			for m := n; m <= len(s.path); m++ { // what is within goes with it
				gone[setting{path: s.path[:m]}.key()] = true
			}
			if err := change(&lines, at.path, ""); err != nil {
				return nil, err
			}
			break
		}
	}
	was := byPath(from)
	for _, s := range to {
		if was[s.key()] == s.value {
			continue
		}
		if err := change(&lines, s.path, s.value); err != nil {
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
func renames(from, to []setting) (after []setting, list [][2]string) {
	names := func(list []setting) (names []string) {
		for _, s := range list {
			if s.path[0] == "events" && s.path[2] == "name" && len(s.path) == 3 {
				names = append(names, s.path[1])
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
		s.path = slices.Clone(s.path)
		for _, r := range list {
			if s.path[0] == "events" && s.path[1] == r[0] {
				s.path[1] = r[1]
				if s.path[2] == "name" && len(s.path) == 3 {
					s.value = quoteYAML(r[1])
				}
			}
		}
		after = append(after, s)
	}
	return after, list
}

// change sets what stands at path in the lines of a push part, or takes it out when
// value is "".
func change(lines *[]string, path []string, value string) error {
	root, err := yamledit.Read([]byte(strings.Join(*lines, "\n")))
	if err != nil {
		return err
	}
	at := spot{key: root.Members[0].Key, node: root.Members[0].Value}
	e := &lineEditor{lines: *lines}
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
	parent *yamledit.Node
	key    *yamledit.Node // nil for an item
	item   yamledit.Item
	node   *yamledit.Node
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
func blockEnd(lines []string, key, value *yamledit.Node) int {
	end := max(key.At.Line, value.Last.Line)
	for i := key.At.Line; i < len(lines); i++ {
		s := strings.TrimLeft(lines[i], " ")
		indent := len(lines[i]) - len(s)
		beside := value.Kind == yamledit.List && !value.Flow && strings.HasPrefix(s, "-") && indent == key.At.Col-1
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
func itemEnd(lines []string, item yamledit.Item) int {
	return blockEnd(lines, &yamledit.Node{At: item.Dash}, &yamledit.Node{})
}

// put gives a member another value.
func (e *lineEditor) put(at spot, value string) error {
	if at.key == nil {
		return errByHand
	}
	if n := at.node; n.Kind == yamledit.Scalar && n.Raw != "" || n.Flow && n.At.Line == n.Last.Line {
		line := []rune(e.lines[n.At.Line-1])
		start, end := n.At.Col-1, n.At.Col-1+len([]rune(n.Raw))
		if n.Flow {
			end = n.Last.Col
		}
		if start < 0 || end > len(line) {
			return errByHand
		}
		e.lines[n.At.Line-1] = string(line[:start]) + value + string(line[end:])
		return nil
	}
	if at.parent != nil && at.parent.Flow {
		return errByHand
	}
	if at.node.Kind == yamledit.List {
		if words, stays, ok := itemsOf(at.node, value); ok {
			e.putItems(at.node, words, stays)
			return nil
		}
	}
	end := blockEnd(e.lines, at.key, at.node)
	head := []rune(e.lines[at.key.At.Line-1])
	stop := at.key.At.Col - 1 + len([]rune(at.key.Raw))
	if at.key.Raw == "" || stop > len(head) {
		return errByHand
	}
	e.lines = slices.Replace(e.lines, at.key.At.Line-1, end, string(head[:stop])+": "+value)
	return nil
}

// itemsOf are the words of value, a list in brackets, and which items of a block list
// stay when it is to have them; ok is false when the list is better written anew.
func itemsOf(list *yamledit.Node, value string) (words []string, stays []bool, ok bool) {
	want, err := yamledit.Read([]byte(value))
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
func (e *lineEditor) putItems(list *yamledit.Node, words []string, stays []bool) {
	indent := strings.Repeat(" ", list.Items[0].Dash.Col-1)
	end := itemEnd(e.lines, list.Items[len(list.Items)-1])
	for i, word := range words {
		e.lines = slices.Insert(e.lines, end+i, indent+"- "+quoteYAML(word))
	}
	for i := len(list.Items) - 1; i >= 0; i-- {
		if item := list.Items[i]; !stays[i] {
			e.lines = slices.Delete(e.lines, item.Dash.Line-1, itemEnd(e.lines, item))
		}
	}
}

var errByHand = errors.New("the push part is written in a way that cannot be changed line by line; edit it by hand")

// add puts what is not there yet into a block or a list: path is below at.
func (e *lineEditor) add(at spot, path []string, value string) error {
	n := at.node
	inList := len(path) > 1 && at.key != nil && at.key.Text == "events" && n.Kind != yamledit.Map
	switch {
	case n.Flow:
		text := inFlow(path, value, n.Kind == yamledit.Map)
		if len(n.Members)+len(n.Items) > 0 {
			text = ", " + text
		}
		line := []rune(e.lines[n.Last.Line-1])
		before := strings.TrimRight(string(line[:n.Last.Col-1]), " ")
		if strings.HasSuffix(before, ",") {
			text = strings.TrimPrefix(text, ",")
		}
		if strings.TrimSpace(before) == "" { // the bracket stands alone on its line
			return errByHand
		}
		e.lines[n.Last.Line-1] = before + text + string(line[n.Last.Col-1:])
		return nil
	case n.Kind == yamledit.Empty && at.key != nil:
		indent := strings.Repeat(" ", at.key.At.Col+1)
		e.lines = slices.Insert(e.lines, at.key.At.Line, inBlock(indent, path, value, inList)...)
		return nil
	case n.Kind == yamledit.Map && len(n.Members) > 0:
		last := n.Members[len(n.Members)-1]
		indent := strings.Repeat(" ", n.Members[0].Key.At.Col-1)
		e.lines = slices.Insert(e.lines, blockEnd(e.lines, last.Key, last.Value), inBlock(indent, path, value, false)...)
		return nil
	case n.Kind == yamledit.List && len(n.Items) > 0 && n.Items[0].Dash.Line > 0:
		last := n.Items[len(n.Items)-1]
		indent := strings.Repeat(" ", last.Dash.Col-1)
		e.lines = slices.Insert(e.lines, itemEnd(e.lines, last), inBlock(indent, path, value, true)...)
		return nil
	}
	return errByHand
}

// takeOut takes a member or an item out, with its lines. Comments above it stay.
func (e *lineEditor) takeOut(at spot) error {
	switch {
	case at.parent == nil:
		return errByHand
	case at.parent.Flow && at.key == nil:
		if at.node.At.Line != at.node.Last.Line {
			return errByHand
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
			return errByHand
		}
		e.lines[end] = head + e.lines[end][len(head):]
	}
	e.lines = slices.Delete(e.lines, from, end)
	return nil
}

// cutMember takes a member out of braces, with its comma.
func (e *lineEditor) cutMember(at spot) error {
	n := at.node
	if at.key.At.Line != n.At.Line || n.Flow && n.At.Line != n.Last.Line || n.Kind == yamledit.Scalar && n.Raw == "" || n.Kind == yamledit.Empty {
		return errByHand
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
