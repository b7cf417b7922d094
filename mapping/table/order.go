package table

import (
	"cmp"
	"strings"
	"time"

	"loopmap/mapping"
)

// place is where a delivery stands among those of its row: by eventTime (by
// arrival, where a body has none or it is far ahead), which Loops gives in whole seconds; within one
// second contact.created comes first and contact.deleted last; then by webhook-id.
// It depends on nothing that a delivery's way here could change, so that all
// orders of arrival end in one state.
type place struct {
	at   time.Time
	rank int
	id   string
}

func placeOf(id, event string, eventTime, received time.Time) place {
	p := place{at: mapping.EventTime(eventTime, received), rank: 1, id: id} // the journal may have it as the body says
	if p.at.IsZero() {
		p.at = received
	}
	p.at = p.at.Truncate(time.Second)
	switch event {
	case mapping.ContactCreated:
		p.rank = 0
	case mapping.ContactDeleted:
		p.rank = 2
	}
	return p
}

func placeOfEntry(e mapping.Entry) place {
	return placeOf(e.ID, e.Row.Event, e.Row.EventTime, e.Received)
}

func placeOfRecord(r Record) place { return placeOf(r.ID, r.Event, r.EventTime, r.Received) }

func (p place) compare(q place) int {
	return cmp.Or(p.at.Compare(q.at), cmp.Compare(p.rank, q.rank), strings.Compare(p.id, q.id))
}

// readMoment reads a time of the journal. One of a clock beyond the year 9999, which has
// a fifth digit or a sign, is the nearest that can be read.
func readMoment(layout, text string) (time.Time, error) {
	t, err := time.Parse(layout, text)
	if err == nil {
		return t, nil
	}
	switch year, _, _ := strings.Cut(strings.TrimPrefix(text, "-"), "-"); {
	case strings.Trim(year, "0123456789") != "" || len(year) < 3:
		return t, err
	case text[0] == '-':
		return mapping.Moment(time.Time{}.AddDate(-1, 0, 0)), nil
	case len(year) > 4:
		return mapping.Moment(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)), nil
	}
	return t, err
}
