package tui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
	"loopmap/tui/slots"
)

// Config is all that the mapper is handed.
type Config struct {
	File     string           // the mapping file's name, for the screen
	New      bool             // there is no such file yet
	Mapping  *mapping.Mapping // as read, or as a person starts with
	Draft    *mapping.Mapping // what an earlier session did not come to save; nil when there is none
	Database string           // its name for the screen, without a password
	Columns  []TableColumn    // that the table has already
	Samples  []Sample         // to begin with: then the map screen comes first
	SavedAt  time.Time        // when the mapping file was last written; zero when it is new

	Listen   Listen
	Arrivals <-chan Arrival // webhooks as they come; nil when nothing listens
	News     <-chan News    // what others do meanwhile; nil when nobody tells
	ReadOnly bool           // nothing can be saved: the backend refuses it
	Example  Sample         // the built-in one

	Label       string // what stands on the first line before all else: that this is a rehearsal
	Multiplexer string // what the terminal is within: tmux, screen or ""
	ASCII       bool   // the terminal may show nothing else
	NoMouse     bool   // the terminal keeps its mouse to itself

	// Editor opens a copy of a text in the person's editor, the mapping file when that is
	// nil; done ends it. It is nil where there is none.
	Editor func(text []byte) (command tea.ExecCommand, done func() error, err error)

	// Hide keeps what is typed off the terminal until show is called, where the mapper asks
	// line by line; nil where it cannot.
	Hide func() (show func())

	Backend Backend
}

// Listen says where webhooks are awaited.
type Listen struct {
	URL     string // as Loops would call it, or this machine's
	Public  bool   // URL is what --public-url says
	Secrets int    // how many signing secrets are set
	Trial   bool   // there is none; what this machine's own trigger signs is taken as samples
	Problem string // why nothing is awaited; "" when all is well

	Ways []string // lines to copy, each of which lets Loops reach this machine
	// Judge says how Loops would call this by a public URL that a person types, and Publish
	// takes it from then on. Publish is nil where that is said elsewhere.
	Judge   func(text string) (url string, err error)
	Publish func(text string)
}

// TableColumn is a column that the table has.
type TableColumn struct{ Name, Type string }

// Sample is a webhook's body to map by.
type Sample struct {
	From string // where it came from, for the screen
	Body []byte
	At   time.Time // when it was received; zero when that is not known
}

// Arrival is a webhook that came in while the mapper was open.
type Arrival struct {
	At      time.Time
	Event   string
	Email   string
	Signed  bool   // its signature held
	Trial   bool   // that of the trial secret
	Public  bool   // it came by the public URL
	Code    int    // the status it was answered with
	Problem string // why it was refused or not stored
	Body    []byte // nil when it was refused
}

// Opened is a mapping file as it was read, with the table that it names.
type Opened struct {
	Mapping  *mapping.Mapping
	Database string // its name for the screen, without a password
	Columns  []TableColumn
}

// News is what somebody else has done while the mapper was open.
type News struct {
	Words   string
	Bad     bool
	Changed bool // the mapping file is another one now
}

// Delivery is a line of the journal.
type Delivery struct {
	At                               time.Time
	ID, Event, Email, Status, RowKey string
	Reason                           string          // why it is no row
	Body                             []byte          // of one that was asked for; nil in a list
	Pushes                           []outgoing.Line // what became of what its row sent
}

// Backend reads and writes for the mapper. Its methods run outside of Update.
type Backend interface {
	Keyring
	// Review says what saving m would change.
	Review(ctx context.Context, m *mapping.Mapping) (Review, error)
	// Save writes what a Review of m has shown.
	Save(ctx context.Context, m *mapping.Mapping) (Saved, error)
	// DropDraft throws the draft of an earlier session away.
	DropDraft() error
	// Reread takes the file as it is now for the one that was read.
	Reread(ctx context.Context) (Opened, error)
	// Read reads samples from a file: one, or those of a list.
	Read(file string) ([]Sample, error)
	// Journal reads the latest samples that a sync has stored.
	Journal(ctx context.Context) ([]Sample, error)
	// Deliveries are what came in, the latest first, without bodies. The mark is that of the last
	// call, 0 at first: with another the call waits until something has come since,
	// or ctx ends; then the list is nil.
	Deliveries(ctx context.Context, mark int64) (list []Delivery, next int64, err error)
	// Delivery is one of them with its body.
	Delivery(ctx context.Context, id string) (Delivery, error)
	// Replay maps one of them again by the saved mapping, and says in words how it went.
	Replay(ctx context.Context, id string) (words string, err error)
	// Counts waits until the counts are others than they were, or ctx ends.
	Counts(ctx context.Context, was Counts) (Counts, error)
	// Tables are those of a database, which is written as in the mapping file, and what it
	// is called on the screen, without a password.
	Tables(ctx context.Context, database string) (name string, tables []string, err error)
	// Table is one of them, with its columns.
	Table(ctx context.Context, database, name string) (Table, error)
	// MapWaiting maps what has come in and waits, by the saved mapping, and says in words
	// how that went; "" where nothing waited.
	MapWaiting(ctx context.Context) (words string, err error)
	// CheckFile says whether a file could be read, as far as can be told at once.
	CheckFile(name string) (words string, err error)
	// Search returns the ids of the deliveries that match; each is put before match with
	// its body.
	Search(ctx context.Context, match func(Delivery) bool) (ids map[string]bool, err error)
	// Rows are rows of m's table with what became of them, and all that decides what they
	// send.
	Rows(ctx context.Context, m *mapping.Mapping, q RowsQuery) (RowsView, error)
	// TableLook is how the person has set the columns of m's table on the screen, and
	// KeepTableLook keeps it for the next time.
	TableLook(ctx context.Context, m *mapping.Mapping) (TableLook, error)
	KeepTableLook(ctx context.Context, m *mapping.Mapping, l TableLook) error
	// Story is what is known of the row that has a key, by the saved mapping.
	Story(ctx context.Context, key string) (Story, error)
	// Push sends rows by the saved mapping; what becomes of them it sends on progress while
	// somebody receives, and it says in words how it went.
	Push(ctx context.Context, s Sending, progress chan<- PushProgress) (words string, err error)
	// Catalog is what the team that m sends to has in Loops; of these events the properties,
	// too.
	Catalog(ctx context.Context, m *mapping.Mapping, events []string) Catalog
	// CreateProperty makes a contact property in Loops, in the team that m sends to.
	CreateProperty(ctx context.Context, m *mapping.Mapping, p mapping.Property) error
	// Misfit says why a column of the table cannot hold a type; "" when it can.
	Misfit(t column.Type, column TableColumn) string
}

// RowsQuery says which rows of the table are wanted.
type RowsQuery struct {
	Column string // what they are ordered by, those without a value last; "" for the key
	Down   bool
	From   string // Mark of a row, behind which they begin; "" at the end of the order
	With   bool   // and that row, too
	Back   bool   // towards the begin of the order: the nearest come first
	Limit  int
	Where  string // a condition that they meet; "" all
	Failed bool   // only rows that have something that could not be sent, in no order but their own
}

// RowsView is a part of the table.
type RowsView struct {
	Keyless int            // rows of the table whose key is NULL: they are not among Rows
	Now     time.Time      // when it was looked at
	Fields  []column.Field // columns of the table, and those that the mapping adds
	Lacks   []string       // of these, those that the table has not yet
	Rows    []TableRow
	Mark    string // where a condition goes on
	End     bool   // there are no more in this direction
	Looked  int    // how many rows the condition was held against
	Guess   int    // how many rows the table may have; 0 where nothing can be said
	Problem string // why there are no rows
}

// TableRow is a row, where it stands in the order, and the last delivery about it.
type TableRow struct {
	outgoing.Row
	Mark string
	Came Came
}

// Came is the last delivery about a row; the zero value where there is none.
type Came struct {
	Status string
	At     time.Time
}

// Sending says which rows are sent.
type Sending struct {
	Rows   int      // so many that have something to send
	Keys   []string // or these
	Where  string   // or those that meet a condition
	Failed bool     // or those that failed, again
	Again  bool     // also what Loops has already, as far as is known
}

// Story is what is known of a row, in words.
type Story struct {
	Key      string
	There    bool
	Note     string // what cannot be told
	Cells    []StoryCell
	Happened []Happening // the oldest first
}

// StoryCell is a cell, and what wrote it.
type StoryCell struct {
	Column, Value, From, Written, Delivery, Mapping, Before string
	Held                                                    []string // all that it has held, a line each, the oldest first
}

// Happening is a delivery about the row, or what the row sent.
type Happening struct {
	At, What, Became, ID, Mapping string
	Push                          bool
	Status                        string // of the delivery, or of what was sent
	Request                       []byte // of what was sent, where that is kept
}

// Catalog is what a team has in Loops. What could not be found out is nil.
type Catalog = slots.Catalog

// PushProgress is how far a run is.
type PushProgress struct {
	Done, Requests int
	Left           time.Duration
	Outcomes       []PushOutcome // since the last
}

// PushOutcome is what became of one thing that a row sends.
type PushOutcome struct {
	Key  string
	Line outgoing.Line
}

// Review is what saving would change.
type Review struct {
	Diff    string   // of the file, unified; "" when it stays
	Notes   []string // the table's change in words
	SQL     []string // and in SQL
	Later   []string // SQL that sync will run: triggers that note changed rows
	Refused string   // why it cannot be saved at all
	Theirs  string   // the file's diff by someone else since it was read; "" when there is none
	Table   string   // why the table cannot be changed now; the file can
}

// Saved is what was written.
type Saved struct {
	Columns []TableColumn // of the table as it is now
	Words   string        // what was done
	Mapped  int           // deliveries that had waited and are mapped now
}
