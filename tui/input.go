package tui

import (
	"fmt"
	"slices"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"loopmap/mapping/column"
	"loopmap/tui/slots"
)

type typing int

const (
	typingSearch typing = iota
	typingName
	typingKey    // an API key, which is not shown
	typingKept   // the name that one is kept under
	typingKeptAs // another name for one that is kept
	typingFile
	typingCount
	typingColumn   // for a slot of the push screen
	typingProperty // to be added to a request
	typingRunIf
	typingWords    // an event, a schedule
	typingJump     // to a property of the push screen
	typingDatabase // another database
	typingFilter   // what is shown of a list
	typingWhere    // which rows of the table are shown
	typingPublic   // the public URL
)

// input is a line being typed.
type input struct {
	what    typing
	field   textinput.Model
	before  string        // the search that esc does not bring back
	column  int           // whose name is typed
	touched bool          // something was typed
	offers  []TableColumn // columns of the table to choose from
	chosen  int           // index into shown(), -1 for what is typed
	slot    slots.Slot    // of the push screen, that is filled
	seen    bool          // it has stood there for a moment without a key
	key     triedKey      // that is being named

	text         *pager // what a search is in, of so many cells; nil for a list
	textW, textH int
}

// inLine reports whether the field stands above the keys, rather than in a pane.
func (in *input) inLine() bool {
	switch in.what {
	case typingSearch, typingFile, typingCount, typingJump, typingDatabase, typingFilter, typingWhere, typingPublic:
		return true
	}
	return false
}

var prompts = map[typing]string{
	typingSearch: "/", typingName: "name: ", typingFile: "file: ", typingCount: "send: ",
	typingColumn: "/", typingProperty: "property: ", typingRunIf: "only run if: ",
	typingJump: "/", typingDatabase: "database: ", typingFilter: "/", typingWhere: "rows where: ",
	typingPublic: "public URL: ",
}

func newInput(what typing, text string) *input {
	in := &input{what: what, field: textinput.New(), before: text, chosen: -1}
	in.field.Prompt = prompts[what]
	look := newTheme(false)
	st := textinput.DefaultStyles(true)
	st.Focused.Prompt, st.Focused.Text = look.strong, look.plain
	st.Cursor.Blink = false // a blinking cursor writes to the terminal for ever
	if in.over() {
		st.Focused.Text = look.cursor
	}
	if what == typingKey {
		in.field.EchoMode, in.field.EchoCharacter, in.field.CharLimit = textinput.EchoPassword, '•', mostKey+1
	}
	in.field.SetStyles(st)
	in.field.SetValue(text)
	in.field.CursorEnd()
	in.field.Focus()
	return in
}

// over reports whether what stands in the field is there to be typed over.
func (in *input) over() bool {
	return in.what == typingName || in.what == typingCount || in.what == typingKept || in.what == typingKeptAs
}

// shown are the offers that what is typed leaves: those that hold it, or all
// while the name is as it was.
func (in *input) shown() (list []TableColumn) {
	typed := strings.ToLower(in.field.Value())
	for _, c := range in.offers {
		if in.field.Value() == in.before || strings.Contains(strings.ToLower(c.Name), typed) {
			list = append(list, c)
		}
	}
	if len(list) > 0 || in.what != typingColumn {
		return list
	}
	for _, c := range in.offers {
		if near(strings.ToLower(c.Name), typed) {
			list = append(list, c)
		}
	}
	return list
}

// best is the offer that enter takes for what is typed: the one of that very name, else
// the first, where something is to be found; -1 where what is typed is taken as it is.
func (in *input) best() int {
	typed := strings.TrimSpace(in.field.Value())
	switch {
	case in.what == typingColumn:
		return 0
	case in.what != typingWords || typed == "" || typed == in.before:
		return -1
	}
	list := in.shown()
	if i := slices.IndexFunc(list, func(c TableColumn) bool { return c.Name == typed }); i >= 0 {
		return i
	}
	return min(0, len(list)-1)
}

// startSearch opens the field for a search of what the screen shows.
func (m *Model) startSearch() {
	query := ""
	switch {
	case m.shows(mapScreen{}) && m.focus == treePane:
		query = m.tree.query
	case m.shows(deliveriesScreen{}):
		query = m.came.query
	}
	m.input = newInput(typingSearch, query)
}

// search searches what the screen shows.
func (m *Model) search(query string) tea.Cmd {
	switch in := m.input; {
	case in != nil && in.text != nil:
		if !in.text.find(query, 0, in.textW, in.textH) {
			m.note, m.bad = "not there", true
		}
	case m.shows(deliveriesScreen{}):
		m.came.find(query)
		return m.searchBodies()
	case m.shows(tablesScreen{}):
		m.tables.find(query)
	case m.shows(storyScreen{}):
		if !m.story.search(query, 0) {
			m.note, m.bad = "not there", true
		}
	case m.place == tablePlace, m.place == sendPlace:
		if !m.push.findRow(query, 0) {
			m.note, m.bad = "in none of the rows that are at hand; "+keyFor(filter)+" on Table looks through all", true
		}
	case m.focus != treePane:
		m.columns.find(query, m.draft, 0)
	default:
		m.tree.find(query)
	}
	return nil
}

// typed passes a key on to the line.
func (m *Model) typed(msg tea.Msg) tea.Cmd {
	in := m.input
	m.note, m.bad = "", false
	if k, ok := msg.(tea.KeyPressMsg); ok {
		switch k.String() {
		case "enter":
			return m.enter()
		case "esc":
			if m.input = nil; in.what == typingSearch && in.text == nil {
				return m.search("")
			}
			return nil
		case "up":
			m.choose(-1)
			return nil
		case "down":
			m.choose(1)
			return nil
		}
	}
	if k, ok := msg.(tea.KeyPressMsg); ok && in.over() && !in.touched && k.Text != "" {
		in.field.SetValue("") // the old name is there to be typed over
	}
	if in.touched = true; in.over() {
		st := in.field.Styles()
		st.Focused.Text = lipgloss.NewStyle()
		in.field.SetStyles(st)
	}
	before := in.field.Value()
	in.field, _ = in.field.Update(msg) // its only command is a blink
	if in.field.Value() != before {
		in.chosen, in.key.sure = in.best(), false
		switch in.what {
		case typingSearch:
			return m.search(in.field.Value())
		case typingJump:
			m.push.jump(in.field.Value(), 0)
		case typingFile:
			return m.judgeFile(in.field.Value())
		}
	}
	return nil
}

// choose moves among what a field finds or offers.
func (m *Model) choose(by int) {
	switch in := m.input; {
	case in.what == typingSearch && in.text == nil:
		m.screen().move(m, by)
	case in.what == typingJump:
		m.push.jump(in.field.Value(), by)
	case in.what == typingCount:
		m.chooseSending(by)
	default:
		least := -1 // which is what is typed
		if in.what == typingColumn {
			least = 0
		}
		in.chosen = max(least, min(in.chosen+by, len(in.shown())-1))
	}
}

// enter takes what was typed.
func (m *Model) enter() tea.Cmd {
	in := m.input
	text := in.field.Value()
	if cmd, done := m.typeOnPush(); done {
		return cmd
	}
	switch in.what {
	case typingSearch, typingJump:
		m.input = nil
	case typingFile:
		if text == "" {
			m.input = nil
			m.say("no file was named")
			return nil
		}
		return m.readFile(text) // the field stays until the file could be read
	case typingWhere:
		text = strings.TrimSpace(text)
		if _, good := m.judgeWhere(text); good {
			m.input = nil
			m.push.setFilter(text)
		}
	case typingPublic:
		m.takePublic(strings.TrimSpace(text))
	case typingDatabase:
		return m.takeDatabase(strings.TrimSpace(text))
	case typingKey:
		return m.lastly(m.tryKey)
	case typingKept:
		return m.keepAs()
	case typingKeptAs:
		return m.renameTo()
	case typingName:
		if list := in.shown(); in.chosen >= 0 && in.chosen < len(list) {
			text = list[in.chosen].Name
		}
		if err := m.nameProblem(text); err != nil {
			return nil // it stands beside the field
		}
		n, err := m.draft.Rename(in.column, text)
		if err != nil {
			return nil
		}
		m.input = nil
		m.change(n)
	}
	return nil
}

// renameLines draws the field for a name, what is wrong with it, and the columns
// to choose from.
func (m *Model) renameLines(w, h int) []string {
	in := m.input
	w -= 2
	in.field.SetWidth(max(8, w-10))
	lines := []string{cut(in.field.View(), w)}
	name := in.field.Value()
	list := in.shown()
	if in.chosen >= 0 && in.chosen < len(list) {
		name = list[in.chosen].Name
	}
	verdict := m.st.good.Render(cut("ok: "+m.fate(name), w))
	if err := m.nameProblem(name); err != nil {
		no := wrap("no: "+safe(err.Error()), w)
		for i := range no[:len(no)-1] {
			lines = append(lines, m.st.bad.Render(no[i]))
		}
		verdict = m.st.bad.Render(no[len(no)-1])
	} else if column.Reserved(name) {
		verdict = m.st.warn.Render(cut("allowed, but a word of SQL: queries must quote it", w))
	}
	lines = append(lines, verdict)
	if len(list) > 0 {
		lines = append(lines, m.st.faint.Render(cut("or a column of the table (down chooses):", w)))
	}
	top := window(0, max(0, in.chosen), len(list), h-len(lines))
	for i := top; i < len(list) && len(lines) < h; i++ {
		line := fmt.Sprintf("  %s  %s", safe(list[i].Name), safe(list[i].Type))
		if i == in.chosen {
			line = m.st.cursor.Render(fill("> "+line[2:], w))
		}
		lines = append(lines, line)
	}
	return padded(lines)
}

// fate says what becomes of a column with this name in the table.
func (m *Model) fate(name string) string {
	for _, have := range m.cfg.Columns {
		if m.draft.Dialect.Fold(have.Name) == m.draft.Dialect.Fold(name) {
			return "the table has it, " + safe(have.Type)
		}
	}
	return "a new column"
}
