package body

import (
	"strings"
	"time"
)

// The forms of a time that name one moment and no other: of RFC 3339 and ISO 8601, of
// databases, and of Loops' API (docs: Contact properties). Where an offset is missing it
// is UTC. Fractions of a second may follow the seconds of each.
var (
	clocks  = []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "20060102T150405", "20060102T1504"}
	offsets = []string{"Z07:00", "Z0700", "Z07", "Z07:00:00"}
)

// Milliseconds is where a whole number stops being Unix seconds: as seconds it is the year
// 5138, as milliseconds 1973.
const Milliseconds = 100_000_000_000

// ParseTime reads a time from text; ok is false for text that is none.
func ParseTime(s string) (t time.Time, ok bool) {
	t, _, ok = parseTime(s)
	return t, ok
}

// parseTime also says whether the text has a clock and an offset, as a moment has and a
// birthday has not.
func parseTime(s string) (t time.Time, moment, ok bool) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, true, true
	}
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, false, true
	}
	if s = plainTime(s); s == "" {
		return t, false, false
	}
	for _, clock := range clocks {
		if t, err := time.Parse(clock, s); err == nil {
			return t, false, true
		}
		for _, offset := range offsets {
			if t, err := time.Parse(clock+offset, s); err == nil {
				return t, true, true
			}
		}
	}
	return t, false, false
}

// plainTime writes the marks of a time as RFC 3339 does: T between date and clock, also
// where a blank or a small t stands, Z for UTC, and an offset right behind the clock.
func plainTime(s string) string {
	at := strings.IndexAny(s, "Tt ")
	if at != len(time.DateOnly) && at != len("20060102") || len(s) > 64 {
		return ""
	}
	date, clock := s[:at], s[at+1:]
	for _, utc := range []string{" UTC", " GMT", "UTC", "z", " Z", " z"} {
		if rest, ok := strings.CutSuffix(clock, utc); ok {
			clock = rest + "Z"
			break
		}
	}
	if i := strings.IndexAny(clock, "+-"); i > 0 {
		clock = strings.TrimSuffix(clock[:i], " ") + clock[i:]
	}
	return date + "T" + clock
}
