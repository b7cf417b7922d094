package push

import (
	"context"
	"fmt"
	"sync"
	"time"

	"loopmap/mapping"
)

// Store is what sending needs of the database.
type Store interface {
	PushRows(ctx context.Context, m *mapping.Mapping, fields []mapping.Field, q mapping.PushQuery) ([]mapping.PushRow, error)
	// SavePushes is durable when it returns.
	SavePushes(ctx context.Context, table string, list []mapping.PushSave) error
	// PushOwner is a row that has a line with this key: one that was sent before one
	// that is pending, before any other.
	PushOwner(ctx context.Context, table, kind, idempotencyKey string) (rowKey string, line mapping.PushLine, found bool, err error)
	// PushesSince is when the newest line was written, and whether one is pending.
	PushesSince(ctx context.Context, table string) (newest time.Time, pending bool, err error)
	// TryLockPushes lets one process send at a time. held ends when the lock is lost.
	TryLockPushes(ctx context.Context) (held context.Context, unlock func(), ok bool, err error)
}

// API sends one request to Loops. An error says that no whole answer came.
type API interface {
	Send(ctx context.Context, r mapping.Request) (Answer, error)
}

// Pusher sends rows of one team.
type Pusher struct {
	Store Store
	API   API
	Pace  *Pace

	ledger sync.Mutex // held from the look at who has a once_per key until it is taken
	mu     sync.Mutex
	saved  time.Time // when a line was last written from here
}

const (
	inFlight = 32  // requests at once, so that latency does not cost throughput
	page     = 200 // rows that are looked at together
	tries    = 5   // of one request in one run
	grace    = 5 * time.Second
	// expiry is when an event that may have arrived is not sent again by itself: Loops
	// forgets its Idempotency-Key after 24 hours.
	expiry   = 23 * time.Hour
	saveTime = 15 * time.Second
)

// Job says what to send.
type Job struct {
	Sender  *mapping.Sender
	Keys    []string           // these rows; nil: all
	Status  mapping.PushStatus // of all, only rows that have such a line; "" any
	Due     time.Time          // with PushPending: only those whose next try is due
	Rows    int                // at most so many that have something to send; 0: all
	Again   mapping.Resend
	Outcome func(Outcome)    // is told of each; nil when nobody wants to know
	Through func(key string) // is told of rows that need no further look; nil likewise
}

// Outcome is what became of one thing that a row sends.
type Outcome struct {
	Key    string
	Line   mapping.PushLine
	Counts Counts // so far
}

// Counts are the outcomes of a run.
type Counts struct {
	Rows     int  `json:"rows"` // that were looked at
	Sent     int  `json:"sent"` // requests that Loops has taken
	NotMet   int  `json:"not_met"`
	Failed   int  `json:"failed"`
	Pending  int  `json:"pending"` // requests that will be tried again
	Requests int  `json:"-"`       // that are to be sent, as far as is known
	All      bool `json:"-"`       // all rows were looked at: Requests is the whole
}

func (c Counts) String() string {
	s := fmt.Sprintf("%d sent, %d not met, %d failed", c.Sent, c.NotMet, c.Failed)
	if c.Pending > 0 {
		s += fmt.Sprintf(", %d pending", c.Pending)
	}
	return s
}

// Stopped is the error of a run that has ended before all was sent, for what would
// befall the rest, too.
type Stopped struct {
	Barred bool // Loops refuses the key
	Code   int  // HTTP status; 0 when there was no answer
	Reason string
	Times  int // in a row
}

func (e *Stopped) Error() string {
	switch {
	case e.Barred:
		return fmt.Sprintf("Loops refuses the API key (%d%s): nothing more is sent", e.Code, colon(e.Reason))
	case e.Code == 0:
		return fmt.Sprintf("stopped: %d times in a row %s", e.Times, e.Reason)
	}
	return fmt.Sprintf("stopped: Loops has answered %d times in a row %d%s", e.Times, e.Code, colon(e.Reason))
}

func colon(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

// Alone waits until no other process sends, and keeps it so until release is called.
// waiting is called when there is one. What another process has sent a moment ago
// counts for the pace.
func (p *Pusher) Alone(ctx context.Context, table string, waiting func()) (held context.Context, release func(), err error) {
	for first := true; ; first = false {
		held, unlock, ok, err := p.Store.TryLockPushes(ctx)
		if err != nil {
			return nil, nil, err
		}
		if ok {
			if err := p.settle(ctx, table); err != nil {
				unlock()
				return nil, nil, err
			}
			return held, unlock, nil
		}
		if first && waiting != nil {
			waiting()
		}
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// settle lets the pace know of what another process may have sent.
func (p *Pusher) settle(ctx context.Context, table string) error {
	newest, pending, err := p.Store.PushesSince(ctx, table)
	if err != nil {
		return err
	}
	p.mu.Lock()
	own := !newest.After(p.saved.Truncate(time.Millisecond)) && !p.saved.IsZero()
	p.mu.Unlock()
	since := time.Since(newest)
	switch {
	case own:
	case pending && since < time.Hour: // its process was killed, perhaps just now
		p.Pace.Quiet(window)
	case since >= 0 && since < window:
		p.Pace.Quiet(window - since)
	}
	return nil
}

// save writes lines, also when the run is being ended.
func (p *Pusher) save(ctx context.Context, table string, list ...mapping.PushSave) error {
	if len(list) == 0 {
		return nil
	}
	now := time.Now()
	for i := range list {
		list[i].Line.UpdatedAt = now
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
	defer cancel()
	err := p.Store.SavePushes(ctx, table, list)
	if err == nil {
		p.mu.Lock()
		p.saved = time.Now()
		p.mu.Unlock()
	}
	return err
}
