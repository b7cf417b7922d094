package loopstest

import (
	"net/http"
	"slices"
)

// Kind is what goes wrong with a call.
type Kind string

// The kinds of a [Failure].
const (
	// Answer gives Status, Header and Body. It is the zero Kind. Without a Body,
	// a Status of 400 and up has Loops' envelope and others have nothing.
	Answer Kind = ""
	// Cut closes the connection before an answer; the call has no effect.
	// Go's [http.Transport] by itself repeats a call whose kept-alive connection
	// is cut, if it has an Idempotency-Key and a body that it can read again.
	Cut Kind = "cut"
	// CutAfter lets the call take effect and closes the connection in the middle
	// of the answer.
	CutAfter Kind = "cut after"
	// Hang lets the client wait until it goes; the call has no effect.
	Hang Kind = "hang"
	// HangAfter lets the call take effect and the client wait until it goes.
	HangAfter Kind = "hang after"
	// HTML answers a page, as a proxy would; Status is 502 unless given.
	HTML Kind = "html"
	// BadJSON answers 200 (or Status) and JSON that ends too early.
	BadJSON Kind = "bad JSON"
	// SuccessFalse answers 200 (or Status) with "success":false; Body is the
	// message.
	SuccessFalse Kind = "success false"
)

// Failure is a scripted answer to the next call that it fits.
type Failure struct {
	Kind   Kind
	Status int         // of the answer; 500 unless the Kind says otherwise
	Header http.Header // set in the answer, for example Retry-After or Location
	Body   string      // of the answer
	// Apply lets the call take effect before the answer. CutAfter and HangAfter
	// always do; Cut and Hang never.
	Apply bool
	// Times is how many calls are answered so: 0 is one, below 0 is all.
	Times int
	// Path is the path of the calls that are meant, as in [Call]. With "" they
	// are /v1/contacts/create, /v1/contacts/update and /v1/events/send.
	Path string
	// Match, when given, must also say yes. It must not call the server.
	Match func(Call) bool
}

// Fail adds to the script. Each call uses up the first failure of the script
// that fits it; one that is refused for its key or the rate uses up none.
func (s *Server) Fail(f ...Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range f {
		if one.Times == 0 {
			one.Times = 1
		}
		s.failures = append(s.failures, one)
	}
}

// scripted takes the failure for a call out of the script.
func (s *Server) scripted(c Call) (Failure, bool) {
	for i := range s.failures {
		f := &s.failures[i]
		if !f.fits(c) {
			continue
		}
		taken := *f
		if f.Times--; f.Times == 0 {
			s.failures = slices.Delete(s.failures, i, i+1)
		}
		return taken, true
	}
	return Failure{}, false
}

func (f *Failure) fits(c Call) bool {
	if f.Path == "" && c.Path != pathCreate && c.Path != pathUpdate && c.Path != pathSend {
		return false
	}
	return (f.Path == "" || f.Path == c.Path) && (f.Match == nil || f.Match(c))
}

func (f *Failure) applies() bool {
	switch f.Kind {
	case CutAfter, HangAfter:
		return true
	case Cut, Hang:
		return false
	case Answer, HTML, BadJSON, SuccessFalse:
	}
	return f.Apply
}

// reply is the scripted answer; carried is the one that the call would have had,
// where it was carried out.
func (f *Failure) reply(carried *reply) *reply {
	switch f.Kind {
	case Cut, Hang, HangAfter:
		return &reply{silent: f.Kind}
	case CutAfter:
		carried.cut = len(carried.body) / 2
		return carried
	case Answer, HTML, BadJSON, SuccessFalse:
	}
	a := f.answer()
	a.cut = -1
	if a.header == nil {
		a.header = http.Header{}
	}
	for name, values := range f.Header {
		a.header[http.CanonicalHeaderKey(name)] = values
	}
	return a
}

func (f *Failure) answer() *reply {
	status := func(def int) int {
		if f.Status != 0 {
			return f.Status
		}
		return def
	}
	text := func(def string) []byte {
		if f.Body != "" {
			return []byte(f.Body)
		}
		return []byte(def)
	}
	switch f.Kind {
	case HTML:
		page := text("<!DOCTYPE html>\n<html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>\n")
		return &reply{status: status(http.StatusBadGateway), body: page, header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}}
	case BadJSON:
		return &reply{status: status(http.StatusOK), body: text(`{"success":true,"id":"cm`),
			header: http.Header{"Content-Type": {"application/json"}}}
	case SuccessFalse:
		return replyJSON(status(http.StatusOK), failed{false, string(text("Something is wrong"))})
	case Answer, Cut, CutAfter, Hang, HangAfter:
	}
	code := status(http.StatusInternalServerError)
	if f.Body == "" && code >= 400 {
		return refuse(code, "%s", http.StatusText(code)).reply()
	}
	a := &reply{status: code, body: []byte(f.Body)}
	if f.Body != "" {
		a.header = http.Header{"Content-Type": {"application/json"}}
	}
	return a
}
