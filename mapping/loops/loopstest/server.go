package loopstest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// maxBody bounds a request's body. Loops documents no figure for contacts and
// events.
const maxBody = 1 << 20

// Server is one team of Loops. Make it with [New]; it is safe for concurrent use.
type Server struct {
	o    Options
	ctx  context.Context // ends with Close
	stop context.CancelFunc
	done sync.WaitGroup // the courier

	mu       sync.Mutex // over all that follows
	ids      ids
	calls    []*Call
	accepted []time.Time // of the last second
	failures []Failure

	properties []Property
	byEmail    map[string]*Contact // lower case
	byUser     map[string]*Contact
	used       map[string]usedKey
	sent       []Event
	hooks      hooks
}

// New makes a server with no contacts. With Options.Webhook it has a goroutine
// that delivers webhooks until [Server.Close].
func New(o Options) *Server {
	s := &Server{
		o:       o.withDefaults(),
		byEmail: map[string]*Contact{},
		byUser:  map[string]*Contact{},
		used:    map[string]usedKey{},
	}
	s.properties = append(s.properties, s.o.Properties...)
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.hooks.wake = make(chan struct{}, 1)
	if s.o.Webhook != "" {
		s.done.Go(s.deliver)
	}
	return s
}

// Close stops the delivery of webhooks and waits until nothing is under way.
// Webhooks that have not been taken are given up. Calls that hang by a
// [Failure] are let go, so close it before the [net/http/httptest.Server] that it
// is behind; other calls are answered as before.
func (s *Server) Close() {
	s.stop()
	s.done.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.hooks.waiting {
		m.timer.Stop()
	}
	s.hooks.waiting = nil
}

// ServeHTTP answers one call. Paths begin with /v1/ or /api/v1/.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call, a := s.arrive(r)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	a = s.handle(call, a, request{Request: r, path: call.Path, body: body}, err)
	s.pause(r.Context(), s.o.Latency)
	s.write(w, r, call, a)
}

// arrive books a call in and refuses one that has the wrong key or comes too
// soon. Both happen before the body is read, so that calls are judged in the
// order in which they came.
func (s *Server) arrive(r *http.Request) (*Call, *reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	call := newCall(r, s.o.Now())
	s.calls = append(s.calls, call)
	var a *reply
	remaining := s.remaining(call.Time)
	switch {
	case r.Header.Get("Authorization") != "Bearer "+s.o.Key:
		a = refuse(http.StatusUnauthorized, "Invalid API key").reply()
	case s.o.Rate > 0 && remaining == 0:
		a = refuse(http.StatusTooManyRequests, "Rate limit exceeded").reply()
	case s.o.Rate > 0:
		s.accepted = append(s.accepted, call.Time)
		remaining--
	}
	call.remaining = remaining
	return call, a
}

// handle answers a call that was not refused by the script or else by the rules.
func (s *Server) handle(call *Call, refused *reply, q request, readError error) *reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	call.Body = q.body
	var tooLarge *http.MaxBytesError
	switch {
	case refused != nil:
		return refused
	case errors.As(readError, &tooLarge):
		return refuse(http.StatusRequestEntityTooLarge, "Request body is too large").reply()
	case readError != nil:
		return bad("Request body could not be read").reply()
	}
	f, scripted := s.scripted(*call)
	if !scripted {
		a := s.route(q)
		call.Applied = a.applied
		return a
	}
	var carried *reply
	if f.applies() {
		carried = s.route(q)
		call.Applied = carried.applied
	}
	return f.reply(carried)
}

// pause waits until d is over, the client has gone or the server is closed.
func (s *Server) pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	case <-s.ctx.Done():
	}
}
