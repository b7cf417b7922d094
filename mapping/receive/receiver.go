package receive

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/body"
)

// Path is where webhooks arrive.
const Path = "/webhooks/loops"

// MaxBody is the largest body in bytes that is taken unless set otherwise.
const MaxBody = 1 << 20

// Journal is where deliveries are made durable. Commit writes all entries or, with
// an error, none.
type Journal interface {
	Commit(ctx context.Context, entries []mapping.Entry) ([]mapping.Outcome, error)
	// Ready says why a delivery could not be stored now. One that could not be stored
	// before, when there is such, it tries, and takes back.
	Ready(ctx context.Context, failed *mapping.Entry) error
	// Waiting counts the deliveries that are stored and no rows yet.
	Waiting(ctx context.Context) (quarantined, pending int64, err error)
}

// Config is what a Receiver needs.
type Config struct {
	// Verify returns the webhook-id of a request whose signature holds. Nil takes
	// unsigned requests, of this machine's own programs and by Public.Host; they are told
	// apart by webhook-id, else by their bytes.
	Verify func(header http.Header, body []byte, now time.Time) (id string, err error)
	// Trial says that Verify knows a secret of this machine alone: whatever it is that comes,
	// only this machine's own programs are heard, as with unsigned requests.
	Trial bool
	// Samples takes what Verify refuses as an unsigned request that is not stored.
	Samples bool
	// Check says what is wrong with the header alone, before the body is read. Nil
	// leaves all to Verify.
	Check func(header http.Header, now time.Time) error
	// Public is by which name and path webhooks come from elsewhere, as it is to begin with;
	// [Receiver.SetPublic] changes it.
	Public Public
	// Mapping is the mapping of the moment; nil while there is none.
	Mapping func() *mapping.Mapping
	// Journal may be nil: then nothing is stored, and nothing answered 2xx but
	// Loops' test event.
	Journal Journal
	Writers int // calls of Commit that may be carried out beside each other; 0 is one
	// Seen, if set, is told of every request to Path, and of what was posted where nothing
	// is, after its answer is known. It must not block.
	Seen    func(Arrival)
	Quiet   bool           // requests to Path are not logged: Seen tells of them
	Works   func() string  // names what is worked on, for who asks; may be nil
	Gauges  func() []Gauge // more of what /metrics says; may be nil
	Now     func() time.Time
	Log     *slog.Logger
	MaxBody int64 // bytes; 0 is MaxBody
}

// Gauge is a number of the moment, as Prometheus has it.
type Gauge struct {
	Name, Help string
	Value      float64
}

// Arrival is one request to Path and what became of it.
type Arrival struct {
	Delivery mapping.Delivery // ID and Body are empty when they were not read
	Event    string
	Host     string        // by which it was called, as the proxy before says, where there is one
	Signed   bool          // the signature held
	Trial    bool          // it was that of this machine's own secret
	Code     int           // HTTP status of the answer
	Took     time.Duration // from the request's arrival to its answer
	Problem  string        // why it was refused or not stored; "" when it is well
	Outcome  mapping.Outcome
	Err      error // why it could not be stored, for this machine's people
}

// Receiver is the HTTP handler of all that loopmap serves. Close it after the
// server that uses it has stopped.
type Receiver struct {
	Config
	commits *committer
	metrics metrics
	room    *room
	probe   probe
	waiting count
	failed  atomic.Pointer[mapping.Delivery] // the last one, if it could not be stored

	public   atomic.Pointer[Public]
	instance string // what this receiver alone answers to who asks
}

// New starts a receiver.
func New(c Config) *Receiver {
	if c.MaxBody == 0 {
		c.MaxBody = MaxBody
	}
	r := &Receiver{Config: c, room: newRoom(c.MaxBody), instance: rand.Text()}
	r.public.Store(&c.Public)
	r.metrics.latency.bounds, r.metrics.commits.bounds = latencyBounds, commitBounds
	if c.Journal != nil {
		r.commits = newCommitter(c.Journal, c.Writers, &r.metrics)
	}
	return r
}

// Close ends the receiver once the requests in hand are answered.
func (r *Receiver) Close() {
	if r.commits != nil {
		r.commits.close()
	}
}

// ServeHTTP answers a request. One that makes the program panic is answered 500,
// and the others go on.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	defer func() {
		if p := recover(); p != nil {
			// The value may quote the request; where it happened does not.
			r.Log.Error("panic", "kind", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			answer(w, http.StatusInternalServerError, reply{Error: "this is a mistake in loopmap; its log says where"})
		}
	}()
	r.route(w, q)
}

// reply is the body of every answer.
type reply struct {
	OK          bool   `json:"ok"`
	ID          string `json:"id,omitempty"`
	Duplicate   bool   `json:"duplicate,omitempty"`
	Quarantined string `json:"quarantined,omitempty"`
	Pending     string `json:"pending,omitempty"`
	Error       string `json:"error,omitempty"`
}

// Header fields of every answer, which nobody changes.
var jsonType, noStore = []string{"application/json"}, []string{"no-store"}

func answer(w http.ResponseWriter, code int, r reply) {
	h := w.Header()
	h["Content-Type"], h["Cache-Control"] = jsonType, noStore
	if code == http.StatusServiceUnavailable {
		h.Set("Retry-After", "10")
	}
	w.WriteHeader(code)
	body, _ := json.Marshal(r) // a struct of strings and booleans always encodes
	_, _ = w.Write(append(body, '\n'))
}

// refusal is an answer other than 200.
type refusal struct {
	code int
	msg  string
}

func (r *Receiver) webhook(w http.ResponseWriter, q *http.Request) {
	start := r.Now()
	if r.Log.Enabled(q.Context(), slog.LevelDebug) {
		r.Log.Debug("request", "method", q.Method, "from", q.RemoteAddr, "length", q.ContentLength, "webhook-id", q.Header.Values("Webhook-Id"),
			"webhook-timestamp", q.Header.Values("Webhook-Timestamp"), "signatures", len(q.Header.Values("Webhook-Signature")), "agent",
			q.UserAgent())
	}
	a := Arrival{Delivery: mapping.Delivery{Received: start}, Host: calledBy(q)}
	body := held{room: r.room}
	defer body.release()
	refused := r.take(w, q, &a, &body)
	if refused == nil {
		refused = r.store(&a)
	}
	a.Code = http.StatusOK
	out := reply{OK: true, ID: a.Delivery.ID, Duplicate: a.Outcome.Duplicate}
	if refused != nil {
		a.Code, a.Problem = refused.code, refused.msg
		out = reply{Error: refused.msg}
	} else if !a.Outcome.Duplicate {
		switch a.Outcome.Status {
		case mapping.Quarantined:
			out.Quarantined = a.Outcome.Reason
		case mapping.Pending:
			out.Pending = a.Outcome.Reason
		case mapping.Applied, mapping.Ignored:
		}
	}
	answer(w, a.Code, out)
	a.Took = r.Now().Sub(start)
	r.metrics.count(&a, a.Took)
	if !r.Quiet {
		r.log(&a)
	}
	if r.Seen != nil {
		r.Seen(a)
	}
}

// take reads and verifies a request.
func (r *Receiver) take(w http.ResponseWriter, q *http.Request, a *Arrival, room *held) *refusal {
	if q.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return &refusal{http.StatusMethodNotAllowed, "webhooks come by POST"}
	}
	if refused := r.checkHeader(q, a.Delivery.Received); refused != nil {
		w.Header().Set("Connection", "close") // so that the answer leaves before the body has come
		return refused
	}
	body, err := room.read(http.MaxBytesReader(w, q.Body, r.MaxBody), q.ContentLength, r.MaxBody)
	switch {
	case errors.Is(err, errNoRoom):
		w.Header().Set("Connection", "close")
		return &refusal{http.StatusServiceUnavailable, errNoRoom.Error()}
	case err != nil && errors.As(err, new(*http.MaxBytesError)):
		return r.tooLarge()
	case err != nil:
		return &refusal{http.StatusBadRequest, "the body did not arrive whole"}
	}
	heard(q.Context())
	if r.Verify == nil {
		a.Delivery.ID = unsignedID(q.Header, body)
	} else {
		id, err := r.Verify(q.Header, body, a.Delivery.Received)
		switch {
		case err != nil && r.Samples:
			a.Delivery.ID, a.Delivery.Body = unsignedID(q.Header, body), body
			return nil
		case err != nil:
			return &refusal{http.StatusUnauthorized, err.Error()}
		}
		a.Delivery.ID, a.Signed, a.Trial = id, true, r.Trial
		if off := clockOff(q.Header, a.Delivery.Received); off.Abs() > maxClockOff {
			r.Log.Warn("this machine's clock and the sender's differ; beyond 5 minutes webhooks are refused", "seconds", off.Seconds())
		}
	}
	a.Delivery.Body = body
	return nil
}

// checkHeader says why a request is refused whatever its body is.
func (r *Receiver) checkHeader(q *http.Request, now time.Time) *refusal {
	for _, e := range q.Header["Content-Encoding"] {
		if e != "" && !strings.EqualFold(e, "identity") {
			return &refusal{http.StatusUnsupportedMediaType, "the body must not be encoded (Content-Encoding)"}
		}
	}
	if q.ContentLength > r.MaxBody {
		return r.tooLarge()
	}
	if r.Verify == nil || r.Trial {
		if why := foreign(q, r.public.Load().Host); why != "" {
			return &refusal{http.StatusForbidden, why}
		}
	}
	if r.Verify != nil && r.Check != nil && !r.Samples {
		if err := r.Check(q.Header, now); err != nil {
			return &refusal{http.StatusUnauthorized, err.Error()}
		}
	}
	return nil
}

func (r *Receiver) tooLarge() *refusal {
	return &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", r.MaxBody)}
}

// maxClockOff is how far the clocks may differ before that is worth a word.
const maxClockOff = time.Minute

// clockOff is how far this machine's clock is before the sender's. A retry bears the
// time when it was sent again.
func clockOff(h http.Header, now time.Time) time.Duration {
	sent, err := strconv.ParseInt(h.Get("Webhook-Timestamp"), 10, 64)
	if err != nil {
		return 0
	}
	return now.Truncate(time.Second).Sub(time.Unix(sent, 0))
}

// unsignedID tells unsigned requests apart.
func unsignedID(h http.Header, raw []byte) string {
	if id := h.Get("Webhook-Id"); id != "" && len(id) <= 255 && body.Printable(id) == id {
		return id
	}
	return fmt.Sprintf("unsigned_%x", sha256.Sum256(raw))[:41]
}

// store makes a delivery durable.
func (r *Receiver) store(a *Arrival) *refusal {
	e := mapping.Enter(r.Mapping(), a.Delivery)
	a.Event = e.Row.Event
	if r.commits == nil || r.Samples && !a.Signed {
		if a.Event == mapping.TestEvent {
			a.Outcome.Status = mapping.Ignored
			return nil
		}
		return &refusal{http.StatusServiceUnavailable, "taken as a sample, not stored"}
	}
	// The body is here, whole: it is stored also when the sender has hung up.
	var err error
	if a.Outcome, err = r.commits.commit(e); err != nil {
		failed := a.Delivery
		r.failed.Store(&failed)
		a.Err = err
		r.Log.Error("delivery not stored", "id", a.Delivery.ID, "error", brief(err))
		return &refusal{http.StatusServiceUnavailable, "it cannot be stored now; send it again"}
	}
	if r.failed.Load() != nil {
		r.failed.Store(nil)
	}
	return nil
}

func (r *Receiver) log(a *Arrival) {
	level, msg, more := slog.LevelInfo, string(a.Outcome.Status), slog.Attr{}
	switch {
	case a.Problem != "":
		level, msg, more = slog.LevelWarn, "refused", slog.String("why", a.Problem)
	case a.Outcome.Duplicate:
		msg = "seen before"
	case a.Outcome.Status == mapping.Quarantined:
		// The reason may quote the contact's data; the journal has it.
		level, more = slog.LevelWarn, slog.String("hint", "loopmap deliveries show "+a.Delivery.ID)
	case a.Outcome.Status == mapping.Pending: // the reason names the table alone
		level, more = slog.LevelWarn, slog.String("why", a.Outcome.Reason)
	}
	trial := slog.Attr{}
	if a.Trial {
		trial = slog.Bool("trial", true)
	}
	r.Log.LogAttrs(context.Background(), level, msg, slog.Int("code", a.Code), slog.String("id", a.Delivery.ID),
		slog.String("event", body.Printable(a.Event)), slog.Float64("ms", float64(a.Took.Microseconds())/1000), trial, more)
}

func (r *Receiver) only(w http.ResponseWriter, q *http.Request, h http.HandlerFunc) {
	if q.Method != http.MethodGet && q.Method != http.MethodHead {
		w.Header().Set("Allow", http.MethodGet)
		answer(w, http.StatusMethodNotAllowed, reply{Error: "only GET is answered here"})
		return
	}
	h(w, q)
}

func (r *Receiver) health(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, reply{OK: true})
}
