package tui

import (
	"strconv"
	"strings"

	"loopmap/mapping"
	"loopmap/mapping/outgoing"
	"loopmap/tui/slots"
)

// The push screen, line by line.

const pushHelp = `push: what rows send to Loops, by number. set 5 company: send column company there;
set 5 alone takes the column that matches, set 5 - drops. set 4 plan == "pro": a condition.
null 5: whether NULL clears. as 5: as which type. make 5: makes the property in Loops.
add teamSize size: a property more of the contact update. event upgraded: adds an event. sends 2: what row 2 sends.
send 10: sends ten rows. send failed: those that failed, again.`

// pushing reads the table and what Loops has, once.
func (l *liner) pushing() {
	p := &l.m.push
	if !p.read {
		l.m.sawRows(l.m.readRows(anew)().(rowsMsg))
		l.m.sawCatalog(l.m.askLoops()().(catalogMsg))
	}
	p.compute(l.m)
}

// push carries out what concerns sending; ok is false for another command.
func (l *liner) push(word string, rest []string) (ok bool) {
	does := map[string]func([]string){
		"push": func([]string) { l.slots() },
		"set":  l.set, "null": l.null, "as": l.as, "make": l.makeProperty, "add": l.add, "event": l.event, "sends": l.sends, "send": l.send,
		"table": l.table, "story": l.tell,
	}[word]
	if does == nil {
		return false
	}
	l.pushing()
	does(rest)
	return true
}

// value is what stands in a slot.
func (l *liner) value(s slots.Slot) string {
	text, wrong := l.m.slotValue(s)
	value := wrong + strings.Trim(strings.TrimPrefix(text, "- "), "()")
	switch {
	case s.Kind == slots.Auto && s.Value == "":
		return "off"
	case s.Kind == slots.Auto:
		return "on"
	case s.Kind == slots.Every && s.Value == "":
		return "never"
	case value == "-":
		return "nothing"
	}
	return value
}

func (l *liner) slots() {
	p := &l.m.push
	for i, s := range p.slots {
		switch {
		case s.Kind == slots.Contact || s.Kind == slots.Event:
			l.say("%s, %s:", s.Label, s.Value)
			continue
		case s.Heads():
			continue
		}
		typ := ""
		if t := slotType(s); t != "" {
			typ = ", " + t
		}
		l.say("%d. %s%s: %s", i, s.Label, typ, l.value(s))
	}
	for _, why := range p.wrong {
		l.say("Wrong: %s.", why)
	}
	if p.catalog.Problem != "" {
		l.say("%s.", p.catalog.Problem)
	}
	if p.catalog.Connects {
		l.say("Say connect to add an API key, or connect list for those that are kept.")
	}
	l.say("%s. Say sends 1 for what the first sends.", plural(len(p.rows), "row"))
}

// set fills a slot by its number: set NUMBER [VALUE].
func (l *liner) set(rest []string) {
	n := l.number(rest)
	if n == 0 {
		return
	}
	f, s, value := l.m.facts(), l.m.push.slots[n], strings.Join(rest[1:], " ")
	switch {
	case value == "-":
		l.m.take(f.Drop(s))
	case s.Kind == slots.Auto && (value == "on" || value == "off" || value == ""):
		l.m.take(f.SetAuto(value == "on" || value == "" && s.Value == ""))
	case s.Kind == slots.Auto:
		l.say("That is on or off.")
		return
	case s.Kind == slots.OncePer:
		l.oncePer(s, value)
	case s.Kind == slots.RunIf || s.Kind == slots.Every || s.Kind == slots.Event:
		if s.Kind == slots.RunIf {
			if _, err := f.Condition(value); err != nil {
				l.say("No: %v.", err)
				return
			}
		}
		l.m.take(f.SetText(s, value))
	default:
		if value == "" {
			value = f.Match(s)
		}
		if !l.isColumn(value) {
			return
		}
		l.m.take(f.SetColumn(s, value))
	}
	l.result()
	if p := &l.m.push; n < len(p.slots) {
		l.say("%s: %s", p.slots[n].Label, l.value(p.slots[n]))
	}
}

// oncePer takes columns, set apart by commas, into once per, or out of it.
func (l *liner) oncePer(s slots.Slot, names string) {
	for name := range strings.SplitSeq(names, ",") {
		if name = strings.TrimSpace(name); name != "" && l.isColumn(name) {
			l.m.take(l.m.facts().SetColumn(s, name))
		}
	}
}

// isColumn reports whether the table has a column, and says so if it has not.
func (l *liner) isColumn(name string) bool {
	_, ok := l.m.facts().Field(name)
	if !ok {
		l.say("No column is called %q.", name)
	}
	return ok
}

// number is that of the slot that comes first; 0 when it is none.
func (l *liner) number(rest []string) int {
	list := l.m.push.slots
	if len(rest) > 0 {
		if i, err := strconv.Atoi(rest[0]); err == nil && i > 0 && i < len(list) && !list[i].Heads() {
			return i
		}
	}
	l.say("Which one? Say push for their numbers, then for example set 5 company.")
	return 0
}

// null changes what NULL does to a property.
func (l *liner) null(rest []string) { l.alter(rest, slots.NextNull) }

// as changes the type that a property is sent as.
func (l *liner) as(rest []string) { l.alter(rest, slots.NextAs) }

func (l *liner) alter(rest []string, next func(slots.Slot) (mapping.Pair, string)) {
	if n := l.number(rest); n > 0 {
		l.m.alter(l.m.push.slots[n], next)
		l.result()
	}
}

// makeProperty makes a property in Loops.
func (l *liner) makeProperty(rest []string) {
	n := l.number(rest)
	if n == 0 {
		return
	}
	p, why := l.m.facts().Missing(l.m.push.slots[n])
	if why != "" {
		l.say("%s", why)
		return
	}
	if again := l.m.created(l.m.makeProperty(p)().(createdMsg)); again != nil {
		l.m.sawCatalog(again().(catalogMsg))
	}
	l.result()
}

// add adds a property to the contact update: add PROPERTY COLUMN.
func (l *liner) add(rest []string) {
	f, column := l.m.facts(), strings.Join(rest[min(1, len(rest)):], " ")
	if _, ok := f.Field(column); !ok {
		l.say("Say the property and its column, for example add teamSize team_size.")
		return
	}
	l.m.take(f.SetColumn(slots.Named(slots.OfContact, rest[0]), column))
	l.result()
	l.slots()
}

// event adds an event: event NAME.
func (l *liner) event(rest []string) {
	if l.m.take(l.m.facts().SetText(slots.Slot{Kind: slots.NewEvent}, strings.Join(rest, " "))) {
		l.m.sawCatalog(l.m.askLoops()().(catalogMsg)) // for its properties
	}
	l.result()
	l.pushing()
	l.slots()
}

// sends says what a row sends, and what became of what it sent.
func (l *liner) sends(rest []string) {
	p := &l.m.push
	n, _ := strconv.Atoi(strings.Join(rest, ""))
	if n < 1 || n > len(p.rows) {
		l.say("Which row? There are %d: sends 1.", len(p.rows))
		return
	}
	row := p.rows[n-1]
	l.say("Row %d, %s.", n, l.m.rowName(row.Row))
	if p.sender != nil {
		for _, st := range p.sender.Steps(row.Row, outgoing.Resend{Failed: true, Unknown: true, Same: true}) {
			l.say("%s", st)
		}
	}
	l.say("Now it sends %s.", l.m.sendsNow(n-1))
	for _, line := range row.Lines {
		l.say("%s %s", line.Kind, tellOutcome(line))
	}
}

// send sends rows by the saved mapping.
func (l *liner) send(rest []string) {
	if len(rest) > 0 && rest[0] == "row" {
		if l.sendable() {
			l.sendRow(rest[1:])
		}
		return
	}
	word := strings.Join(rest, "")
	failed := strings.EqualFold(word, "failed")
	n, err := strconv.Atoi(word)
	switch {
	case (err != nil || n < 1) && !failed:
		l.say("How many rows? For example send 10, or send failed for those that failed.")
		return
	case l.sendable():
		l.sendThese(Sending{Rows: n, Failed: failed})
	}
}

// sendable says what keeps rows from being sent.
func (l *liner) sendable() bool {
	switch {
	case l.m.cfg.ReadOnly:
		l.say("You may look, and not send.")
	case l.m.Unsaved():
		l.say("Save the mapping first: rows are sent by the file.")
	default:
		return true
	}
	return false
}

// sendThese sends rows, and says what became of them.
func (l *liner) sendThese(s Sending) {
	progress := make(chan PushProgress)
	go func() {
		for range progress { // each row's outcome is said at the end
		}
	}()
	words, err := l.m.cfg.Backend.Push(l.ctx, s, progress)
	close(progress)
	l.m.push.read = false
	l.pushing()
	for i, r := range l.m.push.rows {
		if len(r.Lines) == 0 {
			continue
		}
		l.say("Row %d, %s: %s", i+1, l.m.rowName(r.Row), outcomes(r.Lines))
	}
	if l.say("%s.", words); err != nil {
		l.say("Not sent: %s.", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
}
