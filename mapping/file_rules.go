package mapping

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"loopmap/mapping/body"
	"loopmap/mapping/column"
	"loopmap/mapping/yamledit"
)

// rules reads receive.rules. The columns of m are there already.
func (f *fileReader) rules(n *yamledit.Node, m *Mapping) {
	if n == nil || n.Kind == yamledit.Empty {
		return
	}
	if n.Kind != yamledit.List {
		f.problem(n.At, "rules is a list: - {event: contact.unsubscribed, set: {subscribed: false}}")
		return
	}
	f.columns = map[string]Column{}
	for _, c := range m.Receive.Columns {
		f.know(c, m.Dialect)
	}
	for _, item := range n.Items {
		u := f.rule(item.Value, m)
		m.Receive.Rules = append(m.Receive.Rules, u)
		for _, s := range u.Set {
			f.know(Column{Name: s.Column, Type: s.Type}, m.Dialect)
		}
	}
}

// know makes a column known by its name, and by what the database makes of that. The first
// of a name counts.
func (f *fileReader) know(c Column, d column.Dialect) {
	for _, name := range []string{c.Name, d.Fold(c.Name)} {
		if _, ok := f.columns[name]; !ok {
			f.columns[name] = c
		}
	}
}

func (f *fileReader) rule(n *yamledit.Node, m *Mapping) (u Rule) {
	if !f.block(n, "a rule", "event", "if", "set", "delete") {
		return u
	}
	u.Event, _ = f.text(n, "the rule", "event", ContactUnsubscribed)
	if v := n.Get("delete"); v != nil {
		if u.Delete = v.Text == "true"; v.Text != "true" && v.Text != "false" {
			f.problem(v.At, "delete is true or false")
		}
	}
	set := n.Get("set")
	switch {
	case u.Delete && set != nil:
		f.problem(set.At, "a row that is deleted has nothing to set")
	case !u.Delete && set == nil:
		f.problem(n.At, "the rule does nothing: give it set: {subscribed: false} or delete: true")
	case u.Delete && m.Receive.Lists(u.Event):
		f.problem(n.Get("delete").At, "%s is in events, which fill the row, and cannot delete it too", u.Event)
	}
	f.conditions(n.Get("if"), &u)
	f.settings(set, &u, m)
	if key := m.column(m.Key); key.Name != "" && !m.Receive.Lists(u.Event) {
		if _, ok := identity(key.From); !ok {
			f.problem(n.At, "the key %s comes from %s, which %s does not carry: it finds its row by contactIdentity.id, .email or .userId only",
				m.Key, key.From, u.Event)
		}
	}
	return u
}

func (f *fileReader) conditions(n *yamledit.Node, u *Rule) {
	if n == nil {
		return
	}
	if n.Kind != yamledit.Map {
		f.problem(n.At, "if is a block of path: value, for example {mailingList.id: cm06f5v0e45nf0ml5754o9cix}")
		return
	}
	for _, c := range n.Members {
		path, err := ParsePath(c.Key.Text)
		if err != nil {
			f.problem(c.Key.At, "if: %v", err)
		}
		if c.Value.Kind != yamledit.Scalar && c.Value.Kind != yamledit.Empty {
			f.problem(c.Value.At, "%s is compared with one value", c.Key.Text)
		}
		text := c.Value.Text
		if c.Value.Kind == yamledit.Empty {
			text = "null"
		}
		u.If = append(u.If, RuleCondition{path, text})
	}
}

func (f *fileReader) settings(n *yamledit.Node, u *Rule, m *Mapping) {
	if n == nil {
		return
	}
	if n.Kind != yamledit.Map || len(n.Members) == 0 {
		f.problem(n.At, "set is a block of column: value, for example {subscribed: false}")
		return
	}
	for _, c := range n.Members {
		u.Set = append(u.Set, f.setting(c, m))
	}
}

// setting reads one column: value of a rule. The value is a scalar, or {from: path,
// type: ...}.
func (f *fileReader) setting(c yamledit.Member, m *Mapping) (s RuleValue) {
	s.Column = c.Key.Text
	if s.Column == m.Key {
		f.problem(c.Key.At, "%s is the key: it tells which row is meant, and is not set", s.Column)
	} else if err := f.checkName(m.Dialect, column.Dialect.CheckColumn, s.Column); err != nil {
		f.problem(c.Key.At, "column %q: %v", s.Column, err)
	}
	known := f.knownColumn(c.Key, m)
	s.Type = known.Type
	switch v := c.Value; v.Kind {
	case yamledit.Map:
		f.block(v, "the value of "+s.Column, "from", "type")
		text, at := f.text(v, "the value of "+s.Column, "from", "eventTime")
		var err error
		if s.From, err = ParsePath(text); text != "" && err != nil {
			f.problem(at.At, "%s: %v", s.Column, err)
		}
		if v.Get("type") != nil || s.Type == "" {
			text, at := f.text(v, "the value of "+s.Column, "type", "time")
			if t, err := column.ParseType(text); text != "" && err != nil {
				f.problem(at.At, "%s: %v", s.Column, err)
			} else if known.Type != "" && t != known.Type {
				f.problem(at.At, "%s is %s, and %s elsewhere in this file", s.Column, t, known.Type)
			} else {
				s.Type = t
			}
		}
	case yamledit.Scalar, yamledit.Empty:
		s.Value = scalarJSON(v)
		if s.Type == "" {
			s.Type = typeOfJSON(s.Value)
		}
		if cell := s.Type.Read(body.Value(s.Value), m.Dialect); s.Type == "" {
			f.problem(v.At, "null alone does not say what %s holds; name it in columns, or write {from: path, type: time}", s.Column)
		} else if cell.State == column.Misfit && !f.hidden {
			f.problem(v.At, "column %s (%s): %s", s.Column, s.Type, cell.Text)
		}
	default:
		f.problem(v.At, "%s is set to one value, or to {from: path, type: time}", s.Column)
	}
	return s
}

// knownColumn is the column of this name in what the file says above.
func (f *fileReader) knownColumn(key *yamledit.Node, m *Mapping) Column {
	if c, ok := f.columns[key.Text]; ok {
		return c
	}
	if c, ok := f.columns[m.Dialect.Fold(key.Text)]; ok && !f.hidden && m.Dialect.Fold(c.Name) == m.Dialect.Fold(key.Text) {
		f.problem(key.At, "column %q is %q to SQLite, which ignores case", key.Text, c.Name)
	}
	return Column{}
}

// scalarJSON is a YAML scalar as JSON: what is in quotes is text.
func scalarJSON(n *yamledit.Node) string {
	switch {
	case n.Kind == yamledit.Empty:
		return "null"
	case n.Raw == n.Text && (n.Text == "true" || n.Text == "false"):
		return n.Text
	case n.Raw == n.Text && body.IsNumber(body.Value(n.Text), n.Text):
		return n.Text
	}
	b, _ := json.Marshal(n.Text) // text always encodes
	return string(b)
}

func typeOfJSON(value string) column.Type {
	switch value[0] {
	case '"':
		return column.Text
	case 't', 'f':
		return column.Boolean
	case 'n':
		return ""
	}
	return column.Number
}

// journal reads how long bodies are kept.
func (f *fileReader) journal(n *yamledit.Node, m *Mapping) {
	if n == nil || n.Kind == yamledit.Empty || !f.block(n, "journal", "keep") {
		return
	}
	text, at := f.text(n, "journal", "keep", "90d")
	if text == "" {
		return
	}
	var err error
	if m.Keep, err = parseKeep(text); err != nil {
		f.problem(at.At, "keep: %v", err)
	}
}

// parseKeep reads a number of days or weeks.
func parseKeep(s string) (time.Duration, error) {
	day := 24 * time.Hour
	for unit, length := range map[string]time.Duration{"d": day, "w": 7 * day} {
		if digits, ok := strings.CutSuffix(s, unit); ok {
			if n, err := strconv.Atoi(digits); err == nil && n >= 1 && n <= 36500 {
				return time.Duration(n) * length, nil
			}
		}
	}
	return 0, fmt.Errorf("%q is not a time to keep bodies for; write days or weeks, for example 90d or 12w", s)
}
