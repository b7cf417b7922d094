package loopstest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"loopmap/mapping/loops/loopstest"
	"loopmap/mapping/loops/loopstest/openapitest"
)

// A clock that tests turn.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Unix(1_800_000_000, 0)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

const (
	product   = "cm06f5v0e45nf0ml5754o9cix"
	investors = "cm06f5v0e45ng0ml5754oabcd"
)

// rig is a server with a client. Answers are checked against the OpenAPI
// document unless the script fails calls.
type rig struct {
	*loopstest.Server
	t   *testing.T
	url string
}

func start(t *testing.T, o loopstest.Options, checked bool) *rig {
	t.Helper()
	if o.Rate == 0 {
		o.Rate = -1
	}
	s := loopstest.New(o)
	var h http.Handler = s
	if checked {
		h = openapitest.Handler(t, s)
	}
	web := httptest.NewServer(h)
	t.Cleanup(func() { s.Close(); web.Close() })
	return &rig{s, t, web.URL}
}

// do makes one call; header holds names and values in turn.
func (r *rig) do(method, path, body string, header ...string) (*http.Response, string) {
	r.t.Helper()
	p, text, err := r.try(http.DefaultClient, method, path, body, header...)
	if err != nil {
		r.t.Fatalf("%s %s: %v", method, path, err)
	}
	return p, text
}

func (r *rig) try(client *http.Client, method, path, body string, header ...string) (*http.Response, string, error) {
	r.t.Helper()
	q, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+loopstest.DefaultKey)
	if body != "" {
		q.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	p, err := client.Do(q)
	if err != nil {
		return nil, "", err
	}
	defer p.Body.Close()
	text, err := io.ReadAll(p.Body)
	return p, string(text), err
}

// put updates a contact and wants the status.
func (r *rig) put(status int, body string) string {
	r.t.Helper()
	p, text := r.do("PUT", "/api/v1/contacts/update", body)
	if p.StatusCode != status {
		r.t.Errorf("%s: %d %s, want %d", body, p.StatusCode, text, status)
	}
	return text
}

func (r *rig) send(status int, body string, header ...string) string {
	r.t.Helper()
	p, text := r.do("POST", "/api/v1/events/send", body, header...)
	if p.StatusCode != status {
		r.t.Errorf("%s: %d %s, want %d", body, p.StatusCode, text, status)
	}
	return text
}

// get reads an answer of 200.
func (r *rig) get(path string, to any) {
	r.t.Helper()
	p, text := r.do("GET", path, "")
	if p.StatusCode != http.StatusOK {
		r.t.Fatalf("%s: %d %s", path, p.StatusCode, text)
	}
	if err := json.Unmarshal([]byte(text), to); err != nil {
		r.t.Fatalf("%s: %v: %s", path, err, text)
	}
}

// The whole contact as JSON, without its id.
func (r *rig) contact(email string) string {
	r.t.Helper()
	c, ok := r.Contact(email)
	if !ok {
		r.t.Errorf("%s is not there", email)
	}
	c.ID = ""
	text, err := json.Marshal(c)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

func TestKeyAndPaths(t *testing.T) {
	r := start(t, loopstest.Options{Rate: 10}, true)
	for _, c := range []struct {
		name, method, path string
		header             []string
		status             int
		body               string
	}{
		{"the key", "GET", "/api/v1/api-key", nil, 200, `{"success":true,"teamName":"Rehearsal"}`},
		{"without /api", "GET", "/v1/api-key", nil, 200, `{"success":true,"teamName":"Rehearsal"}`},
		{"another key", "GET", "/v1/api-key", []string{"Authorization", "Bearer x"}, 401, `{"success":false,"message":"Invalid API key"}`},
		{"no Bearer", "GET", "/v1/lists", []string{"Authorization", loopstest.DefaultKey}, 401, `{"success":false,"message":"Invalid API key"}`},
		{"wrong method", "POST", "/v1/contacts/update", nil, 405, ""},
	} {
		p, text := r.do(c.method, c.path, "", c.header...)
		if p.StatusCode != c.status || text != c.body {
			t.Errorf("%s: %d %s", c.name, p.StatusCode, text)
		}
		if p.Header.Get("X-Ratelimit-Limit") != "10" || p.Header.Get("X-Ratelimit-Remaining") == "" {
			t.Errorf("%s: headers %v", c.name, p.Header)
		}
	}
	for _, c := range r.Calls() {
		if got := c.Header.Get("Authorization"); got != "[blanked]" {
			t.Errorf("the key is kept: %q", got)
		}
	}
}

func TestUnknownPath(t *testing.T) {
	r := start(t, loopstest.Options{}, false)
	for _, path := range []string{"/v1/campaigns", "/", "/v1/event-patterns/by-name/", "/v1/event-patterns/by-name/a/b"} {
		if p, text := r.do("GET", path, ""); p.StatusCode != 404 || text != `{"success":false,"message":"Not found"}` {
			t.Errorf("%s: %d %s", path, p.StatusCode, text)
		}
	}
	if p, _ := r.do("PUT", "/v1/contacts/update", `{"email":"`+strings.Repeat("x", 1<<20)); p.StatusCode != 413 {
		t.Errorf("a huge body: %d", p.StatusCode)
	}
}

func TestRate(t *testing.T) {
	c := newClock()
	r := start(t, loopstest.Options{Rate: 3, Now: c.Now}, true)
	for i, step := range []struct {
		wait      time.Duration
		status    int
		remaining string
	}{
		{0, 200, "2"},
		{400 * time.Millisecond, 200, "1"},
		{400 * time.Millisecond, 200, "0"},
		{199 * time.Millisecond, 429, "0"}, // 0.999 s after the first
		{time.Millisecond, 200, "0"},       // the first has gone
		{399 * time.Millisecond, 429, "0"},
		{time.Millisecond, 200, "0"},
	} {
		c.Add(step.wait)
		p, text := r.do("GET", "/v1/api-key", "")
		if got := p.Header.Get("X-Ratelimit-Remaining"); p.StatusCode != step.status || got != step.remaining || p.Header.Get("Retry-After") != "" {
			t.Errorf("step %d: %d, %s left: %s", i, p.StatusCode, got, text)
		}
	}
	if n := r.MaxPerSecond(); n != 5 { // from 0.4 to 1.399 s
		t.Errorf("%d in a second", n)
	}
}

// Another tool of the team takes its share.
func TestSpend(t *testing.T) {
	c := newClock()
	r := start(t, loopstest.Options{Rate: 10, Now: c.Now}, true)
	r.Spend(7)
	if p, _ := r.do("GET", "/v1/api-key", ""); p.Header.Get("X-Ratelimit-Remaining") != "2" || r.MaxPerSecond() != 1 {
		t.Errorf("%v", p.Header)
	}
	r.Spend(7)
	if p, _ := r.do("GET", "/v1/api-key", ""); p.StatusCode != 429 || p.Header.Get("X-Ratelimit-Remaining") != "0" {
		t.Errorf("%s %v", p.Status, p.Header)
	}
	c.Add(time.Second)
	if p, _ := r.do("GET", "/v1/api-key", ""); p.Header.Get("X-Ratelimit-Remaining") != "9" {
		t.Errorf("%s %v", p.Status, p.Header)
	}
}

// Calls at once: not one more than the limit is taken.
func TestRateAtOnce(t *testing.T) {
	c := newClock()
	r := start(t, loopstest.Options{Now: c.Now, Rate: 10}, true)
	var all sync.WaitGroup
	var mu sync.Mutex
	count := map[int]int{}
	for range 40 {
		all.Go(func() {
			p, _, err := r.try(http.DefaultClient, "GET", "/v1/lists", "")
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
				return
			}
			count[p.StatusCode]++
		})
	}
	all.Wait()
	if count[200] != 10 || count[429] != 30 || r.MaxPerSecond() != 40 {
		t.Errorf("%v, %d in a second", count, r.MaxPerSecond())
	}
}

func TestOnCall(t *testing.T) {
	var mu sync.Mutex
	var told []loopstest.Call
	var r *rig
	c := newClock()
	r = start(t, loopstest.Options{Now: c.Now, OnCall: func(c loopstest.Call) {
		r.Contacts() // it may ask
		mu.Lock()
		defer mu.Unlock()
		told = append(told, c)
	}}, true)
	r.put(200, `{"email":"a@x.example"}`)
	r.put(400, `{}`)
	r.do("GET", "/v1/contacts/find?email=a%40x.example", "")
	mu.Lock()
	defer mu.Unlock()
	if len(told) != 3 || len(r.Calls()) != 3 {
		t.Fatalf("%d told", len(told))
	}
	a, b, f := told[0], told[1], told[2]
	if a.Path != "/v1/contacts/update" || a.Method != "PUT" || string(a.Body) != `{"email":"a@x.example"}` || a.Status != 200 || !a.Applied || !a.Time.Equal(c.Now()) {
		t.Errorf("%+v", a)
	}
	if b.Status != 400 || b.Applied || f.Applied || f.Query != "email=a%40x.example" {
		t.Errorf("%+v %+v", b, f)
	}
}

func TestLatency(t *testing.T) {
	r := start(t, loopstest.Options{Latency: time.Minute}, true)
	client := &http.Client{Timeout: 20 * time.Millisecond}
	if _, _, err := r.try(client, "PUT", "/v1/contacts/update", `{"email":"a@x.example"}`); err == nil {
		t.Error("an answer came")
	}
	if _, ok := r.Contact("a@x.example"); !ok {
		t.Error("the effect comes before the wait")
	}
}
