package mapping

import (
	"fmt"
	"slices"

	"loopmap/mapping/body"
	"loopmap/mapping/yamledit"
)

// push brings two people's changes of the push part together, as [Merge] does
// with columns: by settings, an event that one has dropped as a whole.
func (m *merger) push() {
	base, mine, theirs := m.base.Push.settings(), m.mine.Push.settings(), m.theirs.Push.settings()
	if samePush(m.base.Push, m.mine.Push) {
		return
	}
	if samePush(m.base.Push, m.theirs.Push) {
		m.out.Push = m.mine.Push
		return
	}
	mine, theirs = m.droppedEvents(base, mine, theirs)
	was, now, other := yamledit.ByPath(base), yamledit.ByPath(mine), yamledit.ByPath(theirs)
	var list []yamledit.Setting
	for _, s := range theirs {
		value, ok := now[s.Key()]
		if !ok && was[s.Key()] != "" {
			if was[s.Key()] != s.Value {
				m.clash("%s: they say %s, you have dropped it; it is dropped", inWords(s), s.Value)
			}
			continue
		}
		if ok {
			s.Value = pick(m, inWords(s), was[s.Key()], value, s.Value)
		}
		list = append(list, s)
	}
	for _, s := range mine {
		if _, both := other[s.Key()]; both || was[s.Key()] == s.Value {
			continue
		}
		if was[s.Key()] != "" {
			m.clash("%s: they have dropped it, you say %s; it stays", inWords(s), s.Value)
		}
		list = append(list, s)
	}
	p, err := pushOf(list)
	if err != nil {
		m.clash("push: the two cannot be brought together (%v); yours is taken", err)
		p = m.mine.Push
	}
	m.out.Push = p
}

// droppedEvents settles the events that one of the two has dropped: one that the other
// has left alone is dropped, and so is one that I have dropped; mine that I have
// changed stays.
func (m *merger) droppedEvents(base, mine, theirs []yamledit.Setting) (a, b []yamledit.Setting) {
	of := func(list []yamledit.Setting, event string) map[string]string {
		return yamledit.ByPath(slices.DeleteFunc(slices.Clone(list), func(s yamledit.Setting) bool { return s.Path[0] != "events" || s.Path[1] != event }))
	}
	without := func(list []yamledit.Setting, event string) []yamledit.Setting {
		return slices.DeleteFunc(slices.Clone(list), func(s yamledit.Setting) bool { return s.Path[0] == "events" && s.Path[1] == event })
	}
	same := func(x, y map[string]string) bool { return fmt.Sprint(x) == fmt.Sprint(y) } // maps are printed in order
	a, b = mine, theirs
	if m.base.Push == nil {
		return a, b
	}
	for _, e := range m.base.Push.Events {
		was, now, other := of(base, e.Name), of(mine, e.Name), of(theirs, e.Name)
		switch {
		case len(now) == 0:
			if len(other) > 0 && !same(other, was) {
				m.clash("push event %s: they have changed it, you have dropped it; it is dropped", body.Printable(e.Name))
			}
			b = without(b, e.Name)
		case len(other) == 0 && same(now, was):
			a = without(a, e.Name)
		case len(other) == 0:
			m.clash("push event %s: they have dropped it, you have changed it; it stays", body.Printable(e.Name))
			for _, s := range mine {
				if s.Path[0] == "events" && s.Path[1] == e.Name {
					b = append(b, s)
				}
			}
		}
	}
	return a, b
}
