package mapping

import (
	"fmt"
	"loopmap/mapping/body"
	"loopmap/mapping/condition"
	"regexp"
	"slices"
	"strings"
)

func (f *fileReader) push(n *yamlNode) *Push {
	p := &Push{places: map[string]place{}}
	if !f.block(n, "push", "auto", "every", "contact", "events") {
		return p
	}
	if v := n.get("auto"); v != nil {
		if p.Auto = v.text == "true"; v.text != "true" && v.text != "false" {
			f.problem(v.at, "auto is true or false")
		}
	}
	if v := n.get("every"); v != nil {
		p.Every = v.text
		if _, err := schedule(v.text); v.kind != yamlScalar || err != nil {
			why := ""
			if err != nil && cronLine.MatchString(v.text) {
				why = ": " + body.Printable(err.Error())
			}
			f.problem(v.at, "every is a time between two runs, a minute at least (1h), or a cron line in quotes ('0 6 * * 1-5': minute, hour, day, month, weekday)%s", why)
		}
	}
	if c := n.get("contact"); c != nil {
		p.Contact = f.pushContact(c, p)
	}
	list := n.get("events")
	if list == nil {
		return p
	}
	if list.kind != yamlList {
		f.problem(list.at, "events of push is a list: - name: signedUp")
		return p
	}
	for i, item := range list.items {
		e := f.pushEvent(item.value, p, fmt.Sprintf("events.%d.", i))
		if slices.ContainsFunc(p.Events, func(before PushEvent) bool { return before.Name == e.Name && e.Name != "" }) {
			f.problem(item.value.at, "event %s stands here twice; join the conditions with or", body.Printable(e.Name))
		}
		p.Events = append(p.Events, e)
	}
	return p
}

var cronLine = regexp.MustCompile(`^(@(hourly|daily|midnight|weekly|monthly|yearly|annually)|([0-9*?,/A-Za-z-]+ +){4}[0-9*?,/A-Za-z-]+)$`)

// columnName reads the name of a column, where there is one.
func (f *fileReader) columnName(n *yamlNode, what, key string, p *Push, place string) (name string) {
	if n.get(key) != nil {
		var at *yamlNode
		name, at = f.text(n, what, key, strings.ToLower(key))
		p.places[place] = inside(at)
	}
	return name
}

func (f *fileReader) pushContact(n *yamlNode, p *Push) *PushContact {
	c := &PushContact{Source: DefaultSource}
	if !f.block(n, "push.contact", "email", "userId", "only_run_if", "source", "on_null", "properties", "lists") {
		return c
	}
	c.Email = f.columnName(n, "push.contact", "email", p, "contact.email")
	c.UserID = f.columnName(n, "push.contact", "userId", p, "contact.userId")
	if n.get("email") == nil && n.get("userId") == nil {
		f.problem(n.at, "push.contact needs email, userId or both: Loops finds the contact by them")
	}
	c.OnlyRunIf, c.condition = f.condition(n, "push.contact")
	c.OnNull = f.onNull(n)
	c.Properties = f.properties(n.get("properties"), "properties", p, "contact.properties.")
	c.Lists = f.pairs(n.get("lists"), "lists", p, "contact.lists.")
	if slices.ContainsFunc(c.Properties, func(q Pair) bool { return q.Loops == "source" }) {
		c.Source = ""
	}
	if v := n.get("source"); v != nil {
		if v.kind != yamlScalar || len(v.text) > 100 {
			f.problem(v.at, "source is a short text that marks contacts made from here, for example %s", DefaultSource)
		} else if c.Source == "" && v.text != "" {
			f.problem(v.at, "source stands among the properties, too; leave one of them out")
		}
		c.Source = v.text
	}
	return c
}

// condition reads only_run_if; columns and types are checked against the table later.
func (f *fileReader) condition(n *yamlNode, what string) (src string, at place) {
	if n.get("only_run_if") == nil {
		return "", at
	}
	src, node := f.text(n, what, "only_run_if", `plan == "pro"`)
	at = inside(node)
	if err := condition.Syntax(src); src != "" && err != nil {
		f.problem(at.right(err.Offset), "only_run_if: %s", err.Msg)
	}
	return src, at
}

func (f *fileReader) onNull(n *yamlNode) OnNull {
	v := n.get("on_null")
	if v == nil {
		return ""
	}
	if v.text != string(SkipNull) && v.text != string(ClearNull) {
		f.problem(v.at, "on_null is skip (Loops keeps what it has) or clear (Loops empties the property)")
		return ""
	}
	return OnNull(v.text)
}

func (f *fileReader) pushEvent(n *yamlNode, p *Push, place string) (e PushEvent) {
	if !f.block(n, "an event of push", "name", "email", "userId", "only_run_if", "once_per", "properties", "contact", "lists") {
		return e
	}
	var at *yamlNode
	e.Name, at = f.text(n, "the event", "name", "signedUp")
	if e.Name == ContactKind {
		f.problem(at.at, "an event cannot be named contact: so loopmap_pushes names the contact update")
	}
	e.Email = f.columnName(n, "the event", "email", p, place+"email")
	e.UserID = f.columnName(n, "the event", "userId", p, place+"userId")
	if e.Email == "" && e.UserID == "" && p.Contact == nil {
		f.problem(n.at, "the event needs email, userId or both, or push.contact to take them from")
	}
	e.OnlyRunIf, e.condition = f.condition(n, "the event")
	if list := n.get("once_per"); list != nil {
		e.OncePer = f.words(n, "the event", "once_per", "[email]")
		for i, item := range list.items {
			p.places[fmt.Sprintf("%sonce_per.%d", place, i)] = inside(item.value)
		}
	}
	e.Properties = f.pairs(n.get("properties"), "properties", p, place+"properties.")
	e.Contact = f.properties(n.get("contact"), "contact", p, place+"contact.")
	e.Lists = f.pairs(n.get("lists"), "lists", p, place+"lists.")
	for _, q := range e.Properties {
		if q.OnNull == ClearNull {
			f.problem(p.places[place+"properties."+q.Loops], "an event's property cannot be cleared: Loops refuses null there")
		}
	}
	return e
}

// properties are pairs that set contact properties.
func (f *fileReader) properties(n *yamlNode, what string, p *Push, place string) []Pair {
	pairs := f.pairs(n, what, p, place)
	if n != nil {
		for _, m := range n.members {
			if why := Unwritable(m.key.text); why != "" {
				f.problem(m.key.at, "contact property %s is not to be set here: %s", body.Printable(m.key.text), why)
			}
		}
	}
	return pairs
}

// pairs reads a block of Loops' names, each with one of the user's columns, or with a
// block of column, as and on_null.
func (f *fileReader) pairs(n *yamlNode, what string, p *Push, place string) (pairs []Pair) {
	if n == nil || n.kind == yamlEmpty {
		return nil
	}
	if n.kind != yamlMap {
		f.problem(n.at, "%s is a block of lines, each Loops' name: column", what)
		return nil
	}
	for _, m := range n.members {
		q, at := Pair{Loops: m.key.text}, m.value
		switch {
		case m.value.kind == yamlMap:
			if !f.block(m.value, body.Printable(m.key.text), "column", "as", "on_null") {
				continue
			}
			q.Column, at = f.text(m.value, body.Printable(m.key.text), "column", "plan")
			q.OnNull = f.onNull(m.value)
			if v := m.value.get("as"); v != nil {
				if q.As = v.text; !slices.Contains([]string{"string", "number", "boolean", "date"}, v.text) {
					f.problem(v.at, "as is one of Loops' types: string, number, boolean, date")
				}
			}
		case m.value.kind == yamlScalar && m.value.text != "":
			q.Column = m.value.text
		default:
			f.problem(m.value.at, "%s of %s is the name of a column", m.key.text, what)
			continue
		}
		p.places[place+q.Loops] = inside(at)
		pairs = append(pairs, q)
	}
	return pairs
}

// inside is where a scalar's text begins: behind a quote.
func inside(n *yamlNode) place {
	at := n.at
	if n.raw != n.text {
		at.col++
	}
	return at
}

// right is a place so many characters on.
func (p place) right(n int) place { return place{p.line, p.col + n} }
