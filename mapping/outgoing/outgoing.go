// Package outgoing says what a row sends to Loops, and why it does not: pure functions of the
// row, of what became of what it sent before, and of what Loops' webhooks said of it. Dry
// runs, the mapper's preview and the process that sends ask the same [Sender].
package outgoing

import (
	"fmt"
	"strings"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

// Status is what became of what a row sends.
type Status string

// What can become of what a row sends.
const (
	Sent    Status = "sent"
	NotMet  Status = "not_met" // its condition does not hold, or it was sent for another row
	Failed  Status = "failed"  // for good, until the row or the mapping changes
	Pending Status = "pending" // begun: whether it arrived is not known yet
)

// Line is a row's outcome: a line of loopmap_pushes.
type Line struct {
	Kind           string // [mapping.ContactKind], or the event's name
	IdempotencyKey string // of an event; "" of a contact update and where there is no request
	Status         Status
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
func (l Line) Outcome() string {
	word := strings.ReplaceAll(string(l.Status), "_", " ")
	if l.Code > 0 && l.Status != NotMet {
		word += fmt.Sprintf(" %d", l.Code)
	}
	return word
}

// Row is a row of the table with all that decides what it sends.
type Row struct {
	Key   string
	Gone  bool                   // the table has no such row any more
	Cells map[string]column.Cell // by column
	Lines []Line
	// Told are the applied deliveries of the row, in the order of their events. One
	// whose body is not kept any more has none.
	Told []mapping.Delivery
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
	Kind           string // [mapping.ContactKind], or the event's name
	Method, Path   string // "PUT", "/v1/contacts/update"
	Body           []byte
	IdempotencyKey string // header of an event, at most 100 characters
	Hash           string // of what is sent
	// Create is the body of POST /v1/contacts/create, which comes first: it marks a
	// contact that Loops has not, and leaves alone one that it has. An update is then
	// sent only where there is one. nil: the contact is in Loops, or is not to be marked.
	Create []byte
}

// Query says which rows are wanted for sending.
type Query struct {
	Keys   []string  // these rows, those that the table lacks as Gone; nil: all, in the order of the key
	After  string    // only rows whose key comes after; "" from the first
	Status Status    // only rows that have a line with this status; "" any
	Due    time.Time // with Pending: only lines whose NextAt is not later; zero: all
	Limit  int       // 0: no limit
}

// Save is a line to be written.
type Save struct {
	RowKey    string
	Line      Line     // without a Status there is none, and Drop alone is done
	Kind      string   // of the line, and of those that go
	Drop      []string // idempotency keys of lines of this row and kind that go
	ContactID string   // Loops' of the row's contact, which an answer has just told; "" leaves what is known
	Gone      bool     // the row is not there any more: the next of its key has another contact
}

// Change says that rows were written: one, or all that one statement wrote.
type Change struct {
	ID   string   // no other change has it
	Keys []string // of the rows
}
