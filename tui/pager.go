package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping/body"
)

// pager is text that is longer than the screen, however long it is: only what is shown
// is made, and where lines begin is noted as far as has been looked.
type pager struct {
	parts []flow
	top   int
	wide  int  // the cells that lines were broken to
	marks []at // where every markEvery-th line begins
	tip   at   // where the first line begins that has not been looked at
	count int  // lines that have been looked at
	buf   []byte
	query string // what was looked for
	hit   int    // the line on which it was found
}

// at is a spot in one of the parts; part is their number behind the last.
type at struct {
	part int
	spot
}

const markEvery = 32

func newPager(parts ...flow) pager { return pager{parts: parts} }

// linesOf is text in lines.
func linesOf(lines []string) flow { return flow{text: strings.Join(lines, "\n")} }

// bodyOf is a webhook's body, or a part of one.
func bodyOf(raw []byte) flow {
	return flow{text: string(raw), json: body.CheckJSON(raw) == nil}
}

// next is the line at a, and where the next one begins.
func (p *pager) next(a at) at {
	var s spot
	p.buf, s = p.parts[a.part].line(p.buf[:0], a.spot, p.wide)
	if s.done {
		return at{part: a.part + 1}
	}
	return at{a.part, s}
}

// reach looks at lines until there are n, or no more.
func (p *pager) reach(n int) {
	for p.count < n && p.tip.part < len(p.parts) {
		if p.count%markEvery == 0 {
			p.marks = append(p.marks, p.tip)
		}
		p.tip = p.next(p.tip)
		p.count++
	}
}

// fit breaks the lines for a screen of w by h cells, where they were not, and keeps the
// top within them.
func (p *pager) fit(w, h int) {
	if w = max(1, w); w != p.wide {
		p.wide, p.marks, p.tip, p.count = w, nil, at{}, 0
	}
	p.reach(p.top + h)
	p.top = max(0, min(p.top, p.count-h))
}

func (p *pager) scroll(by, w, h int) {
	p.top = max(0, p.top+by)
	p.fit(w, h)
}

// lines are those that are shown, in colours.
func (p *pager) lines(w, h int, st *theme) []string {
	var list []string
	p.each(p.top, func(n int, a at, line string) bool {
		if n >= p.top+h {
			return false
		}
		f := p.parts[a.part]
		switch {
		case p.query != "" && newMatcher(p.query).match(line, "", false):
			line = st.marked(line, p.query)
		case f.json:
			line = st.json(line, a.inside)
		case f.paint != nil:
			line = f.paint(st, line)
		}
		list = append(list, line)
		return true
	})
	return block(list, w, h)
}

// each calls f with the lines from one on that have been looked at, until it says no.
func (p *pager) each(from int, f func(n int, a at, line string) bool) {
	if len(p.marks) == 0 {
		return
	}
	first := min(from/markEvery, len(p.marks)-1)
	a := p.marks[first]
	for n := first * markEvery; n < p.count; n++ {
		here := a
		a = p.next(a)
		if n >= from && !f(n, here, string(p.buf)) {
			return
		}
	}
}

// find goes to the next line that holds a text, or the one before; with 0 the one at the
// top counts, too. It reports whether there is one.
func (p *pager) find(query string, by, w, h int) bool {
	p.query = query
	match, found := newMatcher(query), -1
	if match.empty() {
		return true
	}
	p.reach(1 << 30)
	p.each(0, func(n int, _ at, line string) bool {
		if match.match(line, "", false) {
			switch {
			case by < 0 && n < p.hit || by == 0 && n >= p.top && found < 0 || by > 0 && n > p.hit && found <= p.hit:
				found = n
			case found < 0 && by >= 0: // around the end
				found = n
			}
		}
		return true
	})
	if found < 0 {
		return false
	}
	p.hit = found
	p.top = max(0, found-h/3)
	p.fit(w, h)
	return true
}

// marked shows where a text stands in a line.
func (t *theme) marked(line, query string) string {
	low, words := strings.ToLower(line), newMatcher(query).words
	for _, w := range words {
		if i := strings.Index(low, strings.ToLower(w)); i >= 0 && len(low) == len(line) {
			return line[:i] + t.cursor.Render(line[i:i+len(w)]) + line[i+len(w):]
		}
	}
	return t.warn.Render(line)
}

// framedIn says on the frame of a pager where it stands, of as many lines as are known.
func (p *pager) framedIn(title, figure string) framed {
	return framed{title: title, figure: figure, focused: true, top: p.top, at: p.top, all: p.count}
}

// startValue shows the value under the cursor whole.
func (m *Model) startValue() {
	a := m.tree.current()
	if a == nil {
		return
	}
	m.showValue(a.Path.String(), plural(len(m.samples), "sample"), a.Value.Raw, m.valueParts(a)...)
}

// value is a value that is shown whole: raw is what can be copied of it.
type value struct {
	pager
	title, figure, raw string
}

func (m *Model) showValue(title, figure, raw string, parts ...flow) {
	m.value = value{newPager(parts...), title, figure, raw}
	m.lay(valueScreen{})
}

// valueParts are an attribute's path, how it was seen, and its values, the latest first.
func (m *Model) valueParts(a *body.Attribute) (parts []flow) {
	n := len(m.samples)
	seen := fmt.Sprintf("%s, in %d of %s", a.Kinds, a.Seen, plural(n, "sample"))
	if a.Nulls > 0 {
		seen += fmt.Sprintf(", null in %d", a.Nulls)
	}
	lines := []string{a.Path.String(), seen}
	if name := m.listName(a.Path); name != "" {
		lines = append(lines, "mailing list "+name)
	}
	if a.Doubled {
		lines = append(lines, "the key is doubled in a sample; the last counts")
	}
	for i := n - 1; i >= max(0, n-previewed); i-- {
		v, ok := a.Path.Get(m.samples[i].Body)
		if lines = append(lines, ""); n > 1 {
			lines = append(lines, fmt.Sprintf("SAMPLE %d, from %s", i+1, m.samples[i].From))
		}
		if !ok {
			lines = append(lines, "absent")
			continue
		}
		parts = append(parts, linesOf(lines), bodyOf([]byte(v.Raw)))
		if lines = nil; strings.HasPrefix(v.Raw, `"`) {
			parts[len(parts)-1] = flow{text: v.String()}
		}
	}
	if lines != nil {
		parts = append(parts, linesOf(lines))
	}
	return parts
}

// valueScreen shows a value whole.
type valueScreen struct{ quiet }

func (valueScreen) where(*Model) where    { return onValue }
func (valueScreen) settle(m *Model)       { m.value.fit(m.w-4, rows(m.room().h)) }
func (valueScreen) move(m *Model, by int) { m.value.scroll(by, m.w-4, rows(m.room().h)) }

func (valueScreen) do(m *Model, a action) tea.Cmd {
	switch a {
	case copyPath:
		return m.clip(m.value.raw, "the value of "+safe(label(m.value.title)))
	case edit:
		return m.editText([]byte(m.value.raw))
	default:
		m.findInText(&m.value.pager, a, m.w-4, rows(m.room().h))
	}
	return nil
}

func (valueScreen) draw(m *Model) []string {
	r := m.room()
	f := m.value.framedIn(safe(label(m.value.title)), safe(m.value.figure))
	return m.st.frame(f, padded(m.value.lines(r.w-4, rows(r.h), &m.st)), r.w, r.h)
}

// padded puts a blank before lines of text in a frame.
func padded(lines []string) []string {
	for i := range lines {
		lines[i] = " " + lines[i]
	}
	return lines
}

// findInText finds in a pager of w by h cells.
func (m *Model) findInText(p *pager, a action, w, h int) {
	switch {
	case a == find:
		m.startSearch()
		m.input.text, m.input.textW, m.input.textH = p, w, h
		return
	case a != nextHit && a != prevHit:
		return
	case p.query == "":
		m.say("nothing is looked for yet: %s", keyFor(find))
	case !p.find(p.query, towards(a), w, h):
		m.say("%s is not there", safe(p.query))
	}
}
