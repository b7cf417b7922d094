package loopstest

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"loopmap/mapping/loops"
)

// maxRetry is the longest time between two attempts: it begins with a second and doubles.
// Loops does not document its own.
const maxRetry = time.Minute

// Delivery is one attempt to deliver a webhook.
type Delivery struct {
	Time    time.Time // by Options.Now; webhook-timestamp is its second
	ID      string    // webhook-id, the same in every attempt
	Event   string
	Body    []byte
	Attempt int   // from 1
	Status  int   // of the endpoint's answer, 0 without one
	Err     error // nil when Status is 2xx
}

type message struct {
	id, event string
	body      []byte
	attempts  int
	timer     *time.Timer
}

// hooks are the webhooks on their way; Server.mu is over it.
type hooks struct {
	ready   []*message // in order
	waiting []*message // for their next attempt
	open    int        // not yet taken: ready, waiting and the one under way
	wake    chan struct{}
	settled chan struct{} // closed when open comes to 0; nil while nobody waits
	log     []Delivery
}

func (h *hooks) nudge() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// Deliveries are all attempts to deliver webhooks, in order.
func (s *Server) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.Clone(s.hooks.log)
	for i := range list {
		list[i].Body = slices.Clone(list[i].Body)
	}
	return list
}

// Flush waits until every webhook has been taken, the server is closed or ctx
// ends, of which it returns the error.
func (s *Server) Flush(ctx context.Context) error {
	s.mu.Lock()
	if s.hooks.open == 0 {
		s.mu.Unlock()
		return nil
	}
	if s.hooks.settled == nil {
		s.hooks.settled = make(chan struct{})
	}
	settled := s.hooks.settled
	s.mu.Unlock()
	select {
	case <-settled:
		return nil
	case <-s.ctx.Done():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// deliver is the courier: one webhook at a time, evenly spaced. One that is
// refused waits beside the queue and holds nothing up, so that order is kept
// among first attempts only; Loops promises none.
func (s *Server) deliver() {
	gap := time.Duration(0)
	if s.o.HookRate > 0 {
		gap = time.Second / time.Duration(s.o.HookRate)
	}
	for {
		m := s.nextMessage()
		if m == nil {
			select {
			case <-s.hooks.wake:
				continue
			case <-s.ctx.Done():
				return
			}
		}
		d := s.post(m)
		if s.ctx.Err() != nil {
			return // the attempt was broken off: it tells nothing
		}
		s.tell(d)
		s.settle(m, d.Err == nil)
		s.pause(s.ctx, gap)
	}
}

func (s *Server) nextMessage() *message {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.hooks.ready) == 0 || s.ctx.Err() != nil {
		return nil
	}
	m := s.hooks.ready[0]
	s.hooks.ready = s.hooks.ready[1:]
	m.attempts++
	return m
}

// post makes one attempt.
func (s *Server) post(m *message) Delivery {
	d := Delivery{Time: s.o.Now(), ID: m.id, Event: m.event, Body: m.body, Attempt: m.attempts}
	q, err := loops.NewWebhook(s.ctx, s.o.Webhook, s.o.Secret, m.id, d.Time, m.body)
	if err != nil {
		d.Err = err
		return d
	}
	p, err := s.o.Client.Do(q)
	if err != nil {
		d.Err = err
		return d
	}
	defer p.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(p.Body, maxBody)) // so that the connection can be used again
	if d.Status = p.StatusCode; d.Status < 200 || d.Status > 299 {
		d.Err = fmt.Errorf("the endpoint answered %s", p.Status)
	}
	return d
}

// tell books an attempt.
func (s *Server) tell(d Delivery) {
	s.mu.Lock()
	s.hooks.log = append(s.hooks.log, d)
	s.mu.Unlock()
	if s.o.OnDelivery != nil {
		s.o.OnDelivery(d)
	}
}

// settle closes a webhook that was taken and puts off one that was not.
func (s *Server) settle(m *message, taken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !taken {
		wait := min(time.Second<<min(m.attempts-1, 6), maxRetry)
		s.hooks.waiting = append(s.hooks.waiting, m)
		m.timer = time.AfterFunc(wait, func() { s.again(m) })
		return
	}
	if s.hooks.open--; s.hooks.open == 0 && s.hooks.settled != nil {
		close(s.hooks.settled)
		s.hooks.settled = nil
	}
}

// again puts a webhook that has waited back into the queue.
func (s *Server) again(m *message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.hooks.waiting, m)
	if i < 0 {
		return // closed in between
	}
	s.hooks.waiting = slices.Delete(s.hooks.waiting, i, i+1)
	s.hooks.ready = append(s.hooks.ready, m)
	s.hooks.nudge()
}
