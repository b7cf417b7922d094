package mapping

import "loopmap/mapping/yamledit"

// Push says what rows do to Loops.
type Push struct {
	Auto    bool   // rows are sent soon after they change
	Every   string // when all that differ are sent: 1h, or a cron line; "" for never
	Contact *PushContact
	Events  []PushEvent

	// Connection is the name under which the API key is kept that rows are sent with; "" leaves
	// it to who sends.
	Connection string

	places map[string]yamledit.Place // in the file, of the columns' names and the conditions
}

// PushContact is the body of a contact update (Loops API, PUT contacts/update).
type PushContact struct {
	Email, UserID string // columns
	OnlyRunIf     string
	Source        string // of contacts that are made; "" leaves it to Loops
	OnNull        OnNull // of the properties that say nothing of their own
	Properties    []Pair // Loops' property: column
	Lists         []Pair // id of a mailing list: boolean column
}

// DefaultSource marks the contacts that loopmap makes.
const DefaultSource = "loopmap"

// MarkedAs is the source of the contacts that rows make, by an update or by an event; ""
// leaves them unmarked.
func (p *Push) MarkedAs() string {
	switch {
	case p == nil || p.Contact == nil && len(p.Events) == 0:
		return ""
	case p.Contact == nil:
		return DefaultSource
	}
	return p.Contact.Source
}

// made reports whether a contact of this source was made by sending a row: then it
// needs no second one.
func (p *Push) made(source string) bool { return source != "" && source == p.MarkedAs() }

// PushEvent is an event to send (Loops API, POST events/send).
type PushEvent struct {
	Name          string
	Email, UserID string // columns; both "": those of the contact
	OnlyRunIf     string
	OncePer       []string // columns; none: whenever what would be sent changes
	Properties    []Pair   // of the event
	Contact       []Pair   // contact properties that the event sets
	Lists         []Pair   // mailing lists that the event sets
}

// Pair is Loops' name and the user's column, whose value goes there.
type Pair struct {
	Loops, Column string
	As            string // Loops' type that the value is sent as; "": by the column's
	OnNull        OnNull // "": as the block says, which skips unless told otherwise
}

// OnNull says what NULL does to a property.
type OnNull string

// What NULL does to a property.
const (
	SkipNull  OnNull = "skip"  // it is left out: Loops keeps what it has
	ClearNull OnNull = "clear" // null is sent: Loops empties it
)

// ContactKind is the kind of a contact update; an event's kind is its name.
const ContactKind = "contact"
