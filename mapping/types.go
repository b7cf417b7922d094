package mapping

import (
	"fmt"
	"loopmap/mapping/body"
	"slices"
	"strings"
)

// Type is what a column holds.
type Type string

// The types of columns. What each accepts stands at [Column.Read].
const (
	Text    Type = "text"
	Integer Type = "integer"
	Number  Type = "number"
	Boolean Type = "boolean"
	Time    Type = "time"
	JSON    Type = "json"
)

// Types are all types, in the order in which the mapper offers them.
var Types = []Type{Text, Integer, Number, Boolean, Time, JSON}

// ParseType reads a type's name.
func ParseType(s string) (Type, error) {
	if t := Type(s); slices.Contains(Types, t) {
		return t, nil
	}
	msg := fmt.Sprintf("%q is not a type; write one of %s", s, typeNames())
	if near := body.Nearest(s, strings.Fields(typeNames())); near != "" {
		msg = fmt.Sprintf("%q is not a type; did you mean %s? (%s)", s, near, typeNames())
	}
	return "", fmt.Errorf("%s", msg)
}

func typeNames() string {
	var names []string
	for _, t := range Types {
		names = append(names, string(t))
	}
	return strings.Join(names, " ")
}
