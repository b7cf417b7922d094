package slots

import (
	"fmt"
	"slices"

	"loopmap/mapping"
)

// edit is the mapping with its push part changed. The error says why no mapping file
// could say that.
func (f Facts) edit(change func(*mapping.Push)) (*mapping.Mapping, error) {
	n := f.Mapping.EditPush(change)
	if err := n.Push.Check(); err != nil {
		return nil, err
	}
	return n, nil
}

// SetColumn puts a column into a slot; "" takes out what is there. OncePer has room for
// several: one that is there already is taken out.
func (f Facts) SetColumn(s Slot, name string) (*mapping.Mapping, error) {
	if s.IsPair() {
		if name == "" {
			return f.edit(func(p *mapping.Push) { pairs := s.pairs(p); *pairs = mapping.DropPair(*pairs, s.Loops) })
		}
		q := s.Pair
		q.Loops, q.Column = s.Loops, name
		if c, ok := f.Field(name); ok && q.As == "" && s.Kind != List && s.Refuses(c.Type) {
			q.As = s.Type
		}
		return f.SetPair(s, q)
	}
	return f.edit(func(p *mapping.Push) {
		switch {
		case s.Kind == OncePer:
			p.Events[s.Event].OncePer = toggled(p.Events[s.Event].OncePer, name)
		case s.Kind == Email && s.Event < 0:
			p.TheContact().Email = name
		case s.Kind == Email:
			p.Events[s.Event].Email = name
		case s.Kind == UserID && s.Event < 0:
			p.TheContact().UserID = name
		case s.Kind == UserID:
			p.Events[s.Event].UserID = name
		}
	})
}

// toggled is a list with name, or without it if it was there; "" leaves nothing.
func toggled(list []string, name string) []string {
	i := slices.Index(list, name)
	switch {
	case name == "":
		return nil
	case i >= 0:
		return slices.Delete(list, i, i+1)
	}
	return append(list, name)
}

// SetPair says what goes into a property or a list, and how.
func (f Facts) SetPair(s Slot, q mapping.Pair) (*mapping.Mapping, error) {
	return f.edit(func(p *mapping.Push) {
		pairs := s.pairs(p)
		*pairs = mapping.SetPair(*pairs, q)
		f.identify(p, s.Event)
	})
}

// pairs is the list that a slot's pair stands in, to be changed.
func (s Slot) pairs(p *mapping.Push) *[]mapping.Pair {
	if s.Event < 0 {
		if s.Kind == List {
			return &p.TheContact().Lists
		}
		return &p.TheContact().Properties
	}
	switch e := &p.Events[s.Event]; s.Kind {
	case List:
		return &e.Lists
	case EventContact:
		return &e.Contact
	default:
		return &e.Properties
	}
}

// identify gives the contact update, or an event without one, what Loops finds the contact
// by, where the columns tell.
func (f Facts) identify(p *mapping.Push, event int) {
	if event < 0 {
		if c := p.TheContact(); c.Email == "" && c.UserID == "" {
			c.Email, c.UserID = f.Identity()
		}
	} else if e := &p.Events[event]; p.Contact == nil && e.Email == "" && e.UserID == "" {
		e.Email, e.UserID = f.Identity()
	}
}

// SetText puts words into a slot: a condition, a schedule, the name of an event.
func (f Facts) SetText(s Slot, text string) (*mapping.Mapping, error) {
	return f.edit(func(p *mapping.Push) {
		switch {
		case s.Kind == RunIf && s.Event < 0:
			f.identify(p, OfContact)
			p.Contact.OnlyRunIf = text
		case s.Kind == RunIf:
			p.Events[s.Event].OnlyRunIf = text
		case s.Kind == Every:
			p.Every = text
		case s.Kind == Event:
			p.Events[s.Event].Name = text
		case s.Kind == NewEvent:
			p.Events = append(p.Events, mapping.PushEvent{Name: text})
			f.identify(p, len(p.Events)-1)
		}
	})
}

// SetAuto says whether rows are sent as they change.
func (f Facts) SetAuto(on bool) (*mapping.Mapping, error) {
	return f.edit(func(p *mapping.Push) { p.Auto = on })
}

// Drop empties a slot; that of a request takes all of it out.
func (f Facts) Drop(s Slot) (*mapping.Mapping, error) {
	switch {
	case s.Value == "":
		return f.Mapping, nil
	case s.Kind == Contact:
		return f.edit(func(p *mapping.Push) { p.Contact = nil })
	case s.Kind == Event:
		return f.edit(func(p *mapping.Push) { p.Events = slices.Delete(p.Events, s.Event, s.Event+1) })
	case s.Kind == RunIf || s.Kind == Every:
		return f.SetText(s, "")
	case s.Kind == Auto:
		return f.SetAuto(false)
	}
	return f.SetColumn(s, "")
}

// MatchAll puts into all of a request's empty slots the columns that match, and says how
// many; but into none that changes who gets mail. An error is of a slot that was left out.
func (f Facts) MatchAll(event int) (n *mapping.Mapping, matched int, err error) {
	for _, s := range f.Slots() {
		careful := s.Kind == List || s.Loops == "subscribed" || s.Loops == "source"
		if s.Event != event || s.Value != "" || careful || !s.IsPair() && (event >= 0 || !s.TakesColumn()) {
			continue
		}
		name := f.Match(s)
		if name == "" {
			continue
		}
		if n, no := f.SetColumn(s, name); no != nil {
			err = no
		} else {
			f.Mapping, matched = n, matched+1
		}
	}
	return f.Mapping, matched, err
}

// NextNull is a slot's pair with what NULL does changed, and the change in words. Where it
// cannot be changed, the pair is the slot's own and the words say why.
func NextNull(s Slot) (q mapping.Pair, words string) {
	q = s.Pair
	switch {
	case !s.alterable():
		return q, notAlterable
	case !s.IsContactProperty():
		return q, "an event's property is left out when it is NULL: Loops refuses null there"
	case q.OnNull == mapping.ClearNull:
		q.OnNull = ""
		return q, fmt.Sprintf("NULL leaves %s in Loops as it is", s.Loops)
	}
	q.OnNull = mapping.ClearNull
	return q, fmt.Sprintf("NULL empties %s in Loops", s.Loops)
}

// NextAs is a slot's pair with the next type that it can be sent as, and the change in
// words. Where there is no other, the pair is the slot's own and the words say why.
func NextAs(s Slot) (q mapping.Pair, words string) {
	q = s.Pair
	types := []string{"", "string", "number", "boolean", "date"}
	switch {
	case !s.alterable():
		return q, notAlterable
	case s.Standard():
		return q, fmt.Sprintf("Loops takes %s as %s, and it is sent so", s.Loops, s.Type)
	case s.Type != "" && !s.Lacks: // Loops takes no other
		types = []string{s.Type, ""}
	}
	if q.As = types[(slices.Index(types, q.As)+1)%len(types)]; q.As == "" {
		return q, "sent as its column's type"
	}
	return q, "sent as " + q.As
}

const notAlterable = "this is for properties that are picked"

func (s Slot) alterable() bool { return s.IsPair() && s.Kind != List && s.Value != "" }

// Missing is the property to be made in Loops for a slot; why says why there is none.
func (f Facts) Missing(s Slot) (p mapping.Property, why string) {
	switch {
	case !s.IsContactProperty():
		return p, "this is for contact properties that Loops has not"
	case f.Catalog.Properties == nil:
		return p, "what Loops has is not known: " + f.Catalog.Problem
	case !s.Lacks:
		return p, fmt.Sprintf("Loops has %s already", s.Loops)
	}
	p = mapping.Property{Key: s.Loops, Type: s.Pair.As}
	if c, ok := f.Field(s.Value); ok && p.Type == "" {
		p.Type = c.Type.SentAs()
	}
	return p, ""
}
