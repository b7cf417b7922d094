package tui

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping/column"
)

// reviewing is the screen that shows a change before it is written.
type reviewing struct {
	text    []string // nil while it is being made
	pager   pager
	theirs  bool // the file was changed by someone else meanwhile
	refused bool // there is nothing to write, or it must not be written
	why     string
	writing bool
	read    bool // it has been shown for long enough to be read
}

// startSaving asks what saving would change.
func (m *Model) startSaving() tea.Cmd {
	m.turn++
	m.review = reviewing{refused: true}
	m.lay(reviewScreen{})
	turn, b, n := m.turn, m.cfg.Backend, m.draft
	return func() tea.Msg {
		r, err := b.Review(m.ctx, n)
		return reviewMsg{turn, r, err}
	}
}

func (m *Model) reviewed(msg reviewMsg) {
	if msg.turn != m.turn || !m.shows(reviewScreen{}) {
		return // of a save that was left
	}
	if msg.err != nil {
		m.lift()
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
		add("THEIRS %s brings yours into it; %s takes it alone, and %s then brings yours back", keyFor(merge), keyFor(theirs), keyFor(undo))
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
	add("TABLE %s in %s", safe(m.draft.Table), safe(m.database()))
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
	f := linesOf(m.review.text)
	f.paint = paintReview
	m.review.pager = newPager(f)
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
		for _, r := range m.row.rows {
			if i < len(r.Cells) && r.Cells[i].State == column.Misfit {
				list = append(list, fmt.Sprintf("column %s does not hold a sample: %s. Such deliveries are quarantined", safe(c.Name), r.Cells[i].Text))
				break
			}
		}
	}
	if len(list) > 0 {
		return list
	}
	for _, r := range m.row.rows {
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
	if m.review.refused || m.review.writing || !m.shows(reviewScreen{}) {
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
	m.tree.fresh, m.tree.onlyNew = nil, false // from now on nothing of it is new
	m.tree.refresh()
	if m.shows(reviewScreen{}) {
		m.lift()
	}
	m.recompute()
	m.say("%s", safe(msg.saved.Words))
	if msg.saved.Mapped == 0 && msg.saved.Columns != nil && m.onlyBuiltIn() {
		m.note += " (the built-in contact is no row)"
	}
	if m.place == sendPlace || m.place == tablePlace {
		return m.readRows(anew) // the table may have other columns now
	}
	return nil
}

// onlyBuiltIn reports whether the mapping is made by the built-in sample alone, which no
// webhook has brought.
func (m *Model) onlyBuiltIn() bool {
	return len(m.samples) == 1 && m.draft.Receives() && bytes.Equal(m.samples[0].Body, m.cfg.Example.Body)
}

// reviewScreen shows the change before it is written.
type reviewScreen struct{ quiet }

func (reviewScreen) where(*Model) where { return onReview }

func (reviewScreen) settle(m *Model) {
	m.review.pager.fit(m.w-4, rows(m.room().h))
	m.review.pager.reach(1 << 30) // so that the lines below can be counted
}

func (reviewScreen) move(m *Model, by int) { m.review.pager.scroll(by, m.w-4, rows(m.room().h)) }

func (reviewScreen) do(m *Model, a action) tea.Cmd {
	switch a {
	case enter:
		if m.review.refused || m.review.writing {
			return m.startWriting() // which says why not
		}
		return m.alone(m.startWriting)
	case theirs, merge:
		return m.takeTheirs(a == merge)
	default:
		m.findInText(&m.review.pager, a, m.w-4, rows(m.room().h))
	}
	return nil
}

func (reviewScreen) draw(m *Model) []string {
	r, v := m.room(), &m.review
	f := v.pager.framedIn("Save", "before anything is written")
	switch {
	case v.text == nil:
		f.figure = "looking at the file and the table"
	case v.writing:
		f.figure = "writing"
	case v.refused:
		f.figure = "cannot be saved"
	}
	if rest := v.pager.count - v.pager.top - rows(r.h); rest > 0 {
		f.foot = plural(rest, "more line") + " below"
	}
	return m.st.frame(f, padded(v.pager.lines(r.w-4, rows(r.h), &m.st)), r.w, r.h)
}

// paintReview is the colours of a line of the review: of YAML that goes or comes, of SQL,
// of headings.
func paintReview(t *theme, line string) string {
	begin := strings.TrimLeft(line, " ")
	switch {
	case strings.HasPrefix(line, "  +"):
		return t.good.Render("  +") + t.yaml(strings.TrimPrefix(line, "  +"))
	case strings.HasPrefix(line, "  -"):
		return t.bad.Render(line)
	case strings.HasPrefix(line, "  @@"):
		return t.faint.Render(line)
	case strings.HasPrefix(line, "CANNOT"):
		return t.bad.Bold(true).Render(line)
	case strings.HasPrefix(line, "NOTE"), strings.HasPrefix(line, "BOTH"):
		return t.warn.Render(line)
	case line != "" && line[0] != ' ':
		return t.title.Render(line)
	}
	word, _, _ := strings.Cut(begin, " ")
	if word == strings.ToUpper(word) && len(word) > 3 || strings.HasPrefix(begin, `"`) || strings.HasPrefix(begin, ")") {
		return t.sql(line)
	}
	return line
}
