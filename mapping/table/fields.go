package table

import (
	"strings"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

// Fields are the columns that a condition may name: those of the mapping by its own
// types, and the table's others by what they are declared as.
func Fields(m *mapping.Mapping, columns []Column) (list []column.Field) {
	mapped := map[string]bool{}
	for _, c := range m.Columns() {
		mapped[m.Dialect.Fold(c.Name)] = true
		list = append(list, column.Field{Name: c.Name, Type: c.Type})
	}
	for _, c := range columns {
		if !mapped[m.Dialect.Fold(c.Name)] {
			list = append(list, column.Field{Name: c.Name, Type: dialectOf(m.Dialect).typeOf(c.base())})
		}
	}
	return list
}

// commonType is the type of a column by what all kinds of database call it.
func commonType(declared string) (column.Type, bool) {
	kind := strings.ToLower(modifier.ReplaceAllString(declared, ""))
	switch {
	case strings.HasPrefix(kind, "bool"):
		return column.Boolean, true
	case strings.HasPrefix(kind, "json"):
		return column.JSON, true
	case strings.HasPrefix(kind, "timestamp"), strings.HasPrefix(kind, "datetime"), kind == "date":
		return column.Time, true
	}
	return "", false
}
