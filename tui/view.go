package tui

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping"
)

// The smallest screen that is drawn on, and the width from which attributes and
// columns stand side by side.
const (
	minWidth, minHeight = 40, 10
	sideBySide          = 100
)

// View draws the screen.
func (m *Model) View() tea.View {
	v := tea.NewView(m.Screen())
	v.AltScreen = !m.quit
	v.WindowTitle = "loopmap"
	v.KeyboardEnhancements.ReportAlternateKeys = true // for ctrl+c of other layouts
	return v
}

// Screen is the screen as text: h lines of w cells.
func (m *Model) Screen() string {
	if m.quit {
		return ""
	}
	w, h := m.w, m.h
	if m.tooSmall() {
		text := fmt.Sprintf("the terminal is too small (it has %dx%d, 40x10 are needed); q quits", w, h)
		if m.ask {
			text = "not saved: y quits, n stays"
		}
		return strings.Join(block(wrap(text, max(1, w)), max(1, w), max(1, h)), "\n")
	}
	lines := make([]string, 0, h)
	lines = append(lines, m.header(w))
	switch {
	case m.help != nil:
		lines = append(lines, m.helpLines(w, h-2)...)
	case m.screen == capturing:
		lines = append(lines, m.captureLines(w, h-2)...)
	case m.screen == saving:
		lines = append(lines, m.saveLines(w, h-2)...)
	case m.screen == listing:
		lines = append(lines, m.came.lines(w, h-2, m.st)...)
	case m.screen == showing:
		lines = append(lines, m.came.oneLines(w, h-2, m.picked, m.st)...)
	case m.screen == pushing:
		lines = append(lines, m.pushLines()...)
	case m.screen == valuing:
		lines = append(lines, m.value.lines(w, h-2)...)
	default:
		lines = append(lines, m.mapLines()...)
	}
	lines = append(lines, m.footer(w))
	if note := wrap(m.note, w); len(note) > 1 { // too long for the last line: it covers what is above
		style := m.st.title.UnsetBold()
		if m.bad {
			style = m.st.bad
		}
		note = note[:min(len(note), h/2)]
		for i, s := range note {
			lines[h-len(note)+i] = style.Render(fill(s, w))
		}
	}
	for i := range lines {
		lines[i] = border(lines[i], w)
	}
	return strings.Join(lines, "\n")
}

func (m *Model) tooSmall() bool { return m.w < minWidth || m.h < minHeight }

// header says where one is and what is open.
func (m *Model) header(w int) string {
	file := safe(m.cfg.File)
	if m.cfg.New {
		file += " (new)"
	}
	if m.cfg.ReadOnly {
		file += " (read-only)"
	}
	if m.Unsaved() {
		file += " *"
	}
	left := m.crumbs()
	right := []string{file, safe(m.cfg.Database) + " " + safe(m.draft.Table)}
	if len(m.samples) > 0 {
		right = append([]string{plural(len(m.samples), "sample")}, right...)
	}
	for len(right) > 1 && width(left)+width(strings.Join(right, "    "))+3 > w {
		right = right[:len(right)-1] // the database first, then the file
	}
	return m.st.title.Render(ends(left, strings.Join(right, "    "), w))
}

func (m *Model) crumbs() string {
	switch {
	case m.help != nil:
		return "loopmap > keys"
	case m.screen == capturing:
		return "loopmap > capture"
	case m.screen == saving:
		return "loopmap > save"
	case m.screen == listing:
		return "loopmap > deliveries"
	case m.screen == pushing:
		return "loopmap > push"
	case m.screen == showing:
		return "loopmap > deliveries > " + cut(safe(m.came.shownID()), 40)
	}
	event := "contact.created"
	if n := len(m.preview.rows); n > 0 && m.preview.rows[n-1].Event != "" {
		event = safe(m.preview.rows[n-1].Event)
	}
	parts := []string{event}
	var at mapping.Path
	if a := m.tree.current(); a != nil {
		at = a.Path
	}
	if i := m.columns.cursor; m.focus != treePane && i < len(m.draft.Receive.Columns) {
		at = m.draft.Receive.Columns[i].From
	}
	if at.Len() > 0 {
		for i, s := range at.Steps() {
			part := s.Key
			if s.IsIndex {
				part = fmt.Sprintf("[%d]", s.Index)
			}
			if i == 7 {
				parts = append(parts, "..")
				break
			}
			parts = append(parts, cut(safe(part[:min(len(part), 200)]), 30))
		}
	}
	return strings.Join(parts, " > ")
}

// footer is the last line: what happened or how things stand, and the keys that
// one needs most.
func (m *Model) footer(w int) string {
	if m.ask {
		return m.st.warn.Render(fill("the mapping is not saved: quit all the same? y quits, s saves, n stays", w))
	}
	if m.offer {
		return m.st.warn.Render(fill("an earlier session ended unsaved ("+plural(len(m.cfg.Draft.Receive.Columns), "column")+"): enter takes it, x drops it", w))
	}
	if m.input != nil {
		return m.inputFooter(w)
	}
	left, style := m.status(), m.st.title.UnsetBold()
	right := m.keyLine(w - width(left) - 2)
	if m.note != "" {
		left = m.note
		if m.bad {
			style = m.st.bad
		}
		right = m.keyLine(w - width(left) - 2) // what just happened is worth more
	}
	return style.Render(ends(left, right, w))
}

// inputFooter is the last line while something is typed: the field itself, where it has
// no other place, and what was wrong with it, or what can be done.
func (m *Model) inputFooter(w int) string {
	field, keys := "", "enter take  esc leave"
	switch in := m.input; {
	case in.what == typingSearch:
		field, keys = m.searchLine(w), "enter keep  esc clear"
	case in.what == typingCount:
		in.field.SetWidth(max(8, w/3))
		field, keys = in.field.View(), "enter send  esc leave"
	case in.what == typingJump:
		field, keys = in.field.View(), "up down more  enter take"
	case m.typingOnPush() && len(in.offers) > 0:
		keys = "up down choose  enter take  esc leave"
	}
	switch {
	case !m.bad || m.note == "":
		return ends(field, keys, w)
	case field == "":
		return m.st.bad.Render(fill(m.note, w))
	}
	return m.st.bad.Render(ends(field, m.note, w))
}

// keyLine is the keys that one needs most, as many as w cells hold. The first, and
// the one that leads to all others, go last.
func (m *Model) keyLine(w int) string {
	if m.help != nil {
		return "enter run  esc back"
	}
	var keys []string
	for _, b := range keysAt(m.at()) {
		short := b.short
		switch {
		case b.action == write && (m.review.refused || !m.review.read), (b.action == takeTheirs || b.action == mergeTheirs) && !m.review.theirs:
			short = ""
		}
		if b.action == nextPane && short != "" {
			short = []string{"columns", "preview", "attributes"}[m.focus]
			if m.screen == pushing {
				short = []string{"rows", "body", "requests"}[m.push.focus]
			}
		}
		if short != "" {
			keys = append(keys, b.Help().Key+" "+short)
		}
	}
	for len(keys) > 0 {
		if line := strings.Join(keys, "  "); width(line) <= w {
			return line
		}
		at := len(keys) - 1
		if len(keys) > 3 {
			at = len(keys) - 3
		}
		keys = slices.Delete(keys, at, at+1)
	}
	return ""
}

func (m *Model) searchLine(w int) string {
	in := m.input
	in.field.SetWidth(max(8, w/3))
	if m.screen == listing {
		return in.field.View() + fmt.Sprintf("  %d of %d", len(m.came.rows), len(m.came.list))
	}
	hits := len(m.tree.attrs)
	if m.tree.filtered() {
		hits = m.tree.hits
	}
	return in.field.View() + fmt.Sprintf("  %d of %d", hits, len(m.tree.attrs))
}

// status is how the mapping stands.
func (m *Model) status() string {
	if m.screen == capturing {
		if n := len(m.samples); n > 0 {
			return plural(n, "sample") + " taken"
		}
		return ""
	}
	if m.screen == saving {
		if m.review.writing {
			return "writing"
		}
		return m.more()
	}
	switch m.screen {
	case listing:
		return m.came.status()
	case pushing:
		return m.slotStatus()
	case showing, valuing:
		return ""
	}
	s := plural(len(m.draft.Receive.Columns), "column")
	if m.Unsaved() {
		s += ", unsaved"
	}
	if m.tree.filtered() && m.focus == treePane {
		s += ", esc clears the search"
	}
	if n := m.hidden(); n > 0 {
		s += fmt.Sprintf(", %d hidden by the search", n)
	}
	if i := m.columns.cursor; m.focus == columnsPane && i < len(m.columns.problems) && m.columns.problems[i] != "" {
		s = "! " + safe(m.columns.problems[i])
	}
	return s
}

// hidden is how many picks the search does not show.
func (m *Model) hidden() (n int) {
	if m.tree.query == "" {
		return 0
	}
	for i := range m.tree.attrs {
		if m.picked[m.tree.paths[i]] && !m.tree.hit[i] {
			n++
		}
	}
	return n
}

// layout is the room that each part of the map screen has. A height of 0 leaves
// it out.
type layout struct {
	treeW, treeH       int
	columnsW, columnsH int
	lowerW, lowerH     int // the preview, or the field for a name
}

// layout divides the screen: side by side when it is wide, else the attributes
// above and the rest below. What has the focus gets the larger share.
func (m *Model) layout() layout {
	w, h := m.w, m.h-2
	lower := 3 + len(m.preview.rows)
	if m.renaming() {
		lower = 4 + len(m.input.offers)
	}
	lower = min(max(5, lower), h/2)
	if w >= sideBySide {
		left := w / 2
		return layout{left, h, w - left - 3, h - lower - 1, w - left - 3, lower}
	}
	l := layout{treeW: w, columnsW: w, lowerW: w}
	rest := max(4, h*2/5)
	if m.focus != treePane {
		rest = max(4, h*3/5)
	}
	l.treeH = h - rest - 1
	switch {
	case m.focus == previewPane:
		l.lowerH = rest
	case m.renaming():
		l.lowerH = min(rest, lower)
	case rest >= 7:
		l.lowerH = 3
		if m.preview.problem(w, h) != nil {
			l.lowerH = 4
		}
	}
	l.columnsH = rest - l.lowerH
	return l
}

// settle brings the cursors into view.
func (m *Model) settle() {
	l := m.layout()
	m.tree.top = window(m.tree.top, m.tree.cursor, len(m.tree.rows), l.treeH-1)
	m.came.settle(m.h - 3 - whyLines)
	switch m.screen {
	case showing:
		m.came.body.fit(m.w, m.h-2)
	case valuing:
		m.value.fit(m.w, m.h-2)
	}
	if m.screen == pushing {
		l := m.pushLayout()
		m.push.settle(l)
		m.push.bodyLast = max(0, len(m.bodyLines(l.restW))-l.bodyH)
	}
	m.columns.top = window(m.columns.top, m.columns.cursor, len(m.draft.Receive.Columns), l.columnsH-1)
}

func (m *Model) renaming() bool { return m.input != nil && m.input.what == typingName }

// mapLines draws the map screen.
func (m *Model) mapLines() []string {
	l := m.layout()
	tree := m.tree.lines(l.treeW, l.treeH, m.picked, len(m.samples), m.focus == treePane, m.st)
	var side []string
	if l.columnsH > 0 {
		side = m.columns.lines(l.columnsW, l.columnsH, m.draft, m.focus == columnsPane, m.st)
	}
	wide := m.w >= sideBySide
	if wide {
		side = append(side, strings.Repeat("-", l.columnsW))
	}
	if l.lowerH > 0 {
		side = append(side, m.lower(l.lowerW, l.lowerH)...)
	}
	if !wide {
		return append(append(tree, strings.Repeat("-", m.w)), side...)
	}
	for i := range tree {
		tree[i] += " | " + side[i]
	}
	return tree
}

// lower is the preview, or the field for a name while one is typed.
func (m *Model) lower(w, h int) []string {
	if m.renaming() {
		return m.renameLines(w, h)
	}
	return m.preview.lines(w, h, m.draft, m.columns.cursor, m.focus == previewPane, m.st)
}
