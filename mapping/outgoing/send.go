package outgoing

import (
	"slices"
	"strings"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/column"
	"loopmap/mapping/condition"
)

// Sender is a mapping's push part made ready for a table: it says what a row sends.
// It may be used by several goroutines.
type Sender struct {
	m       *mapping.Mapping
	fields  []column.Field
	byName  map[string]column.Field // by the folded name
	contact *condition.Condition    // nil: always
	events  []*condition.Condition
	uses    []column.Field
	now     time.Time // what now() is; zero: nobody knows
}

// At is the sender at a moment, for conditions that ask for it: one for a whole run.
func (s *Sender) At(now time.Time) *Sender {
	at := *s
	at.now = now
	return &at
}

// NewSender makes a mapping's push part ready for a table of these columns. The error is a
// *[mapping.FileError] of this name, when it does not fit them.
func NewSender(m *mapping.Mapping, name string, fields []column.Field) (*Sender, error) {
	if problems := m.PushProblems(name, fields); len(problems) > 0 {
		return nil, &mapping.FileError{Problems: problems}
	}
	s := &Sender{m: m, fields: fields, byName: map[string]column.Field{}}
	for _, f := range fields {
		s.byName[m.Dialect.Fold(f.Name)] = f
	}
	compile := func(src string) *condition.Condition {
		if src == "" {
			return nil
		}
		c, _ := condition.Compile(src, fields) // which PushProblems has tried
		return c
	}
	if m.Push.Contact != nil {
		s.contact = compile(m.Push.Contact.OnlyRunIf)
	}
	for _, e := range m.Push.Events {
		s.events = append(s.events, compile(e.OnlyRunIf))
	}
	used := map[string]bool{}
	for _, name := range m.PushNames() {
		used[m.Dialect.Fold(name)] = true
	}
	for _, f := range fields {
		if used[m.Dialect.Fold(f.Name)] {
			s.uses = append(s.uses, f)
		}
	}
	return s, nil
}

// Mapping is the one that the sender was made of.
func (s *Sender) Mapping() *mapping.Mapping { return s.m }

// Fields are the columns that what a row sends depends on.
func (s *Sender) Fields() []column.Field { return s.uses }

// Known are all columns of the table.
func (s *Sender) Known() []column.Field { return s.fields }

// Columns are the names of [Sender.Fields].
func (s *Sender) Columns() (names []string) {
	for _, f := range s.uses {
		names = append(names, f.Name)
	}
	return names
}

// cell is a row's value in a column.
func (s *Sender) cell(row map[string]column.Cell, column string) (column.Type, column.Cell) {
	f := s.byName[s.m.Dialect.Fold(column)]
	return f.Type, row[f.Name]
}

// sentField is one value of a request's body.
type sentField struct {
	name string // of Loops; of a mailing list its id
	list bool
	json string
}

// wrongs collects why a row cannot be sent.
type wrongs []string

func (w *wrongs) add(column, why string) {
	if why != "" && !slices.Contains(*w, "column "+column+": "+why) {
		*w = append(*w, "column "+column+": "+why)
	}
}

func (w wrongs) String() string { return strings.Join(w, "; ") }

// identityFields are email and userId, as text whatever their columns are.
func (s *Sender) identityFields(row map[string]column.Cell, email, userID string, w *wrongs) (list []sentField) {
	for _, id := range []struct{ name, column string }{{"email", email}, {"userId", userID}} {
		if id.column == "" {
			continue
		}
		t, cell := s.cell(row, id.column)
		if cell.State == column.Present { // what was typed or padded around it is no part of it
			cell.Text = trim(cell.Text)
		}
		if cell.Empty() || cell.State == column.Present && cell.Text == "" {
			continue
		}
		text, why := sent(t, cell, "string")
		if w.add(id.column, why); why == "" {
			list = append(list, sentField{name: id.name, json: text})
		}
	}
	if len(list) == 0 && len(*w) == 0 {
		columns := email
		if userID != "" {
			columns = strings.TrimPrefix(email+" and "+userID, " and ")
		}
		*w = append(*w, "nothing says which contact it is: "+columns+" has no value")
	}
	return list
}

// pairFields are the values of pairs; null stands for those that are to be cleared.
func (s *Sender) pairFields(row map[string]column.Cell, pairs []mapping.Pair, onNull mapping.OnNull, w *wrongs) (list []sentField) {
	for _, q := range pairs {
		t, cell := s.cell(row, q.Column)
		if cell.Empty() {
			if q.OnNull == mapping.ClearNull || q.OnNull == "" && onNull == mapping.ClearNull {
				list = append(list, sentField{name: q.Loops, json: "null"})
			}
			continue
		}
		as := q.As
		if as == "" {
			as = mapping.FixedType(q.Loops)
		}
		text, why := sent(t, cell, as)
		if w.add(q.Column, why); why == "" {
			list = append(list, sentField{name: q.Loops, json: text})
		}
	}
	return list
}

// listFields are the mailing lists of a row. NULL leaves a list as it is.
func (s *Sender) listFields(row map[string]column.Cell, pairs []mapping.Pair, w *wrongs) (list []sentField) {
	for _, q := range pairs {
		t, cell := s.cell(row, q.Column)
		if cell.Empty() {
			continue
		}
		text, why := sent(t, cell, "boolean")
		if w.add(q.Column, why); why == "" {
			list = append(list, sentField{name: q.Loops, list: true, json: text})
		}
	}
	return list
}

// contactFields are the values of a row's contact update.
func (s *Sender) contactFields(row map[string]column.Cell) ([]sentField, wrongs) {
	var w wrongs
	c := s.m.Push.Contact
	list := s.identityFields(row, c.Email, c.UserID, &w)
	list = append(list, s.pairFields(row, c.Properties, c.OnNull, &w)...)
	return append(list, s.listFields(row, c.Lists, &w)...), w
}

// bodyOf writes fields as a JSON object, in their order; extra members come before the
// lists.
func bodyOf(fields []sentField, extra ...sentField) []byte {
	var b, lists strings.Builder
	member := func(b *strings.Builder, f sentField) {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(body.Quote(f.name) + ":" + f.json)
	}
	for _, f := range fields {
		if f.list {
			member(&lists, f)
		} else {
			member(&b, f)
		}
	}
	for _, f := range extra {
		member(&b, f)
	}
	if lists.Len() > 0 {
		member(&b, sentField{name: "mailingLists", json: "{" + lists.String() + "}"})
	}
	return []byte("{" + b.String() + "}")
}
