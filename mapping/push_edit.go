package mapping

import "slices"

// EditPush returns a copy of m whose push part was changed by edit, which may change
// all that it is given. A contact block that says nothing, and a push part that says
// nothing, are left out.
func (m *Mapping) EditPush(edit func(p *Push)) *Mapping {
	n := m.Clone()
	n.Push = m.Push.clone()
	edit(n.Push)
	if n.Push.Contact.settings().SaysNothing() {
		n.Push.Contact = nil
	}
	if n.Push.settings().SaysNothing() {
		n.Push = nil
	}
	return n
}

// clone is a copy without places, which would be those of other text; of nil an empty
// push part.
func (p *Push) clone() *Push {
	if p == nil {
		return &Push{}
	}
	n := *p
	n.places = nil
	if p.Contact != nil {
		c := *p.Contact
		c.Properties, c.Lists = slices.Clone(c.Properties), slices.Clone(c.Lists)
		n.Contact = &c
	}
	n.Events = slices.Clone(p.Events)
	for i := range n.Events {
		e := &n.Events[i]
		e.OncePer, e.Properties = slices.Clone(e.OncePer), slices.Clone(e.Properties)
		e.Contact, e.Lists = slices.Clone(e.Contact), slices.Clone(e.Lists)
	}
	return &n
}

// TheContact is the contact block, made when there is none.
func (p *Push) TheContact() *PushContact {
	if p.Contact == nil {
		p.Contact = &PushContact{Source: DefaultSource}
	}
	return p.Contact
}

// SetPair puts q in the place of the pair of the same name of Loops, or behind all.
func SetPair(list []Pair, q Pair) []Pair {
	for i := range list {
		if list[i].Loops == q.Loops {
			list[i] = q
			return list
		}
	}
	return append(list, q)
}

// DropPair takes the pair of a name of Loops out.
func DropPair(list []Pair, name string) []Pair {
	return slices.DeleteFunc(list, func(q Pair) bool { return q.Loops == name })
}

// FindPair is the pair of a name of Loops.
func FindPair(list []Pair, name string) (Pair, bool) {
	i := slices.IndexFunc(list, func(q Pair) bool { return q.Loops == name })
	if i < 0 {
		return Pair{}, false
	}
	return list[i], true
}

// renameColumn gives a column its new name wherever its values are sent from. What
// once_per names keeps its name: it is part of the Idempotency-Key.
func (p *Push) renameColumn(old, name string) {
	set := func(column *string) {
		if *column == old {
			*column = name
		}
	}
	pairs := func(list []Pair) {
		for i := range list {
			set(&list[i].Column)
		}
	}
	if c := p.Contact; c != nil {
		set(&c.Email)
		set(&c.UserID)
		pairs(c.Properties)
		pairs(c.Lists)
	}
	for i := range p.Events {
		e := &p.Events[i]
		set(&e.Email)
		set(&e.UserID)
		pairs(e.Properties)
		pairs(e.Contact)
		pairs(e.Lists)
	}
}
