package tui

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping"
	"loopmap/tui/slots"
)

// facts are what the lines of the requests are made from, as things stand.
func (m *Model) facts() slots.Facts {
	latest := m.samples[max(0, len(m.samples)-previewed):]
	f := slots.Facts{Mapping: m.draft, Fields: m.push.fields, Catalog: m.push.catalog, Samples: make([][]byte, len(latest))}
	for i := range latest {
		f.Samples[i] = latest[i].Body
	}
	return f
}

// take makes n the mapping, unless no mapping file could say it.
func (m *Model) take(n *mapping.Mapping, err error) bool {
	if err != nil {
		m.complain(err)
		return false
	}
	m.change(n)
	m.push.compute(m)
	return true
}

// pickSlot is what space does: it picks what is not picked, with the column that matches,
// and drops what is.
func (m *Model) pickSlot() {
	f, s := m.facts(), m.push.current()
	column := f.Match(s)
	switch {
	case s.Kind == slots.Auto:
		m.take(f.SetAuto(s.Value == ""))
	case s.Kind == slots.Contact:
		m.matchAll()
	case s.IsPair() && s.Value != "":
		m.take(f.Drop(s))
	case !s.TakesColumn() || s.Value != "" || column == "":
		m.startSlot()
	case m.take(f.SetColumn(s, column)) && s.Loops == "subscribed" && s.IsPair():
		m.say("careful: true signs up again who has opted out")
	}
}

// alter changes how a property that is picked is sent.
func (m *Model) alter(s slots.Slot, next func(slots.Slot) (mapping.Pair, string)) {
	q, words := next(s)
	if q == s.Pair || m.take(m.facts().SetPair(s, q)) {
		m.say("%s", words)
	}
}

// matchAll picks all of a request that columns match.
func (m *Model) matchAll() {
	s := m.push.current()
	if s.Event == slots.OfAll || s.Kind == slots.NewEvent {
		m.say("this is for the properties of a request")
		return
	}
	next, n, err := m.facts().MatchAll(s.Event)
	switch {
	case n > 0:
		m.take(next, nil)
		m.say("%s matched by name; %s takes that back", plural(n, "column"), keyFor(undo))
	case err != nil:
		m.complain(err)
	default:
		m.say("no more columns match by name: %s chooses one", keyFor(enter))
	}
}

// createProperty makes the property of a slot in Loops, once it was asked for twice.
func (m *Model) createProperty(s slots.Slot) tea.Cmd {
	p, why := m.facts().Missing(s)
	switch {
	case why != "":
		m.say("%s", why)
		return nil
	case !m.push.sure:
		m.push.sure = true
		m.say("%s again makes %s in Loops, as %s; it cannot be taken back from here", keyFor(create), p.Key, p.Type)
		return nil
	}
	m.push.sure = false
	return m.makeProperty(p)
}

func (m *Model) makeProperty(p mapping.Property) tea.Cmd {
	m.say("making %s in Loops, as %s", p.Key, p.Type)
	b, n := m.cfg.Backend, m.draft
	return func() tea.Msg { return createdMsg{p, b.CreateProperty(m.ctx, n, p)} }
}

func (m *Model) created(msg createdMsg) tea.Cmd {
	if msg.err != nil {
		m.complain(fmt.Errorf("%s is not made in Loops: %w", msg.property.Key, msg.err))
		return nil
	}
	m.say("Loops has %s now, as %s", msg.property.Key, msg.property.Type)
	return m.askLoops()
}
