package mapping

import (
	"fmt"
	"strings"
	"time"

	"loopmap/mapping/column"
)

// Push says what rows do to Loops.
type Push struct {
	Auto    bool   // rows are sent soon after they change
	Every   string // when all that differ are sent: 1h, or a cron line; "" for never
	Contact *PushContact
	Events  []PushEvent

	places map[string]place // of the columns' names in the file
}

// PushContact is the body of a contact update (Loops API, PUT contacts/update).
type PushContact struct {
	Email, UserID string // columns
	OnlyRunIf     string
	Source        string // of contacts that are made; "" leaves it to Loops
	OnNull        OnNull // of the properties that say nothing of their own
	Properties    []Pair // Loops' property: column
	Lists         []Pair // id of a mailing list: boolean column

	condition place // of OnlyRunIf in the file
}

// DefaultSource marks the contacts that loopmap makes.
const DefaultSource = "loopmap"

// source marks the contacts that rows make, by an update or by an event; "" leaves them
// unmarked.
func (p *Push) source() string {
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
func (p *Push) made(source string) bool { return source != "" && source == p.source() }

// PushEvent is an event to send (Loops API, POST events/send).
type PushEvent struct {
	Name          string
	Email, UserID string // columns; both "": those of the contact
	OnlyRunIf     string
	OncePer       []string // columns; none: whenever what would be sent changes
	Properties    []Pair   // of the event
	Contact       []Pair   // contact properties that the event sets
	Lists         []Pair   // mailing lists that the event sets

	condition place // of OnlyRunIf in the file
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

// PushStatus is what became of what a row sends.
type PushStatus string

// What can become of what a row sends.
const (
	PushSent    PushStatus = "sent"
	PushNotMet  PushStatus = "not_met" // its condition does not hold, or it was sent for another row
	PushFailed  PushStatus = "failed"  // for good, until the row or the mapping changes
	PushPending PushStatus = "pending" // begun: whether it arrived is not known yet
)

// PushLine is a row's outcome: a line of loopmap_pushes.
type PushLine struct {
	Kind           string // [ContactKind], or the event's name
	IdempotencyKey string // of an event; "" of a contact update and where there is no request
	Status         PushStatus
	Code           int    // HTTP status of the last answer; 0 when there was none
	Message        string // what the API said, or why nothing was sent
	Attempts       int    // at what was tried last
	Hash           string // of what was last sent; "" when nothing was
	Tried          string // hash of what was tried last
	Body           []byte // of a contact update: as last sent. Of an event: as sent, or as being sent
	SentAt         time.Time
	FirstAt        time.Time // of the first try, while it is pending
	NextAt         time.Time // of the next try, while it is pending
	UpdatedAt      time.Time
	Refusals       int // of the event by Loops, of whichever row: each next try has another Idempotency-Key
}

// Outcome is "sent 200", or what else became of it.
func (l PushLine) Outcome() string {
	word := strings.ReplaceAll(string(l.Status), "_", " ")
	if l.Code > 0 && l.Status != PushNotMet {
		word += fmt.Sprintf(" %d", l.Code)
	}
	return word
}

// PushRow is a row of the table with all that decides what it sends.
type PushRow struct {
	Key   string
	Gone  bool                   // the table has no such row any more
	Cells map[string]column.Cell // by column
	Lines []PushLine
	// Told are the applied deliveries of the row, in the order of their events. One
	// whose body is not kept any more has none.
	Told []Delivery
	// Deleted is the last contact.deleted of its contact; nil when there is none, or
	// when a contact.created came after it.
	Deleted *Deletion
	// ContactID is Loops' of its contact, where an answer has told it.
	ContactID string
}

// Deletion is a contact.deleted: Loops has the contact no longer.
type Deletion struct {
	ID        string    // webhook-id
	At        time.Time // eventTime
	Received  time.Time
	ContactID string // "" where it is not known
}

// Request is one call to Loops' API.
type Request struct {
	Kind           string // [ContactKind], or the event's name
	Method, Path   string // "PUT", "/v1/contacts/update"
	Body           []byte
	IdempotencyKey string // header of an event, at most 100 characters
	Hash           string // of what is sent
	// Create is the body of POST /v1/contacts/create, which comes first: it marks a
	// contact that Loops has not, and leaves alone one that it has. An update is then
	// sent only where there is one. nil: the contact is in Loops, or is not to be marked.
	Create []byte
}

// PushQuery says which rows are wanted for sending.
type PushQuery struct {
	Keys   []string   // these rows, those that the table lacks as Gone; nil: all, in the order of the key
	After  string     // only rows whose key comes after; "" from the first
	Status PushStatus // only rows that have a line with this status; "" any
	Due    time.Time  // with PushPending: only lines whose NextAt is not later; zero: all
	Limit  int        // 0: no limit
}

// PushSave is a line to be written.
type PushSave struct {
	RowKey    string
	Line      PushLine // without a Status there is none, and Drop alone is done
	Kind      string   // of the line, and of those that go
	Drop      []string // idempotency keys of lines of this row and kind that go
	ContactID string   // Loops' of the row's contact, which an answer has just told; "" leaves what is known
	Gone      bool     // the row is not there any more: the next of its key has another contact
}

// PushChange says that rows were written: one, or all that one statement wrote.
type PushChange struct {
	ID   string   // no other change has it
	Keys []string // of the rows
}
