package mapping

import "errors"

// Status is what became of a delivery.
type Status string

// What can become of a delivery.
const (
	Applied     Status = "applied"     // its row is in the table
	Ignored     Status = "ignored"     // the mapping does not list its event
	Quarantined Status = "quarantined" // kept; the reason says why it is no row
	Pending     Status = "pending"     // kept; its row is written once there is a mapping and the table fits it
)

// Entry is a delivery with what the mapping makes of it, ready for the journal.
type Entry struct {
	Delivery
	Row     Row
	Status  Status
	Reason  string   // of all but Applied, for people
	Mapping *Mapping // that made the row; nil when none has seen the delivery
}

// Outcome is what the database made of an Entry.
type Outcome struct {
	Duplicate bool   // the id was there before: nothing changed
	Status    Status // may be Quarantined or Pending where the entry said Applied
	Reason    string
}

// NoMappingYet is the reason of a delivery that came to the mapper: it is mapped
// when a mapping is saved, or when sync starts.
const NoMappingYet = "held until the mapping is saved"

// Enter maps a delivery and says what is to become of it. Without a mapping it is
// kept for later.
func Enter(m *Mapping, d Delivery) Entry {
	d.Received = Moment(d.Received)
	e := enter(m, d)
	e.Row.EventTime = EventTime(e.Row.EventTime, d.Received)
	return e
}

func enter(m *Mapping, d Delivery) Entry {
	e := Entry{Delivery: d, Mapping: m}
	if m == nil {
		e.Row.Facts = FactsOf(d.Body)
		e.Status, e.Reason = Pending, NoMappingYet
		return e
	}
	var err error
	e.Row, err = m.Row(d)
	switch {
	case err == nil:
		e.Status = Applied
	case errors.Is(err, ErrIgnored) && m.Receive.Ruled(e.Row.Event):
		e.Status, e.Reason = Ignored, "no rule for "+e.Row.Event+" holds"
	case errors.Is(err, ErrIgnored):
		e.Status, e.Reason = Ignored, "receive.events does not list "+e.Row.Event
	default:
		e.Status, e.Reason = Quarantined, err.Error()
	}
	return e
}
