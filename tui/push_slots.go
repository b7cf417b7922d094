package tui

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"github.com/tidwall/gjson"

	"loopmap/mapping"
	"loopmap/mapping/body"
)

// slot is a line of the requests pane: something of Loops', and the column or the words
// that go there.
type slot struct {
	kind  slotKind
	event int    // index of the event; -1: of the contact update
	loops string // Loops' name: of a property, of a list its id
	label string
	typ   string // Loops' type; "" while that is not known
	lacks bool   // Loops has been asked and has it not
	pair  mapping.Pair
	value string // the column, the condition, ...
	wrong bool   // the condition cannot be read
}

type slotKind int

const (
	noSlot slotKind = iota
	contactSlot
	eventSlot
	emailSlot
	userIDSlot
	runIfSlot
	onceSlot
	propertySlot // a contact property of the update; of an event its own
	listSlot
	eventContactSlot // a contact property that an event sets
	newEventSlot
	whenSlot
	autoSlot
	everySlot
)

// isPair reports whether a slot is a property or a list that may be picked.
func (s slot) isPair() bool {
	return s.kind == propertySlot || s.kind == listSlot || s.kind == eventContactSlot
}

// heads reports whether a slot begins a request.
func (s slot) heads() bool {
	return s.kind == contactSlot || s.kind == eventSlot || s.kind == newEventSlot || s.kind == whenSlot
}

// property is a contact property with how it is known.
type property struct {
	mapping.Property
	lacks bool
}

// slots are the lines of the requests pane for the mapping as it stands.
func (m *Model) slots() (list []slot) {
	push := m.draft.Push
	if push == nil {
		push = &mapping.Push{}
	}
	c := push.Contact
	if c == nil {
		c = &mapping.PushContact{}
	}
	list = append(list,
		slot{kind: contactSlot, event: -1, label: "contact update", value: "PUT /v1/contacts/update"},
		slot{kind: emailSlot, event: -1, label: "email", typ: "string", value: c.Email},
		slot{kind: userIDSlot, event: -1, label: "userId", typ: "string", value: c.UserID},
		slot{kind: runIfSlot, event: -1, label: "only run if", value: c.OnlyRunIf})
	for _, p := range m.properties(c.Properties) {
		list = append(list, pairSlot(propertySlot, -1, p.Key, p.Key, p.Type, p.lacks, c.Properties))
	}
	list = append(list, m.listSlots(-1, c.Lists, true)...)
	for i, e := range push.Events {
		list = append(list, slot{kind: eventSlot, event: i, label: "event " + e.Name, value: "POST /v1/events/send", lacks: m.lacksEvent(e.Name)},
			slot{kind: emailSlot, event: i, label: "email", typ: "string", value: e.Email},
			slot{kind: userIDSlot, event: i, label: "userId", typ: "string", value: e.UserID},
			slot{kind: runIfSlot, event: i, label: "only run if", value: e.OnlyRunIf},
			slot{kind: onceSlot, event: i, label: "once per", value: strings.Join(e.OncePer, ", ")})
		for _, p := range m.ownProperties(e) {
			list = append(list, pairSlot(propertySlot, i, p.Key, p.Key, p.Type, p.lacks, e.Properties))
		}
		for _, q := range e.Contact {
			known, lacks := m.contactProperty(q.Loops)
			list = append(list, pairSlot(eventContactSlot, i, q.Loops, "contact "+q.Loops, known.Type, lacks, e.Contact))
		}
		list = append(list, m.listSlots(i, e.Lists, false)...)
	}
	list = append(list, slot{kind: newEventSlot, event: len(push.Events), label: "+ event"}, slot{kind: whenSlot, event: -2, label: "when"},
		slot{kind: autoSlot, event: -2, label: "as rows change", value: map[bool]string{true: "on"}[push.Auto]},
		slot{kind: everySlot, event: -2, label: "every", value: push.Every})
	return list
}

func pairSlot(kind slotKind, event int, name, label, typ string, lacks bool, pairs []mapping.Pair) slot {
	q, _ := mapping.FindPair(pairs, name)
	return slot{kind: kind, event: event, loops: name, label: label, typ: typ, lacks: lacks, pair: q, value: q.Column}
}

// properties are the contact properties to choose from: those that Loops has, else
// those that every team has and those of the samples; and those picked besides.
func (m *Model) properties(picked []mapping.Pair) (list []property) {
	seen := map[string]bool{}
	add := func(key, typ string, lacks bool) {
		if !seen[key] && mapping.Unwritable(key) == "" {
			seen[key] = true
			list = append(list, property{mapping.Property{Key: key, Type: typ}, lacks})
		}
	}
	cat := m.push.catalog
	for _, p := range mapping.StandardProperties() {
		add(p.Key, p.Type, false)
	}

	for _, p := range cat.Properties {
		if p.Key != "createdAt" || slices.ContainsFunc(picked, func(q mapping.Pair) bool { return q.Loops == p.Key }) { // Loops sets it itself; who means it adds it
			add(p.Key, p.Type, false)
		}
	}
	if cat.Properties == nil {
		for _, key := range m.sampleProperties() {
			add(key, "", false)
		}
	}
	for _, q := range picked {
		add(q.Loops, "", cat.Properties != nil && q.Loops != "createdAt")
	}
	return list
}

// sampleProperties are the keys of contacts that the samples have.
func (m *Model) sampleProperties() (keys []string) {
	for _, s := range m.samples[max(0, len(m.samples)-previewed):] {
		gjson.GetBytes(s.Body, "contact").ForEach(func(key, value gjson.Result) bool {
			if !value.IsObject() && !value.IsArray() && !slices.Contains(keys, key.Str) && len(keys) < 500 {
				keys = append(keys, key.Str)
			}
			return true
		})
	}
	return slices.DeleteFunc(keys, func(key string) bool { return key == "optInStatus" })
}

// sampleLists are the ids of mailing lists that the samples have.
func (m *Model) sampleLists() (ids []string) {
	for _, s := range m.samples[max(0, len(m.samples)-previewed):] {
		gjson.GetBytes(s.Body, "contact.mailingLists").ForEach(func(id, _ gjson.Result) bool {
			if !slices.Contains(ids, id.Str) && len(ids) < 100 {
				ids = append(ids, id.Str)
			}
			return true
		})
	}
	return ids
}

// ownProperties are those of an event: as Loops knows them, and those picked besides.
func (m *Model) ownProperties(e mapping.PushEvent) (list []property) {
	known, asked := m.push.catalog.EventProperties[e.Name]
	for _, p := range known {
		list = append(list, property{p, false})
	}
	for _, q := range e.Properties {
		if !slices.ContainsFunc(known, func(p mapping.Property) bool { return p.Key == q.Loops }) {
			list = append(list, property{mapping.Property{Key: q.Loops}, asked})
		}
	}
	return list
}

// contactProperty is what is known of a contact property.
func (m *Model) contactProperty(name string) (p mapping.Property, lacks bool) {
	for _, known := range m.properties(nil) {
		if known.Key == name {
			return known.Property, false
		}
	}
	return mapping.Property{Key: name}, m.push.catalog.Properties != nil
}

func (m *Model) lacksEvent(name string) bool {
	return m.push.catalog.Events != nil && !slices.Contains(m.push.catalog.Events, name)
}

// listSlots are mailing lists: all that Loops has, or only those picked.
func (m *Model) listSlots(event int, picked []mapping.Pair, all bool) (list []slot) {
	cat := m.push.catalog
	named := map[string]string{}
	if cat.Lists == nil && all {
		for _, id := range m.sampleLists() {
			named[id] = id
			list = append(list, pairSlot(listSlot, event, id, "list "+id, "boolean", false, picked))
		}
	}
	for _, l := range cat.Lists {
		if named[l.ID] = l.Name; all {
			list = append(list, pairSlot(listSlot, event, l.ID, "list "+l.Name, "boolean", false, picked))
		}
	}
	for _, q := range picked {
		name, known := named[q.Loops]
		if known && all {
			continue
		}
		if !known {
			name = q.Loops
		}
		list = append(list, pairSlot(listSlot, event, q.Loops, "list "+name, "boolean", !known && cat.Lists != nil, picked))
	}
	return list
}

// matching is the column that a slot of Loops' most likely stands for: the one of the
// same name, else the one that webhooks fill from the same attribute. A list's name says
// less than its path.
func (m *Model) matching(s slot) string {
	byName, byPath := m.named(s), m.filled(s)
	if s.kind == listSlot {
		return cmp.Or(byPath, byName)
	}
	return cmp.Or(byName, byPath)
}

// filled is the column that webhooks fill from the attribute of a slot.
func (m *Model) filled(s slot) string {
	path := ""
	switch s.kind {
	case emailSlot:
		path = "contact.email"
	case userIDSlot:
		path = "contact.userId"
	case listSlot:
		path = body.MakePath(body.Step{Key: "contact"}, body.Step{Key: "mailingLists"}, body.Step{Key: s.loops}).String()
	case propertySlot, eventContactSlot:
		path = body.MakePath(body.Step{Key: "contact"}, body.Step{Key: s.loops}).String()
	}
	for _, c := range m.draft.Receive.Columns {
		if c.From.String() == path {
			return c.Name
		}
	}
	return ""
}

// named is the column of the same name as a slot.
func (m *Model) named(s slot) string {
	name := s.loops
	switch s.kind {
	case emailSlot, userIDSlot:
		name = s.label
	case listSlot:
		name = strings.TrimPrefix(s.label, "list ")
	}
	for _, f := range m.push.fields {
		if letters(f.Name) == letters(name) {
			return f.Name
		}
	}
	return ""
}

// letters are a name without what styles of naming differ in.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}
