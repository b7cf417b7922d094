package push

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
)

// Store is what sending needs of the database.
type Store interface {
	PushRows(ctx context.Context, m *mapping.Mapping, fields []column.Field, q outgoing.Query) ([]outgoing.Row, error)
	// SavePushes is durable when it returns.
	SavePushes(ctx context.Context, table string, list []outgoing.Save) error
	// PushOwner is a row that has a line with this key: one that was sent before one
	// that is pending, before any other.
	PushOwner(ctx context.Context, table, kind, idempotencyKey string) (rowKey string, line outgoing.Line, found bool, err error)
	// PushesSince is when the newest line was written, and whether one is pending.
	PushesSince(ctx context.Context, table string) (newest time.Time, pending bool, err error)
	// PushRefusals is how often Loops has refused an event, of whichever row.
	PushRefusals(ctx context.Context, table, kind, idempotencyKey string) (int, error)
	// GoneContacts are keys, after one and in order, whose rows may be gone though
	// something is known of their contacts.
	GoneContacts(ctx context.Context, m *mapping.Mapping, after string, limit int) ([]string, error)
	// ForgetGone forgets what was sent for rows that were deleted, and returns their keys.
	ForgetGone(ctx context.Context, m *mapping.Mapping) ([]string, error)
	// TryLockPushes lets one process send at a time. held ends when the lock is lost.
	TryLockPushes(ctx context.Context) (held context.Context, unlock func(), ok bool, err error)
	// AwaitTurn says that who has this id waits for the lock, or no longer.
	AwaitTurn(ctx context.Context, id string, waits bool) error
	// TurnAwaited reports whether another than who has this id waits for the lock.
	TurnAwaited(ctx context.Context, id string) (bool, error)
}

// API sends one request to Loops. An error says that no whole answer came.
type API interface {
	Send(ctx context.Context, r outgoing.Request) (Answer, error)
}

// Pusher sends rows of one team.
type Pusher struct {
	Store Store
	API   API
	Pace  *Pace

	mu    sync.Mutex
	saved time.Time                // when a line was last written from here
	id    string                   // by which others know that it waits
	once  map[string]chan struct{} // what once_per lets go once and is being sent, until the channel is closed
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
	// turnTime is how long one sends before others who wait have their turn.
	turnTime = 5 * time.Second
	// patience is how long who follows leaves the lock to others before it asks for its
	// turn: mostly they do the same, and a change of turns costs pace.
	patience = 30 * time.Second
	lookLock = 300 * time.Millisecond // who waits looks so often
)

// Job says what to send.
type Job struct {
	Sender  *outgoing.Sender
	Keys    []string        // these rows, however many; nil: all
	Status  outgoing.Status // of all, only rows that have such a line; "" any
	Due     time.Time       // with Pending: only those whose next try is due
	Rows    int             // at most so many that have something to send; 0: all
	Again   outgoing.Resend
	Outcome func(Outcome)    // is told of each; nil when nobody wants to know
	Through func(key string) // is told of rows that need no further look; nil likewise
	// Later is told of rows that are to be looked at again in seconds, instead; likewise.
	Later func(key string)
	// Nothing is told of rows that send nothing, and why; nil likewise.
	Nothing func(key string, steps []outgoing.Step)
}

// Outcome is what became of one thing that a row sends.
type Outcome struct {
	Key    string
	Line   outgoing.Line
	Took   time.Duration // of its last request; 0 where none was sent
	Counts Counts        // so far
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
	// Nothing are the rows that had nothing to send, by the reason.
	Nothing map[outgoing.Why]int `json:"nothing,omitempty"`
}

// Others says how many rows have sent nothing, and why, the most frequent reason first; ""
// when there are none.
func (c Counts) Others() string {
	whys := slices.SortedFunc(maps.Keys(c.Nothing), func(a, b outgoing.Why) int {
		return cmp.Or(cmp.Compare(c.Nothing[b], c.Nothing[a]), cmp.Compare(a, b))
	})
	var words []string
	all := 0
	for _, why := range whys {
		all += c.Nothing[why]
		words = append(words, fmt.Sprintf("%d %s", c.Nothing[why], why))
	}
	if all == 0 {
		return ""
	}
	rows := "rows"
	if all == 1 {
		rows = "row"
	}
	return fmt.Sprintf("%d %s with nothing to send: %s", all, rows, strings.Join(words, ", "))
}

// Known are the rows that have sent nothing and are sent all the same with
// [outgoing.Resend].Known.
func (c Counts) Known() (n int) {
	for why, rows := range c.Nothing {
		if why.Again() {
			n += rows
		}
	}
	return n
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
	return p.alone(ctx, table, waiting, 0)
}

// alone says to others that it waits once it has done so for as long as it is patient.
func (p *Pusher) alone(ctx context.Context, table string, waiting func(), patient time.Duration) (held context.Context, release func(),
	err error) {
	begun := time.Now()
	waits := false
	defer func() {
		if waits {
			long, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
			defer cancel()
			_ = p.Store.AwaitTurn(long, p.name(), false) // else it is forgotten in time
		}
	}()
	for looks := 0; ; looks++ {
		held, unlock, ok, err := p.Store.TryLockPushes(ctx)
		if err != nil {
			return nil, nil, err
		}
		if ok {
			if err := p.settle(ctx, table); err != nil {
				unlock()
				return nil, nil, err
			}
			if waits { // not all that another has sent has left a line
				p.Pace.Quiet(window)
			}
			return held, unlock, nil
		}
		if !waits && waiting != nil {
			waiting()
		}
		waits = true
		if looks%5 == 0 && time.Since(begun) >= patient { // again and again: who has died must not seem to wait
			if err := p.Store.AwaitTurn(ctx, p.name(), true); err != nil {
				return nil, nil, err
			}
		}
		if err := sleep(ctx, lookLock); err != nil {
			return nil, nil, err
		}
	}
}

// name is a name that no other sender has.
func (p *Pusher) name() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.id == "" {
		p.id = rand.Text()
	}
	return p.id
}

// awaited reports whether another process waits for the lock.
func (p *Pusher) awaited(ctx context.Context) bool {
	others, err := p.Store.TurnAwaited(ctx, p.name())
	return others || err != nil
}

// turn is a context that ends once it has lasted a while and others want theirs, whom over
// asks for. Then it is waited for what is under way, which costs pace.
func turn(ctx context.Context, over func(ctx context.Context) bool) (context.Context, func()) {
	turn, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for d := turnTime; sleep(turn, d) == nil; d = time.Second {
			if over(turn) {
				cancel()
			}
		}
	}()
	return turn, func() { cancel(); <-done }
}

// yield gives others the time to take the lock, if any waits for it.
func (p *Pusher) yield(ctx context.Context) error {
	if !p.awaited(ctx) {
		return ctx.Err()
	}
	p.Pace.Quiet(window) // others may come and go meanwhile
	return sleep(ctx, 2*lookLock)
}

// InTurns carries a job through while others send, too: each lets go after a while. begin
// is called in the first turn.
func (p *Pusher) InTurns(ctx context.Context, job Job, waiting func(), begin func(ctx context.Context) error) (Counts, error) {
	r := p.Begin(job)
	for first := true; ; first = false {
		done, err := p.inTurn(ctx, r, waiting, begin, first)
		if err != nil || done {
			return r.Counts(), err
		}
		if err := p.yield(ctx); err != nil {
			return r.Counts(), err
		}
		waiting = nil
	}
}

func (p *Pusher) inTurn(ctx context.Context, r *Run, waiting func(), begin func(ctx context.Context) error, first bool) (done bool,
	err error) {
	held, release, err := p.Alone(ctx, r.table, waiting)
	if err != nil {
		return false, err
	}
	defer release()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(held, cancel)()
	if first {
		if err := begin(ctx); err != nil {
			return false, err
		}
	}
	if _, err := p.Store.ForgetGone(ctx, r.job.Sender.Mapping()); err != nil {
		return false, err
	}
	turn, end := turn(ctx, p.awaited)
	defer end()
	return r.Turn(ctx, turn)
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
func (p *Pusher) save(ctx context.Context, table string, list ...outgoing.Save) error {
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
