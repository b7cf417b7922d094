package yamledit

import "strings"

// changeList brings a list from some items to others: each that stays is changed where it
// stands, and then they are put in order.
func (e *editor) changeList(at spot, was, want *Node) error {
	n := at.node
	items, from := placed(was, want)
	now := make([]int, len(n.Items)) // where each is to be
	for j := range now {
		now[j] = -1
	}
	if was == nil && len(n.Items) > 0 || was != nil && len(was.Items) != len(n.Items) {
		return ErrByHand
	}
	inOrder := len(items) == len(n.Items)
	for i, j := range from {
		inOrder = inOrder && i == j
		if j >= 0 {
			now[j] = i
		}
	}
	parts := make([]part, len(n.Items))
	for j := len(parts) - 1; j >= 0; j-- {
		if inOrder && Equal(was.Items[j].Value, items[j].Value) {
			continue
		}
		in, ok := spot{parent: n, node: n.Items[j].Value}, true
		if n.Flow {
			parts[j].from, parts[j].to, ok = e.span(in.node)
		} else if dash := n.Items[j].Dash; dash.Line > 0 {
			parts[j].from, parts[j].to = e.starts[dash.Line-1], e.starts[e.blockEnd(dash, in.node)]
		} else {
			ok = false
		}
		if !ok {
			return ErrByHand
		}
		if i := now[j]; i >= 0 && !Equal(was.Items[j].Value, items[i].Value) {
			before := len(e.text)
			if err := e.change(in, was.Items[j].Value, items[i].Value); err != nil {
				return err
			}
			parts[j].grown = len(e.text) - before
		}
	}
	if inOrder {
		return nil
	}
	grown := 0 // by what stands before
	for j := range parts {
		parts[j].from += grown
		grown += parts[j].grown
		parts[j].to += grown
	}
	if n.Flow {
		return e.arrangeFlow(n, parts, items, from)
	}
	return e.arrangeLines(n, parts, items, from)
}

// part is where an item stands, and by how much it has grown.
type part struct{ from, to, grown int }

// arrangeLines puts the items of a list over lines in order, each with the comments and the
// blank lines above it. Comments above one that goes stay where they are.
func (e *editor) arrangeLines(n *Node, parts []part, items []Item, from []int) error {
	if len(parts) == 0 {
		return ErrByHand
	}
	own, above, stays := make([]string, len(parts)), make([]string, len(parts)), make([]bool, len(parts))
	for _, j := range from {
		if j >= 0 {
			stays[j] = true
		}
	}
	left := "" // comments whose item is gone, for the next one that stays
	for j, p := range parts {
		own[j] = e.text[p.from:p.to]
		if j > 0 {
			above[j] = e.text[parts[j-1].to:p.from]
		}
		if stays[j] {
			above[j], left = left+above[j], ""
		} else if strings.TrimSpace(above[j]) != "" {
			left += above[j]
		}
	}
	var b strings.Builder
	for i, j := range from {
		if j < 0 {
			b.WriteString(e.item(strings.Repeat(" ", n.Items[0].Dash.Col-1), items[i].Value))
			continue
		}
		b.WriteString(above[j] + own[j])
	}
	e.splice(parts[0].from, parts[len(parts)-1].to, b.String()+left)
	return nil
}

// arrangeFlow puts the items of a list in brackets in order: into the places of those that
// stay, so that what stands between them stays too. New ones follow the last.
func (e *editor) arrangeFlow(n *Node, parts []part, items []Item, from []int) error {
	texts, stays, places := make([]string, len(items)), make([]bool, len(parts)), 0
	for i, j := range from {
		if j < 0 {
			texts[i] = items[i].Value.Inline()
			continue
		}
		texts[i], stays[j] = e.text[parts[j].from:parts[j].to], true
		places++
	}
	if len(parts) == 0 {
		return e.fill(n, texts)
	}
	if places == 0 {
		stays[0], places = true, 1
	}
	next := places - 1
	for j := len(parts) - 1; j >= 0; j-- {
		p := parts[j]
		if !stays[j] {
			e.cutFlow(p.from, p.to)
			continue
		}
		e.splice(p.from, p.to, texts[next])
		if next == places-1 {
			e.follow(p.from, p.from+len(texts[next]), texts[places:], n)
		}
		next--
	}
	return nil
}

// fill puts parts between brackets or braces that hold none.
func (e *editor) fill(n *Node, parts []string) error {
	from, to, ok := e.span(n)
	if !ok {
		return ErrByHand
	}
	e.splice(from+1, to-1, strings.Join(parts, ", "))
	return nil
}

// line is where the line of an offset begins, and where it ends.
func (e *editor) line(from, to int) (start, stop int) {
	start, stop = strings.LastIndexByte(e.text[:from], '\n')+1, len(e.text)
	if i := strings.IndexByte(e.text[to:], '\n'); i >= 0 {
		stop = to + i
	}
	return start, stop
}

// follow puts more parts behind the last one within brackets or braces: on lines of their own
// when these are over lines and nothing but a comment follows it on its line, else beside it.
func (e *editor) follow(from, to int, more []string, n *Node) {
	if len(more) == 0 {
		return
	}
	start, stop := e.line(from, to)
	rest := strings.TrimSuffix(e.text[to:stop], "\r")
	behind, comma := strings.CutPrefix(strings.TrimSpace(rest), ",")
	behind = strings.TrimSpace(behind)
	if n.At.Line == n.Last.Line || behind != "" && behind[0] != '#' {
		e.splice(to, to, ", "+strings.Join(more, ", "))
		return
	}
	line := e.text[start:from]
	between := e.newline + line[:len(line)-len(strings.TrimLeft(line, " "))]
	text := rest + between + strings.Join(more, ","+between)
	if comma {
		text += ","
	} else {
		text = "," + text
	}
	e.splice(to, to+len(rest), text)
}

// cutFlow takes a part and its comma out, and its line when nothing else is on it.
func (e *editor) cutFlow(from, to int) {
	start, stop := e.line(from, to)
	head, tail := e.text[start:from], e.text[to:stop]
	if rest, ok := strings.CutPrefix(strings.TrimLeft(tail, " "), ","); ok {
		tail = strings.TrimLeft(rest, " ")
	} else if before := strings.TrimRight(head, " "); strings.HasSuffix(before, ",") {
		head = strings.TrimRight(strings.TrimSuffix(before, ","), " ")
	}
	if s := strings.TrimSpace(tail); strings.TrimSpace(head) == "" && (s == "" || s[0] == '#') {
		head, tail, stop = "", "", min(stop+1, len(e.text))
	}
	if strings.TrimSpace(tail) == "" {
		head = strings.TrimRight(head, " ")
	}
	e.splice(start, stop, head+tail)
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
