package table

import (
	"strings"

	"loopmap/mapping"
)

// Fields are the columns that a condition may name: those of the mapping by its own
// types, and the table's others by what they are declared as.
func Fields(m *mapping.Mapping, columns []Column) (list []mapping.Field) {
	mapped := map[string]bool{}
	for _, c := range m.Columns() {
		mapped[m.Dialect.Fold(c.Name)] = true
		list = append(list, mapping.Field{Name: c.Name, Type: c.Type})
	}
	for _, c := range columns {
		if !mapped[m.Dialect.Fold(c.Name)] {
			list = append(list, mapping.Field{Name: c.Name, Type: typeOf(m.Dialect, c.base())})
		}
	}
	return list
}

// typeOf is the type of a column by its declaration; text where nothing else is sure.
func typeOf(d mapping.Dialect, declared string) mapping.Type {
	kind := strings.ToLower(modifier.ReplaceAllString(declared, ""))
	switch {
	case strings.HasPrefix(kind, "bool"):
		return mapping.Boolean
	case strings.HasPrefix(kind, "json"):
		return mapping.JSON
	case strings.HasPrefix(kind, "timestamp"), strings.HasPrefix(kind, "datetime"), kind == "date":
		return mapping.Time
	}
	if d == mapping.Postgres {
		switch kind {
		case "smallint", "integer", "bigint":
			return mapping.Integer
		case "numeric", "real", "double precision":
			return mapping.Number
		}
		return mapping.Text
	}
	switch affinityOf(declared) {
	case affInteger:
		return mapping.Integer
	case affNumeric, affReal:
		return mapping.Number
	}
	return mapping.Text
}
