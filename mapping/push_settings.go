package mapping

import (
	"errors"
	"slices"
	"strings"

	"loopmap/mapping/body"
	"loopmap/mapping/yamledit"
)

// setting is one thing that the push part says: where it stands in the file, and its
// value as YAML. What the mapper writes, compares and merges are settings.
type setting struct {
	path  []string // below push; an event is named by its name
	value string
}

// settings are all that the push part says, in the order in which it is written.
func (p *Push) settings() (list []setting) {
	if p == nil {
		return nil
	}
	add := func(value string, path ...string) {
		if value != "" {
			list = append(list, setting{path, value})
		}
	}
	text := func(s string, path ...string) {
		if s != "" {
			add(quoteYAML(s), path...)
		}
	}
	pairs := func(pairs []Pair, path ...string) {
		for _, q := range pairs {
			add(q.yaml(), append(slices.Clone(path), q.Loops)...)
		}
	}
	if p.Auto {
		add("true", "auto")
	}
	text(p.Every, "every")
	if c := p.Contact; c != nil {
		text(c.Email, "contact", "email")
		text(c.UserID, "contact", "userId")
		text(c.OnlyRunIf, "contact", "only_run_if")
		if c.Source != c.usualSource() {
			add(quoteYAML(c.Source), "contact", "source")
		}
		add(string(c.OnNull), "contact", "on_null")
		pairs(c.Properties, "contact", "properties")
		pairs(c.Lists, "contact", "lists")
	}
	for _, e := range p.Events {
		text(e.Name, "events", e.Name, "name")
		text(e.Email, "events", e.Name, "email")
		text(e.UserID, "events", e.Name, "userId")
		text(e.OnlyRunIf, "events", e.Name, "only_run_if")
		if len(e.OncePer) > 0 {
			add("["+strings.Join(quoteAll(e.OncePer), ", ")+"]", "events", e.Name, "once_per")
		}
		pairs(e.Properties, "events", e.Name, "properties")
		pairs(e.Contact, "events", e.Name, "contact")
		pairs(e.Lists, "events", e.Name, "lists")
	}
	return list
}

// usualSource is the source of a contact block that names none.
func (c *PushContact) usualSource() string {
	if slices.ContainsFunc(c.Properties, func(q Pair) bool { return q.Loops == "source" }) {
		return ""
	}
	return DefaultSource
}

// yaml is what stands behind the name of Loops.
func (q Pair) yaml() string {
	if q.As == "" && q.OnNull == "" {
		return quoteYAML(q.Column)
	}
	s := "{column: " + quoteYAML(q.Column)
	if q.As != "" {
		s += ", as: " + q.As
	}
	if q.OnNull != "" {
		s += ", on_null: " + string(q.OnNull)
	}
	return s + "}"
}

// key tells settings apart by where they stand.
func (s setting) key() string { return strings.Join(s.path, "\x00") }

// words name a setting in a message.
func (s setting) words() string { return body.Printable("push " + strings.Join(s.path, " ")) }

// byPath are settings by their key.
func byPath(list []setting) map[string]string {
	m := map[string]string{}
	for _, s := range list {
		m[s.key()] = s.value
	}
	return m
}

// samePush reports whether two push parts say the same, in whatever order.
func samePush(a, b *Push) bool {
	if a == b {
		return true
	}
	x, y := a.settings(), b.settings()
	if len(x) != len(y) {
		return false
	}
	have := byPath(y)
	return !slices.ContainsFunc(x, func(s setting) bool {
		v, ok := have[s.key()]
		return !ok || v != s.value
	})
}

// pushOf is the push part that says these settings. The error is what a file that says
// them would be refused for.
func pushOf(list []setting) (*Push, error) {
	if len(list) == 0 {
		return nil, nil
	}
	lines, err := writeSettings([]string{"push:"}, nil, list)
	if err != nil {
		return nil, err
	}
	root, err := yamledit.Read([]byte(strings.Join(lines, "\n")))
	if err != nil {
		return nil, err
	}
	f := &fileReader{}
	p := f.push(root.Get("push"))
	p.forgetPlaces() // they are of no file
	if len(f.problems) > 0 {
		return p, errors.New(f.problems[0].Msg)
	}
	return p, nil
}

// Check says what a mapping file with this push part would be refused for, whatever
// the table is.
func (p *Push) Check() error {
	_, err := pushOf(p.settings())
	return err
}

func (p *Push) forgetPlaces() {
	p.places = nil
	if p.Contact != nil {
		p.Contact.condition = yamledit.Place{}
	}
	for i := range p.Events {
		p.Events[i].condition = yamledit.Place{}
	}
}
