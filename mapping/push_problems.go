package mapping

import (
	"errors"
	"fmt"

	"loopmap/mapping/body"
	"loopmap/mapping/column"
	"loopmap/mapping/condition"
)

// namedColumn is a column that the push part names, and where.
type namedColumn struct{ column, place string }

// columns are all that the push part names outside of conditions.
func (p *Push) columns() (list []namedColumn) {
	add := func(column, place string) {
		if column != "" {
			list = append(list, namedColumn{column, place})
		}
	}
	pairs := func(pairs []Pair, place string) {
		for _, q := range pairs {
			add(q.Column, place+q.Loops)
		}
	}
	if c := p.Contact; c != nil {
		add(c.Email, "contact.email")
		add(c.UserID, "contact.userId")
		pairs(c.Properties, "contact.properties.")
		pairs(c.Lists, "contact.lists.")
	}
	for i, e := range p.Events {
		at := fmt.Sprintf("events.%d.", i)
		add(e.Email, at+"email")
		add(e.UserID, at+"userId")
		for j, column := range e.OncePer {
			add(column, fmt.Sprintf("%sonce_per.%d", at, j))
		}
		pairs(e.Properties, at+"properties.")
		pairs(e.Contact, at+"contact.")
		pairs(e.Lists, at+"lists.")
	}
	return list
}

// PushProblems are the mistakes of the push part against the columns that the table
// has, with their places in the file of this name: columns that are not there, and
// conditions.
func (m *Mapping) PushProblems(name string, fields []column.Field) (problems []Problem) {
	if m.Push == nil {
		return nil
	}
	var names []string
	known := map[string]bool{}
	for _, f := range fields {
		known[m.Dialect.Fold(f.Name)], names = true, append(names, f.Name)
	}
	for _, c := range m.Push.columns() {
		if known[m.Dialect.Fold(c.column)] {
			continue
		}
		msg := fmt.Sprintf("push: the table has no column %s", body.Printable(c.column))
		if near := body.Nearest(c.column, names); near != "" {
			msg += "; did you mean " + near + "?"
		}
		at := m.Push.places[c.place]
		problems = append(problems, Problem{name, at.Line, at.Col, msg})
	}
	return append(problems, m.conditionProblems(name, fields)...)
}

// conditionProblems are the mistakes of the push part's conditions against the columns
// that the table has.
func (m *Mapping) conditionProblems(name string, fields []column.Field) (problems []Problem) {
	check := func(what, src, place string) {
		var wrong *condition.Error
		if src == "" {
			return
		}
		if _, err := condition.Compile(src, fields); errors.As(err, &wrong) {
			at := m.Push.places[place].Right(wrong.Offset)
			problems = append(problems, Problem{name, at.Line, at.Col, "only_run_if of " + body.Printable(what) + ": " + wrong.Msg})
		}
	}
	if c := m.Push.Contact; c != nil {
		check("contact", c.OnlyRunIf, "contact.only_run_if")
	}
	for i, e := range m.Push.Events {
		check(e.Name, e.OnlyRunIf, fmt.Sprintf("events.%d.only_run_if", i))
	}
	return problems
}

// EventIdentity are the columns by which Loops finds the contact of an event.
func (m *Mapping) EventIdentity(e PushEvent) (email, userID string) {
	if e.Email == "" && e.UserID == "" && m.Push.Contact != nil {
		return m.Push.Contact.Email, m.Push.Contact.UserID
	}
	return e.Email, e.UserID
}
