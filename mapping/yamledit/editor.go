package yamledit

import (
	"strings"
)

// Editor changes a file held as lines. Those of a file with CRLF line ends
// keep their CR, and new ones get it.
type Editor struct {
	lines []string
	end   string
}

// NewEditor makes a file ready to be changed.
func NewEditor(src []byte) *Editor {
	e := &Editor{lines: strings.Split(string(src), "\n")}
	if strings.HasSuffix(e.lines[0], "\r") {
		e.end = "\r"
	}
	return e
}

// Text is the file as it is now.
func (e *Editor) Text() []byte { return []byte(strings.Join(e.lines, "\n")) }

// Replace puts another value in a scalar's place. A gap that aligns what follows
// grows or shrinks with it. What cannot be replaced so (a value over several
// lines) stays, and who reads the file back finds that out.
func (e *Editor) Replace(n *Node, text string) {
	if n == nil || n.Kind != Scalar || n.Raw == "" || n.At.Line > len(e.lines) {
		return
	}
	line := []rune(e.lines[n.At.Line-1])
	start, old, new := n.At.Col-1, []rune(n.Raw), []rune(Quote(text))
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

// chunk is the lines of one item: the comments and blank lines above it, and
// its own.
type chunk struct{ above, own []string }

// ItemText is an item of a list as it is written on a line of its own, and beside others.
type ItemText struct{ Line, Beside string }

// Arrange brings a list into the order of from, writes the items that are new (-1) and
// leaves out those that are not named. Comments above an item that goes stay where they
// are.
func (e *Editor) Arrange(list *Node, from []int, items []ItemText) {
	if list.Flow || len(list.Items) == 0 || list.Items[0].Dash.Line == 0 {
		e.rebuild(list, items)
		return
	}
	chunks, first, end := e.chunks(list)
	indent := strings.Repeat(" ", list.Items[0].Dash.Col-1)
	kept := map[int]bool{}
	for _, j := range from {
		kept[j] = true
	}
	var left []string // comments whose item is gone, for the next one that stays
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
			lines = append(lines, indent+"- "+items[i].Line+e.end)
			continue
		}
		lines = append(append(lines, chunks[j].above...), chunks[j].own...)
	}
	lines = append(lines, left...)
	e.lines = append(append(append([]string(nil), e.lines[:first]...), lines...), e.lines[end:]...)
}

// chunks takes a block list apart. The list is e.lines[first:end].
func (e *Editor) chunks(list *Node) (chunks []chunk, first, end int) {
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
