package loopstest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/loops"
	"loopmap/mapping/loops/loopstest"
	"loopmap/mapping/loops/loopstest/openapitest"
)

// endpoint takes webhooks without a network, so that time can be a bubble's. It
// answers with the statuses given, then with 204.
type endpoint struct {
	t        *testing.T
	mu       sync.Mutex
	statuses []int
	got      []taken
}

type taken struct {
	at        time.Time
	id, event string
	body      []byte
}

func (e *endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	id, err := loops.Verify([]string{loopstest.DefaultSecret}, r.Header, body, time.Now())
	if err != nil {
		e.t.Errorf("the signature: %v", err)
	}
	if err := openapitest.Webhook(body); err != nil {
		e.t.Error(err)
	}
	if r.Method != "POST" || r.URL.String() != hookURL || r.Header.Get("Content-Type") != "application/json" {
		e.t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.got = append(e.got, taken{time.Now(), id, mapping.FactsOf(body).Event, body})
	status := http.StatusNoContent
	if len(e.statuses) > 0 {
		status, e.statuses = e.statuses[0], e.statuses[1:]
	}
	if status == 0 {
		return nil, errors.New("connection refused")
	}
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: http.Header{"Location": {"/elsewhere"}}, Body: http.NoBody, Request: r}, nil
}

const hookURL = "https://hooks.example.com/loops"

// bubble runs a test with a server that sends to an endpoint, in time that flies.
func bubble(t *testing.T, o loopstest.Options, test func(*testing.T, *loopstest.Server, *endpoint)) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{t: t}
		o.Webhook, o.Client = hookURL, &http.Client{Transport: e}
		s := loopstest.New(o)
		defer s.Close()
		test(t, s, e)
	})
}

func add(t *testing.T, s *loopstest.Server, emails ...string) {
	t.Helper()
	for _, email := range emails {
		if _, err := s.Add(loopstest.Contact{Email: email}); err != nil {
			t.Fatal(err)
		}
	}
}

// call makes a call without a network.
func call(t *testing.T, s *loopstest.Server, method, path, body string) {
	t.Helper()
	q := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	q.Header.Set("Authorization", "Bearer "+loopstest.DefaultKey)
	q.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, q)
	if w.Code != 200 {
		t.Errorf("%s %s: %d %s", path, body, w.Code, w.Body)
	}
}

func TestWebhooks(t *testing.T) {
	bubble(t, loopstest.Options{Rate: -1}, func(t *testing.T, s *loopstest.Server, e *endpoint) {
		for _, step := range []struct {
			do   func()
			want []string
		}{
			{func() { add(t, s, "app@x.example") }, []string{"contact.created"}},
			{func() {
				call(t, s, "PUT", "/v1/contacts/update", `{"email":"a@x.example","mailingLists":{"`+investors+`":true,"`+product+`":true}}`)
			},
				[]string{"contact.created", "contact.mailingList.subscribed", "contact.mailingList.subscribed"}},
			{func() { call(t, s, "PUT", "/v1/contacts/update", `{"email":"a@x.example","firstName":"A"}`) }, nil},
			{func() {
				call(t, s, "PUT", "/v1/contacts/update", `{"email":"a@x.example","mailingLists":{"`+investors+`":false,"`+product+`":true}}`)
			},
				[]string{"contact.mailingList.unsubscribed"}},
			{func() { call(t, s, "POST", "/v1/events/send", event) }, nil}, // a@x.example is there
			{func() { call(t, s, "POST", "/v1/events/send", `{"eventName":"signedUp","email":"e@x.example"}`) }, []string{"contact.created"}},
			{func() { call(t, s, "POST", "/v1/contacts/create", `{"email":"c@x.example","subscribed":false}`) }, []string{"contact.created"}},
			{func() { call(t, s, "PUT", "/v1/contacts/update", `{"email":"a@x.example","subscribed":false}`) }, []string{"contact.unsubscribed"}},
			{func() { call(t, s, "PUT", "/v1/contacts/update", `{"email":"a@x.example","subscribed":false}`) }, nil},
			{func() { call(t, s, "PUT", "/v1/contacts/update", `{"email":"a@x.example","subscribed":true}`) }, nil},
			{func() { call(t, s, "POST", "/v1/contacts/delete", `{"email":"c@x.example"}`) }, []string{"contact.unsubscribed", "contact.deleted"}},
		} {
			e.got = nil
			step.do()
			if err := s.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range e.got {
				got = append(got, m.event)
				if f := mapping.FactsOf(m.body); time.Since(f.EventTime) > time.Minute || len(f.ContactID) != 25 || f.Email == "" {
					t.Errorf("%s", m.body)
				}
			}
			if !slices.Equal(got, step.want) {
				t.Errorf("%v, want %v", got, step.want)
			}
		}
		ids := map[string]bool{}
		for _, d := range s.Deliveries() {
			if ids[d.ID] || d.Attempt != 1 || d.Err != nil || d.Status != 204 {
				t.Errorf("%+v", d)
			}
			ids[d.ID] = true
		}
	})
}

// A webhook that is refused comes again with its id and a new timestamp, and
// holds nothing up.
func TestRetry(t *testing.T) {
	bubble(t, loopstest.Options{}, func(t *testing.T, s *loopstest.Server, e *endpoint) {
		from := time.Now()
		e.statuses = []int{500, 204, 301, 0, 400}
		add(t, s, "a@x.example", "b@x.example")
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		var at []time.Duration
		for _, m := range e.got {
			at = append(at, m.at.Sub(from))
		}
		if want := []time.Duration{0, 100 * time.Millisecond, time.Second, 3 * time.Second, 7 * time.Second, 15 * time.Second}; !slices.Equal(at, want) {
			t.Errorf("attempts at %v, want %v", at, want)
		}
		for i, m := range e.got {
			if (m.id == e.got[0].id) != (i != 1) {
				t.Errorf("attempt %d has the id %s", i, m.id)
			}
		}
		var statuses, attempts []int
		for _, d := range s.Deliveries() {
			statuses, attempts = append(statuses, d.Status), append(attempts, d.Attempt)
			if (d.Err == nil) != (d.Status == 204) {
				t.Errorf("%+v", d)
			}
		}
		if !slices.Equal(statuses, []int{500, 204, 301, 0, 400, 204}) || !slices.Equal(attempts, []int{1, 1, 2, 3, 4, 5}) {
			t.Error(statuses, attempts)
		}
	})
}

// In order, and ten a second.
func TestDeliveryRate(t *testing.T) {
	bubble(t, loopstest.Options{}, func(t *testing.T, s *loopstest.Server, e *endpoint) {
		from := time.Now()
		var want []string
		for i := range 25 {
			want = append(want, string(rune('a'+i))+"@x.example")
		}
		add(t, s, want...)
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		var got []string
		for i, m := range e.got {
			got = append(got, mapping.FactsOf(m.body).Email)
			if d := m.at.Sub(from); d != time.Duration(i)*100*time.Millisecond {
				t.Errorf("the %dth at %v", i, d)
			}
		}
		if !slices.Equal(got, want) {
			t.Error(got)
		}
	})
}

func TestEventsSwitchedOff(t *testing.T) {
	bubble(t, loopstest.Options{WebhookEvents: []string{"contact.created"}}, func(t *testing.T, s *loopstest.Server, e *endpoint) {
		add(t, s, "a@x.example")
		call(t, s, "POST", "/v1/contacts/delete", `{"email":"a@x.example"}`)
		if err := s.Flush(t.Context()); err != nil || len(e.got) != 1 || e.got[0].event != "contact.created" {
			t.Errorf("%v %v", e.got, err)
		}
	})
}

// Close gives up what waits and breaks off what is under way.
func TestClose(t *testing.T) {
	bubble(t, loopstest.Options{}, func(t *testing.T, s *loopstest.Server, e *endpoint) {
		e.statuses = slices.Repeat([]int{500}, 100)
		add(t, s, "a@x.example", "b@x.example")
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if err := s.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		s.Close()
		n := len(s.Deliveries())
		add(t, s, "c@x.example")
		time.Sleep(time.Hour)
		if len(s.Deliveries()) != n || s.Flush(t.Context()) != nil {
			t.Error("webhooks after Close")
		}
		s.Close() // again is fine
	})
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() }))
	defer silent.Close()
	s := loopstest.New(loopstest.Options{Webhook: silent.URL})
	add(t, s, "a@x.example")
	s.Close()
}

// Over the wire, with the clock of the options, and told.
func TestDeliver(t *testing.T) {
	c := newClock()
	verified := make(chan string, 2)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		id, err := loops.Verify([]string{loopstest.DefaultSecret}, r.Header, body, c.Now())
		if err != nil {
			t.Error(err)
		}
		verified <- id
	}))
	defer receiver.Close()
	told := make(chan loopstest.Delivery, 2)
	s := loopstest.New(loopstest.Options{Webhook: receiver.URL, Now: c.Now, OnDelivery: func(d loopstest.Delivery) { told <- d }})
	defer s.Close()
	add(t, s, "a@x.example")
	if d, id := <-told, <-verified; d.ID != id || d.Event != "contact.created" || d.Attempt != 1 || d.Status != 200 || d.Err != nil || !d.Time.Equal(c.Now()) {
		t.Errorf("%+v", d)
	}
}
