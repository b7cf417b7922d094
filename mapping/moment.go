package mapping

import "time"

// maxAhead is how far a sender's clock may be ahead of this machine's: as far as its
// signatures may (Standard Webhooks).
const maxAhead = 5 * time.Minute

// EventTime is when an event counts as having happened: at its eventTime, or when it was
// received where that says a later time than a clock that is off explains. Else one
// delivery from the year 2100 would keep all that come after it from its row. Without an
// eventTime, or a time of receipt to hold it to, it is eventTime as it is.
func EventTime(eventTime, received time.Time) time.Time {
	if received.IsZero() || !eventTime.After(received.Add(maxAhead)) {
		return eventTime
	}
	return received.UTC().Truncate(time.Second)
}

var firstMoment, lastMoment = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// Moment is a time that every database and JSON can hold: one outside the years 1 to
// 9999 becomes the nearest that is within.
func Moment(t time.Time) time.Time {
	switch {
	case t.Before(firstMoment):
		return firstMoment
	case t.After(lastMoment):
		return lastMoment
	}
	return t
}
