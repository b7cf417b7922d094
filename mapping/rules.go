package mapping

import (
	"slices"

	"github.com/tidwall/gjson"

	"loopmap/mapping/body"
	"loopmap/mapping/column"
)

// Action is what a delivery does to its row.
type Action uint8

// The actions of a [Row].
const (
	Upsert Action = iota // write the row, whether it is there or not
	Update               // change the row where it is there
	Delete               // take the row out
)

func (a Action) String() string { return [...]string{"upsert", "update", "delete"}[a] }

// Rule says what one event does to the row of its contactIdentity, beside or
// instead of filling the columns. Of the events that Loops documents only
// contact.created carries the contact; rules are for the others.
type Rule struct {
	Event  string
	If     []RuleCondition // all must hold
	Set    []RuleValue
	Delete bool // take the row out
}

// RuleCondition holds when the body has this text at Path.
type RuleCondition struct {
	Path Path
	Text string // of a JSON string the text itself, else the JSON
}

// RuleValue gives a column a value: that at From, or the JSON value Value.
type RuleValue struct {
	Column string
	Type   column.Type
	From   Path   // when Value is ""
	Value  string // JSON: true, null, 3, "text"
}

// Ruled reports whether a rule names the event.
func (r *Receive) Ruled(event string) bool {
	return slices.ContainsFunc(r.Rules, func(u Rule) bool { return u.Event == event })
}

// Deletes reports whether a rule takes rows out.
func (r *Receive) Deletes() bool {
	return slices.ContainsFunc(r.Rules, func(u Rule) bool { return u.Delete })
}

// Wanted are the events that do something to rows.
func (r *Receive) Wanted() []string {
	list := slices.Clone(r.Events)
	for _, u := range r.Rules {
		if !slices.Contains(list, u.Event) {
			list = append(list, u.Event)
		}
	}
	return list
}

// Columns are all columns that the mapping writes, in the order of a [Row]'s
// cells: those of receive.columns, then those that only rules set.
func (m *Mapping) Columns() []Column { return m.compiled().columns }

func (m *Mapping) allColumns() []Column {
	list := slices.Clone(m.Receive.Columns)
	known := make(map[string]bool, len(list))
	for _, c := range list {
		known[c.Name] = true
	}
	for _, u := range m.Receive.Rules {
		for _, s := range u.Set {
			if !known[s.Column] {
				list, known[s.Column] = append(list, Column{Name: s.Column, Type: s.Type}), true
			}
		}
	}
	return list
}

// identity is where every event that has a contact holds what contact.created
// has at p (Loops docs: Webhooks, contactIdentity); false when only
// contact.created has it.
func identity(p Path) (Path, bool) {
	if p.Len() != 2 {
		return p, false
	}
	steps := p.Steps()
	switch first, last := steps[0].Key, steps[1].Key; {
	case last != "id" && last != "email" && last != "userId":
		return p, false
	case first == "contact":
		return body.MakePath(body.Step{Key: "contactIdentity"}, body.Step{Key: last}), true
	default:
		return p, first == "contactIdentity"
	}
}

// KeyIsContactID reports whether rows are told apart by Loops' id of the contact.
func (m *Mapping) KeyIsContactID() bool {
	p, ok := identity(m.column(m.Key).From)
	last, _ := p.Last()
	return ok && last.Key == "id"
}

// ruleSlots are the places in the body that the rules look at.
type ruleSlots struct {
	conditions [][]int // of each rule, of each condition
	settings   [][]int // of each rule, of each setting; -1 for one with a value
	columns    [][]int // of each rule, of each setting: the index of its column
}

// addRules appends the paths of the rules to those of a plan.
func (p *plan) addRules(m *Mapping, paths []Path) []Path {
	at := func(path Path) int {
		paths = append(paths, path)
		return len(paths) - 1
	}
	columnAt := make(map[string]int, len(p.columns))
	for i, c := range p.columns {
		columnAt[c.Name] = i
	}
	for _, u := range m.Receive.Rules {
		var conditions, settings, columns []int
		for _, c := range u.If {
			conditions = append(conditions, at(c.Path))
		}
		for _, s := range u.Set {
			slot := -1
			if s.Value == "" {
				slot = at(s.From)
			}
			settings = append(settings, slot)
			columns = append(columns, columnAt[s.Column])
		}
		p.rules.conditions = append(p.rules.conditions, conditions)
		p.rules.settings = append(p.rules.settings, settings)
		p.rules.columns = append(p.rules.columns, columns)
	}
	return paths
}

// applyRules lets the rules of the row's event have their say, and reports
// whether any did.
func (m *Mapping) applyRules(row *Row, raw string, spans []body.Span) (held bool) {
	p := m.compiled()
	value := func(slot int) (gjson.Result, bool) {
		s := p.finder.At(spans, slot)
		if !s.Found() {
			return gjson.Result{}, false
		}
		return body.ValueAt(raw, s), true
	}
	for i, u := range m.Receive.Rules {
		holds := u.Event == row.Event
		for j := 0; j < len(u.If) && holds; j++ {
			v, ok := value(p.rules.conditions[i][j])
			holds = ok && body.NotText(v.Raw) == "" && body.TextOf(v) == u.If[j].Text
		}
		if !holds {
			continue
		}
		held = true
		if u.Delete {
			row.Action = Delete
			continue
		}
		for j, s := range u.Set {
			var v gjson.Result
			ok := s.Value != ""
			if ok {
				v = body.Value(s.Value)
			} else {
				v, ok = value(p.rules.settings[i][j])
			}
			if column := p.rules.columns[i][j]; ok {
				row.Cells[column] = p.columns[column].Type.Read(v, m.Dialect)
			}
		}
	}
	return held
}
