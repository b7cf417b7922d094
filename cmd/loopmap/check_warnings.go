package main

import (
	"fmt"
	"slices"
	"strings"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/column"
	"loopmap/mapping/loops"
	"loopmap/mapping/yamledit"
)

// warnings are what is allowed and probably not meant, each with its place in the file.
func warnings(m *mapping.Mapping, at places) []string {
	list := []string{}
	for _, e := range m.Receive.Wanted() {
		if slices.Contains(loops.Events, e) {
			continue
		}
		w := fmt.Sprintf("%q is none of the events that Loops documents", e)
		if near := body.Nearest(e, loops.Events); near != "" {
			w += "; did you mean " + near + "?"
		}
		list = append(list, at.event(e)+w)
	}
	for _, c := range m.Receive.Columns {
		if c.Name == m.Key && strings.HasSuffix(c.From.String(), ".email") {
			list = append(list, at.column(c.Name)+fmt.Sprintf("the key %s is an email address, which can change: contactIdentity.id cannot", c.Name))
		}
		if column.Reserved(c.Name) {
			list = append(list, at.column(c.Name)+fmt.Sprintf("column %s is a word of SQL: queries must quote it", c.Name))
		}
	}
	if m.Keep > 0 && !m.Receives() {
		list = append(list, at.part("journal", "keep")+"journal.keep is about what is received, and nothing is")
	}
	list = append(list, stale(m, at)...)
	for _, w := range m.PushWarnings() {
		list = append(list, at.part("push", "contact")+w)
	}
	return list
}

// stale names columns that only contact.created fills, though Loops tells of their
// changes: there is no contact.updated.
func stale(m *mapping.Mapping, at places) (list []string) {
	for _, c := range m.Receive.Columns {
		event, rule := "", ""
		switch from := c.From.Steps(); {
		case len(from) == 2 && from[0].Key == "contact" && from[1].Key == "subscribed":
			event = mapping.ContactUnsubscribed
			rule = fmt.Sprintf("{event: %s, set: {%s: false}}", event, c.Name)
		case len(from) == 3 && from[0].Key == "contact" && from[1].Key == "mailingLists":
			event = mapping.ListUnsubscribed
			rule = fmt.Sprintf("{event: %s, if: {mailingList.id: %s}, set: {%s: false}}", event, from[2].Key, c.Name)
		}
		if event != "" && !setByRule(m, c.Name) {
			list = append(list, at.column(c.Name)+
				fmt.Sprintf("column %s stays as it was when the contact was created; receive.rules can follow: %s", c.Name, rule))
		}
	}
	return list
}

func setByRule(m *mapping.Mapping, column string) bool {
	return slices.ContainsFunc(m.Receive.Rules, func(u mapping.Rule) bool {
		return slices.ContainsFunc(u.Set, func(s mapping.RuleValue) bool { return s.Column == column })
	})
}

// places finds where a mapping file says a thing: as "FILE:LINE:COLUMN: ", and "" where it
// does not. The zero value knows of none.
type places struct {
	file string
	root *yamledit.Node
}

func placesIn(file string) places {
	src, err := readSmall(file)
	if err != nil {
		return places{}
	}
	root, _ := yamledit.Read(yamledit.UnixLines(src)) // one that is wrong has no places
	return places{file, root}
}

func (p places) of(n *yamledit.Node) string {
	if n == nil {
		return ""
	}
	return fmt.Sprintf("%s:%d:%d: ", p.file, n.At.Line, n.At.Col)
}

// part is a part of the file, by its keys.
func (p places) part(keys ...string) string {
	n := p.root
	for _, key := range keys {
		n = n.Get(key)
	}
	return p.of(n)
}

// event is where an event is wanted.
func (p places) event(name string) string {
	receive := p.root.Get("receive")
	if n := among(receive.Get("events"), name, func(n *yamledit.Node) *yamledit.Node { return n }); n != nil {
		return p.of(n)
	}
	return p.of(among(receive.Get("rules"), name, func(n *yamledit.Node) *yamledit.Node { return n.Get("event") }))
}

// column is where a column is named.
func (p places) column(name string) string {
	return p.of(among(p.root.Get("receive").Get("columns"), name, func(n *yamledit.Node) *yamledit.Node { return n.Get("name") }))
}

// among is the part of an element of a list that has a text; nil where none has.
func among(list *yamledit.Node, text string, part func(*yamledit.Node) *yamledit.Node) *yamledit.Node {
	if list == nil {
		return nil
	}
	for _, item := range list.Items {
		if n := part(item.Value); n != nil && n.Text == text {
			return n
		}
	}
	return nil
}
