package loopstest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Call is one request that arrived, whatever became of it.
type Call struct {
	Time   time.Time   // of arrival, by Options.Now
	Method string      // PUT
	Path   string      // without /api: /v1/contacts/update
	Query  string      // without the question mark
	Header http.Header // Authorization is blanked
	Body   []byte      // as it came
	// Status is what was answered, 0 while the call is under way and for one that
	// got no answer.
	Status int
	// Applied says that the call is a write and took effect, whatever was
	// answered.
	Applied bool

	remaining int
}

const blanked = "[blanked]"

func newCall(r *http.Request, at time.Time) *Call {
	c := &Call{Time: at, Method: r.Method, Query: r.URL.RawQuery, Header: r.Header.Clone()}
	if r.Header.Get("Authorization") != "" {
		c.Header.Set("Authorization", blanked)
	}
	c.Path = strings.TrimPrefix(r.URL.EscapedPath(), "/api")
	return c
}

func (c *Call) copy() Call {
	d := *c
	d.Header, d.Body = c.Header.Clone(), slices.Clone(c.Body)
	return d
}

// Calls are all calls in the order in which they arrived.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Call, len(s.calls))
	for i, c := range s.calls {
		list[i] = c.copy()
	}
	return list
}

// MaxPerSecond is the most calls that arrived in any one second, wherever it
// begins: the window slides and holds its beginning but not its end. Calls that
// were refused count.
func (s *Server) MaxPerSecond() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	times := make([]time.Time, len(s.calls))
	for i, c := range s.calls {
		times[i] = c.Time
	}
	slices.SortFunc(times, time.Time.Compare)
	most, from := 0, 0
	for i, t := range times {
		for t.Sub(times[from]) >= time.Second {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

// remaining is how many calls the last second leaves, as x-ratelimit-remaining
// says. Calls that were refused do not count against it: Loops does not
// document that, and a client that presses on would never be let in.
func (s *Server) remaining(now time.Time) int {
	s.accepted = slices.DeleteFunc(s.accepted, func(t time.Time) bool { return now.Sub(t) >= time.Second })
	return max(s.o.Rate-len(s.accepted), 0)
}

// Spend takes n calls off what the current second leaves, as another tool of the
// same team would. They are none of Calls and do not count in MaxPerSecond.
func (s *Server) Spend(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.accepted = append(s.accepted, s.o.Now())
	}
}
