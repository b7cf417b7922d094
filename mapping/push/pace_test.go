package push

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/loops/loopstest"
	"loopmap/mapping/outgoing"
)

// memory is a store of rows that are all alike.
type memory struct{ rows int }

func (m memory) PushRows(_ context.Context, _ *mapping.Mapping, _ []column.Field, q outgoing.Query) (list []outgoing.Row, err error) {
	add := func(key string) {
		list = append(list, outgoing.Row{Key: key, Cells: map[string]column.Cell{"email": {State: column.Present, Text: key + "@example.com"}}})
	}
	for _, key := range q.Keys {
		add(key)
	}
	for i := 0; q.Keys == nil && i < m.rows && len(list) < q.Limit; i++ {
		if key := fmt.Sprintf("r%05d", i); key > q.After {
			add(key)
		}
	}
	return list, nil
}
func (memory) SavePushes(context.Context, string, []outgoing.Save) error { return nil }
func (memory) PushOwner(context.Context, string, string, string) (string, outgoing.Line, bool, error) {
	return "", outgoing.Line{}, false, nil
}
func (memory) PushesSince(context.Context, string) (time.Time, bool, error) {
	return time.Time{}, false, nil
}
func (memory) TryLockPushes(ctx context.Context) (context.Context, func(), bool, error) {
	return ctx, func() {}, true, nil
}

func (memory) PushRefusals(context.Context, string, string, string) (int, error) { return 0, nil }
func (memory) GoneContacts(context.Context, *mapping.Mapping, string, int) ([]string, error) {
	return nil, nil
}
func (memory) ForgetGone(context.Context, *mapping.Mapping) ([]string, error) { return nil, nil }
func (memory) AwaitTurn(context.Context, string, bool) error                  { return nil }
func (memory) TurnAwaited(context.Context, string) (bool, error)              { return false, nil }

// direct calls a Loops without a network, so that the clock can be a test's.
type direct struct{ *loopstest.Server }

func (d direct) Send(ctx context.Context, r outgoing.Request) (Answer, error) {
	q := httptest.NewRequestWithContext(ctx, r.Method, "/api"+r.Path, strings.NewReader(string(r.Body)))
	q.Header.Set("Authorization", "Bearer "+loopstest.DefaultKey)
	q.Header.Set("Content-Type", "application/json")
	httptrace.ContextClientTrace(ctx).WroteRequest(httptrace.WroteRequestInfo{})
	w := httptest.NewRecorder()
	d.ServeHTTP(w, q)
	return Answer{Status: w.Code, Header: w.Header(), Body: w.Body.Bytes()}, nil
}

func emails(t *testing.T) *outgoing.Sender {
	m, err := mapping.Parse("f", []byte("version: 1\ndatabase: sqlite:a.db\ntable: t\nkey: id\nreceive:\n  events: [contact.created]\n  columns:\n    - {name: id, type: text, from: contactIdentity.id}\npush:\n  contact: {email: email}\n"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := outgoing.NewSender(m, "f", []column.Field{{Name: "id", Type: column.Text}, {Name: "email", Type: column.Text}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A thousand rows with 300 ms of latency: 9.9 a second, and never an eleventh.
func TestPace(t *testing.T) {
	s := emails(t)
	synctest.Test(t, func(t *testing.T) {
		const rows = 1000
		server := loopstest.New(loopstest.Options{Latency: 300 * time.Millisecond, Webhook: ""})
		defer server.Close()
		p := &Pusher{Store: memory{rows}, API: direct{server}, Pace: NewPace()}
		begun := time.Now()
		counts, err := p.Run(t.Context(), Job{Sender: s})
		if err != nil || counts.Sent != rows {
			t.Fatal(counts, err)
		}
		rate := rows / time.Since(begun).Seconds()
		throttled := 0
		for _, c := range server.Calls() {
			if c.Status == http.StatusTooManyRequests {
				throttled++
			}
		}
		t.Logf("%d rows in %s: %.2f/s, at most %d in any second, %d answers 429", rows, time.Since(begun), rate, server.MaxPerSecond(), throttled)
		if rate < 9.9 || server.MaxPerSecond() > 10 || throttled > 0 {
			t.Error("that is not the pace")
		}
	})
}

// heldUp is a network in which some requests arrive later than they left.
type heldUp struct {
	direct
	n atomic.Int64
}

func (h *heldUp) Send(ctx context.Context, r outgoing.Request) (Answer, error) {
	httptrace.ContextClientTrace(ctx).WroteRequest(httptrace.WroteRequestInfo{})
	if n := h.n.Add(1); n%17 == 0 {
		time.Sleep(150 * time.Millisecond)
	} else if n%23 == 0 {
		time.Sleep(700 * time.Millisecond)
	}
	return h.direct.Send(httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) {}}), r)
}

// What is held up on its way does not meet too many of those that left later.
func TestPaceOfLateArrivals(t *testing.T) {
	s := emails(t)
	synctest.Test(t, func(t *testing.T) {
		const rows = 400
		server := loopstest.New(loopstest.Options{Latency: 300 * time.Millisecond})
		defer server.Close()
		p := &Pusher{Store: memory{rows}, API: &heldUp{direct: direct{server}}, Pace: NewPace()}
		begun := time.Now()
		counts, err := p.Run(t.Context(), Job{Sender: s})
		rate := rows / time.Since(begun).Seconds()
		t.Logf("%v at %.2f/s, at most %d in any second", counts, rate, server.MaxPerSecond())
		if err != nil || counts.Sent != rows || server.MaxPerSecond() > 10 || rate < 8.5 {
			t.Error(counts, err)
		}
	})
}

// Others of the team take half: what the headers say keeps the answers 429 away.
func TestPaceBesideOthers(t *testing.T) {
	s := emails(t)
	synctest.Test(t, func(t *testing.T) {
		server := loopstest.New(loopstest.Options{Latency: 100 * time.Millisecond})
		defer server.Close()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			for sleep(ctx, 250*time.Millisecond) == nil {
				server.Spend(1)
			}
		}()
		p := &Pusher{Store: memory{300}, API: direct{server}, Pace: NewPace()}
		begun := time.Now()
		counts, err := p.Run(ctx, Job{Sender: s})
		throttled := 0
		for _, c := range server.Calls() {
			if c.Status == http.StatusTooManyRequests {
				throttled++
			}
		}
		t.Logf("%v in %s, %d answers 429", counts, time.Since(begun), throttled)
		if err != nil || counts.Sent != 300 || throttled > 12 {
			t.Errorf("%v, %v, %d answers 429", counts, err, throttled)
		}
	})
}

func TestSilence(t *testing.T) {
	now := time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		header   string
		min, max time.Duration
	}{
		{"7", 7 * time.Second, 7 * time.Second},
		{"Tue, 24 Nov 2026 06:00:30 GMT", 30 * time.Second, 30 * time.Second},
		{"", time.Second, 2 * time.Second},
		{"0", time.Second, 2 * time.Second},
		{"-5", time.Second, 2 * time.Second},
		{"soon", time.Second, 2 * time.Second},
		{"Tue, 24 Nov 2020 06:00:30 GMT", time.Second, 2 * time.Second},
		{"315360000", longestHold, longestHold},
		{"99999999999999999999", time.Second, 2 * time.Second},
		{"Tue, 24 Nov 2036 06:00:30 GMT", longestHold, longestHold},
	} {
		if d := silence(c.header, 1, now); d < c.min || d > c.max {
			t.Errorf("Retry-After %q: %s", c.header, d)
		}
	}
	for n := range 100 {
		if d := silence("", n, now); d < shortestHold || d > shortestHold+time.Minute {
			t.Errorf("the %dth: %s", n, d)
		}
	}
}

// A 503 that says when to come again is obeyed, within bounds, by all requests; it takes
// none of the pace away.
func TestRetryAfterOf503(t *testing.T) {
	s := emails(t)
	for _, c := range []struct {
		after       string
		least, most time.Duration
	}{{"30", 30 * time.Second, 40 * time.Second}, {"86400", 5 * time.Minute, 6 * time.Minute}, {"", 0, 15 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			server := loopstest.New(loopstest.Options{})
			defer server.Close()
			f := loopstest.Failure{Kind: loopstest.Answer, Status: http.StatusServiceUnavailable}
			if c.after != "" {
				f.Header = http.Header{"Retry-After": {c.after}}
			}
			server.Fail(f)
			begun := time.Now()
			counts, err := (&Pusher{Store: memory{50}, API: direct{server}, Pace: NewPace()}).Run(t.Context(), Job{Sender: s})
			if d := time.Since(begun); err != nil || counts.Sent != 50 || d < c.least || d > c.most {
				t.Errorf("Retry-After %q: %v in %s, %v", c.after, counts, d, err)
			}
		})
	}
}
