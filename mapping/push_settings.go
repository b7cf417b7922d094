package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"loopmap/mapping/body"
	"loopmap/mapping/yamledit"
)

// settings are all that the push part says, in the order in which it is written.
func (p *Push) settings() (list []yamledit.Setting) {
	if p == nil {
		return nil
	}
	add := func(value string, path ...string) {
		if value != "" {
			list = append(list, yamledit.Setting{Path: path, Value: value})
		}
	}
	text := func(s string, path ...string) {
		if s != "" {
			add(yamledit.Quote(s), path...)
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
			add(yamledit.Quote(c.Source), "contact", "source")
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
			add("["+strings.Join(yamledit.QuoteAll(e.OncePer), ", ")+"]", "events", e.Name, "once_per")
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
		return yamledit.Quote(q.Column)
	}
	s := "{column: " + yamledit.Quote(q.Column)
	if q.As != "" {
		s += ", as: " + q.As
	}
	if q.OnNull != "" {
		s += ", on_null: " + string(q.OnNull)
	}
	return s + "}"
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
	have := yamledit.ByPath(y)
	return !slices.ContainsFunc(x, func(s yamledit.Setting) bool {
		v, ok := have[s.Key()]
		return !ok || v != s.Value
	})
}

// pushOf is the push part that says these settings. The error is what a file that says
// them would be refused for.
func pushOf(list []yamledit.Setting) (*Push, error) {
	if len(list) == 0 {
		return nil, nil
	}
	lines, err := yamledit.WriteSettings([]string{"push:"}, nil, list)
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

// inWords names a setting of the push part in a message.
func inWords(s yamledit.Setting) string { return body.Printable("push " + strings.Join(s.Path, " ")) }

// writePush brings the push part of a file from what it says to what m says.
func writePush(src []byte, from, to *Push) ([]byte, error) {
	if samePush(from, to) {
		return src, nil
	}
	out, err := yamledit.WritePart(src, "push", from.settings(), to.settings())
	if errors.Is(err, yamledit.ErrByHand) {
		return nil, fmt.Errorf("the push part is %w", err)
	}
	return out, err
}
