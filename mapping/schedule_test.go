package mapping

import (
	"strings"
	"testing"
	"time"
)

// On the days on which the clock is changed a time of the day comes once, whichever day
// it is, and what comes each hour or each few minutes goes on.
func TestScheduleWhenTheClockIsChanged(t *testing.T) {
	for _, c := range []struct{ zone, every, from, until, want string }{
		{"Europe/Berlin", "30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z", "2026-03-29T01:30:00Z 2026-03-30T00:30:00Z"},
		{"Europe/Berlin", "30 2 * * *", "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z", "2026-10-25T00:30:00Z 2026-10-26T01:30:00Z"},
		{"Europe/Berlin", "0 3 * * *", "2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z", "2026-03-29T01:00:00Z 2026-03-30T01:00:00Z"},
		{"Europe/Berlin", "0 3 * * *", "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z", "2026-10-25T02:00:00Z 2026-10-26T02:00:00Z"},
		{"Europe/Berlin", "0 0,2 * * *", "2026-10-24T21:00:00Z", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z 2026-10-25T00:00:00Z"},
		{"Europe/Berlin", "30 2,3 * * *", "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z", "2026-03-29T01:30:00Z"},
		{"Europe/Berlin", "0 * * * *", "2026-10-24T23:30:00Z", "2026-10-25T02:30:00Z", "2026-10-25T00:00:00Z 2026-10-25T01:00:00Z 2026-10-25T02:00:00Z"},
		{"Europe/Berlin", "*/30 * * * *", "2026-03-29T00:15:00Z", "2026-03-29T01:45:00Z", "2026-03-29T00:30:00Z 2026-03-29T01:00:00Z 2026-03-29T01:30:00Z"},
		{"Africa/Cairo", "@daily", "2026-04-22T12:00:00Z", "2026-04-25T12:00:00Z", "2026-04-22T22:00:00Z 2026-04-23T22:00:00Z 2026-04-24T21:00:00Z"},
		{"America/New_York", "30 1 * * *", "2026-10-31T12:00:00Z", "2026-11-02T12:00:00Z", "2026-11-01T05:30:00Z 2026-11-02T06:30:00Z"},
		{"UTC", "0 6 * * 1-5", "2026-11-27T12:00:00Z", "2026-12-01T12:00:00Z", "2026-11-30T06:00:00Z 2026-12-01T06:00:00Z"},
		{"UTC", "90m", "2026-11-27T12:00:00Z", "2026-11-27T15:00:00Z", "2026-11-27T13:30:00Z 2026-11-27T15:00:00Z"},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Skip(err)
		}
		next, err := (&Push{Every: c.every}).Next()
		if err != nil {
			t.Fatal(c.every, err)
		}
		at, _ := time.Parse(time.RFC3339, c.from)
		until, _ := time.Parse(time.RFC3339, c.until)
		var got []string
		for at = next(at.In(zone)); !at.After(until); at = next(at) {
			got = append(got, at.UTC().Format(time.RFC3339))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s %s from %s:\ngot  %s\nwant %s", c.zone, c.every, c.from, strings.Join(got, " "), c.want)
		}
	}
}

// Whatever a cron line is refused for is refused where the file is read.
func TestScheduleRefused(t *testing.T) {
	for _, every := range []string{"99 * * * *", "0 0 30 2 *", "0 25 * * *", "* * *", "30s", "soon", "-1h"} {
		src := "version: 1\ndatabase: sqlite:a.db\ntable: t\nkey: id\nreceive:\n  events: [contact.created]\n  columns:\n    - {name: id, type: text, from: contactIdentity.id}\npush:\n  auto: false\n  every: '" +
			every + "'\n  contact: {email: id}\n"
		if _, err := parsed(t, "f", []byte(src)); err == nil || !strings.Contains(err.Error(), "f:11:10: every is a time") {
			t.Errorf("%s: %v", every, err)
		}
	}
}
