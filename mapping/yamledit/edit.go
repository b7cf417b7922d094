package yamledit

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

// ErrByHand says that a value stands as it cannot be changed without its surroundings.
var ErrByHand = errors.New("written in a way that cannot be changed line by line; edit it by hand")

// UnixLines brings CRLF to LF, so that both read alike and places stay true.
func UnixLines(src []byte) []byte { return bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n")) }

// Edit brings a file from what it says to what it is to say, and keeps all else byte for
// byte. root is the file as it was read.
func Edit(src []byte, root, was, want *Node) ([]byte, error) {
	if Equal(was, want) {
		return src, nil
	}
	e := &editor{text: string(src), newline: "\n"}
	if first, _, _ := strings.Cut(e.text, "\n"); strings.HasSuffix(first, "\r") {
		e.newline = "\r\n"
	}
	open := !strings.HasSuffix(e.text, "\n")
	if open {
		e.text += e.newline
	}
	for line := range strings.Lines(e.text) {
		e.starts = append(e.starts, e.size)
		e.lines = append(e.lines, strings.TrimRight(line, "\r\n"))
		e.size += len(line)
	}
	e.starts = append(e.starts, e.size)
	if err := e.change(spot{node: root}, was, want); err != nil {
		return nil, err
	}
	if open {
		e.text = strings.TrimRight(e.text, "\r\n")
	}
	return []byte(e.text), nil
}

// editor changes a file from its end to its beginning: what stands before the place where it
// is at work stands where it stood, and may be found by the places that were read.
type editor struct {
	text    string   // as it is now
	lines   []string // as they were, without their ends
	starts  []int    // where they began, and the end of the file
	size    int
	newline string
}

// spot is a part of a file: a member of a block with its key, or an item of a list.
type spot struct {
	parent *Node // nil for the whole file
	key    *Node // nil for an item
	node   *Node
}

func (e *editor) splice(from, to int, s string) { e.text = e.text[:from] + s + e.text[to:] }

// offset is where a place is in the text.
func (e *editor) offset(p Place) int {
	if p.Line < 1 || p.Line > len(e.lines) {
		return e.size
	}
	line, at := e.lines[p.Line-1], 0
	for n := 1; n < p.Col && at < len(line); n++ {
		_, size := utf8.DecodeRuneInString(line[at:])
		at += size
	}
	return e.starts[p.Line-1] + at
}

// span is where a value stands that can be taken out of its line.
func (e *editor) span(n *Node) (from, to int, ok bool) {
	from = e.offset(n.At)
	switch {
	case n.Flow:
		to = e.offset(n.Last) + 1
		ok = from < to && to <= len(e.text) && slices.Contains([]string{"{}", "[]"}, e.text[from:from+1]+e.text[to-1:to])
	case n.Kind == Scalar && n.Raw != "":
		to = from + len(n.Raw)
		ok = to <= len(e.text) && e.text[from:to] == n.Raw
	}
	return from, to, ok
}

// blockEnd is the index of the line behind all that belongs to what begins at a place: a key
// with its value, or the hyphen of an item.
func (e *editor) blockEnd(at Place, value *Node) int {
	end := max(at.Line, value.Last.Line)
	for i := at.Line; i < len(e.lines); i++ {
		s := strings.TrimLeft(e.lines[i], " ")
		indent := len(e.lines[i]) - len(s)
		beside := value.Kind == List && !value.Flow && strings.HasPrefix(s, "-") && indent == at.Col-1
		switch {
		case i < value.Last.Line:
		case s == "" || s[0] == '#': // it belongs to what follows, unless more of this one does
			continue
		case indent < at.Col && !beside:
			return end
		}
		end = i + 1
	}
	return end
}

// change brings a value from what it says to what it is to say.
func (e *editor) change(at spot, was, want *Node) error {
	n := at.node
	if was != nil && was.Kind != want.Kind {
		was = nil // it is said in another form
	}
	switch {
	case n.Kind == Map && want.Kind == Map:
		return e.changeBlock(at, was, want)
	case n.Kind == List && want.Kind == List:
		return e.changeList(at, was, want)
	case n.Kind == Empty && !want.isInline() && at.key != nil && !at.parent.Flow:
		below := e.starts[at.key.At.Line]
		e.splice(below, below, e.inside(strings.Repeat(" ", at.key.At.Col+1), want))
		return nil
	}
	return e.put(at, want.Inline())
}

func (e *editor) changeBlock(at spot, was, want *Node) error {
	n := at.node
	has, said, saying := n.Values(), was.Values(), want.Values()
	var added []Member
	for _, m := range want.Members {
		if has[m.Key.Text] == nil {
			added = append(added, m)
		}
	}
	if err := e.add(at, added); err != nil {
		return err
	}
	for i := len(n.Members) - 1; i >= 0; i-- {
		m := n.Members[i]
		old, now := said[m.Key.Text], saying[m.Key.Text]
		in := spot{n, m.Key, m.Value}
		var err error
		switch {
		case Equal(old, now):
		case now == nil:
			err = e.cut(in)
		default:
			err = e.change(in, old, now)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// put writes a value in the place of another.
func (e *editor) put(at spot, value string) error {
	if from, to, ok := e.span(at.node); ok {
		e.replace(from, to, value)
		return nil
	}
	if at.key == nil || at.parent.Flow || at.key.Raw == "" {
		return ErrByHand
	}
	from := e.offset(at.key.At) + len(at.key.Raw)
	line := e.lines[at.key.At.Line-1]
	rest := line[min(len(line), from-e.starts[at.key.At.Line-1]):]
	_, rest, ok := strings.Cut(rest, ":")
	if !ok {
		return ErrByHand
	}
	if at.node.Kind == Empty { // what is said of it stays
		stays := strings.TrimSuffix(rest, comment(rest))
		stays = stays[len(strings.TrimRight(stays, " ")):]
		e.splice(from, e.starts[at.key.At.Line-1]+len(line), ": "+value+stays+comment(rest))
		return nil
	}
	e.splice(from, e.starts[e.blockEnd(at.key.At, at.node)], ": "+value+e.newline)
	return nil
}

// replace puts a value in the place of another. A gap that aligns what follows grows or
// shrinks with it.
func (e *editor) replace(from, to int, value string) {
	if rest := e.text[to:]; strings.HasPrefix(rest, ",  ") {
		gap := len(rest) - len(strings.TrimLeft(rest[1:], " ")) - 1
		spaces := gap + utf8.RuneCountInString(e.text[from:to]) - utf8.RuneCountInString(value)
		to, value = to+1+gap, value+","+strings.Repeat(" ", max(1, spaces))
	}
	e.splice(from, to, value)
}

// add puts members into a block, behind those that are there.
func (e *editor) add(at spot, added []Member) error {
	n := at.node
	var flow []string
	var block strings.Builder
	indent := strings.Repeat(" ", n.At.Col-1)
	for _, m := range added {
		flow = append(flow, m.Key.Raw+": "+m.Value.Inline())
		if at.parent == nil {
			block.WriteString(e.newline)
		}
		block.WriteString(e.member(indent, m))
	}
	switch last := len(n.Members) - 1; {
	case len(added) == 0:
	case n.Flow && last < 0:
		return e.fill(n, flow)
	case n.Flow:
		from, to, ok := e.memberSpan(n.Members[last])
		if !ok {
			return ErrByHand
		}
		e.follow(from, to, flow, n)
	case at.parent == nil: // at the end of the file
		end := len(e.lines)
		for end > 0 && strings.TrimSpace(e.lines[end-1]) == "" {
			end--
		}
		e.splice(e.starts[end], e.size, block.String())
	default:
		end := e.starts[e.blockEnd(n.Members[last].Key.At, n.Members[last].Value)]
		e.splice(end, end, block.String())
	}
	return nil
}

// memberSpan is where a member in braces stands.
func (e *editor) memberSpan(m Member) (from, to int, ok bool) {
	_, to, ok = e.span(m.Value)
	return e.offset(m.Key.At), to, ok
}

// cut takes a member out. Comments above it stay.
func (e *editor) cut(at spot) error {
	if at.parent.Flow {
		from, to, ok := e.memberSpan(Member{at.key, at.node})
		if !ok {
			return ErrByHand
		}
		e.cutFlow(from, to)
		return nil
	}
	line := at.key.At.Line - 1
	from, to := e.starts[line], e.starts[e.blockEnd(at.key.At, at.node)]
	head := e.lines[line][:e.offset(at.key.At)-from]
	if strings.TrimSpace(head) == "-" { // the first of an item: the next one gets the hyphen
		if len(e.text) < to+len(head) || strings.Trim(e.text[to:to+len(head)], " ") != "" {
			return ErrByHand
		}
		to += len(head)
	} else {
		head = ""
	}
	e.splice(from, to, head)
	return nil
}

// member is a key with its value, on lines of their own.
func (e *editor) member(indent string, m Member) string {
	if m.Value.isInline() {
		return indent + m.Key.Raw + ": " + m.Value.Inline() + e.newline
	}
	return indent + m.Key.Raw + ":" + e.newline + e.inside(indent+"  ", m.Value)
}

// inside is what stands below a key.
func (e *editor) inside(indent string, n *Node) string {
	var b strings.Builder
	for _, m := range n.Members {
		b.WriteString(e.member(indent, m))
	}
	for _, item := range n.Items {
		b.WriteString(e.item(indent, item.Value))
	}
	return b.String()
}

func (e *editor) item(indent string, n *Node) string {
	if n.isInline() {
		return indent + "- " + n.inline(true) + e.newline
	}
	return indent + "- " + strings.TrimPrefix(e.inside(indent+"  ", n), indent+"  ")
}
