package push_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/loops"
	"loopmap/mapping/loops/loopstest"
	"loopmap/mapping/loops/loopstest/openapitest"
	"loopmap/mapping/outgoing"
	"loopmap/mapping/push"
	"loopmap/mapping/table"
)

const (
	received = `version: 1
database: sqlite:contacts.db
table: contacts
key: loops_id
receive:
  events: [contact.created]
  columns:
    - {name: loops_id, type: text, from: contactIdentity.id}
    - {name: email, type: text, from: contact.email}
    - {name: plan, type: text, from: contact.plan}
`
	file = received + `push:
  contact:
    email: email
    properties: {plan: plan}
  events:
    - name: upgraded
      once_per: [email]
      properties: {plan: plan}
`
)

// bench is a table, a Loops, and what sends from one to the other.
type bench struct {
	*testing.T
	store  *table.Store
	loops  *loopstest.Server
	pusher *push.Pusher
	sender *outgoing.Sender
}

// client is the API as the command line has it, with a time limit for tests.
type client struct {
	*loops.Client
	limit time.Duration
}

func (c client) Send(ctx context.Context, r outgoing.Request) (push.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	a, err := c.Do(ctx, r.Method, r.Path, r.IdempotencyKey, r.Body)
	return push.Answer(a), err
}

func newBench(t *testing.T, o loopstest.Options, rows int) *bench {
	t.Helper()
	m, err := mapping.Parse("loopmap.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{T: t, loops: loopstest.New(o)}
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = openapitest.Request(r.Method, r.URL.Path, r.Header, body)
		}
		if err != nil && !strings.Contains(o.Key, "another") {
			t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		b.loops.ServeHTTP(w, r)
	}))
	t.Cleanup(h.Close)
	t.Cleanup(b.loops.Close)
	api, err := loops.NewClient(h.URL+"/api", loopstest.DefaultKey, &http.Transport{MaxIdleConnsPerHost: 32})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if b.store, err = table.Open(ctx, table.Options{URL: "sqlite:contacts.db", Dir: t.TempDir(), Write: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.store.Close() })
	plan, err := b.store.Plan(ctx, m)
	if err == nil {
		err = b.store.Apply(ctx, plan)
	}
	if err != nil {
		t.Fatal(err)
	}
	columns, err := b.store.Columns(ctx, m.Table)
	if err != nil {
		t.Fatal(err)
	}
	if b.sender, err = outgoing.NewSender(m, "loopmap.yaml", table.Fields(m, columns)); err != nil {
		t.Fatal(err)
	}
	b.pusher = &push.Pusher{Store: b.store, API: client{api, 2 * time.Second}, Pace: push.NewPace()}
	var sql []string
	for i := range rows {
		sql = append(sql, fmt.Sprintf("INSERT INTO contacts (loops_id, email, plan) VALUES ('r%04d', 'r%04d@example.com', 'pro')", i, i))
	}
	b.change(sql...)
	return b
}

func (b *bench) change(sql ...string) {
	b.Helper()
	if err := b.store.Apply(b.Context(), table.Plan{SQL: sql}); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) run(job push.Job) (push.Counts, error) {
	job.Sender = b.sender
	return b.pusher.Run(b.Context(), job)
}

func (b *bench) line(key, kind string) outgoing.Line {
	b.Helper()
	all, err := b.store.Pushes(b.Context(), "contacts", []string{key})
	if err != nil {
		b.Fatal(err)
	}
	for _, l := range all[key] {
		if l.Kind == kind {
			return l
		}
	}
	return outgoing.Line{}
}

// What may have arrived is sent again as it was, until Loops says that it has it: each
// contact, and each event once.
func TestUncertainAnswers(t *testing.T) {
	for _, c := range []struct {
		name string
		f    loopstest.Failure
	}{
		{"500", loopstest.Failure{Kind: loopstest.Answer, Status: 500}},
		{"503 after applying", loopstest.Failure{Kind: loopstest.Answer, Status: 503, Apply: true}},
		{"cut", loopstest.Failure{Kind: loopstest.Cut}},
		{"cut after applying", loopstest.Failure{Kind: loopstest.CutAfter}},
		{"hang", loopstest.Failure{Kind: loopstest.Hang}},
		{"hang after applying", loopstest.Failure{Kind: loopstest.HangAfter}},
		{"HTML", loopstest.Failure{Kind: loopstest.HTML, Apply: true}},
		{"bad JSON", loopstest.Failure{Kind: loopstest.BadJSON, Apply: true}},
		{"204", loopstest.Failure{Kind: loopstest.Answer, Status: 204, Apply: true}},
		{"301", loopstest.Failure{Kind: loopstest.Answer, Status: 301, Header: http.Header{"Location": {"https://elsewhere.example/"}}, Apply: true}},
		{"429 without Retry-After", loopstest.Failure{Kind: loopstest.Answer, Status: 429}},
		{"429 of a second", loopstest.Failure{Kind: loopstest.Answer, Status: 429, Header: http.Header{"Retry-After": {"1"}}}},
	} {
		for _, same := range []bool{false, true} {
			t.Run(fmt.Sprint(c.name, " ", same), func(t *testing.T) {
				t.Parallel()
				b := newBench(t, loopstest.Options{SameBodyPasses: same}, 1)
				for _, path := range []string{"/v1/contacts/create", "/v1/events/send"} {
					f := c.f
					f.Path = path
					b.loops.Fail(f)
				}
				counts, err := b.run(push.Job{})
				if err != nil || counts.Sent != 2 {
					t.Fatal(counts, err)
				}
				if contacts, events := b.loops.Contacts(), b.loops.Sent(); len(contacts) != 1 || len(events) != 1 {
					t.Errorf("%d contacts, %d events", len(contacts), len(events))
				}
				keys := map[string]bool{}
				for _, call := range b.loops.Calls() {
					if strings.HasSuffix(call.Path, "/events/send") {
						keys[call.Header.Get("Idempotency-Key")] = true
					}
				}
				if len(keys) != 1 {
					t.Errorf("the event has %d keys", len(keys))
				}
				if l := b.line("r0000", "upgraded"); l.Status != outgoing.Sent || !l.FirstAt.IsZero() {
					t.Errorf("%+v", l)
				}
			})
		}
	}
}

// What Loops refuses is that row's own trouble.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name, message string
		code          int
		f             loopstest.Failure
	}{
		{"400", "no such thing", 400, loopstest.Failure{Kind: loopstest.Answer, Status: 400, Body: `{"success":false,"message":"no such thing"}`}},
		{"404", "", 404, loopstest.Failure{Kind: loopstest.Answer, Status: 404, Body: "{}"}},
		{"success false", "", 200, loopstest.Failure{Kind: loopstest.SuccessFalse}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, loopstest.Options{}, 3)
			c.f.Times = -1
			c.f.Match = func(call loopstest.Call) bool {
				return strings.Contains(string(call.Body), "r0001") && !strings.Contains(call.Path, "events")
			}
			b.loops.Fail(c.f)
			counts, err := b.run(push.Job{})
			if err != nil || counts.Failed != 1 || counts.Sent != 4 || counts.NotMet != 1 { // the event waits for its contact
				t.Fatal(counts, err)
			}
			l := b.line("r0001", mapping.ContactKind)
			if l.Status != outgoing.Failed || l.Code != c.code || c.message != "" && l.Message != c.message || l.Attempts != 1 {
				t.Errorf("%+v", l)
			}
			// It is not tried again by itself, only when it is meant or has changed.
			if counts, _ := b.run(push.Job{}); counts.Failed+counts.Sent != 0 {
				t.Errorf("tried again: %v", counts)
			}
			if counts, _ := b.run(push.Job{Status: outgoing.Failed, Again: outgoing.Resend{Failed: true}}); counts.Failed != 1 || counts.Rows != 1 {
				t.Errorf("not tried again: %v", counts)
			}
			b.change("UPDATE contacts SET plan = 'max' WHERE loops_id = 'r0001'")
			if counts, _ := b.run(push.Job{}); counts.Failed != 1 {
				t.Errorf("not tried with another value: %v", counts)
			}
		})
	}
}

func TestARefusedKeyStopsAll(t *testing.T) {
	b := newBench(t, loopstest.Options{Key: "another"}, 100)
	counts, err := b.run(push.Job{})
	var stopped *push.Stopped
	if !errors.As(err, &stopped) || !stopped.Barred || !strings.Contains(err.Error(), "401") {
		t.Fatal(err)
	}
	if n := len(b.loops.Calls()); n > 32 || counts.Sent+counts.Failed+counts.Pending != 0 {
		t.Errorf("%d calls, %v", n, counts)
	}
	if c, _ := b.store.CountPushes(t.Context(), "contacts"); len(c) != 0 {
		t.Errorf("lines are left: %v", c)
	}
}

func TestTheSameFailureStopsARun(t *testing.T) {
	b := newBench(t, loopstest.Options{Rate: -1}, 150)
	b.pusher.Pace = push.NewPace()
	b.loops.Fail(loopstest.Failure{Kind: loopstest.Answer, Status: 400, Times: -1, Body: `{"success":false,"message":"Unknown property of x@example.com"}`})
	counts, err := b.run(push.Job{})
	var stopped *push.Stopped
	if !errors.As(err, &stopped) || counts.Failed < 50 || counts.Failed > 90 {
		t.Errorf("%v, %v", counts, err)
	}
}

// Two rows of one email are one event; and one that was refused leaves it to the other.
func TestOncePerAcrossRows(t *testing.T) {
	b := newBench(t, loopstest.Options{}, 1)
	b.change("INSERT INTO contacts (loops_id, email, plan) VALUES ('x', 'r0000@example.com', 'free')")
	counts, err := b.run(push.Job{})
	if err != nil || counts.NotMet != 1 || len(b.loops.Sent()) != 1 {
		t.Fatal(counts, err, len(b.loops.Sent()))
	}
	if l := b.line("x", "upgraded"); l.Status == outgoing.NotMet && l.Message != "once_per: row r0000 has sent it" {
		t.Errorf("%+v", l)
	}
}

// A day later an event that may have arrived is not sent by itself.
func TestTheDayOfAnIdempotencyKey(t *testing.T) {
	b := newBench(t, loopstest.Options{}, 1)
	steps := b.sender.Steps(outgoing.Row{Key: "r0000", Cells: map[string]column.Cell{
		"email": {State: column.Present, Text: "r0000@example.com"}, "plan": {State: column.Present, Text: "pro"}}}, outgoing.Resend{})
	r := steps[1].Request
	begun := outgoing.Line{Kind: r.Kind, IdempotencyKey: r.IdempotencyKey, Status: outgoing.Pending, Body: r.Body, Tried: r.Hash, Attempts: 1,
		FirstAt: time.Now().Add(-23*time.Hour - time.Minute), NextAt: time.Now(), UpdatedAt: time.Now()}
	if err := b.store.SavePushes(t.Context(), "contacts", []outgoing.Save{{RowKey: "r0000", Kind: r.Kind, Line: begun}}); err != nil {
		t.Fatal(err)
	}
	counts, err := b.run(push.Job{})
	if err != nil || len(b.loops.Sent()) != 0 || counts.Failed != 1 {
		t.Fatal(counts, err)
	}
	if l := b.line("r0000", "upgraded"); !l.Unknown() || !strings.Contains(l.Message, "--failed --unknown") {
		t.Errorf("%+v", l)
	}
	if _, err := b.run(push.Job{Again: outgoing.Resend{Failed: true}}); err != nil || len(b.loops.Sent()) != 0 {
		t.Error("--failed alone sends it", err)
	}
	if _, err := b.run(push.Job{Again: outgoing.Resend{Failed: true, Unknown: true}}); err != nil || len(b.loops.Sent()) != 1 {
		t.Error("--unknown does not send it", err)
	}
}

func TestRowsAndPlan(t *testing.T) {
	b := newBench(t, loopstest.Options{}, 30)
	planned := 0
	err := b.pusher.Plan(t.Context(), push.Job{Sender: b.sender, Rows: 4}, func(_ string, steps []outgoing.Step) error {
		planned += len(steps)
		return nil
	})
	if err != nil || planned != 8 || len(b.loops.Calls()) != 0 {
		t.Fatal(planned, err)
	}
	for i, want := range []int{8, 8} {
		if counts, err := b.run(push.Job{Rows: 4}); err != nil || counts.Sent != want {
			t.Errorf("run %d: %v, %v", i, counts, err)
		}
	}
	if n := len(b.loops.Contacts()); n != 8 {
		t.Errorf("%d contacts", n)
	}
}

// A run that is ended waits for what is under way, and leaves nothing half done.
func TestEndingARun(t *testing.T) {
	b := newBench(t, loopstest.Options{Latency: 300 * time.Millisecond}, 40)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(700*time.Millisecond, cancel)
	counts, err := b.pusher.Run(ctx, push.Job{Sender: b.sender})
	if !errors.Is(err, context.Canceled) || counts.Sent == 0 {
		t.Fatal(counts, err)
	}
	c, _ := b.store.CountPushes(t.Context(), "contacts")
	if c[outgoing.Pending] != 0 || c[outgoing.Sent] != len(b.loops.Calls()) {
		t.Errorf("%d calls, %v", len(b.loops.Calls()), c)
	}
	if counts, err = b.run(push.Job{}); err != nil || len(b.loops.Sent()) != 40 {
		t.Error(counts, err, len(b.loops.Sent()))
	}
}

// The one who follows sends what changes, also by other programs, and takes back what
// was under way when a process was killed.
func TestFollower(t *testing.T) {
	b := newBench(t, loopstest.Options{}, 0)
	plan, err := b.store.PushTriggers(t.Context(), b.sender.Mapping())
	if err != nil {
		t.Fatal(err)
	}
	b.change(plan.SQL...)
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	f := &push.Follower{Pusher: b.pusher, Outbox: b.store, Log: slog.New(slog.DiscardHandler), Plan: func(context.Context) (push.Plan, error) {
		return push.Plan{Sender: b.sender, Auto: true}, nil
	}}
	work.Go(func() { f.Run(ctx) })
	defer work.Wait()
	defer cancel()
	b.change("INSERT INTO contacts (loops_id, email, plan) VALUES ('a', 'a@example.com', 'pro'), ('b', 'b@example.com', 'pro')")
	b.await(func() bool { return len(b.loops.Sent()) == 2 })
	b.change("UPDATE contacts SET plan = 'max' WHERE loops_id = 'a'")
	b.await(func() bool {
		c, ok := b.loops.Contact("a@example.com")
		return ok && string(c.Values["plan"]) == `"max"`
	})
	if n := len(b.loops.Sent()); n != 2 {
		t.Errorf("%d events", n)
	}
	b.await(func() bool {
		list, err := b.store.Changes(ctx, b.sender.Mapping(), 10)
		return err == nil && len(list) == 0
	})
}

func (b *bench) await(what func() bool) {
	b.Helper()
	for range 1000 {
		if what() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.Fatal("it never happened")
}

// A trouble that stays is said when it comes, and not again at every try. What a person has
// not set up yet is none: a warning says it.
func TestTroubleIsSaidOnce(t *testing.T) {
	var said bytes.Buffer
	tries := 0
	changed := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	f := &push.Follower{Log: slog.New(slog.NewTextHandler(&said, nil)), Changed: changed, Plan: func(context.Context) (push.Plan, error) {
		if tries++; tries > 3 {
			return push.Plan{}, errors.New("no network")
		}
		return push.Plan{}, &push.Unready{Err: errors.New("no key")}
	}}
	var work sync.WaitGroup
	work.Go(func() { f.Run(ctx) })
	for range 5 {
		changed <- struct{}{}
	}
	cancel()
	work.Wait()
	if got := said.String(); strings.Count(got, "no key") != 1 || strings.Count(got, "no network") != 1 || tries < 5 {
		t.Errorf("after %d tries it has said\n%s", tries, got)
	} else if !strings.Contains(got, `level=WARN msg="nothing is sent to Loops yet" why="no key"`) || !strings.Contains(got, "level=ERROR msg=push") {
		t.Errorf("what is lacking is a warning, and what fails an error:\n%s", got)
	}
}
