package loopstest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// reply is an answer on its way out.
type reply struct {
	status  int
	header  http.Header
	body    []byte
	applied bool // a write that took effect
	cut     int  // how many bytes of body go out before the connection is cut; -1: all of it
	silent  Kind // Cut, Hang or HangAfter: no answer at all
}

// refusal is an error that is answered with a status and Loops' envelope.
type refusal struct {
	status  int
	message string
}

func (r *refusal) Error() string { return r.message }

func refuse(status int, format string, args ...any) *refusal {
	return &refusal{status, fmt.Sprintf(format, args...)}
}

func bad(format string, args ...any) *refusal {
	return refuse(http.StatusBadRequest, format, args...)
}

func (r *refusal) reply() *reply { return replyJSON(r.status, failed{false, r.message}) }

// failed is the envelope of errors (OpenAPI document).
type failed struct {
	Success bool   `json:"success"`
	Message string `json:"message"`
}

func replyJSON(status int, v any) *reply {
	return &reply{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: marshal(v), cut: -1}
}

// marshal writes JSON as JavaScript would, without HTML's escapes.
func marshal(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // only this package's types come here
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// write sends the answer and books it. The booking comes first: who has the
// answer finds the call in Calls.
func (s *Server) write(w http.ResponseWriter, r *http.Request, call *Call, a *reply) {
	s.mu.Lock()
	if a.silent == "" {
		call.Status = a.status
	}
	told := call.copy()
	s.mu.Unlock()
	if s.o.OnCall != nil {
		s.o.OnCall(told)
	}
	switch a.silent {
	case Hang, HangAfter:
		select {
		case <-r.Context().Done():
		case <-s.ctx.Done():
		}
		panic(http.ErrAbortHandler)
	case Cut:
		panic(http.ErrAbortHandler)
	case Answer, CutAfter, HTML, BadJSON, SuccessFalse:
	}
	h := w.Header()
	if s.o.Rate > 0 {
		h.Set("X-Ratelimit-Limit", strconv.Itoa(s.o.Rate))
		h.Set("X-Ratelimit-Remaining", strconv.Itoa(call.remaining))
	}
	for name, values := range a.header {
		h[http.CanonicalHeaderKey(name)] = values
	}
	if bodyAllowed(a.status) {
		h.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	if a.cut >= 0 && a.cut < len(a.body) {
		_, _ = w.Write(a.body[:a.cut])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	if bodyAllowed(a.status) {
		_, _ = w.Write(a.body) // the client may have gone
	}
}

func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}
