// Package slots says what the push part of a mapping has room for, and which column fits
// where: the lines of the mapper's requests, before anything is drawn. All of it is pure,
// and knows no terminal: what changes the push part returns another mapping.
package slots

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/condition"
)

// Slot is something of Loops', and the column or the words that go there.
type Slot struct {
	Kind  Kind
	Event int    // the index of the event that it is of, OfContact or OfAll
	Loops string // what Loops knows it by: a property by its name, a list by its id
	Label string
	Type  string // Loops' type; "" while nobody knows it
	Lacks bool   // Loops was asked, and does not have it
	Pair  mapping.Pair
	Value string // the column, the condition, ...; "" for nothing
	Wrong bool   // the condition cannot be read; set by whoever has the rows
}

// Kind is what a slot has room for.
type Kind int

// The kinds of slots. Contact, Event, NewEvent and When are heads: others follow them.
const (
	None Kind = iota
	Contact
	Event
	Email
	UserID
	RunIf
	OncePer
	Property // a contact property of the update; of an event one of its own
	List
	EventContact // a contact property that an event sets
	NewEvent
	When
	Auto
	Every
)

// What labels begin with, before a name.
const (
	eventLabel = "event "
	listLabel  = "list "
)

// What a slot is of, when it is of no event.
const (
	OfContact = -1 // the contact update
	OfAll     = -2 // all that is sent: when that happens
)

// IsPair reports whether a slot is a property or a list, which may be picked.
func (s Slot) IsPair() bool {
	return s.Kind == Property || s.Kind == List || s.Kind == EventContact
}

// Name is the name of an event, a list or a property.
func (s Slot) Name() string {
	switch s.Kind {
	case Event:
		return strings.TrimPrefix(s.Label, eventLabel)
	case List:
		return strings.TrimPrefix(s.Label, listLabel)
	default:
		return s.Loops
	}
}

// IsContactProperty reports whether a slot is a property of the contact, rather than of an
// event.
func (s Slot) IsContactProperty() bool {
	return s.Kind == EventContact || s.Kind == Property && s.Event < 0
}

// TakesColumn reports whether one column goes into a slot.
func (s Slot) TakesColumn() bool { return s.IsPair() || s.Kind == Email || s.Kind == UserID }

// Heads reports whether a slot begins a group of others.
func (s Slot) Heads() bool {
	return s.Kind == Contact || s.Kind == Event || s.Kind == NewEvent || s.Kind == When
}

// Is reports whether two slots are the same one, whatever stands in them.
func (s Slot) Is(t Slot) bool {
	return s.Kind == t.Kind && s.Event == t.Event && s.Loops == t.Loops
}

// Standard reports whether a slot is of a property that every team has: it is sent as the
// type that Loops takes, whatever the column is.
func (s Slot) Standard() bool {
	return s.Kind != List && slices.ContainsFunc(mapping.StandardProperties(), func(p mapping.Property) bool { return p.Key == s.Loops })
}

// Refuses reports whether Loops would refuse in a slot what a column of type t is sent as
// unless the mapping says otherwise.
func (s Slot) Refuses(t column.Type) bool {
	if s.Type == "" || s.Standard() || s.Kind == List && t == column.Integer {
		return false
	}
	return t.SentAs() != s.Type
}

// Catalog is what a team has in Loops. What could not be found out is nil.
type Catalog struct {
	Team            string
	Properties      []mapping.Property
	Lists           []mapping.List
	Events          []string
	EventProperties map[string][]mapping.Property // by event
	Problem         string                        // why nobody knows
	Keyless         bool                          // that is: there is no API key, and nothing can be sent
	Connects        bool                          // a key that is kept here, or another one, would mend that
}

// Facts are what slots are made from.
type Facts struct {
	Mapping *mapping.Mapping // its push part, and the columns that webhooks fill
	Fields  []column.Field   // the columns of the table
	Catalog Catalog
	Samples [][]byte // bodies of webhooks
}

// Slots are the slots of the push part, request by request.
func (f Facts) Slots() (list []Slot) {
	push := f.Mapping.Push
	if push == nil {
		push = &mapping.Push{}
	}
	c := push.Contact
	if c == nil {
		c = &mapping.PushContact{}
	}
	list = append(list, Slot{Kind: Contact, Event: OfContact, Label: "contact update", Value: "PUT /v1/contacts/update"})
	list = append(list, addressed(OfContact, c.Email, c.UserID, c.OnlyRunIf)...)
	for _, p := range f.properties(c.Properties) {
		list = append(list, p.slot(Named(OfContact, p.Key), c.Properties))
	}
	list = append(list, f.lists(OfContact, c.Lists, true)...)
	for i, e := range push.Events {
		list = append(list, f.eventSlots(i, e)...)
	}
	auto := ""
	if push.Auto {
		auto = "on"
	}
	return append(list,
		Slot{Kind: NewEvent, Event: len(push.Events), Label: "+ event"},
		Slot{Kind: When, Event: OfAll, Label: "when"},
		Slot{Kind: Auto, Event: OfAll, Label: "as rows change", Value: auto},
		Slot{Kind: Every, Event: OfAll, Label: "every", Value: push.Every})
}

func (f Facts) eventSlots(i int, e mapping.PushEvent) (list []Slot) {
	lacks := f.Catalog.Events != nil && !slices.Contains(f.Catalog.Events, e.Name)
	list = append(list, Slot{Kind: Event, Event: i, Label: eventLabel + e.Name, Value: "POST /v1/events/send", Lacks: lacks})
	list = append(list, addressed(i, e.Email, e.UserID, e.OnlyRunIf)...)
	list = append(list, Slot{Kind: OncePer, Event: i, Label: "once per", Value: strings.Join(e.OncePer, ", ")})
	for _, p := range f.ownProperties(e) {
		list = append(list, p.slot(Named(i, p.Key), e.Properties))
	}
	for _, q := range e.Contact {
		s := Slot{Kind: EventContact, Event: i, Loops: q.Loops, Label: "contact " + q.Loops}
		list = append(list, f.contactProperty(q.Loops).slot(s, e.Contact))
	}
	return append(list, f.lists(i, e.Lists, false)...)
}

// addressed are what every request has: whom it is about, and on which condition it goes
// out.
func addressed(event int, email, userID, runIf string) []Slot {
	return []Slot{
		{Kind: Email, Event: event, Loops: "email", Label: "email", Type: "string", Value: email},
		{Kind: UserID, Event: event, Loops: "userId", Label: "userId", Type: "string", Value: userID},
		{Kind: RunIf, Event: event, Label: "only run if", Value: runIf}}
}

// Field is a column of the table.
func (f Facts) Field(name string) (field column.Field, ok bool) {
	i := slices.IndexFunc(f.Fields, func(c column.Field) bool { return c.Name == name })
	if i < 0 {
		return field, false
	}
	return f.Fields[i], true
}

// Condition reads a condition over the columns of the table.
func (f Facts) Condition(src string) (*condition.Condition, error) {
	c, err := condition.Compile(src, f.Fields)
	var wrong *condition.Error
	if errors.As(err, &wrong) {
		first, _, _ := strings.Cut(wrong.Msg, "\n")
		return nil, fmt.Errorf("character %d: %s", wrong.Offset+1, first)
	}
	return c, err
}
