package mapping

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Next is when push.every comes next after a moment, in that moment's zone; nil when it
// says nothing. On a day on which the clock is changed, a time of the day comes once: one
// that is left out comes at once when the clock has jumped over it, and of one that
// comes twice the first counts.
func (p *Push) Next() (next func(after time.Time) time.Time, err error) {
	if p == nil || p.Every == "" {
		return nil, nil
	}
	return schedule(p.Every)
}

func schedule(every string) (func(after time.Time) time.Time, error) {
	if d, err := time.ParseDuration(every); err == nil {
		if d < time.Minute {
			return nil, errors.New("a minute is the least time between two runs")
		}
		return func(after time.Time) time.Time { return after.Add(d) }, nil
	}
	if !cronLine.MatchString(every) {
		return nil, errors.New("it is neither")
	}
	line, err := cron.ParseStandard(every)
	if err != nil {
		return nil, err
	}
	if line.Next(time.Unix(0, 0).UTC()).IsZero() {
		return nil, fmt.Errorf("no day is ever %s", every)
	}
	if everyHour(every) {
		return line.Next, nil
	}
	return func(after time.Time) time.Time { return nextByTheClock(line, after) }, nil
}

// everyHour reports whether a cron line means all hours: it goes by the time that passes.
func everyHour(every string) bool {
	fields := strings.Fields(every)
	return every == "@hourly" || len(fields) == 5 && (strings.HasPrefix(fields[1], "*") || fields[1] == "?")
}

// nextByTheClock is the next moment of a cron line by what the clock on the wall shows.
func nextByTheClock(line cron.Schedule, after time.Time) time.Time {
	shown := onTheWall(after, time.UTC)
	for {
		if shown = line.Next(shown); shown.IsZero() {
			return shown
		}
		if at := firstShown(shown, after.Location()); at.After(after) {
			return at
		}
	}
}

// onTheWall is what a clock shows, as a time of another zone.
func onTheWall(t time.Time, zone *time.Location) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, zone)
}

// firstShown is the first moment at which a zone's clocks show a time, or have jumped
// over it.
func firstShown(shown time.Time, zone *time.Location) time.Time {
	at := onTheWall(shown, zone)
	_, before := at.Add(-24 * time.Hour).Zone()
	_, after := at.Add(24 * time.Hour).Zone()
	// By the offset from before the change it is the first of two, or, where there is
	// none, as late as the clock has jumped.
	first := shown.Add(-time.Duration(before) * time.Second).In(zone)
	if onTheWall(first, time.UTC).Equal(shown) || before == after {
		return first
	}
	if late := shown.Add(-time.Duration(after) * time.Second).In(zone); onTheWall(late, time.UTC).Equal(shown) {
		return late
	}
	return first
}
