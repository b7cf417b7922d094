package column

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"loopmap/mapping/body"
)

// State says what a delivery holds for a column.
type State uint8

// The states of a cell.
const (
	Missing State = iota // the body lacks the attribute: the row keeps what it has
	Null                 // the body says null: the row is set to NULL
	Present              // Text is the value
	Misfit               // the column's type cannot hold it: Text says why
)

// Cell is the value of one column of a [Row].
//
// The Text of a Present cell is, by the column's type: text, the text itself;
// integer and number, the JSON number as it was written; boolean, true or false;
// time, RFC 3339 in UTC; json, the JSON text as it was written.
type Cell struct {
	State State
	Text  string
}

// Of is the cell that holds a text.
func Of(text string) Cell { return Cell{Present, text} }

func misfit(format string, args ...any) Cell {
	return Cell{Misfit, fmt.Sprintf(format, args...)}
}

// Empty reports whether a cell has no value.
func (c Cell) Empty() bool { return c.State == Missing || c.State == Null }

// Read turns the JSON value v into a cell, for a database of the given dialect.
// Text takes any value as it was written. The others take what they can hold to
// the letter, from the JSON type of that name or from a string that says the
// same; a time takes RFC 3339, a date, or Unix seconds (whole numbers from 10^11
// on are milliseconds, as Loops' API writes dates). All else is a Misfit.
func (t Type) Read(v gjson.Result, d Dialect) Cell {
	if v.Type == gjson.Null {
		return Cell{State: Null}
	}
	if why := body.NotText(v.Raw); why != "" {
		return misfit("%s", why)
	}
	return t.kind().read(v, d)
}

func readText(v gjson.Result, _ Dialect) Cell { return Of(body.TextOf(v)) }
func readJSON(v gjson.Result, _ Dialect) Cell { return Of(v.Raw) }

func readBoolean(v gjson.Result, _ Dialect) Cell {
	if s := body.TextOf(v); s == "true" || s == "false" {
		return Of(s)
	}
	return misfit("%s is not true or false", body.Excerpt(v))
}

func readInteger(v gjson.Result, _ Dialect) Cell {
	s := body.TextOf(v)
	if !body.IsNumber(v, s) {
		return misfit("%s is not a whole number", body.Excerpt(v))
	}
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case err != nil && strings.ContainsAny(s, ".eE"):
		return misfit("%s is not written as a whole number; the type number or text holds it", body.Excerpt(v))
	case err != nil:
		return misfit("%s is outside the 64 bits of an integer; the type text holds it", body.Excerpt(v))
	case strconv.FormatInt(n, 10) != s:
		return misfit("%s would be stored as %d; the type text holds it", body.Excerpt(v), n)
	}
	return Of(s)
}

// readNumber takes any JSON number that the database gives back as it was
// written. SQLite holds 64-bit integers and binary fractions of 53 bits; what
// comes back otherwise is refused here instead of rounded there.
func readNumber(v gjson.Result, d Dialect) Cell {
	s := body.TextOf(v)
	if !body.IsNumber(v, s) {
		return misfit("%s is not a number", body.Excerpt(v))
	}
	if d == SQLite && !sqliteHolds(s) {
		return misfit("%s is not a number that SQLite gives back as it was written; the type text holds it", body.Excerpt(v))
	}
	return Of(s)
}

// sqliteHolds reports whether a NUMERIC column of SQLite gives the JSON number s
// back with the same digits.
func sqliteHolds(s string) bool {
	if !strings.ContainsAny(s, ".eE") {
		n, err := strconv.ParseInt(s, 10, 64)
		return err == nil && strconv.FormatInt(n, 10) == s
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return false
	}
	mantissa, exponent, ok := strings.Cut(strings.ToLower(s), "e")
	if !ok {
		return strconv.FormatFloat(f, 'f', -1, 64) == s
	}
	// JavaScript, in which Loops is written, has exponents beyond these bounds only.
	if abs := math.Abs(f); abs >= 1e-6 && abs < 1e21 {
		return false
	}
	n, err := strconv.Atoi(exponent)
	return err == nil && strconv.FormatFloat(f, 'e', -1, 64) == fmt.Sprintf("%se%+03d", mantissa, n)
}

func readTime(v gjson.Result, d Dialect) Cell {
	s := body.TextOf(v)
	if body.IsNumber(v, s) {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return misfit("%s is not a time: Unix time is a whole number of seconds", body.Excerpt(v))
		}
		t := time.Unix(n, 0)
		if n >= body.Milliseconds || n <= -body.Milliseconds {
			t = time.UnixMilli(n)
		}
		return formatTime(v, t, d)
	}
	if v.Type == gjson.String {
		if t, ok := body.ParseTime(s); ok {
			return formatTime(v, t, d)
		}
	}
	return misfit("%s is not a time; RFC 3339 (2026-11-23T08:00:00Z) and Unix seconds are", body.Excerpt(v))
}

func formatTime(v gjson.Result, t time.Time, d Dialect) Cell {
	t = t.UTC()
	if y := t.Year(); y < 1 || y > 9999 {
		return misfit("%s is a time outside the years 1 to 9999", body.Excerpt(v))
	}
	if d == Postgres && t.Nanosecond()%1000 != 0 {
		return misfit("%s is finer than the microseconds of PostgreSQL; the type text holds it", body.Excerpt(v))
	}
	return Of(t.Format(time.RFC3339Nano))
}
