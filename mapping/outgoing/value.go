package outgoing

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"loopmap/mapping/body"
	"loopmap/mapping/column"
)

// maxSent is how long a value may be as JSON, in UTF-16 units with its quotes (Loops
// docs: API reference, intro; its API is written in JavaScript).
const maxSent = 500

// sent is the JSON text that a cell goes to Loops as; as is Loops' type, or "" for
// that of the column. why says what Loops would not take.
func sent(t column.Type, cell column.Cell, as string) (text, why string) {
	if cell.State == column.Misfit {
		return "", cell.Text
	}
	if as == "" {
		as = t.SentAs()
	}
	raw := t.AsJSON(cell)
	switch as {
	case "number":
		return sentNumber(raw)
	case "boolean":
		if t == column.Integer || t == column.Number {
			raw = wholeBoolean(raw)
		}
		c := column.Boolean.Read(body.Value(raw), column.SQLite)
		return c.Text, misfitOf(c)
	case "date":
		c := column.Time.Read(body.Value(raw), column.SQLite)
		if c.State == column.Misfit {
			return "", c.Text
		}
		at, err := time.Parse(time.RFC3339Nano, c.Text)
		if err != nil {
			return "", c.Text + " is not a time"
		}
		return body.Quote(sentTime(at)), ""
	}
	text = body.Quote(body.TextOf(body.Value(raw)))
	if n := utf16Length(text); n > maxSent {
		return "", fmt.Sprintf("it has %d characters with its quotes; Loops takes %d", n, maxSent)
	}
	return text, ""
}

// wholeBoolean is true and false for the 1 and 0 that databases without booleans keep.
func wholeBoolean(raw string) string {
	switch decimal(raw) {
	case "0":
		return "false"
	case "1e0":
		return "true"
	}
	return raw
}

// trim takes blanks, line feeds and what nobody sees off the ends of an identity.
func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == '\u200b' || r == '\u2060' || r == '\ufeff' })
}

// trimmedJSON is a JSON string without them; "" of what is none.
func trimmedJSON(raw string) string {
	if raw == "" || raw[0] != '"' {
		return raw
	}
	return body.Quote(trim(body.TextOf(body.Value(raw))))
}

// sentNumber takes what a JavaScript number gives back: Loops keeps no more.
func sentNumber(raw string) (text, why string) {
	v := body.Value(raw)
	c := column.Number.Read(v, column.Postgres)
	if c.State == column.Misfit {
		return "", c.Text
	}
	f, err := strconv.ParseFloat(c.Text, 64)
	if err != nil || decimal(strconv.FormatFloat(f, 'e', -1, 64)) != decimal(c.Text) {
		return "", body.Excerpt(v) + " has more digits than Loops' numbers hold; send it as string"
	}
	return c.Text, ""
}

// decimal is a JSON number in one form, whichever way it was written: its digits, and
// the power of ten that they are counted in.
func decimal(s string) string {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	power, _ := strconv.Atoi(exponent) // "" is 0; what is too large for an int was no float
	sign := ""
	if strings.HasPrefix(mantissa, "-") {
		sign, mantissa = "-", mantissa[1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	power -= len(fraction)
	trimmed := strings.TrimRight(digits, "0")
	power += len(digits) - len(trimmed)
	if trimmed = strings.TrimLeft(trimmed, "0"); trimmed == "" {
		return "0"
	}
	return sign + trimmed + "e" + strconv.Itoa(power)
}

// sentTime is a time as Loops takes dates: to the millisecond, and without a fraction
// where there is none (Loops docs: Contact properties).
func sentTime(at time.Time) string {
	at = at.UTC().Truncate(time.Millisecond)
	if at.Nanosecond() == 0 {
		return at.Format("2006-01-02T15:04:05Z")
	}
	return at.Format("2006-01-02T15:04:05.000Z")
}

func misfitOf(c column.Cell) string {
	if c.State == column.Misfit {
		return c.Text
	}
	return ""
}

func utf16Length(s string) (n int) {
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}
