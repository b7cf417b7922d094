package tui

import (
	"fmt"
	"strings"

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

// lines are those that are shown.
func (p *pager) lines(w, h int) []string {
	var list []string
	if len(p.marks) > 0 {
		a := p.marks[min(p.top/markEvery, len(p.marks)-1)]
		for n := p.top / markEvery * markEvery; n < min(p.top+h, p.count); n++ {
			a = p.next(a)
			if n >= p.top {
				list = append(list, string(p.buf))
			}
		}
	}
	return block(list, w, h)
}

// pretty is a JSON text indented, or what is no JSON as it stands, in lines fit for a
// screen: of a text that is known to be short.
func pretty(body []byte) (lines []string) {
	p := newPager(bodyOf(body))
	p.fit(1<<16, 1<<16)
	for a := (at{}); a.part == 0; lines = append(lines, string(p.buf)) {
		a = p.next(a)
	}
	return lines
}

// startValue shows the value under the cursor whole.
func (m *Model) startValue() {
	a := m.tree.current()
	if a == nil {
		return
	}
	n := len(m.samples)
	seen := fmt.Sprintf("%s, in %d of %s", a.Kinds, a.Seen, plural(n, "sample"))
	if a.Nulls > 0 {
		seen += fmt.Sprintf(", null in %d", a.Nulls)
	}
	lines := []string{a.Path.String(), seen}
	if a.Doubled {
		lines = append(lines, "the key is doubled in a sample; the last counts")
	}
	var parts []flow
	for i := n - 1; i >= max(0, n-previewed); i-- { // the latest first
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
	m.value = newPager(parts...)
	m.screen = valuing
}
