package column

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"loopmap/mapping/body"
)

// Type is what a column holds.
type Type string

// The types of columns. What each accepts stands at [Type.Read].
const (
	Text    Type = "text"
	Integer Type = "integer"
	Number  Type = "number"
	Boolean Type = "boolean"
	Time    Type = "time"
	JSON    Type = "json"
)

// kind is all that a type is. A new type is a new line of [kinds], and nothing else.
type kind struct {
	Type
	sqlite, postgres string                           // as the databases declare it
	loops            string                           // Loops' type that holds its values
	bare             bool                             // a cell's text is JSON as it stands
	read             func(gjson.Result, Dialect) Cell // of JSON that is not null
	zero             any                              // its Go type, for conditions
	value            func(text string) (any, error)   // a cell's text as that
	same             func(a, b string) bool           // of texts that differ
}

// kinds are all types, in the order in which the mapper offers them.
var kinds = []kind{
	{Text, "TEXT", "text", "string", false, readText, "", textValue, never},
	{Integer, "INTEGER", "bigint", "number", true, readInteger, 0, integerValue, sameNumber},
	{Number, "NUMERIC", "numeric", "number", true, readNumber, 0.0, numberValue, sameNumber},
	{Boolean, "BOOLEAN", "boolean", "boolean", true, readBoolean, false, booleanValue, never},
	{Time, "TEXT", "timestamptz", "date", false, readTime, time.Time{}, timeValue, sameTime},
	{JSON, "TEXT", "jsonb", "string", true, readJSON, map[string]any{}, jsonValue, sameJSON},
}

// Types are all types, in the order in which the mapper offers them.
var Types = func() (list []Type) {
	for _, k := range kinds {
		list = append(list, k.Type)
	}
	return list
}()

// kind is the type's line; of what is not a type that of text, which reads nothing.
func (t Type) kind() kind {
	for _, k := range kinds {
		if k.Type == t {
			return k
		}
	}
	k := kinds[0]
	k.read = func(gjson.Result, Dialect) Cell { return misfit("%q is not a type", t) }
	return k
}

// SQL is what a database calls a column of this type.
func (t Type) SQL(d Dialect) string {
	if d == Postgres {
		return t.kind().postgres
	}
	return t.kind().sqlite
}

// SentAs is the type of Loops that holds a column's values.
func (t Type) SentAs() string { return t.kind().loops }

// Bare reports whether the text of a cell is JSON as it stands; else it is a JSON string's.
func (t Type) Bare() bool { return t.kind().bare }

// AsJSON is a cell as the JSON that it might have been read from.
func (t Type) AsJSON(c Cell) string {
	if t.Bare() {
		return c.Text
	}
	return body.Quote(c.Text)
}

// Zero is a value of the Go type that [Type.Value] gives.
func (t Type) Zero() any { return t.kind().zero }

// Value is a cell as a value of Go; nil for NULL.
func (t Type) Value(c Cell) (any, error) {
	switch c.State {
	case Missing, Null:
		return nil, nil
	case Misfit:
		return nil, fmt.Errorf("%s", c.Text)
	case Present:
	}
	return t.kind().value(c.Text)
}

// Same reports whether two cells are the same to who reads them. NULL and what is missing
// are.
func (t Type) Same(a, b Cell) bool {
	if a.Empty() || b.Empty() {
		return a.Empty() && b.Empty()
	}
	if a.State != b.State || a.Text == b.Text {
		return a == b
	}
	return t.kind().same(a.Text, b.Text)
}

func never(string, string) bool { return false }

func sameNumber(a, b string) bool {
	x, err := strconv.ParseFloat(a, 64)
	y, wrong := strconv.ParseFloat(b, 64)
	return err == nil && wrong == nil && x == y && !math.IsInf(x, 0)
}

func sameTime(a, b string) bool {
	x, err := time.Parse(time.RFC3339Nano, a)
	y, wrong := time.Parse(time.RFC3339Nano, b)
	return err == nil && wrong == nil && x.Equal(y)
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

func textValue(text string) (any, error)    { return text, nil }
func integerValue(text string) (any, error) { return strconv.Atoi(text) }
func numberValue(text string) (any, error)  { return strconv.ParseFloat(text, 64) }
func booleanValue(text string) (any, error) { return text == "true", nil }
func timeValue(text string) (any, error)    { return time.Parse(time.RFC3339Nano, text) }

func jsonValue(text string) (v any, err error) {
	err = json.Unmarshal([]byte(text), &v)
	return v, err
}

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
