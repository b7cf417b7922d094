package tui

import (
	"encoding/json"
	"fmt"
	"strings"

	"loopmap/mapping"
)

// pager is text that is longer than the screen.
type pager struct {
	text []string // lines as they are, not wrapped
	top  int
	wide int // the cells that text was wrapped to last
}

func newPager(lines []string, w int) pager { return pager{text: lines, wide: w} }

func (p *pager) wrapped(w int) (lines []string) {
	for _, line := range p.text {
		lines = append(lines, wrap(line, w)...)
	}
	return lines
}

func (p *pager) scroll(by, h int) {
	p.top = max(0, min(p.top+by, len(p.wrapped(p.wide))-h))
}

func (p *pager) lines(w, h int) []string {
	all := p.wrapped(w)
	return block(all[max(0, min(p.top, len(all)-h)):], w, h)
}

// pretty is a JSON text indented, or what is no JSON as it stands, in lines fit
// for a screen.
func pretty(body []byte) []string {
	var b strings.Builder
	var indented any = json.RawMessage(body)
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	text := string(body)
	if mapping.CheckJSON(body) == nil && e.Encode(indented) == nil {
		text = strings.TrimSuffix(b.String(), "\n")
	}
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = safe(lines[i])
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
	for i := n - 1; i >= max(0, n-previewed); i-- { // the latest first
		v, ok := a.Path.Get(m.samples[i].Body)
		if n > 1 {
			lines = append(lines, "", fmt.Sprintf("SAMPLE %d, from %s", i+1, safe(m.samples[i].From)))
		} else {
			lines = append(lines, "")
		}
		switch {
		case !ok:
			lines = append(lines, "absent")
		case strings.HasPrefix(v.Raw, `"`):
			for line := range strings.SplitSeq(v.String(), "\n") {
				lines = append(lines, safe(line))
			}
		default:
			lines = append(lines, pretty([]byte(v.Raw))...)
		}
	}
	m.value = newPager(lines, m.w)
	m.screen = valuing
}
