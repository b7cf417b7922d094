package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"loopmap/mapping/body"
	"loopmap/mapping/column"
	"loopmap/mapping/yamledit"
)

// settings are all that a mapping file says, as a tree: what is written, compared and merged.
// Whoever gives the file another field puts it here.
func (m *Mapping) settings() *yamledit.Node {
	if m == nil {
		return nil
	}
	root, receive, journal := block(), block(), block()
	root.Add("version", yamledit.Plain(strconv.Itoa(m.Version)))
	root.AddText("database", m.Database)
	root.AddText("table", m.Table)
	root.AddText("key", m.Key)
	receive.Add("events", yamledit.Words(m.Receive.Events))
	receive.Add("columns", columnSettings(m.Receive.Columns))
	receive.Add("rules", ruleSettings(m.Receive.Rules))
	root.Add("receive", receive)
	if m.Keep != 0 {
		journal.AddText("keep", fmt.Sprintf("%gd", m.Keep.Hours()/24))
	}
	root.Add("journal", journal)
	root.Add("push", m.Push.settings())
	return root
}

func block() *yamledit.Node { return &yamledit.Node{Kind: yamledit.Map} }

// braces is a block that is written in one line.
func braces() *yamledit.Node { return &yamledit.Node{Kind: yamledit.Map, Flow: true} }

func columnSettings(columns []Column) *yamledit.Node {
	list, width := &yamledit.Node{Kind: yamledit.List}, 0
	for _, c := range columns {
		n, from := braces(), c.From.String()
		n.AddText("name", c.Name)
		n.AddText("type", string(c.Type))
		n.AddText("from", from)
		if w := utf8.RuneCountInString(yamledit.Quote(c.Name)); w <= 24 {
			width = max(width, w)
		}
		list.Items = append(list.Items, yamledit.Item{Value: n, Names: []string{n.Inline(), from + " " + c.Name, from, c.Name}})
	}
	for _, item := range list.Items {
		for key, n := range item.Value.Values() {
			n.Width = map[string]int{"name": width, "type": len(column.Boolean)}[key]
		}
	}
	return list
}

func ruleSettings(rules []Rule) *yamledit.Node {
	list := &yamledit.Node{Kind: yamledit.List}
	for i, u := range rules {
		n, conditions, set := braces(), braces(), braces()
		n.AddText("event", u.Event)
		for _, c := range u.If {
			conditions.Add(c.Path.String(), yamledit.Text(c.Text))
		}
		n.Add("if", conditions)
		for _, s := range u.Set {
			set.Add(s.Column, s.setting())
		}
		n.Add("set", set)
		if u.Delete {
			n.Add("delete", yamledit.Plain("true"))
		}
		list.Items = append(list.Items, yamledit.Item{Value: n, Names: []string{n.Inline(), strconv.Itoa(i + 1)}})
	}
	return list
}

// setting is the value that a rule sets, or where it is from.
func (s RuleValue) setting() *yamledit.Node {
	switch {
	case s.Value == "":
		n := braces()
		n.AddText("from", s.From.String())
		n.AddText("type", string(s.Type))
		return n
	case s.Value[0] == '"':
		return yamledit.Text(body.TextOf(body.Value(s.Value)))
	}
	return yamledit.Plain(s.Value)
}

// settings are those of the push part; nil when it says nothing.
func (p *Push) settings() *yamledit.Node {
	if p == nil {
		return nil
	}
	n, events := block(), &yamledit.Node{Kind: yamledit.List, Loose: true}
	if p.Auto {
		n.Add("auto", yamledit.Plain("true"))
	}
	n.AddText("every", p.Every)
	n.AddText("connection", p.Connection)
	n.Add("contact", p.Contact.settings())
	for _, e := range p.Events {
		events.Items = append(events.Items, yamledit.Item{Value: e.settings(), Names: []string{e.Name}})
	}
	n.Add("events", events)
	return n
}

func (c *PushContact) settings() *yamledit.Node {
	if c == nil {
		return nil
	}
	n := block()
	n.AddText("email", c.Email)
	n.AddText("userId", c.UserID)
	n.AddText("only_run_if", c.OnlyRunIf)
	if c.Source != c.usualSource() {
		n.Add("source", yamledit.Text(c.Source))
	}
	n.AddText("on_null", string(c.OnNull))
	n.Add("properties", pairSettings(c.Properties))
	n.Add("lists", pairSettings(c.Lists))
	return n
}

func (e *PushEvent) settings() *yamledit.Node {
	n := block()
	n.AddText("name", e.Name)
	n.AddText("email", e.Email)
	n.AddText("userId", e.UserID)
	n.AddText("only_run_if", e.OnlyRunIf)
	n.Add("once_per", yamledit.Words(e.OncePer))
	n.Add("properties", pairSettings(e.Properties))
	n.Add("contact", pairSettings(e.Contact))
	n.Add("lists", pairSettings(e.Lists))
	return n
}

func pairSettings(pairs []Pair) *yamledit.Node {
	n := block()
	for _, q := range pairs {
		value := yamledit.Text(q.Column)
		if q.As != "" || q.OnNull != "" {
			value = braces()
			value.AddText("column", q.Column)
			value.AddText("as", q.As)
			value.AddText("on_null", string(q.OnNull))
		}
		n.Add(q.Loops, value)
	}
	return n
}

// usualSource is the source of a contact block that names none.
func (c *PushContact) usualSource() string {
	if slices.ContainsFunc(c.Properties, func(q Pair) bool { return q.Loops == "source" }) {
		return ""
	}
	return DefaultSource
}

// Check says what a mapping file with this push part would be refused for, whatever
// the table is.
func (p *Push) Check() error {
	n := p.settings()
	if n.SaysNothing() {
		return nil
	}
	f := &fileReader{}
	if f.push(n); len(f.problems) > 0 {
		return errors.New(f.problems[0].Msg)
	}
	return nil
}
