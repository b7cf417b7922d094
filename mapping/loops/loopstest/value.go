package loopstest

import (
	"encoding/json"
	"regexp"
	"strconv"
	"time"
	"unicode/utf8"
)

// maxValue is how many characters a key or a value of a body can have, its
// quotes among them (API reference, introduction).
const maxValue = 500

// width is how many characters a JSON value has, counted as JavaScript's
// JSON.stringify would: quotes and escapes count, and a character beyond the
// basic plane is two. Loops does not say how it counts; this is the longest
// reading. Of an object or a list it is the widest key or value inside.
func width(raw json.RawMessage) (widest int) {
	switch kind(raw) {
	case "string":
		return widthOfText(text(raw))
	case "object":
		for key, value := range members(raw) {
			widest = max(widest, widthOfText(key), width(value))
		}
		return widest
	case "list":
		var items []json.RawMessage
		_ = json.Unmarshal(raw, &items)
		for _, item := range items {
			widest = max(widest, width(item))
		}
		return widest
	}
	return len(raw)
}

func widthOfText(s string) int {
	n := len(`""`)
	for _, r := range s {
		switch {
		case r == '"' || r == '\\' || r == '\b' || r == '\f' || r == '\n' || r == '\r' || r == '\t':
			n += len(`\n`)
		case r < ' ':
			n += len(`\u0000`)
		case r >= utf8.RuneSelf && r > 0xffff:
			n += 2
		default:
			n++
		}
	}
	return n
}

// kind is the type of a JSON value: string, number, boolean, null, object or
// list.
func kind(raw json.RawMessage) string {
	switch raw[0] {
	case '"':
		return "string"
	case '{':
		return "object"
	case '[':
		return "list"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	}
	return "number"
}

func text(raw json.RawMessage) (s string) {
	_ = json.Unmarshal(raw, &s) // valid JSON of a known kind
	return s
}

func members(raw json.RawMessage) (m map[string]json.RawMessage) {
	_ = json.Unmarshal(raw, &m)
	return m
}

// check says whether a value, never null, suits the property, and returns what is
// kept. That is the value as it came, of a date its moment in UTC with
// milliseconds ("2026-12-07T00:00:00.000Z"): Loops does not document how it shows
// dates.
func (p Property) check(raw json.RawMessage) (json.RawMessage, error) {
	if p.Type == "date" {
		at, ok := readDate(raw)
		if !ok {
			return nil, bad("%s is not a date: Unix milliseconds, YYYY-MM-DD or YYYY-MM-DDTHH:MM[:SS[.sss]] with or without an offset", p.Key)
		}
		return marshal(at.UTC().Format("2006-01-02T15:04:05.000Z")), nil
	}
	if k := kind(raw); k != p.Type {
		return nil, bad("%s must be a %s, not a %s", p.Key, p.Type, k)
	}
	return raw, nil
}

// maxDate is the last moment of ECMAScript, in milliseconds from 1970; the first
// is as far before.
const maxDate = 8_640_000_000_000_000

var (
	wholeNumber = regexp.MustCompile(`^-?\d{1,16}$`)
	dateForm    = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(\.\d{3})?(Z|[+-]\d\d:\d\d)?)?$`)
)

// readDate reads a date as the properties page describes it: whole Unix
// milliseconds as number or text, or ISO 8601 in the parts named there, UTC
// where no offset is given. A fraction has three digits.
func readDate(raw json.RawMessage) (time.Time, bool) {
	s := string(raw)
	if kind(raw) == "string" {
		s = text(raw)
	} else if kind(raw) != "number" {
		return time.Time{}, false
	}
	if wholeNumber.MatchString(s) {
		ms, err := strconv.ParseInt(s, 10, 64)
		return time.UnixMilli(ms), err == nil && -maxDate <= ms && ms <= maxDate
	}
	m := dateForm.FindStringSubmatch(s)
	if m == nil || m[4] != "" && m[3] == "" {
		return time.Time{}, false
	}
	day, clock, seconds, fraction, offset := m[1], m[2], m[3], m[4], m[5]
	if clock == "" {
		clock = "00:00"
	}
	if seconds == "" {
		seconds = ":00"
	}
	if offset == "" {
		offset = "Z"
	}
	at, err := time.Parse(time.RFC3339Nano, day+"T"+clock+seconds+fraction+offset)
	return at, err == nil
}
