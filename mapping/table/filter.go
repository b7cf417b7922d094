package table

import (
	"fmt"
	"strings"

	"loopmap/mapping"
)

// where is the filter as SQL, with marks written ?. seq names the number of a line,
// distinct is how a dialect tells two values apart of which one may be NULL, since is
// Filter.Since as the column has it.
func (f Filter) where(seq, distinct string, since any) (text string, args []any) {
	var list []string
	add := func(cond string, vals ...any) { list, args = append(list, cond), append(args, vals...) }
	if f.ID != "" {
		add("id = ?", f.ID)
	}
	if len(f.Events) > 0 {
		add("event"+among(f.Events), anyOf(f.Events)...)
	}
	switch f.Status {
	case "":
	case mapping.Applied:
		add("status = 'applied'")
	default: // the second says which index has it
		add("status = '" + string(f.Status) + "' AND status <> 'applied'")
	}
	if f.Keys != nil { // each part has an index of its own
		in := "row_key" + among(f.Keys)
		add("("+in+" AND status = 'applied' OR "+in+" AND status <> 'applied')", append(anyOf(f.Keys), anyOf(f.Keys)...)...)
	}
	if f.Stale != "" {
		add("status IN ('quarantined', 'pending') AND (status = 'pending' OR mapping "+distinct+" ?)", f.Stale)
	}
	if !f.Since.IsZero() {
		add("received_at >= ?", since)
	}
	if f.After > 0 {
		add(seq+" > ?", f.After)
	}
	if len(list) > 0 {
		text = " WHERE " + strings.Join(list, " AND ")
	}
	if text += " ORDER BY " + seq; !f.Oldest {
		text += " DESC"
	}
	if f.Limit > 0 {
		text += fmt.Sprintf(" LIMIT %d", f.Limit)
	}
	return text, args
}

// among says that what stands before it is one of texts. One alone is compared, which
// leaves an index in its order.
func among(texts []string) string {
	switch len(texts) {
	case 0:
		return " IN (NULL)" // none
	case 1:
		return " = ?"
	}
	return " IN (?" + strings.Repeat(", ?", len(texts)-1) + ")"
}

func anyOf(texts []string) []any {
	list := make([]any, len(texts))
	for i, text := range texts {
		list[i] = text
	}
	return list
}
