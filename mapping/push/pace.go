package push

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"sync"
	"time"
)

const (
	// perSecond is what Loops allows a team (Loops docs: API reference, intro).
	perSecond = 10
	// window is a little more than the second that Loops counts by: a request that
	// went out late still lies a second before the one that takes its place.
	window = 1006 * time.Millisecond
	// tolerated is by how many requests the headers may differ from our own count,
	// for those that are under way.
	tolerated = 1
	// recovery is after how long a request more is let through, if the headers have
	// left room for it all the while.
	recovery = 5 * time.Second

	// remembered is how many answers say how long one usually takes.
	remembered = 64
	// mostLate is how much later than it left a request may be taken to have arrived.
	mostLate = 2 * time.Second

	longestHold  = 5 * time.Minute // however long Retry-After is
	shortestHold = time.Second
)

// Pace lets the requests of one team through, never more than ten in a second. All
// that sends for a team shares one.
type Pace struct {
	turn chan struct{} // held by the one who waits for the next slot

	mu        sync.Mutex
	slots     []*slot // requests that count still
	changed   chan struct{}
	limit     int             // of slots now
	ceiling   int             // of limit: what Loops says that the team has
	held      time.Time       // nothing goes out before
	throttles int             // answers 429 in a row
	eased     time.Time       // when limit last rose or fell, or was left as it is
	room      int             // the least that the headers have left since
	last      time.Time       // when a request was last let through
	trips     []time.Duration // how long the last answers took, the oldest first
}

// Begin waits until a request may go out that is no row's: a look at what Loops has.
// It is sent with the context; done is called once it was answered.
func (p *Pace) Begin(ctx context.Context) (sending context.Context, done func(), err error) {
	s, err := p.wait(ctx)
	if err != nil {
		return nil, nil, err
	}
	return s.traced(ctx), s.done, nil
}

// traced is a context whose request counts from when it has left.
func (s *slot) traced(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { s.sent() }})
}

// slot is a request that was let through. It counts from when it left, which is not
// known before it has; or from later, when its answer is late: then it may have arrived
// late, and would meet those that follow.
type slot struct {
	pace     *Pace
	left     time.Time     // zero while it may not have left yet
	answered time.Time     // zero while it is under way
	usual    time.Duration // how long an answer usually took when this one came
}

// arrived is the latest that a request is taken to have arrived.
func (p *Pace) arrived(s *slot, now time.Time) time.Time {
	if s.left.IsZero() {
		return now
	}
	until, usual := s.answered, s.usual
	if until.IsZero() {
		until, usual = now, p.usual()
	}
	return s.left.Add(max(0, min(until.Sub(s.left)-usual, mostLate)))
}

// usual is how long three answers of four take at most. One that takes longer was held
// up, and nobody can say on which way.
func (p *Pace) usual() time.Duration {
	if len(p.trips) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(p.trips))
	return sorted[len(sorted)*3/4]
}

// took learns how long an answer has taken.
func (p *Pace) took(d time.Duration) {
	if p.trips = append(p.trips, d); len(p.trips) > remembered {
		p.trips = slices.Delete(p.trips, 0, 1)
	}
}

// NewPace makes the pace of one team.
func NewPace() *Pace {
	return &Pace{turn: make(chan struct{}, 1), changed: make(chan struct{}), limit: perSecond, ceiling: perSecond, room: perSecond}
}

// wait returns when the next request may go out, and counts it.
func (p *Pace) wait(ctx context.Context) (*slot, error) {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		s, next, changed := p.take(time.Now())
		if s != nil {
			return s, ctx.Err()
		}
		timer := time.NewTimer(next)
		select {
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

// take is a slot, or how long to wait before asking again.
func (p *Pace) take(now time.Time) (s *slot, next time.Duration, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Before(p.held) {
		return nil, p.held.Sub(now), p.changed
	}
	p.slots = slices.DeleteFunc(p.slots, func(s *slot) bool { return now.Sub(p.arrived(s, now)) >= window })
	if p.limit < p.ceiling && now.Sub(p.eased) >= recovery {
		if p.room > tolerated {
			p.limit++
		}
		p.eased, p.room = now, perSecond
	}
	// Spread over the second, so that the headers tell what others take before it is
	// too much.
	if gap := window / time.Duration(p.limit) * 9 / 10; now.Sub(p.last) < gap {
		return nil, gap - now.Sub(p.last), p.changed
	}
	if len(p.slots) < p.limit {
		s, p.last = &slot{pace: p}, now
		p.slots = append(p.slots, s)
		return s, 0, nil
	}
	next = window
	for _, s := range p.slots {
		next = min(next, window-now.Sub(p.arrived(s, now)))
	}
	return nil, next, p.changed
}

// sent counts the request from now on: it has left, or it never will.
func (s *slot) sent() {
	s.pace.mu.Lock()
	defer s.pace.mu.Unlock()
	s.left = time.Now()
	s.pace.wake()
}

// done is told when the answer is there, or will not come.
func (s *slot) done() {
	p := s.pace
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if s.left.IsZero() {
		s.left = now
	}
	s.usual, s.answered = p.usual(), now
	p.took(now.Sub(s.left))
	p.wake()
}

func (p *Pace) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// Quiet keeps requests back for so long: another process may have sent some.
func (p *Pace) Quiet(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := time.Now().Add(d); until.After(p.held) {
		p.held = until
	}
}

// Window is the time in which Loops counts requests, and a little more.
const Window = window

// PerSecond is how many requests go out in a second now.
func (p *Pace) PerSecond() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return float64(p.limit) / window.Seconds()
}

// saw learns from an answer: how much of the team's limit others take, and how long to
// be silent after a 429, or a 503 that says so.
func (p *Pace) saw(status int, h http.Header) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if status == http.StatusTooManyRequests {
		p.throttles++
		if until := now.Add(silence(h.Get("Retry-After"), p.throttles, now)); until.After(p.held) {
			p.held = until
		}
		if now.Sub(p.eased) >= window {
			p.limit, p.eased = max(1, p.limit-1), now
		}
		return
	}
	if after := h.Get("Retry-After"); status >= 500 && after != "" {
		if until := now.Add(silence(after, 1, now)); until.After(p.held) {
			p.held = until
		}
	}
	p.throttles = 0
	limit, err := strconv.Atoi(h.Get("x-ratelimit-limit"))
	remaining, wrong := strconv.Atoi(h.Get("x-ratelimit-remaining"))
	if err != nil || wrong != nil || limit < 1 || remaining < 0 || remaining > limit {
		return
	}
	ours := 0
	for _, s := range p.slots {
		if now.Sub(p.arrived(s, now)) < window {
			ours++
		}
	}
	p.ceiling, p.room = min(limit, perSecond), min(p.room, remaining)
	most := p.ceiling
	if others := limit - remaining - ours; others > tolerated {
		most = max(1, most-others)
	}
	if most < p.limit {
		p.limit, p.eased, p.room = most, now, perSecond
	}
}

// silence is how long to send nothing after the nth 429 in a row. Retry-After is
// seconds or a date (RFC 9110, 10.2.3); what is absent or absurd is our own guess,
// longer each time, with jitter.
func silence(retryAfter string, n int, now time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(retryAfter, 10, 64); err == nil && seconds > 0 {
		return max(shortestHold, time.Duration(min(seconds, int64(longestHold/time.Second)))*time.Second)
	}
	if at, err := http.ParseTime(retryAfter); err == nil && at.After(now) {
		return max(shortestHold, min(at.Sub(now), longestHold))
	}
	return shortestHold + jitter(time.Second, n, time.Minute)
}

// jitter is a random time below base, twice that, four times that, up to most
// (exponential back-off with full jitter).
func jitter(base time.Duration, n int, most time.Duration) time.Duration {
	d := base << min(max(n-1, 0), 20)
	return rand.N(min(d, most)) + 1
}
