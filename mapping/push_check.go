package mapping

import (
	"fmt"
	"slices"
	"strings"

	"loopmap/mapping/body"
	"loopmap/mapping/column"
	"loopmap/mapping/condition"
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
	return []Property{
		{"firstName", "string"}, {"lastName", "string"}, {"userGroup", "string"}, {"source", "string"}, {"subscribed", "boolean"},
	}
}

// standard are their types.
var standard = func() map[string]string {
	types := map[string]string{}
	for _, p := range StandardProperties() {
		types[p.Key] = p.Type
	}
	return types
}()

// FixedType is Loops' type of a property that every team has; "" for others.
func FixedType(name string) string {
	if name == createdAt {
		return "date"
	}
	return standard[name]
}

// createdAt can be set, and may be missing where Loops lists the properties.
const createdAt = "createdAt"

// PushWarnings are what is allowed in the push part and probably not meant.
func (m *Mapping) PushWarnings() (list []string) {
	if m.Push == nil || m.Push.Contact == nil {
		return nil
	}
	c := m.Push.Contact
	for _, p := range c.Properties {
		switch p.Loops {
		case "subscribed":
			list = append(list, fmt.Sprintf("push sends subscribed from column %s: true signs people up again who have opted out", p.Column))
		case createdAt:
			list = append(list, "push sends createdAt from column "+p.Column+
				": Loops sets it itself when a contact is made, and takes another date")
		}
	}
	if c.Source == "" && m.KeyIsContactID() && m.Receive.Lists(ContactCreated) {
		list = append(list, "push marks the contacts that it makes with no source of its own: "+
			"their contact.created makes a second row of each, unless rows have Loops' ids already")
	}
	if c.UserID == "" {
		list = append(list, "push finds contacts by email alone: a row whose email changes becomes a second contact; userId would prevent that")
	}
	return list
}

// Team is what a team has in Loops to send to. Events are those that were asked for,
// with their properties; nil when Loops was not asked.
type Team struct {
	Properties []Property
	Lists      []List
	Events     map[string][]Property
}

// PushMisfits compares the push part with what the team has: a property, a list or a
// type that Loops would refuse is a misfit, an event that it has not a warning. The
// fields are the columns as far as they are known.
func (m *Mapping) PushMisfits(t Team, fields []column.Field) (misfits, warnings []string) {
	if m.Push == nil {
		return nil, nil
	}
	c := &teamCheck{m: m, fields: map[string]column.Type{}, lists: map[string]bool{}}
	for _, f := range fields {
		c.fields[m.Dialect.Fold(f.Name)] = f.Type
	}
	for _, l := range t.Lists {
		c.lists[l.ID], c.ids = true, append(c.ids, l.ID+" ("+l.Name+")")
	}
	contact := append(append(slices.Clone(t.Properties), Property{createdAt, "date"}), StandardProperties()...)
	if push := m.Push.Contact; push != nil {
		c.properties("contact property ", "Loops has no contact property ", push.Properties, contact)
		c.mailingLists(push.Lists)
	}
	for _, e := range m.Push.Events {
		c.properties("contact property ", "Loops has no contact property ", e.Contact, contact)
		c.mailingLists(e.Lists)
		known, there := t.Events[e.Name]
		switch {
		case t.Events == nil:
		case !there:
			warnings = append(warnings, "Loops has no event "+body.Printable(e.Name)+
				": names count to the letter; make it in Loops, or correct it here")
		default:
			of := "property of event " + body.Printable(e.Name) + " "
			c.properties(of, "Loops knows no "+of, e.Properties, known)
		}
	}
	return slices.Compact(c.misfits), warnings
}

type teamCheck struct {
	m       *Mapping
	fields  map[string]column.Type
	lists   map[string]bool
	ids     []string
	misfits []string
}

func (c *teamCheck) misfit(format string, args ...any) {
	c.misfits = append(c.misfits, fmt.Sprintf(format, args...))
}

func (c *teamCheck) properties(what, lacks string, pairs []Pair, known []Property) {
	types := map[string]string{}
	var names []string
	for _, p := range known {
		types[p.Key], names = p.Type, append(names, p.Key)
	}
	for _, q := range pairs {
		want, ok := types[q.Loops]
		column := c.fields[c.m.Dialect.Fold(q.Column)]
		switch {
		case !ok:
			c.misfit("%s%s%s", lacks, q.Loops, orNear(q.Loops, names))
		case q.As != "" && q.As != want:
			c.misfit("%s%s is %s in Loops, and is sent as %s", what, q.Loops, want, q.As)
		case q.As == "" && FixedType(q.Loops) == "" && column != "" && column.SentAs() != want:
			c.misfit("%s%s is %s in Loops, and column %s is %s; as: %s sends it so", what, q.Loops, want, q.Column, column, want)
		}
	}
}

func (c *teamCheck) mailingLists(pairs []Pair) {
	for _, q := range pairs {
		if !c.lists[q.Loops] {
			msg := "Loops has no mailing list " + q.Loops
			if len(c.ids) > 0 {
				msg += "; it has " + strings.Join(c.ids, ", ")
			}
			c.misfit("%s", msg)
		}
		if t := c.fields[c.m.Dialect.Fold(q.Column)]; t != "" && t != column.Boolean && t != column.Integer { // 0 and 1 say it, too
			c.misfit("mailing list %s takes true or false, and column %s is %s", q.Loops, q.Column, t)
		}
	}
}

func orNear(name string, known []string) string {
	if near := body.Nearest(name, known); near != "" {
		return "; did you mean " + near + "?"
	}
	return "; make it in Loops, Settings, or take it out"
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
	return append(names, m.pushConditions()...)
}

// pushConditions are the columns that conditions name, as far as they can be read.
func (m *Mapping) pushConditions() (names []string) {
	if m.Push == nil {
		return nil
	}
	if c := m.Push.Contact; c != nil {
		names = condition.Columns(c.OnlyRunIf)
	}
	for _, e := range m.Push.Events {
		names = append(names, condition.Columns(e.OnlyRunIf)...)
	}
	return names
}

// PushProperties are the custom contact properties that the push part names, with
// Loops' types: those that columns of these fields are sent as.
func (m *Mapping) PushProperties(fields []column.Field) map[string]string {
	types := map[string]string{}
	if m.Push == nil {
		return types
	}
	if c := m.Push.Contact; c != nil {
		sentTypes(c.Properties, fields, types)
	}
	for _, e := range m.Push.Events {
		sentTypes(e.Contact, fields, types)
	}
	for name := range types {
		if FixedType(name) != "" {
			delete(types, name)
		}
	}
	return types
}

// EventProperties are an event's own properties, with Loops' types.
func (m *Mapping) EventProperties(e PushEvent, fields []column.Field) map[string]string {
	types := map[string]string{}
	sentTypes(e.Properties, fields, types)
	return types
}

func sentTypes(pairs []Pair, fields []column.Field, types map[string]string) {
	for _, p := range pairs {
		if types[p.Loops] = p.As; p.As != "" {
			continue
		}
		var t column.Type
		for _, f := range fields {
			if f.Name == p.Column {
				t = f.Type
			}
		}
		types[p.Loops] = t.SentAs()
	}
}
