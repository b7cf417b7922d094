package mapping

import (
	"fmt"
	"strings"
)

// Property is a contact property as Loops knows it (Loops API, GET
// contacts/properties). Type is string, number, boolean or date.
type Property struct{ Key, Type string }

// List is a mailing list as Loops knows it (Loops API, GET lists).
type List struct{ ID, Name string }

// Unwritable says why a contact update cannot set a property; "" when it can. The
// reserved names are those of Loops docs: Contact properties.
func Unwritable(name string) string {
	switch name {
	case "id", "listId", "softDeleteAt", "teamId", "updatedAt":
		return "Loops reserves it"
	case "createdAt":
		return "Loops sets it itself"
	case "notes":
		return "it cannot be written through the API"
	case "email", "userId":
		return "it stands beside properties: contact: {" + name + ": COLUMN}"
	case "mailingLists":
		return "lists have a block of their own: contact: {lists: {LIST ID: COLUMN}}"
	case "eventName", "eventProperties":
		return "it is a word of the API"
	}
	return ""
}

// StandardProperties are the contact properties that every team has (Loops API, PUT
// contacts/update).
func StandardProperties() []Property {
	return []Property{{"firstName", "string"}, {"lastName", "string"}, {"userGroup", "string"}, {"source", "string"}, {"subscribed", "boolean"}}
}

// standard are their types.
var standard = func() map[string]string {
	types := map[string]string{}
	for _, p := range StandardProperties() {
		types[p.Key] = p.Type
	}
	return types
}()

// PushWarnings are what is allowed in the push part and probably not meant.
func (m *Mapping) PushWarnings() (list []string) {
	if m.Push == nil || m.Push.Contact == nil {
		return nil
	}
	c := m.Push.Contact
	for _, p := range c.Properties {
		if p.Loops == "subscribed" {
			list = append(list, fmt.Sprintf("push sends subscribed from column %s: true signs people up again who have opted out", p.Column))
		}
	}
	if c.UserID == "" {
		list = append(list, "push finds contacts by email alone: a row whose email changes becomes a second contact; userId would prevent that")
	}
	return list
}

// PushMisfits compares the push part with the properties and lists that Loops has. A
// column's type is compared where the mapping fills it.
func (m *Mapping) PushMisfits(properties []Property, lists []List) (misfits []string) {
	if m.Push == nil || m.Push.Contact == nil {
		return nil
	}
	types := map[string]string{}
	var names, ids []string
	for _, p := range properties {
		types[p.Key], names = p.Type, append(names, p.Key)
	}
	for name, t := range standard {
		types[name] = t
	}
	for _, p := range m.Push.Contact.Properties {
		want, ok := types[p.Loops]
		column := m.columnNamed(p.Column)
		switch {
		case !ok:
			misfits = append(misfits, fmt.Sprintf("Loops has no contact property %s%s", p.Loops, orNear(p.Loops, names)))
		case p.As != "" && p.As != want:
			misfits = append(misfits, fmt.Sprintf("contact property %s is %s in Loops, and is sent as %s", p.Loops, want, p.As))
		case p.As == "" && standard[p.Loops] == "" && column.Type != "" && column.Type.SentAs() != want:
			misfits = append(misfits, fmt.Sprintf("contact property %s is %s in Loops, and column %s is %s; as: %s sends it so", p.Loops, want, p.Column, column.Type, want))
		}
	}
	known := map[string]bool{}
	for _, l := range lists {
		known[l.ID], ids = true, append(ids, l.ID+" ("+l.Name+")")
	}
	for _, p := range m.Push.Contact.Lists {
		if !known[p.Loops] {
			msg := fmt.Sprintf("Loops has no mailing list %s", p.Loops)
			if len(ids) > 0 {
				msg += "; it has " + strings.Join(ids, ", ")
			}
			misfits = append(misfits, msg)
		}
		if t := m.columnNamed(p.Column).Type; t != "" && t != Boolean {
			misfits = append(misfits, fmt.Sprintf("mailing list %s takes true or false, and column %s is %s", p.Loops, p.Column, t))
		}
	}
	return misfits
}

func orNear(name string, known []string) string {
	if near := Nearest(name, known); near != "" {
		return "; did you mean " + near + "?"
	}
	return "; make it in Loops, Settings, or take it out"
}

// columnNamed is a column that the mapping fills, by rules too.
func (m *Mapping) columnNamed(name string) Column {
	for _, c := range m.Columns() {
		if c.Name == name {
			return c
		}
	}
	return Column{}
}

// SentAs is the type of Loops that holds a column's values.
func (t Type) SentAs() string {
	switch t {
	case Integer, Number:
		return "number"
	case Boolean:
		return "boolean"
	case Time:
		return "date"
	}
	return "string"
}

// PushNames are the columns that the push part names, its conditions' included as far
// as they can be read.
func (m *Mapping) PushNames() (names []string) {
	if m.Push == nil {
		return nil
	}
	for _, c := range m.Push.columns() {
		names = append(names, c.column)
	}
	conditions := []string{}
	if c := m.Push.Contact; c != nil {
		conditions = append(conditions, c.OnlyRunIf)
	}
	for _, e := range m.Push.Events {
		conditions = append(conditions, e.OnlyRunIf)
	}
	for _, src := range conditions {
		names = append(names, identifiers(src)...)
	}
	return names
}

// PushProperties are the custom contact properties that the push part names, with
// Loops' types.
func (m *Mapping) PushProperties() map[string]string {
	types := map[string]string{}
	if m.Push == nil {
		return types
	}
	if c := m.Push.Contact; c != nil {
		m.sentTypes(c.Properties, types)
	}
	for _, e := range m.Push.Events {
		m.sentTypes(e.Contact, types)
	}
	for name := range standard {
		delete(types, name)
	}
	return types
}

// EventProperties are an event's own properties, with Loops' types.
func (m *Mapping) EventProperties(e PushEvent) map[string]string {
	types := map[string]string{}
	m.sentTypes(e.Properties, types)
	return types
}

func (m *Mapping) sentTypes(pairs []Pair, types map[string]string) {
	for _, p := range pairs {
		if types[p.Loops] = p.As; p.As == "" {
			types[p.Loops] = m.columnNamed(p.Column).Type.SentAs()
		}
	}
}
