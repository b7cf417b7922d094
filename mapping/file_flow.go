package mapping

import "strings"

// Lists of columns in brackets (YAML's flow style), changed in their place.

// rebuild writes a list in brackets anew, one column a line, below the comments
// that stood in it.
func (e *lineEditor) rebuild(list *yamlNode, columns []Column, width int) {
	if !list.flow || list.last.line == 0 || list.last.line > len(e.lines) {
		return
	}
	start, stop := list.at, list.last
	head, tail := []rune(e.lines[start.line-1]), []rune(e.lines[stop.line-1])
	lines := []string{string(head[:start.col-1]) + "[" + e.end}
	for i := start.line - 1; i < stop.line-1; i++ {
		if c := comment(e.lines[i]); c != "" {
			lines = append(lines, "      "+c)
		}
	}
	for _, c := range columns {
		lines = append(lines, "      "+renderColumn(c, width)+","+e.end)
	}
	lines = append(lines, "    ]"+string(tail[stop.col:]))
	e.lines = append(append(append([]string(nil), e.lines[:start.line-1]...), lines...), e.lines[stop.line:]...)
}

// arrangeFlow is arrange for a list in brackets whose columns are in braces, each
// on one line. The columns of a place that stays are put into the places in their
// new order, so that what stands between them stays; new ones follow the last.
func (e *lineEditor) arrangeFlow(list *yamlNode, from []int, old, columns []Column) bool {
	if !list.flow || len(list.items) == 0 {
		return false
	}
	texts, keep := make([]string, len(list.items)), make([]bool, len(list.items))
	for i, item := range list.items {
		v := item.value
		if !v.flow || v.kind != yamlMap || v.at.line != v.last.line || v.at.line > len(e.lines) {
			return false
		}
		line := []rune(e.lines[v.at.line-1])
		if v.last.col > len(line) || line[v.at.col-1] != '{' || line[v.last.col-1] != '}' {
			return false
		}
		texts[i] = string(line[v.at.col-1 : v.last.col])
	}
	for _, j := range from {
		if j >= 0 {
			keep[j] = true
		}
	}
	var want []string // the texts of the columns, in their new order
	for i, j := range from {
		if j >= 0 && old[j].Equal(columns[i]) {
			want = append(want, texts[j])
		} else {
			want = append(want, columnInFlow(columns[i]))
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
	for i := len(list.items) - 1; i >= 0; i-- {
		v := list.items[i].value
		if !keep[i] {
			e.cutItem(v, i == len(list.items)-1)
			continue
		}
		text := want[next]
		if last {
			text += e.following(v, want[places:], list.at.line != list.last.line)
		}
		next, last = next-1, false
		line := []rune(e.lines[v.at.line-1])
		e.lines[v.at.line-1] = string(line[:v.at.col-1]) + text + string(line[v.last.col:])
	}
	return true
}

// following is the text of new columns behind the last: on lines of their own when
// nothing but a comment follows it on its line, else beside it.
func (e *lineEditor) following(v *yamlNode, more []string, lines bool) string {
	if len(more) == 0 {
		return ""
	}
	line := []rune(e.lines[v.at.line-1])
	rest := strings.TrimSuffix(string(line[v.last.col:]), e.end)
	behind, comma := strings.CutPrefix(strings.TrimSpace(rest), ",")
	behind = strings.TrimSpace(behind)
	if !lines || behind != "" && behind[0] != '#' {
		return ", " + strings.Join(more, ", ")
	}
	e.lines[v.at.line-1] = string(line[:v.last.col]) // the rest is given back here
	between := e.end + "\n" + e.lines[v.at.line-1][:len(e.lines[v.at.line-1])-len(strings.TrimLeft(e.lines[v.at.line-1], " "))]
	text := rest + between + strings.Join(more, ","+between)
	if comma {
		return text + "," + e.end
	}
	return "," + text + e.end
}

// cutItem takes an item and its comma out, and its line when nothing else is on it.
func (e *lineEditor) cutItem(v *yamlNode, isLast bool) {
	at := v.at.line - 1
	line := []rune(e.lines[at])
	head, tail := string(line[:v.at.col-1]), string(line[v.last.col:])
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

func columnInFlow(c Column) string {
	return "{name: " + quoteYAML(c.Name) + ", type: " + string(c.Type) + ", from: " + quoteYAML(c.From.String()) + "}"
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
