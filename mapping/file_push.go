package mapping

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"loopmap/mapping/body"
	"loopmap/mapping/condition"
	"loopmap/mapping/yamledit"
)

func (f *fileReader) push(n *yamledit.Node) *Push {
	p := &Push{places: map[string]yamledit.Place{}}
	if !f.block(n, "push", "auto", "every", "connection", "contact", "events") {
		return p
	}
	if v := n.Get("auto"); v != nil {
		if p.Auto = v.Text == "true"; v.Text != "true" && v.Text != "false" {
			f.problem(v.At, "auto is true or false")
		}
	}
	if v := n.Get("every"); v != nil {
		p.Every = v.Text
		if _, err := schedule(v.Text); v.Kind != yamledit.Scalar || err != nil {
			why := ""
			if err != nil && cronLine.MatchString(v.Text) {
				why = ": " + body.Printable(err.Error())
			}
			f.problem(v.At, "every is a time between two runs, a minute at least (1h), or a cron line in quotes "+
				"('0 6 * * 1-5': minute, hour, day, month, weekday)%s", why)
		}
	}
	if v := n.Get("connection"); v != nil {
		p.Connection = v.Text
		if why := ConnectionMisfit(v.Text); v.Kind != yamledit.Scalar || why != "" {
			f.problem(v.At, "connection is the name of a kept API key, as loopmap connect --list has it: %s", cmp.Or(why, "one word"))
		}
	}
	if c := n.Get("contact"); c != nil {
		p.Contact = f.pushContact(c, p)
	}
	list := n.Get("events")
	if list == nil {
		return p
	}
	if list.Kind != yamledit.List {
		f.problem(list.At, "events of push is a list: - name: signedUp")
		return p
	}
	for i, item := range list.Items {
		e := f.pushEvent(item.Value, p, fmt.Sprintf("events.%d.", i))
		if slices.ContainsFunc(p.Events, func(before PushEvent) bool { return before.Name == e.Name && e.Name != "" }) {
			f.problem(item.Value.At, "event %s stands here twice; join the conditions with or", body.Printable(e.Name))
		}
		p.Events = append(p.Events, e)
	}
	return p
}

var cronLine = regexp.MustCompile(`^(@(hourly|daily|midnight|weekly|monthly|yearly|annually)|([0-9*?,/A-Za-z-]+ +){4}[0-9*?,/A-Za-z-]+)$`)

// columnName reads the name of a column, where there is one.
func (f *fileReader) columnName(n *yamledit.Node, what, key string, p *Push, place string) (name string) {
	if n.Get(key) != nil {
		var at *yamledit.Node
		name, at = f.text(n, what, key, strings.ToLower(key))
		p.places[place] = inside(at)
	}
	return name
}

func (f *fileReader) pushContact(n *yamledit.Node, p *Push) *PushContact {
	c := &PushContact{Source: DefaultSource}
	if !f.block(n, "push.contact", "email", "userId", "only_run_if", "source", "on_null", "properties", "lists") {
		return c
	}
	c.Email = f.columnName(n, "push.contact", "email", p, "contact.email")
	c.UserID = f.columnName(n, "push.contact", "userId", p, "contact.userId")
	if n.Get("email") == nil && n.Get("userId") == nil {
		f.problem(n.At, "push.contact needs email, userId or both: Loops finds the contact by them")
	}
	c.OnlyRunIf = f.condition(n, "push.contact", p, "contact.only_run_if")
	c.OnNull = f.onNull(n)
	c.Properties = f.properties(n.Get("properties"), "properties", p, "contact.properties.")
	c.Lists = f.pairs(n.Get("lists"), "lists", p, "contact.lists.")
	if slices.ContainsFunc(c.Properties, func(q Pair) bool { return q.Loops == "source" }) {
		c.Source = ""
	}
	if v := n.Get("source"); v != nil {
		if v.Kind != yamledit.Scalar || len(v.Text) > 100 {
			f.problem(v.At, "source is a short text that marks contacts made from here, for example %s", DefaultSource)
		} else if c.Source == "" && v.Text != "" {
			f.problem(v.At, "source stands among the properties, too; leave one of them out")
		}
		c.Source = v.Text
	}
	return c
}

// condition reads only_run_if; columns and types are checked against the table later.
func (f *fileReader) condition(n *yamledit.Node, what string, p *Push, place string) string {
	if n.Get("only_run_if") == nil {
		return ""
	}
	src, node := f.text(n, what, "only_run_if", `plan == "pro"`)
	at := inside(node)
	p.places[place] = at
	if err := condition.Syntax(src); src != "" && err != nil {
		f.problem(at.Right(err.Offset), "only_run_if: %s", err.Msg)
	}
	return src
}

func (f *fileReader) onNull(n *yamledit.Node) OnNull {
	v := n.Get("on_null")
	if v == nil {
		return ""
	}
	if v.Text != string(SkipNull) && v.Text != string(ClearNull) {
		f.problem(v.At, "on_null is skip (Loops keeps what it has) or clear (Loops empties the property)")
		return ""
	}
	return OnNull(v.Text)
}

func (f *fileReader) pushEvent(n *yamledit.Node, p *Push, place string) (e PushEvent) {
	if !f.block(n, "an event of push", "name", "email", "userId", "only_run_if", "once_per", "properties", "contact", "lists") {
		return e
	}
	var at *yamledit.Node
	e.Name, at = f.text(n, "the event", "name", "signedUp")
	if e.Name == ContactKind {
		f.problem(at.At, "an event cannot be named contact: so loopmap_pushes names the contact update")
	}
	e.Email = f.columnName(n, "the event", "email", p, place+"email")
	e.UserID = f.columnName(n, "the event", "userId", p, place+"userId")
	if e.Email == "" && e.UserID == "" && p.Contact == nil {
		f.problem(n.At, "the event needs email, userId or both, or push.contact to take them from")
	}
	e.OnlyRunIf = f.condition(n, "the event", p, place+"only_run_if")
	if list := n.Get("once_per"); list != nil {
		e.OncePer = f.words(n, "the event", "once_per", "[email]")
		for i, item := range list.Items {
			p.places[fmt.Sprintf("%sonce_per.%d", place, i)] = inside(item.Value)
		}
	}
	e.Properties = f.pairs(n.Get("properties"), "properties", p, place+"properties.")
	e.Contact = f.properties(n.Get("contact"), "contact", p, place+"contact.")
	e.Lists = f.pairs(n.Get("lists"), "lists", p, place+"lists.")
	for _, q := range e.Properties {
		if q.OnNull == ClearNull {
			f.problem(p.places[place+"properties."+q.Loops], "an event's property cannot be cleared: Loops refuses null there")
		}
	}
	return e
}

// properties are pairs that set contact properties.
func (f *fileReader) properties(n *yamledit.Node, what string, p *Push, place string) []Pair {
	pairs := f.pairs(n, what, p, place)
	if n != nil {
		for _, m := range n.Members {
			if why := Unwritable(m.Key.Text); why != "" {
				f.problem(m.Key.At, "contact property %s is not to be set here: %s", body.Printable(m.Key.Text), why)
			}
		}
	}
	return pairs
}

// pairs reads a block of Loops' names, each with one of the user's columns, or with a
// block of column, as and on_null.
func (f *fileReader) pairs(n *yamledit.Node, what string, p *Push, place string) (pairs []Pair) {
	if n == nil || n.Kind == yamledit.Empty {
		return nil
	}
	if n.Kind != yamledit.Map {
		f.problem(n.At, "%s is a block of lines, each Loops' name: column", what)
		return nil
	}
	for _, m := range n.Members {
		q, at := Pair{Loops: m.Key.Text}, m.Value
		switch {
		case m.Value.Kind == yamledit.Map:
			if !f.block(m.Value, body.Printable(m.Key.Text), "column", "as", "on_null") {
				continue
			}
			q.Column, at = f.text(m.Value, body.Printable(m.Key.Text), "column", "plan")
			q.OnNull = f.onNull(m.Value)
			if v := m.Value.Get("as"); v != nil {
				if q.As = v.Text; !slices.Contains([]string{"string", "number", "boolean", "date"}, v.Text) {
					f.problem(v.At, "as is one of Loops' types: string, number, boolean, date")
				}
			}
		case m.Value.Kind == yamledit.Scalar && m.Value.Text != "":
			q.Column = m.Value.Text
		default:
			f.problem(m.Value.At, "%s of %s is the name of a column", m.Key.Text, what)
			continue
		}
		p.places[place+q.Loops] = inside(at)
		pairs = append(pairs, q)
	}
	return pairs
}

// inside is where a scalar's text begins: behind a quote.
func inside(n *yamledit.Node) yamledit.Place {
	at := n.At
	if n.Raw != n.Text {
		at.Col++
	}
	return at
}
