package tui

import (
	"errors"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping/column"
)

// reviewing is the screen that shows a change before it is written.
type reviewing struct {
	before  screen   // where esc leads
	text    []string // nil while it is being made
	top     int
	theirs  bool // the file was changed by someone else meanwhile
	refused bool // there is nothing to write, or it must not be written
	why     string
	writing bool
	read    bool // it has stood there for as long as a reader needs at least
}

// startSaving asks what saving would change.
func (m *Model) startSaving() tea.Cmd {
	m.turn++
	before := m.review.before
	if m.screen != saving {
		if before = mapping_; m.screen == pushing {
			before = pushing
		}
	}
	m.screen, m.review = saving, reviewing{before: before, refused: true}
	turn, b, n := m.turn, m.cfg.Backend, m.draft
	return func() tea.Msg {
		r, err := b.Review(m.ctx, n)
		return reviewMsg{turn, r, err}
	}
}

func (m *Model) reviewed(msg reviewMsg) {
	if msg.turn != m.turn || m.screen != saving {
		return // of a save that was left
	}
	if msg.err != nil {
		m.screen = m.review.before
		m.complain(msg.err)
		return
	}
	r := msg.review
	add := func(format string, args ...any) { m.review.text = append(m.review.text, fmt.Sprintf(format, args...)) }
	m.review.refused, m.review.why = r.Refused != "", r.Refused
	m.review.theirs = r.Theirs != ""
	if r.Refused != "" {
		add("CANNOT BE SAVED")
		add("  %s", safe(r.Refused))
		add("")
	}
	for _, c := range m.clash {
		add("BOTH %s", safe(c))
	}
	for _, note := range m.warnings() {
		add("NOTE %s", note)
	}
	if r.Theirs != "" {
		add("THEIRS m brings yours into it; t takes it alone, and u then brings yours back")
		for line := range strings.Lines(r.Theirs) {
			if !strings.HasPrefix(line, "--- ") && !strings.HasPrefix(line, "+++ ") {
				add("  %s", safe(strings.TrimSuffix(line, "\n")))
			}
		}
		add("")
		add("YOURS")
	}
	switch {
	case r.Diff == "":
		add("FILE %s stays as it is", safe(m.cfg.File))
	case m.cfg.New:
		add("FILE %s, new", safe(m.cfg.File))
	default:
		add("FILE %s", safe(m.cfg.File))
	}
	for line := range strings.Lines(r.Diff) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "--- ") || strings.HasPrefix(line, "+++ ") || m.cfg.New && strings.HasPrefix(line, "@@") {
			continue
		}
		add("  %s", safe(line))
	}
	add("")
	add("TABLE %s in %s", safe(m.draft.Table), safe(m.cfg.Database))
	switch {
	case r.Table != "":
		add("  cannot be changed now: %s", safe(r.Table))
	case len(r.SQL) == 0 && r.Refused == "":
		add("  stays as it is")
	}
	for _, note := range r.Notes {
		add("  %s", safe(note))
	}
	m.addSQL(r.SQL, "")
	m.addSQL(r.Later, "LATER sync notes changed rows by these, for rows that are sent as they change")
}

// addSQL shows statements below a title.
func (m *Model) addSQL(list []string, title string) {
	if len(list) > 0 {
		m.review.text = append(m.review.text, "")
	}
	if len(list) > 0 && title != "" {
		m.review.text = append(m.review.text, title)
	}
	for _, sql := range list {
		for _, line := range strings.Split(sql+";", "\n") {
			m.review.text = append(m.review.text, "  "+safe(line))
		}
	}
}

// warnings are what one should know before saving, though it can be saved.
func (m *Model) warnings() (list []string) {
	for i, c := range m.draft.Receive.Columns {
		for _, r := range m.preview.rows {
			if i < len(r.Cells) && r.Cells[i].State == column.Misfit {
				list = append(list, fmt.Sprintf("column %s does not hold a sample: %s. Such deliveries are quarantined", safe(c.Name), r.Cells[i].Text))
				break
			}
		}
	}
	if len(list) > 0 {
		return list
	}
	for _, r := range m.preview.rows {
		if r.problem != "" {
			return []string{"a sample gives no row: " + safe(r.problem)}
		}
	}
	return nil
}

// startWriting writes what the screen shows.
func (m *Model) startWriting() tea.Cmd {
	if m.review.refused && m.review.text != nil {
		m.complain(errors.New("nothing is written: " + m.review.why))
	}
	if m.review.refused || m.review.writing || m.screen != saving {
		return nil
	}
	if !m.review.read {
		m.note, m.bad = hurried, true
		return nil
	}
	m.review.writing = true
	b, n := m.cfg.Backend, m.draft
	return func() tea.Msg {
		s, err := b.Save(m.ctx, n)
		return savedMsg{n, s, err}
	}
}

// takeTheirs makes what someone else has saved meanwhile the mapping, or brings it
// together with what is on the screen.
func (m *Model) takeTheirs(merge bool) tea.Cmd {
	if !m.review.theirs {
		return nil
	}
	why := taken
	if merge {
		why = merged
	}
	return m.readAgain(why)
}

func (m *Model) wrote(msg savedMsg) tea.Cmd {
	m.review.writing = false
	if msg.err != nil {
		m.complain(msg.err)
		return m.startSaving() // what stands in the way is shown, if it is the file
	}
	m.saved, m.cfg.New, m.clash = msg.mapping, false, nil
	m.cfg.Columns = msg.saved.Columns
	m.tree.fresh, m.tree.onlyNew = nil, false // what is known now is what was seen
	m.tree.refresh()
	m.screen = m.review.before
	m.recompute()
	m.say("%s", safe(msg.saved.Words))
	if m.screen == pushing {
		return m.readPushes() // the table may have other columns now
	}
	return nil
}

func (m *Model) saveLines(w, h int) []string {
	if m.review.text == nil {
		return block([]string{"", "looking at the file and the table"}, w, h)
	}
	lines := m.reviewLines(w)
	top := m.reviewTop(len(lines), h)
	return block(lines[top:], w, h)
}

// reviewTop is the first of n lines that is shown on h.
func (m *Model) reviewTop(n, h int) int { return max(0, min(m.review.top, n-h)) }

// reviewLines is the whole text of the review in w cells.
func (m *Model) reviewLines(w int) (lines []string) {
	for _, line := range m.review.text {
		style := m.st.faint.UnsetFaint()
		switch {
		case strings.HasPrefix(line, "  +"):
			style = m.st.good
		case strings.HasPrefix(line, "  -"), strings.HasPrefix(line, "CANNOT"):
			style = m.st.bad
		case line != "" && line[0] != ' ':
			style = m.st.title
		}
		for _, l := range wrap(line, w) {
			lines = append(lines, style.Render(l))
		}
	}
	return lines
}

// more says that the review goes on below the screen.
func (m *Model) more() string {
	n, h := len(m.reviewLines(m.w)), m.h-2
	if rest := n - h - m.reviewTop(n, h); rest > 0 {
		return plural(rest, "more line") + " below"
	}
	return ""
}
