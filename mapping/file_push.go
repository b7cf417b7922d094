package mapping

import "strings"

func (f *fileReader) push(n *yamlNode) *Push {
	p := &Push{}
	if !f.block(n, "push", "auto", "contact", "events") {
		return p
	}
	if v := n.get("auto"); v != nil {
		if p.Auto = v.text == "true"; v.text != "true" && v.text != "false" {
			f.problem(v.at, "auto is true or false")
		}
	}
	if c := n.get("contact"); c != nil {
		p.Contact = f.pushContact(c)
	}
	list := n.get("events")
	if list == nil {
		return p
	}
	if list.kind != yamlList {
		f.problem(list.at, "events of push is a list: - name: signedUp")
		return p
	}
	for _, item := range list.items {
		p.Events = append(p.Events, f.pushEvent(item.value))
	}
	return p
}

func (f *fileReader) pushContact(n *yamlNode) *PushContact {
	c := &PushContact{}
	if !f.block(n, "push.contact", "email", "userId", "properties", "lists") {
		return c
	}
	for key, to := range map[string]*string{"email": &c.Email, "userId": &c.UserID} {
		if n.get(key) != nil {
			*to, _ = f.text(n, "push.contact", key, strings.ToLower(key))
		}
	}
	if n.get("email") == nil && n.get("userId") == nil {
		f.problem(n.at, "push.contact needs email, userId or both: Loops finds the contact by them")
	}
	c.Properties = f.pairs(n.get("properties"), "properties")
	if p := n.get("properties"); p != nil {
		for _, m := range p.members {
			if why := unwritable(m.key.text); why != "" {
				f.problem(m.key.at, "contact property %s is not to be set here: %s", Printable(m.key.text), why)
			}
		}
	}
	c.Lists = f.pairs(n.get("lists"), "lists")
	return c
}

func (f *fileReader) pushEvent(n *yamlNode) (e PushEvent) {
	if !f.block(n, "an event of push", "name", "only_run_if", "once_per", "properties") {
		return e
	}
	e.Name, _ = f.text(n, "the event", "name", "signedUp")
	if n.get("only_run_if") != nil {
		var at *yamlNode
		e.OnlyRunIf, at = f.text(n, "the event", "only_run_if", `plan == "pro"`)
		e.condition = inside(at)
		if err := runIfSyntax(e.OnlyRunIf); e.OnlyRunIf != "" && err != nil {
			f.problem(e.condition.right(err.Offset), "only_run_if: %s", err.Msg)
		}
	}
	if n.get("once_per") != nil {
		e.OncePer = f.words(n, "the event", "once_per", "[email]")
	}
	e.Properties = f.pairs(n.get("properties"), "properties")
	return e
}

// pairs reads a block of Loops' names, each with one of the user's columns.
func (f *fileReader) pairs(n *yamlNode, what string) (pairs []Pair) {
	if n == nil || n.kind == yamlEmpty {
		return nil
	}
	if n.kind != yamlMap {
		f.problem(n.at, "%s is a block of lines, each Loops' name: column", what)
		return nil
	}
	for _, m := range n.members {
		if m.value.kind != yamlScalar || m.value.text == "" {
			f.problem(m.value.at, "%s of %s is the name of a column", m.key.text, what)
			continue
		}
		pairs = append(pairs, Pair{Loops: m.key.text, Column: m.value.text})
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
