package tui

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

// changePush changes the push part, unless a mapping file could not say the outcome.
func (m *Model) changePush(edit func(*mapping.Push)) bool {
	n := m.draft.EditPush(edit)
	if err := n.Push.Check(); err != nil {
		m.complain(err)
		return false
	}
	m.change(n)
	m.push.compute(m)
	return true
}

// pairsOf is the list that a slot's pair stands in, to be changed.
func pairsOf(p *mapping.Push, s slot) *[]mapping.Pair {
	if s.event < 0 {
		if s.kind == listSlot {
			return &p.TheContact().Lists
		}
		return &p.TheContact().Properties
	}
	e := &p.Events[s.event]
	return map[slotKind]*[]mapping.Pair{propertySlot: &e.Properties, eventContactSlot: &e.Contact, listSlot: &e.Lists}[s.kind]
}

// identify gives the contact update, or an event without one, what Loops finds the
// contact by, where the columns tell.
func (m *Model) identify(p *mapping.Push, event int) {
	email, userID := m.matching(slot{kind: emailSlot, label: "email"}), m.matching(slot{kind: userIDSlot, label: "userId"})
	if event < 0 {
		if c := p.TheContact(); c.Email == "" && c.UserID == "" {
			c.Email, c.UserID = email, userID
		}
	} else if e := &p.Events[event]; p.Contact == nil && e.Email == "" && e.UserID == "" {
		e.Email, e.UserID = email, userID
	}
}

// field is a column of the table.
func (p *pushScreen) field(name string) (f column.Field, ok bool) {
	i := slices.IndexFunc(p.fields, func(f column.Field) bool { return f.Name == name })
	if i < 0 {
		return f, false
	}
	return p.fields[i], true
}

// setColumn puts a column into a slot; "" takes out what is there.
func (m *Model) setColumn(s slot, column string) bool {
	return m.changePush(func(p *mapping.Push) {
		switch {
		case s.isPair() && column == "":
			list := pairsOf(p, s)
			*list = mapping.DropPair(*list, s.loops)
		case s.isPair():
			q := s.pair
			q.Loops, q.Column = s.loops, column
			if f, ok := m.push.field(column); ok && q.As == "" && s.kind != listSlot && s.typ != "" && s.typ != f.Type.SentAs() && !standard(s) {
				q.As = s.typ // Loops would refuse the column's own
			}
			list := pairsOf(p, s)
			*list = mapping.SetPair(*list, q)
			m.identify(p, s.event)
		case s.kind == emailSlot && s.event < 0:
			p.TheContact().Email = column
		case s.kind == userIDSlot && s.event < 0:
			p.TheContact().UserID = column
		case s.kind == emailSlot:
			p.Events[s.event].Email = column
		case s.kind == userIDSlot:
			p.Events[s.event].UserID = column
		case s.kind == onceSlot && column == "":
			p.Events[s.event].OncePer = nil
		case s.kind == onceSlot:
			e := &p.Events[s.event]
			if i := slices.Index(e.OncePer, column); i >= 0 {
				e.OncePer = slices.Delete(e.OncePer, i, i+1)
			} else {
				e.OncePer = append(e.OncePer, column)
			}
		}
	})
}

// standard reports whether a slot's property is one that every team has: those are
// sent as what Loops takes, whatever the column is.
func standard(s slot) bool {
	return s.kind != listSlot && slices.ContainsFunc(mapping.StandardProperties(), func(p mapping.Property) bool { return p.Key == s.loops })
}

// setText puts words into a slot: a condition, a schedule, the name of an event.
func (m *Model) setText(s slot, text string) bool {
	return m.changePush(func(p *mapping.Push) {
		switch {
		case s.kind == runIfSlot && s.event < 0:
			m.identify(p, -1)
			p.Contact.OnlyRunIf = text
		case s.kind == runIfSlot:
			p.Events[s.event].OnlyRunIf = text
		case s.kind == everySlot:
			p.Every = text
		case s.kind == eventSlot:
			p.Events[s.event].Name = text
		case s.kind == newEventSlot:
			p.Events = append(p.Events, mapping.PushEvent{Name: text})
			m.identify(p, len(p.Events)-1)
		}
	})
}

// pickSlot is what space does: it picks what is not picked, with the column that
// matches, and drops what is.
func (m *Model) pickSlot() {
	s := m.push.current()
	switch {
	case s.kind == autoSlot:
		m.changePush(func(p *mapping.Push) { p.Auto = !p.Auto })
	case s.kind == contactSlot:
		m.matchAll()
	case s.value == "" && (s.isPair() || s.kind == emailSlot || s.kind == userIDSlot):
		column := m.matching(s)
		if column == "" {
			m.startSlot()
			return
		}
		if m.setColumn(s, column); s.loops == "subscribed" && s.isPair() && !m.bad {
			m.say("careful: true signs up again who has opted out")
		}
	case s.isPair():
		m.setColumn(s, "")
	default:
		m.startSlot()
	}
}

// dropSlot empties a slot; on the head of a request it takes all of that out.
func (m *Model) dropSlot() {
	s := m.push.current()
	switch s.kind {
	case contactSlot:
		m.changePush(func(p *mapping.Push) { p.Contact = nil })
	case eventSlot:
		m.changePush(func(p *mapping.Push) { p.Events = slices.Delete(p.Events, s.event, s.event+1) })
	case runIfSlot, everySlot:
		if s.value != "" {
			m.setText(s, "")
		}
	case autoSlot:
		m.changePush(func(p *mapping.Push) { p.Auto = false })
	default:
		if s.value != "" {
			m.setColumn(s, "")
		}
	}
}

// editPair changes how a property that is picked is sent.
func (m *Model) editPair(a action) {
	s := m.push.current()
	if !s.isPair() || s.value == "" || s.kind == listSlot {
		m.say("this is for properties that are picked")
		return
	}
	q := s.pair
	switch {
	case a == onNull && s.kind == propertySlot && s.event >= 0:
		m.say("an event's property is left out when it is NULL: Loops refuses null there")
		return
	case a == onNull:
		q.OnNull = map[mapping.OnNull]mapping.OnNull{"": mapping.ClearNull, mapping.SkipNull: mapping.ClearNull}[q.OnNull]
	case standard(s):
		m.say("Loops takes %s as %s, and it is sent so", safe(s.loops), s.typ)
		return
	case s.typ != "" && !s.lacks: // Loops takes no other
		q.As = map[bool]string{true: "", false: s.typ}[q.As == s.typ]
	default:
		types := []string{"", "string", "number", "boolean", "date"}
		q.As = types[(slices.Index(types, q.As)+1)%len(types)]
	}
	if !m.changePush(func(p *mapping.Push) { list := pairsOf(p, s); *list = mapping.SetPair(*list, q) }) {
		return
	}
	switch {
	case a == onNull && q.OnNull == mapping.ClearNull:
		m.say("NULL empties %s in Loops", safe(s.loops))
	case a == onNull:
		m.say("NULL leaves %s in Loops as it is", safe(s.loops))
	case q.As == "":
		m.say("sent as its column's type")
	default:
		m.say("sent as %s", q.As)
	}
}

// matchAll picks all of a request that columns match, but what changes who gets mail.
func (m *Model) matchAll() {
	at := m.push.current()
	if at.event == -2 || at.kind == newEventSlot {
		m.say("this is for the properties of a request")
		return
	}
	n, was, before := 0, m.draft, len(m.done)
	for _, s := range m.push.slots {
		careful := s.kind == listSlot || s.loops == "subscribed" || s.loops == "source"
		if s.event != at.event || s.value != "" || careful || !s.isPair() && (s.event >= 0 || s.kind != emailSlot && s.kind != userIDSlot) {
			continue
		}
		if column := m.matching(s); column != "" && m.setColumn(s, column) {
			n++
		}
	}
	if len(m.done) > before { // one step for u
		m.done = append(m.done[:before], was)
	}
	switch {
	case n > 0:
		m.say("%s matched by name; %s takes that back", plural(n, "column"), keyFor(undo))
	case !m.bad: // else that says what is in the way
		m.say("no more columns match by name: %s chooses one", keyFor(enter))
	}
}

// createProperty makes the property under the cursor in Loops.
func (m *Model) createProperty() tea.Cmd {
	s := m.push.current()
	switch {
	case s.kind != propertySlot && s.kind != eventContactSlot || s.event >= 0 && s.kind == propertySlot:
		m.say("this is for contact properties that Loops has not")
		return nil
	case m.push.catalog.Properties == nil:
		m.say("what Loops has is not known: %s", safe(m.push.catalog.Problem))
		return nil
	case !s.lacks:
		m.say("Loops has %s already", safe(s.loops))
		return nil
	}
	made := mapping.Property{Key: s.loops, Type: s.pair.As}
	if f, ok := m.push.field(s.value); ok && made.Type == "" {
		made.Type = f.Type.SentAs()
	}
	if !m.push.sure {
		m.push.sure = true
		m.say("%s again makes %s in Loops, as %s; it cannot be taken back from here", keyFor(create), safe(made.Key), made.Type)
		return nil
	}
	m.push.sure = false
	m.say("making %s in Loops, as %s", safe(made.Key), made.Type)
	b := m.cfg.Backend
	return func() tea.Msg { return createdMsg{made, b.CreateProperty(m.ctx, made)} }
}

func (m *Model) created(msg createdMsg) tea.Cmd {
	if msg.err != nil {
		m.complain(fmt.Errorf("%s is not made in Loops: %w", msg.property.Key, msg.err))
		return nil
	}
	m.say("Loops has %s now, as %s", safe(msg.property.Key), msg.property.Type)
	return m.askLoops()
}
