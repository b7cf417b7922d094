package tui

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/tidwall/gjson"

	"loopmap/mapping/body"
	"loopmap/mapping/column"
)

func (m *Model) addSamples(list ...Sample) (added int) {
	for _, s := range list {
		at := slices.IndexFunc(m.samples, func(have Sample) bool { return string(have.Body) == string(s.Body) })
		if at < 0 {
			m.samples = append(m.samples, s)
			added++
			continue
		}
		have := m.samples[at]
		m.samples = append(slices.Delete(m.samples, at, at+1), have) // the latest is what is shown first
	}
	bodies := make([][]byte, len(m.samples))
	for i, s := range m.samples {
		bodies[i] = s.Body
	}
	m.tree.label = m.listName
	m.learnLists(list)
	m.tree.load(body.Attributes(bodies))
	m.tree.markNew(m.seenBefore())
	return added
}

// seenBefore are the attributes that deliveries had when the mapping was last saved.
// Without such a delivery nobody knows what is new, and the result is nil.
func (m *Model) seenBefore() map[string]bool {
	var old [][]byte
	for _, s := range m.samples {
		if !s.At.IsZero() && !s.At.After(m.cfg.SavedAt) {
			old = append(old, s.Body)
		}
	}
	if len(old) == 0 {
		return nil
	}
	seen := map[string]bool{}
	for _, a := range body.Attributes(old) {
		seen[a.Path.String()] = true
	}
	for _, c := range m.saved.Receive.Columns {
		seen[c.From.String()] = true
	}
	return seen
}

// drift says what has changed in the webhooks since the mapping was saved.
func (m *Model) drift() string {
	var words []string
	if n := len(m.tree.fresh); n > 0 {
		words = append(words, fmt.Sprintf("%s since the mapping was saved (%s shows them)", plural(n, "new attribute"), keyFor(onlyNew)))
	}
	gone := 0
	for i := range m.draft.Receive.Columns {
		if m.unseen(i) {
			gone++
		}
	}
	if gone > 0 {
		words = append(words, plural(gone, "column")+" not seen in any sample")
	}
	return strings.Join(words, ", ")
}

// unseen reports whether no sample has what column i is read from.
func (m *Model) unseen(i int) bool {
	if len(m.tree.attrs) == 0 {
		return false
	}
	return !m.tree.has[m.draft.Receive.Columns[i].From.String()]
}

// took receives samples that a command has read.
func (m *Model) took(msg samplesMsg) {
	if msg.err != nil {
		m.complain(msg.err)
		return
	}
	if m.input != nil && m.input.what == typingFile {
		m.input = nil
	}
	m.use(msg.samples...)
}

// use maps by these samples.
func (m *Model) use(list ...Sample) {
	for _, s := range list {
		if err := body.CheckBody(s.Body); err != nil {
			m.complain(fmt.Errorf("%s: %w", s.From, err))
			return
		}
	}
	added := m.addSamples(list...)
	m.recompute()
	m.place, m.over = mapPlace, nil
	if added > 0 && len(m.samples) == added {
		m.focus = treePane
	}
	switch {
	case added == 0:
		m.say("this sample is shown first now; it has nothing that the others lack")
	case len(m.samples) == added && added == 1:
		m.say("the sample comes from %s", safe(list[0].From))
	default:
		m.say("%s merged", plural(added, "sample"))
	}
}

// learnLists takes the names of mailing lists from webhooks that carry one.
func (m *Model) learnLists(list []Sample) {
	for _, s := range list {
		for _, from := range []string{"mailingList", "mailingLists"} {
			gjson.GetBytes(s.Body, from).ForEach(func(_, v gjson.Result) bool {
				if v.IsObject() {
					m.nameList(v.Get("id").Str, v.Get("name").Str)
				}
				return true
			})
		}
		if v := gjson.GetBytes(s.Body, "mailingList"); v.IsObject() {
			m.nameList(v.Get("id").Str, v.Get("name").Str)
		}
	}
}

func (m *Model) nameList(id, name string) {
	if m.lists == nil {
		m.lists = map[string]string{}
	}
	if id != "" && name != "" {
		m.lists[id] = name
	}
}

// toMisfit puts the cursors on the first column that does not hold the latest sample, and
// on what it is read from.
func (m *Model) toMisfit() {
	if len(m.row.rows) == 0 {
		return
	}
	for i, c := range m.row.rows[len(m.row.rows)-1].Cells {
		if c.State == column.Misfit && i < len(m.draft.Receive.Columns) {
			m.columns.cursor = i
			m.tree.goTo(m.draft.Receive.Columns[i].From.String())
			return
		}
	}
}

func (m *Model) readFile(file string) tea.Cmd {
	b := m.cfg.Backend
	return func() tea.Msg {
		list, err := b.Read(file)
		return samplesMsg{list, err}
	}
}

func (m *Model) readJournal() tea.Cmd {
	b := m.cfg.Backend
	return func() tea.Msg {
		list, err := b.Journal(m.ctx)
		if err == nil && len(list) == 0 {
			err = errors.New("the journal has no deliveries yet")
		}
		return samplesMsg{list, err}
	}
}

// paste takes a sample from the clipboard, or text into a field.
func (m *Model) paste(msg tea.PasteMsg) tea.Cmd {
	text := strings.TrimSpace(msg.Content)
	switch {
	case m.input != nil:
		return m.typed(msg)
	case len(text) < 2 || m.shows(helpScreen{}) || m.ask || m.offer:
	case m.shows(captureScreen{}):
		m.pasteSample(text)
	case m.shows(accountsScreen{}):
		return m.pasteKey(msg)
	default:
		m.say("a sample is pasted where one is awaited: %s on Map leads there", keyFor(fetch))
	}
	return nil
}

// pasteSample maps by what was pasted: a webhook's body, or a list of them.
func (m *Model) pasteSample(text string) {
	bodies, err := body.Bodies([]byte(strings.TrimSpace(text)))
	if err != nil {
		m.complain(err)
		return
	}
	var list []Sample
	for _, body := range bodies {
		list = append(list, Sample{From: "the clipboard", Body: body})
	}
	m.use(list...)
}
