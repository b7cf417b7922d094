package tui

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// Counts are how much wants a person.
type Counts struct {
	Quarantined int   // deliveries that are no row
	Failed      int   // things that were sent and that Loops has refused
	Came        int64 // grows with each delivery that comes
}

type countsMsg struct {
	counts Counts
	err    error
}

// count waits until the counts are others than those that are shown.
func (m *Model) count() tea.Cmd {
	b, was, ctx := m.cfg.Backend, m.counts, m.ctx
	return func() tea.Msg {
		now, err := b.Counts(ctx, was)
		return countsMsg{now, err}
	}
}

func (m *Model) counted(msg countsMsg) tea.Cmd {
	if msg.err != nil || m.ctx.Err() != nil {
		return nil
	}
	came := msg.counts.Came != m.counts.Came
	if m.counts = msg.counts; came {
		return tea.Batch(m.count(), m.followRows())
	}
	return m.count()
}

// tab is a place on the strip: its cells, from x on.
type tab struct {
	text string
	x, w int
	want bool // something there wants a person
}

// tabs are the places on a strip of w cells: by name where there is room, else by number.
func (m *Model) tabs(w int) (list []tab) {
	x := 0
	for i, p := range places {
		text := fmt.Sprint(i+1, " ", p.name)
		if w < 72 && place(i) != m.place {
			text = fmt.Sprint(i + 1)
		}
		n := 0
		switch place(i) {
		case deliveriesPlace:
			n = m.counts.Quarantined
		case sendPlace:
			n = m.counts.Failed
		case mapPlace, tablePlace: // these want nobody
		}
		if n > 0 {
			text += fmt.Sprintf(" %d!", n)
		}
		list = append(list, tab{text, x, width(text) + 2, n > 0})
		x += width(text) + 2
	}
	return list
}

// strip is the first line: where one is and can go, and at its right what the program
// hears, the file and the table.
func (m *Model) strip(w int) string {
	var b strings.Builder
	cells := 0
	for i, t := range m.tabs(w) {
		switch {
		case place(i) == m.place:
			b.WriteString(m.st.cursor.Bold(true).Render("[" + t.text + "]"))
		case t.want:
			b.WriteString(" " + m.st.warn.Render(t.text) + " ")
		default:
			b.WriteString(" " + m.st.plain.Render(t.text) + " ")
		}
		cells += t.w
	}
	name, extra, unsaved := safe(m.cfg.File), "", ""
	switch {
	case m.cfg.ReadOnly:
		extra = " (read-only)"
	case m.cfg.New:
		extra = " (new)"
	}
	if m.Unsaved() {
		unsaved = " •"
	}
	heard, good := m.hears()
	look := m.st.good
	if !good {
		look = m.st.bad
	}
	table := safe(m.draft.Table) + " in " + safe(strings.TrimPrefix(m.database(), "sqlite:"))
	room := w - cells - 2
	if m.push.running { // what goes on everywhere is said everywhere
		heard, look = m.runStatus(), m.st.warn
	}
	if m.cfg.Label != "" {
		heard = m.cfg.Label + ", " + heard
	}
	most := [][]string{{"● " + heard, name + extra + unsaved, table}, {"● " + heard, name + extra + unsaved}, {"● " + heard, name + unsaved},
		{"●", name + extra + unsaved}, {"●", name + unsaved}, {"● " + heard}, {"●"}}
	if m.push.running { // what goes on gives way last
		few := "● " + thousands(m.push.progress.Done) + " done"
		most = [][]string{most[0], most[1], most[2], {"● " + heard}, {"● " + m.runStatus()}, {few}, {"●"}}
	}
	parts := []string{}
	for _, parts = range most { // as much as there is room for
		if width(strings.Join(parts, "  ")) <= room {
			break
		}
	}
	line := strings.Join(parts, "  ")
	styled := look.Render(parts[0])
	for i, p := range parts[1:] {
		if i == 0 && m.Unsaved() {
			p = m.st.warn.Render(p)
		}
		styled += "  " + p
	}
	return b.String() + strings.Repeat(" ", w-cells-width(line)-1) + styled + " "
}

// hears says in few words what the program hears of Loops.
func (m *Model) hears() (words string, good bool) {
	if len(m.capture.arrivals) == 0 {
		if m.cfg.Listen.Problem != "" {
			return "not listening", false
		}
		if m.cfg.Listen.Trial {
			return "waiting (trial)", true
		}
		return "waiting", true
	}
	a := m.capture.arrivals[0]
	at := a.At.Format("15:04")
	switch {
	case a.Code == 401:
		return "signature wrong " + at, false
	case a.Body == nil:
		return "refused " + at, false
	case !a.Signed:
		return "not verified " + at, true
	case a.Trial:
		return "trial " + at, true
	case a.Code != 200:
		return "not stored " + at, false
	}
	return "verified " + at, true
}

// said are the lines above the keys: what somebody is asked, what is typed, or what just
// happened.
func (m *Model) said(w int) (lines []string) {
	look, text := m.st.strong, m.note
	switch {
	case m.ask:
		look, text = m.st.warn.Bold(true), "the mapping is not saved: quit all the same?"
	case m.offer:
		columns := plural(len(m.cfg.Draft.Receive.Columns), "column")
		look, text = m.st.warn.Bold(true), "an earlier session ended unsaved ("+columns+"): take what it left?"
	case m.input != nil && m.input.inLine():
		lines = append(m.aboveInput(w), fill(" "+m.inputLine(w-2), w))
		if text == "" {
			return lines
		}
		look = m.st.bad
	case m.bad:
		look = m.st.bad
	}
	if text == "" {
		return lines
	}
	wrapped := wrap(text, w-2)
	if most := max(1, m.h/2); len(wrapped) > most {
		wrapped = wrapped[:most]
	}
	for _, s := range wrapped {
		lines = append(lines, look.Render(fill(" "+s, w)))
	}
	return lines
}

// hint is a key on the line of keys, from x on.
type hint struct {
	key, does string
	action    action
	x         int
}

func (h hint) width() int { return width(h.key) + 1 + width(h.does) }

const hintGap = 3

// hints are the keys that matter here and now, as many as w cells hold. The first, and
// those that lead to all others and out, go last.
func (m *Model) hints(w int) (list []hint) {
	switch {
	case m.ask:
		list = []hint{{key: "y", does: "quit"}, {key: "s", does: "save"}, {key: "n", does: "stay"}}
	case m.offer:
		list = []hint{{key: "enter", does: "take it"}, {key: "x", does: "throw it away"}, {key: "q", does: "quit"}}
	case m.input != nil:
		list = m.inputHints()
	case m.shows(helpScreen{}):
		list = []hint{{key: "enter", does: "run it", action: enter}, {key: "esc", does: "back", action: back}}
	default:
		list = m.keyHints()
	}
	total := func() (n int) {
		for i, h := range list {
			if n += h.width(); i > 0 {
				n += hintGap
			}
		}
		return n
	}
	for len(list) > 0 && total() > w {
		at := len(list) - 1
		if len(list) > 3 {
			at = len(list) - 3
		}
		list = slices.Delete(list, at, at+1)
	}
	x := 1
	for i := range list {
		list[i].x = x
		x += list[i].width() + hintGap
	}
	return list
}

// keyHints are those of the key table, by what is under the cursor.
func (m *Model) keyHints() (list []hint) {
	at := m.at()
	if at == inTree {
		if a := m.tree.current(); a != nil && a.Branch() {
			list = append(list, hint{keyFor(pick), "pick all within", pick, 0}, hint{keyFor(pickWhole), "pick whole", pickWhole, 0})
		}
		switch {
		case m.tree.filtered():
			list = append(list, hint{"esc", "show all", back, 0})
		case len(m.tree.fresh) > 0:
			list = append(list, hint{keyFor(onlyNew), fmt.Sprintf("%d new", len(m.tree.fresh)), onlyNew, 0})
		}
	}
	if d := m.came.current(); at == onDeliveries && d != nil && d.Reason != "" {
		list = append(list, hint{keyFor(asSample), "map by it", asSample, 0}, hint{keyFor(replay), "replay", replay, 0})
	}
	if at&(onSend|inTable) != 0 && (m.push.running || m.push.looking) {
		list = append(list, hint{keyFor(stop), "stop", stop, 0})
	}
	if at == inTable && m.counts.Failed > 0 && !m.push.bad {
		list = append(list, hint{keyFor(onlyBad), "failed", onlyBad, 0})
	}
	if at == inTable && (m.push.where != "" || m.push.bad) {
		list = append(list, hint{"esc", "show all", back, 0})
	}
	if at == onDeliveries && m.came.query != "" {
		list = append(list, hint{"esc", "show all", back, 0})
	}
	if at&(onMap|onSend) != 0 && m.Unsaved() && !m.cfg.ReadOnly { // what is not yet kept comes first
		list = append([]hint{{keyFor(save), "save", save, 0}}, list...)
	}
	if at&onSend != 0 && m.push.catalog.Connects {
		list = append(list, hint{keyFor(connect), "connect", connect, 0})
	}
	rowless := len(m.push.rows) == 0 || m.push.samples
	for _, b := range keysAt(at) {
		short := b.short
		switch {
		case short == "" || slices.ContainsFunc(list, func(h hint) bool { return h.action == b.action }):
			continue
		case b.action == enter && at == onReview && (m.review.refused || !m.review.read):
			continue
		case (b.action == theirs || b.action == merge) && !m.review.theirs:
			continue
		case b.action == save && (m.cfg.ReadOnly || !m.Unsaved() && !m.cfg.New):
			continue
		case at == onAccounts && m.idle(b.action):
			continue
		case at == onDeliveries && m.came.current() == nil && b.action != fetch && b.action != help && b.action != quit:
			continue
		case b.action == run && m.cfg.ReadOnly:
			continue
		case rowless && m.push.where == "" &&
			(b.action == run || at == inTable && slices.Contains([]action{enter, find, filter, pick}, b.action)):
			continue
		case b.action == nextPane && at&onMap != 0:
			short = [...]string{"columns", "row", "attributes"}[m.focus]
		case b.action == nextPane && at&onSend != 0:
			short = [...]string{"rows", "body", "requests"}[m.push.focus]
		case b.action == asSample && at == onDeliveries, b.action == replay && at == onDeliveries:
			continue // where it is worth it, it stands in front
		case b.action == back && at == onReview:
			short = "back to the mapping"
		}
		list = append(list, hint{b.Help().Key, short, b.action, 0})
	}
	return list
}

// keyLine is the last line.
func (m *Model) keyLine(w int) string {
	var b strings.Builder
	b.WriteByte(' ')
	for i, h := range m.hints(w - 2) {
		if i > 0 {
			b.WriteString(strings.Repeat(" ", hintGap))
		}
		b.WriteString(m.st.strong.Render(h.key) + " " + m.st.faint.Render(h.does))
	}
	return fill(b.String(), w)
}
