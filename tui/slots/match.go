package slots

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"loopmap/mapping/body"
	"loopmap/mapping/column"
)

// Match is the column that a slot most likely stands for: the one of the same name, else
// the one that webhooks fill from the same attribute; "" when there is none. A list's name
// says less than its path.
func (f Facts) Match(s Slot) string {
	byName, byPath := f.byName(s), f.byPath(s)
	if s.Kind == List {
		return cmp.Or(byPath, byName)
	}
	return cmp.Or(byName, byPath)
}

// Identity are the columns by which Loops most likely finds the contact of a row.
func (f Facts) Identity() (email, userID string) {
	return f.Match(Slot{Kind: Email, Loops: "email"}), f.Match(Slot{Kind: UserID, Loops: "userId"})
}

// byPath is the column that webhooks fill from the attribute of a slot.
func (f Facts) byPath(s Slot) string {
	steps := []body.Step{{Key: "contact"}, {Key: s.Loops}}
	if s.Kind == List {
		steps = []body.Step{{Key: "contact"}, {Key: "mailingLists"}, {Key: s.Loops}}
	}
	path := body.MakePath(steps...).String()
	for _, c := range f.Mapping.Receive.Columns {
		if c.From.String() == path && s.TakesColumn() {
			return c.Name
		}
	}
	return ""
}

// byName is the column of the same name as a slot.
func (f Facts) byName(s Slot) string {
	for _, c := range f.Fields {
		if Letters(c.Name) == Letters(s.Name()) {
			return c.Name
		}
	}
	return ""
}

// Fitting are the columns that can go into a slot: a list is joined or left.
func (f Facts) Fitting(s Slot) []column.Field {
	if s.Kind != List {
		return f.Fields
	}
	return slices.DeleteFunc(slices.Clone(f.Fields), func(c column.Field) bool { return c.Type != column.Boolean })
}

// Letters are a name without what styles of naming differ in: firstName and first_name
// have the same.
func Letters(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}
