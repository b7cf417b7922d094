package tui

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping"
	"loopmap/mapping/condition"
	"loopmap/tui/slots"
)

// startSlot opens what fills the slot under the cursor: the columns to choose from, or
// a field to type in.
func (m *Model) startSlot() {
	s := m.push.current()
	switch s.Kind {
	case slots.Contact, slots.Auto:
		m.pickSlot()
		return
	case slots.RunIf:
		m.input = newInput(typingRunIf, s.Value)
	case slots.Every:
		m.input = newInput(typingWords, s.Value)
		m.input.field.Prompt = "every: "
	case slots.Event, slots.NewEvent:
		m.input = newInput(typingWords, s.Name())
		m.input.field.Prompt = "event: "
		for _, have := range m.push.catalog.Events {
			m.input.offers = append(m.input.offers, TableColumn{Name: have})
		}
	case slots.When, slots.None:
		return
	default:
		m.chooseColumn(s)
		return
	}
	m.input.slot = s
}

// chooseColumn opens the finder of columns for a slot.
func (m *Model) chooseColumn(s slots.Slot) {
	m.input = newInput(typingColumn, "")
	m.input.slot, m.input.chosen = s, 0
	for _, c := range m.facts().Fitting(s) {
		m.input.offers = append(m.input.offers, TableColumn{Name: c.Name, Type: string(c.Type)})
	}
	now := s.Value
	if now == "" || s.Kind == slots.OncePer {
		now = m.facts().Match(s)
	}
	if i := slices.IndexFunc(m.input.offers, func(c TableColumn) bool { return c.Name == now }); i >= 0 {
		m.input.chosen = i
	}
}

// startAdding asks for a property that is not among the slots.
func (m *Model) startAdding() {
	s := m.push.current()
	if s.Event == slots.OfAll || s.Kind == slots.NewEvent {
		m.say("go to a request first: properties are added to it")
		return
	}
	m.input = newInput(typingProperty, "")
	m.input.slot = s
	for _, more := range m.facts().Addable(s.Event) {
		m.input.offers = append(m.input.offers, offered(more))
	}
}

// offered is how a slot is offered to be added.
func offered(s slots.Slot) TableColumn {
	if s.Kind == slots.List {
		return TableColumn{Name: s.Name(), Type: "mailing list " + s.Loops}
	}
	return TableColumn{Name: s.Name(), Type: "contact property"}
}

// addProperty goes on to the column of a property that was named.
func (m *Model) addProperty(text string) {
	in := m.input
	s := slots.Named(in.slot.Event, text)
	if list := in.shown(); in.chosen >= 0 && in.chosen < len(list) {
		more := m.facts().Addable(in.slot.Event)
		if i := slices.IndexFunc(more, func(s slots.Slot) bool { return offered(s) == list[in.chosen] }); i >= 0 {
			s = more[i]
		}
	}
	if s.Loops == "" {
		m.input = nil
		m.say("no property is added: it was given no name")
		return
	}
	if why := mapping.Unwritable(s.Loops); why != "" && s.Event < 0 {
		m.complain(fmt.Errorf("%s is not to be set here: %s", s.Loops, why))
		return
	}
	m.chooseColumn(s)
}

// takeColumn puts the chosen column into its slot.
func (m *Model) takeColumn() {
	in := m.input
	list := in.shown()
	if in.chosen < 0 || in.chosen >= len(list) {
		m.complain(fmt.Errorf("no column holds %q", in.field.Value()))
		return
	}
	if m.take(m.facts().SetColumn(in.slot, list[in.chosen].Name)) {
		m.input = nil
		if i := slices.IndexFunc(m.push.slots, in.slot.Is); i >= 0 {
			m.push.cursor = i // which may have been added
		}
	}
}

// takeText puts what was typed into its slot, when it can stand there.
func (m *Model) takeText(text string) tea.Cmd {
	in := m.input
	if list := in.shown(); in.chosen >= 0 && in.chosen < len(list) {
		text = list[in.chosen].Name
	}
	text = strings.TrimSpace(text)
	if in.what == typingRunIf && text != "" {
		if _, err := m.facts().Condition(text); err != nil {
			m.complain(err)
			return nil
		}
	}
	nameless := text == "" && (in.slot.Kind == slots.Event || in.slot.Kind == slots.NewEvent)
	if nameless || text == in.slot.Value {
		m.input = nil
		switch {
		case nameless && in.slot.Kind == slots.Event:
			m.say("the event keeps its name; %s drops it", keyFor(drop))
		case nameless:
			m.say("no event is added: it was given no name")
		}
		return nil
	}
	if !m.take(m.facts().SetText(in.slot, text)) {
		return nil
	}
	m.input = nil
	for i, s := range m.push.slots {
		if s.Kind == slots.Event && s.Name() == text {
			m.push.cursor = i
		}
	}
	if _, asked := m.push.catalog.EventProperties[text]; !asked && slices.Contains(m.push.catalog.Events, text) {
		return m.askLoops() // for the event's properties
	}
	return nil
}

// met counts the rows that meet a condition.
func (m *Model) met(c *condition.Condition) (n int) {
	for _, r := range m.push.rows {
		if yes, _ := c.Met(m.push.fields, r.Cells, m.push.at); yes {
			n++
		}
	}
	return n
}

// typedOnPush is the pane of the field in which something is typed on Send.
func (m *Model) typedOnPush(w, h int) []string {
	in := m.input
	inner := w - 4
	in.field.SetWidth(max(8, inner-width(in.field.Prompt)-2))
	f := framed{focused: true}
	var lines []string
	switch {
	case in.what == typingRunIf:
		f.title, f.figure = "Only run if", requestName(m.draft, in.slot.Event)
		lines = m.conditionLines(inner, rows(h))
	case in.what == typingColumn:
		f.title, f.figure = "Column for "+safe(in.slot.Label), requestName(m.draft, in.slot.Event)
		lines = m.offerLines(inner, rows(h))
	case in.what == typingProperty:
		f.title, f.figure = "Property", "of the "+requestName(m.draft, in.slot.Event)
		lines = m.offerLines(inner, rows(h))
	case in.slot.Kind == slots.Every:
		f.title, f.figure = "Schedule", "all rows that differ are sent"
		lines = m.scheduleLines(inner)
	default:
		f.title, f.figure = "Event", "exactly as it is named in Loops"
		lines = m.offerLines(inner, rows(h))
	}
	if m.note != "" && m.bad {
		for _, s := range wrap(m.note, inner) {
			lines = append(lines, m.st.bad.Render(s))
		}
	}
	return m.st.frame(f, padded(lines), w, h)
}

// scheduleLines are the field for a schedule, and when it would come next.
func (m *Model) scheduleLines(w int) []string {
	lines := []string{cut(m.input.field.View(), w), ""}
	text := strings.TrimSpace(m.input.field.Value())
	next, err := (&mapping.Push{Every: text}).Next()
	switch {
	case text == "":
		lines = append(lines, "never by the clock. For example:")
	case err != nil:
		for _, s := range wrap("no: "+safe(text)+" is not a schedule: "+err.Error(), w) {
			lines = append(lines, m.st.bad.Render(s))
		}
	default:
		lines = append(lines, m.st.good.Render(cut("ok: next at "+next(m.push.at).Format("2006-01-02 15:04"), w)))
	}
	return append(lines, "", m.st.faint.Render("  1h, 90m: so long after the run before"),
		m.st.faint.Render("  0 6 * * 1-5: a cron line, here at 6 on weekdays"))
}

func requestName(m *mapping.Mapping, event int) string {
	if event >= 0 && m.Push != nil && event < len(m.Push.Events) {
		return "event " + safe(m.Push.Events[event].Name)
	}
	return "contact update"
}

// offerLines are the field and what it leaves to choose from; of a column its value in
// the row that is shown.
func (m *Model) offerLines(w, h int) []string {
	in := m.input
	lines := []string{cut(in.field.View(), w)}
	list := in.shown()
	row, _ := m.push.shownRow()
	name := 10
	for _, c := range list {
		name = max(name, min(w*2/5, 2+width(safe(c.Name))))
	}
	if typed := strings.TrimSpace(in.field.Value()); in.what == typingWords && typed != "" && in.best() >= 0 && len(lines) < h {
		line := fill(fill("  "+safe(typed), name)+" as it is typed", w)
		if in.chosen < 0 {
			line = m.st.cursor.Render("> " + line[2:])
		}
		lines = append(lines, line)
	}
	top := window(0, max(0, in.chosen), len(list), h-len(lines))
	for i := top; i < len(list) && len(lines) < h; i++ {
		value := ""
		if in.what == typingColumn {
			value = cellText(row.Cells[list[i].Name])
		}
		line := fill(fill("  "+safe(list[i].Name), name)+" "+fill(safe(list[i].Type), 9)+" "+value, w)
		if in.what != typingColumn {
			line = fill(fill("  "+safe(list[i].Name), name)+" "+safe(list[i].Type), w)
		}
		if i == in.chosen {
			line = m.st.cursor.Render("> " + line[2:])
		}
		lines = append(lines, line)
	}
	if len(list) == 0 && in.what == typingColumn {
		lines = append(lines, "  no column holds that")
	}
	return lines
}

// conditionLines are the field for a condition with its verdict on real rows.
func (m *Model) conditionLines(w, h int) []string {
	in := m.input
	lines := []string{cut(in.field.View(), w)}
	text := strings.TrimSpace(in.field.Value())
	if text == "" {
		lines = append(lines, "every row is sent. For example:")
		for _, s := range []string{`plan == "pro" and team_size >= 10`, `plan in ["pro", "max"] or vip`, `company != nil`} {
			lines = append(lines, m.st.faint.Render(cut("  "+s, w)))
		}
		var names []string
		for _, f := range m.push.fields {
			names = append(names, safe(f.Name)+" "+string(f.Type))
		}
		return append(lines, hang("columns: ", strings.Join(names, ", "), w)...)
	}
	c, err := m.facts().Condition(text)
	if err != nil {
		for _, s := range wrap("no: "+safe(err.Error()), w) {
			lines = append(lines, m.st.bad.Render(s))
		}
		return lines
	}
	lines = append(lines, m.st.good.Render(cut(fmt.Sprintf("ok: %d of %s met", m.met(c), plural(len(m.push.rows), "row")), w)))
	for i := m.push.row; i < len(m.push.rows) && len(lines) < h; i++ {
		r := m.push.rows[i]
		verdict := "met"
		if yes, why := c.Met(m.push.fields, r.Cells, m.push.at); !yes {
			verdict = "not met: " + safe(why)
		}
		lines = append(lines, cut("  "+fill(m.rowName(r.Row), min(26, w/3))+" "+verdict, w))
	}
	return lines
}

// typeOnPush takes what was typed there; done is false for a field of another screen.
func (m *Model) typeOnPush() (cmd tea.Cmd, done bool) {
	text := m.input.field.Value()
	switch m.input.what {
	case typingCount:
		run := func() tea.Cmd { return m.run(text) }
		if m.input.seen { // then a number and enter may come together
			return m.lastly(run), true
		}
		return m.alone(run), true
	case typingColumn:
		m.takeColumn()
	case typingProperty:
		m.addProperty(strings.TrimSpace(text))
	case typingRunIf, typingWords:
		return m.takeText(text), true
	default:
		return nil, false
	}
	return nil, true
}

// judgeWhere says of a condition for the rows of the table what it means.
func (m *Model) judgeWhere(text string) (words string, good bool) {
	p := &m.push
	if text == "" {
		return "all rows", true
	}
	c, err := condition.Compile(text, p.fields)
	if err != nil {
		at := ""
		if wrong := (*condition.Error)(nil); errors.As(err, &wrong) {
			at = fmt.Sprintf(" (character %d)", wrong.Offset+1)
		}
		return safe(strings.ReplaceAll(err.Error(), "\n", "; ")) + at, false
	}
	return fmt.Sprintf("ok: %d of the %s at hand", m.met(c), plural(len(p.rows), "row")), true
}
