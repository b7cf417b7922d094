package tui

import (
	"strconv"
	"strings"

	"loopmap/mapping/outgoing"
)

// The push screen, line by line.

const pushHelp = `push: what rows send to Loops, by number. set 5 company: send column company there; set 5 alone takes the column that matches,
set 5 - drops. set 4 plan == "pro": a condition. null 5: whether NULL clears. as 5: as which type. make 5: makes the property in Loops.
add teamSize size: a property more of the contact update. event upgraded: adds an event. sends 2: what row 2 sends.
send 10: sends ten rows. send failed: those that failed, again.`

// pushing reads the table and what Loops has, once.
func (l *liner) pushing() {
	p := &l.m.push
	if !p.read {
		l.m.sawPushes(l.m.readPushes()().(pushViewMsg))
		l.m.sawCatalog(l.m.askLoops()().(catalogMsg))
	}
	p.compute(l.m)
}

// push carries out what concerns sending; ok is false for another command.
func (l *liner) push(word string, rest []string) (ok bool) {
	switch word {
	case "push":
		l.pushing()
		l.slots()
	case "set":
		l.pushing()
		l.set(rest)
	case "null", "as", "make":
		l.pushing()
		if l.at(rest) {
			l.alter(word)
		}
	case "add":
		l.pushing()
		if _, ok := l.m.push.field(strings.Join(rest[min(1, len(rest)):], " ")); !ok {
			l.say("Say the property and its column, for example add teamSize team_size.")
			break
		}
		l.m.setColumn(slot{kind: propertySlot, event: -1, loops: rest[0]}, strings.Join(rest[1:], " "))
		l.result()
		l.slots()
	case "event":
		l.pushing()
		if l.m.setText(slot{kind: newEventSlot}, strings.Join(rest, " ")) {
			l.m.sawCatalog(l.m.askLoops()().(catalogMsg)) // for its properties
		}
		l.result()
		l.pushing()
		l.slots()
	case "sends":
		l.pushing()
		l.sends(rest)
	case "send":
		l.pushing()
		l.send(rest)
	default:
		return false
	}
	return true
}

// value is what stands in a slot.
func (l *liner) value(s slot) string {
	text, wrong := l.m.slotValue(s)
	value := wrong + strings.Trim(strings.TrimPrefix(text, "- "), "()")
	switch {
	case s.kind == autoSlot:
		return map[bool]string{true: "on", false: "off"}[s.value != ""]
	case s.kind == everySlot && s.value == "":
		return "never"
	case value == "-":
		return "nothing"
	}
	return value
}

func (l *liner) slots() {
	p := &l.m.push
	for i, s := range p.slots {
		value := l.value(s)
		switch {
		case s.kind == contactSlot || s.kind == eventSlot:
			l.say("%s, %s:", s.label, s.value)
			continue
		case s.kind == newEventSlot || s.kind == whenSlot:
			continue
		}
		typ := ""
		if t := slotType(s); t != "" {
			typ = ", " + t
		}
		l.say("%d. %s%s: %s", i, s.label, typ, value)
	}
	for _, why := range p.wrong {
		l.say("Wrong: %s.", why)
	}
	if p.catalog.Problem != "" {
		l.say("%s.", p.catalog.Problem)
	}
	l.say("%s. Say sends 1 for what the first sends.", plural(len(p.rows), "row"))
}

// set fills a slot by its number: set NUMBER [VALUE].
func (l *liner) set(rest []string) {
	p := &l.m.push
	if !l.at(rest) {
		return
	}
	n := p.cursor
	s, value := p.slots[n], strings.Join(rest[1:], " ")
	switch {
	case value == "-":
		l.m.dropSlot()
	case s.kind == autoSlot && (value == "on" || value == "off" || value == ""):
		if value == "" || (value == "on") != (s.value != "") {
			l.m.pickSlot()
		}
	case s.kind == autoSlot:
		l.say("That is on or off.")
		return
	case s.kind == onceSlot:
		for _, column := range strings.Split(value, ",") {
			if column = strings.TrimSpace(column); column != "" {
				if _, ok := p.field(column); !ok {
					l.say("No column is called %q.", column)
					continue
				}
				l.m.setColumn(s, column)
			}
		}
	case s.kind == runIfSlot || s.kind == everySlot || s.kind == eventSlot:
		if s.kind == runIfSlot {
			if _, err := l.m.condition(value); err != nil {
				l.say("No: %v.", err)
				return
			}
		}
		l.m.setText(s, value)
	default:
		if value == "" {
			value = l.m.matching(s)
		}
		if _, ok := p.field(value); !ok {
			l.say("No column is called %q.", value)
			return
		}
		l.m.setColumn(s, value)
	}
	l.result()
	if n < len(p.slots) {
		l.say("%s: %s", p.slots[n].label, l.value(p.slots[n]))
	}
}

// at puts the cursor on the slot whose number comes first.
func (l *liner) at(rest []string) bool {
	p := &l.m.push
	if len(rest) > 0 {
		if i, err := strconv.Atoi(rest[0]); err == nil && i > 0 && i < len(p.slots) && !p.slots[i].heads() {
			p.cursor = i
			return true
		}
	}
	l.say("Which one? Say push for their numbers, then for example set 5 company.")
	return false
}

// alter changes how the property under the cursor is sent, or makes it in Loops.
func (l *liner) alter(word string) {
	switch word {
	case "make":
		l.m.push.sure = true
		if cmd := l.m.createProperty(); cmd != nil {
			if again := l.m.created(cmd().(createdMsg)); again != nil {
				l.m.sawCatalog(again().(catalogMsg))
			}
		}
	default:
		l.m.editPair(map[string]action{"null": onNull, "as": retype}[word])
	}
	l.result()
}

// sends says what a row sends, and what became of what it sent.
func (l *liner) sends(rest []string) {
	p := &l.m.push
	n, _ := strconv.Atoi(strings.Join(rest, ""))
	if n < 1 || n > len(p.rows) {
		l.say("Which row? There are %d: sends 1.", len(p.rows))
		return
	}
	p.row = n - 1
	l.say("Row %d, %s.", n, l.m.rowName(p.rows[p.row]))
	if p.sender != nil {
		for _, st := range p.sender.Steps(p.rows[p.row], outgoing.Resend{Failed: true, Unknown: true, Same: true}) {
			l.say("%s", st)
		}
	}
	l.say("Now it sends %s.", l.m.sendsNow(p.row))
	for _, line := range p.rows[p.row].Lines {
		l.say("%s", tellOutcome(line))
	}
}

// send sends rows by the saved mapping.
func (l *liner) send(rest []string) {
	word := strings.Join(rest, "")
	failed := strings.EqualFold(word, "failed")
	n, err := strconv.Atoi(word)
	switch {
	case (err != nil || n < 1) && !failed:
		l.say("How many rows? For example send 10, or send failed for those that failed.")
		return
	case l.m.Unsaved():
		l.say("Save the mapping first: rows are sent by the file.")
		return
	}
	told := make(chan PushProgress)
	go func() {
		for range told { // each row's outcome is said at the end
		}
	}()
	words, err := l.m.cfg.Backend.Push(l.ctx, n, failed, told)
	close(told)
	l.m.push.read = false
	l.pushing()
	for i, r := range l.m.push.rows {
		if len(r.Lines) == 0 {
			continue
		}
		l.say("Row %d, %s: %s", i+1, l.m.rowName(r), outcomes(r.Lines))
	}
	if l.say("%s.", words); err != nil {
		l.say("Not sent: %s.", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
}
