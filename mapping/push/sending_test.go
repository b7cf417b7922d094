package push_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/loops/loopstest"
	"loopmap/mapping/outgoing"
	"loopmap/mapping/push"
)

const (
	eventsAlone = received + `push:
  events:
    - {name: upgraded, email: email, once_per: [loops_id], properties: {plan: plan}}
`
	rulesToo = received + `  rules:
    - {event: contact.unsubscribed, set: {plan: gone}}
push:
  contact: {email: email, properties: {plan: plan}}
  events:
    - {name: upgraded, once_per: [email], properties: {plan: plan}}
`
)

// A key may be empty, also as the first of many.
func TestAnEmptyKey(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, database string) {
		b := benchOn(t, database, file, loopstest.Options{})
		b.many(210)
		b.change("INSERT INTO contacts (loops_id, email, plan) VALUES ('', 'no address', 'pro')")
		planned := 0
		if err := b.pusher.Plan(t.Context(), push.Job{Sender: b.sender}, func(string, []outgoing.Step) error { planned++; return nil }); err != nil || planned != 211 {
			t.Fatal(planned, err)
		}
		b.mustRun(push.Job{Keys: []string{""}})
		if counts := b.mustRun(push.Job{Status: outgoing.Failed, Again: outgoing.Resend{Failed: true}}); counts.Rows != 1 || counts.Failed != 1 {
			t.Errorf("%v", counts)
		}
	})
}

// Rows without a key end nothing and are sent by nobody, however many there are.
func TestRowsWithoutAKey(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, database string) {
		b := benchOn(t, database, file, loopstest.Options{}, "CREATE TABLE contacts (loops_id VARCHAR(40) UNIQUE, email VARCHAR(100), plan VARCHAR(40))")
		var values []string
		for i := range 450 {
			values = append(values, fmt.Sprintf("(NULL, 'n%d@example.com', 'pro')", i))
		}
		b.change("INSERT INTO contacts (loops_id, email, plan) VALUES "+strings.Join(values, ", "),
			"INSERT INTO contacts (loops_id, email, plan) VALUES ('', 'e@example.com', 'pro'), ('a', 'a@example.com', 'pro')")
		planned := 0
		if err := b.pusher.Plan(t.Context(), push.Job{Sender: b.sender}, func(string, []outgoing.Step) error { planned++; return nil }); err != nil || planned != 2 {
			t.Fatal(planned, err)
		}
		if counts := b.mustRun(push.Job{}); counts.Rows != 2 || counts.Sent != 4 {
			t.Errorf("%v", counts)
		}
		if n, err := b.store.Keyless(t.Context(), b.sender.Mapping()); err != nil || n != 450 {
			t.Error(n, err)
		}
	})
}

// A contact that was deleted in Loops does not come back by a rule, by hand, or again.
func TestADeletedContactStaysAway(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, database string) {
		b := benchOn(t, database, rulesToo, loopstest.Options{})
		// One that Loops has made, and one that a row has.
		b.call("POST", "/v1/contacts/create", `{"email":"told@example.com","plan":"pro"}`)
		b.flush()
		b.change("INSERT INTO contacts (loops_id, email, plan) VALUES ('own', 'own@example.com', 'pro')", "UPDATE contacts SET plan = 'max' WHERE email = 'told@example.com'")
		if counts := b.mustRun(push.Job{}); counts.Sent != 4 {
			t.Fatal(counts)
		}
		b.flush()
		if n := b.rows(); n != 2 {
			t.Fatalf("%d rows", n)
		}
		for _, email := range []string{"told", "own"} {
			b.call("POST", "/v1/contacts/delete", `{"email":"`+email+`@example.com"}`)
		}
		b.flush()
		calls := len(b.loops.Calls())
		for i, job := range []push.Job{{}, {Again: outgoing.Resend{Failed: true, Unknown: true}}, {Keys: []string{"own"}, Again: outgoing.Resend{Failed: true}}, {}} {
			counts := b.mustRun(job)
			if counts.Sent != 0 || len(b.loops.Calls()) != calls {
				t.Fatalf("run %d: %v, %v", i, counts, b.line("own", mapping.ContactKind))
			}
			if i == 3 && counts.Nothing[outgoing.WhyDeleted] != 2 {
				t.Errorf("run %d says %v", i, counts.Nothing)
			}
		}
		if l := b.line("own", mapping.ContactKind); !strings.Contains(l.Message, "deleted in Loops on 20") {
			t.Errorf("%+v", l)
		}
		b.change("UPDATE contacts SET plan = 'back'")
		if counts := b.mustRun(push.Job{}); counts.Sent != 2 { // each event was sent, for good
			t.Fatalf("%v: %+v", counts, b.line("own", mapping.ContactKind))
		}
		for _, email := range []string{"told", "own"} {
			if c, ok := b.loops.Contact(email + "@example.com"); !ok || c.Source != "loopmap" {
				t.Errorf("%s: %t %+v", email, ok, c)
			}
		}
		b.flush()
		if n := b.rows(); n != 2 {
			t.Errorf("%d rows", n)
		}
		if counts := b.mustRun(push.Job{}); counts.Sent != 0 || counts.Nothing[outgoing.WhyHas] != 2 {
			t.Errorf("%v %v", counts, counts.Nothing)
		}
	})
}

// A contact that an event makes has its row already: its contact.created makes no second
// one, whether there is a contact update or not.
func TestEventsMakeNoSecondRows(t *testing.T) {
	t.Parallel()
	for name, src := range map[string]string{"alone": eventsAlone, "not met": strings.Replace(rulesToo, "contact: {", "contact: {only_run_if: plan == \"never\", ", 1)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			both(t, func(t *testing.T, database string) {
				b := benchOn(t, database, src, loopstest.Options{})
				b.call("POST", "/v1/contacts/create", `{"email":"r0@example.com","source":"Form"}`)
				b.flush()
				const rows = 12
				for i := range rows {
					b.change(fmt.Sprintf("INSERT INTO contacts (loops_id, email, plan) VALUES ('own-%d', 'r%d@example.com', 'pro')", i, i))
				}
				counts := b.mustRun(push.Job{})
				if b.flush(); b.rows() != rows+1 || len(b.loops.Sent()) != rows {
					t.Errorf("%v: %d rows, %d events", counts, b.rows(), len(b.loops.Sent()))
				}
				if c, _ := b.loops.Contact("r0@example.com"); c.Source != "Form" {
					t.Errorf("the source of one that Loops had is %s", c.Source)
				}
				if counts := b.mustRun(push.Job{}); counts.Sent != 0 || len(b.loops.Sent()) != rows {
					t.Errorf("again: %v", counts)
				}
			})
		})
	}
}

// The source of contacts that Loops has stays; those that rows make have that of the
// mapping, and each takes one request.
func TestSourcesStay(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, database string) {
		b := benchOn(t, database, rulesToo, loopstest.Options{WebhookEvents: []string{}})
		b.call("POST", "/v1/contacts/create", `{"email":"old@example.com","source":"Form"}`)
		b.change("INSERT INTO contacts (loops_id, email, plan) VALUES ('1', 'Old@example.com', 'pro'), ('2', 'new@example.com', 'pro')")
		before := len(b.loops.Calls())
		if counts := b.mustRun(push.Job{}); counts.Sent != 4 {
			t.Fatal(counts)
		}
		for email, want := range map[string]string{"old": "Form", "new": "loopmap"} {
			if c, _ := b.loops.Contact(email + "@example.com"); c.Source != want || string(c.Values["plan"]) != `"pro"` {
				t.Errorf("%s: %+v", email, c)
			}
		}
		if n := len(b.loops.Calls()) - before; n != 5 {
			t.Errorf("%d requests", n)
		}
	})
}

// A refused event that was mended is sent truly, whether Loops remembers the keys of what
// it has refused or not; and so is that of another row with the same once_per.
func TestRefusedEventsAreSentTruly(t *testing.T) {
	t.Parallel()
	for _, remembers := range []bool{false, true} {
		t.Run(fmt.Sprint("remembers ", remembers), func(t *testing.T) {
			t.Parallel()
			both(t, func(t *testing.T, database string) {
				b := benchOn(t, database, eventsAlone, loopstest.Options{RefusedKeys: remembers})
				b.change("INSERT INTO contacts (loops_id, email, plan) VALUES ('a', 'no address', 'pro')")
				for i, job := range []push.Job{{}, {Status: outgoing.Failed, Again: outgoing.Resend{Failed: true}}, {Status: outgoing.Failed, Again: outgoing.Resend{Failed: true}}} {
					if counts := b.mustRun(job); counts.Failed != 1 || counts.Sent != 0 {
						t.Fatalf("run %d: %v", i, counts)
					}
				}
				b.change("UPDATE contacts SET email = 'a@example.com'")
				if counts := b.mustRun(push.Job{}); counts.Sent != 1 || len(b.loops.Sent()) != 1 {
					t.Errorf("mended: %v, %d events, %+v", counts, len(b.loops.Sent()), b.line("a", "upgraded"))
				}
			})
			both(t, func(t *testing.T, database string) {
				b := benchOn(t, database, strings.Replace(eventsAlone, "once_per: [loops_id]", "once_per: [plan]", 1), loopstest.Options{RefusedKeys: remembers})
				b.change("INSERT INTO contacts (loops_id, email, plan) VALUES ('a', 'no address', 'pro')")
				b.mustRun(push.Job{})
				b.change("INSERT INTO contacts (loops_id, email, plan) VALUES ('b', 'b@example.com', 'pro')")
				if counts := b.mustRun(push.Job{}); counts.Sent != 1 || len(b.loops.Sent()) != 1 {
					t.Errorf("another row: %v, %d events, %+v", counts, len(b.loops.Sent()), b.line("b", "upgraded"))
				}
				// And the first goes by what the other has done.
				b.change("UPDATE contacts SET email = 'a@example.com' WHERE loops_id = 'a'")
				if counts := b.mustRun(push.Job{}); counts.NotMet != 1 || len(b.loops.Sent()) != 1 {
					t.Errorf("the first: %v, %d events", counts, len(b.loops.Sent()))
				}
			})
		})
	}
}

// Of two rows that once_per lets go once, both in hand at the same time, the second waits
// for what becomes of the first: a refusal is no reason not to send it.
func TestOncePerWhileTheOtherIsInHand(t *testing.T) {
	both(t, func(t *testing.T, database string) {
		b := benchOn(t, database, strings.Replace(eventsAlone, "once_per: [loops_id]", "once_per: [plan]", 1), loopstest.Options{Latency: 50 * time.Millisecond})
		const pairs = 8
		for i := range pairs {
			b.change(fmt.Sprintf("INSERT INTO contacts (loops_id, email, plan) VALUES ('a%d', 'no address', 'p%[1]d'), ('b%[1]d', 'b%[1]d@example.com', 'p%[1]d')", i))
		}
		if counts := b.mustRun(push.Job{}); counts.Sent != pairs || counts.Failed+counts.NotMet != pairs || counts.Pending != 0 || len(b.loops.Sent()) != pairs {
			t.Errorf("%v, %d events", counts, len(b.loops.Sent()))
		}
	})
}

// While nobody knows what has become of the other row's request, a row waits; and a dry run
// says the key that is sent.
func TestOncePerWhileTheOtherIsPending(t *testing.T) {
	both(t, func(t *testing.T, database string) {
		b := benchOn(t, database, strings.Replace(eventsAlone, "once_per: [loops_id]", "once_per: [plan]", 1), loopstest.Options{})
		b.change("INSERT INTO contacts (loops_id, email, plan) VALUES ('a', 'no address', 'pro'), ('b', 'b@example.com', 'pro')")
		planned := func(key string) (st outgoing.Step) {
			t.Helper()
			err := b.pusher.Plan(t.Context(), push.Job{Sender: b.sender, Keys: []string{key}, Again: outgoing.Resend{Failed: true}}, func(_ string, steps []outgoing.Step) error {
				st = steps[len(steps)-1]
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return st
		}
		first := planned("a")
		now := time.Now()
		line := outgoing.Line{Kind: "upgraded", IdempotencyKey: first.Key, Status: outgoing.Pending, Body: first.Request.Body, FirstAt: now, NextAt: now.Add(time.Hour), UpdatedAt: now}
		if err := b.store.SavePushes(t.Context(), "contacts", []outgoing.Save{{RowKey: "a", Kind: "upgraded", Line: line}}); err != nil {
			t.Fatal(err)
		}
		if counts := b.mustRun(push.Job{Keys: []string{"b"}}); counts.Pending != 1 || counts.Sent+counts.NotMet != 0 {
			t.Errorf("while it is pending: %v %+v", counts, b.line("b", "upgraded"))
		}
		if counts := b.mustRun(push.Job{Keys: []string{"a"}}); counts.Failed != 1 {
			t.Errorf("the other: %v", counts)
		}
		if st := planned("a"); st.Request == nil || st.Request.IdempotencyKey != first.Key+"-1" {
			t.Errorf("a dry run says %+v", st.Request)
		}
		if counts := b.mustRun(push.Job{Status: outgoing.Pending, Due: now.Add(24 * time.Hour)}); counts.Sent != 1 || len(b.loops.Sent()) != 1 {
			t.Errorf("when it is due again: %v %+v", counts, b.line("b", "upgraded"))
		}
		if counts := b.mustRun(push.Job{Keys: []string{"b"}}); counts.Pending+counts.Sent != 0 {
			t.Errorf("afterwards: %v", counts)
		}
	})
}

// A key that is used again once its row was gone is another person's.
func TestAKeyThatIsUsedAgain(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, database string) {
		b := benchOn(t, database, rulesToo, loopstest.Options{})
		b.change("INSERT INTO contacts (loops_id, email, plan) VALUES ('1', 'old@example.com', 'pro'), ('2', 'stays@example.com', 'pro')")
		b.mustRun(push.Job{})
		b.change("DELETE FROM contacts WHERE loops_id = '1'")
		if counts := b.mustRun(push.Job{}); counts.Rows != 1 || counts.Sent+counts.Failed != 0 {
			t.Errorf("%v", counts)
		}
		b.change("INSERT INTO contacts (loops_id, email, plan) VALUES ('1', 'new@example.com', 'pro')")
		if counts := b.mustRun(push.Job{}); counts.Sent != 2 || counts.Failed != 0 {
			t.Errorf("%v: %+v", counts, b.line("1", mapping.ContactKind))
		}
		if counts := b.mustRun(push.Job{}); counts.Sent != 0 || counts.Nothing[outgoing.WhyHas] != 2 {
			t.Errorf("%v %v", counts, counts.Nothing)
		}
	})
}

// Where triggers note what is deleted, also one that is deleted and made again at once.
func TestAKeyThatIsUsedAgainAtOnce(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, database string) {
		b := benchOn(t, database, strings.Replace(rulesToo, "push:\n", "push:\n  auto: true\n", 1), loopstest.Options{})
		triggers, err := b.store.PushTriggers(t.Context(), b.sender.Mapping())
		if err != nil {
			t.Fatal(err)
		}
		b.change(triggers.SQL...)
		b.change("INSERT INTO contacts (loops_id, email, plan) VALUES ('1', 'old@example.com', 'pro'), ('2', 'other@example.com', 'pro')")
		stop := b.follow(func(context.Context) (push.Plan, error) { return push.Plan{Sender: b.sender, Auto: true}, nil }, nil, slog.New(slog.DiscardHandler))
		b.patient("both are sent", func() bool { return len(b.loops.Sent()) == 2 })
		b.change("DELETE FROM contacts", "INSERT INTO contacts (loops_id, email, plan) VALUES ('1', 'new@example.com', 'pro')")
		b.patient("the new one is sent", func() bool {
			_, ok := b.loops.Contact("new@example.com")
			return ok && b.line("1", mapping.ContactKind).Status == outgoing.Sent
		})
		b.patient("the gone one is forgotten", func() bool { return b.line("2", mapping.ContactKind).Status == "" })
		stop()
		// By hand likewise, and dry runs tell so.
		b.change("DELETE FROM contacts", "INSERT INTO contacts (loops_id, email, plan) VALUES ('1', 'third@example.com', 'pro')")
		planned := 0
		if err := b.pusher.Plan(t.Context(), push.Job{Sender: b.sender}, func(_ string, steps []outgoing.Step) error {
			for _, st := range steps {
				if st.Request != nil {
					planned++
				}
			}
			return nil
		}); err != nil || planned != 2 {
			t.Error(planned, err)
		}
		counts, err := b.pusher.InTurns(t.Context(), push.Job{Sender: b.sender}, nil, func(context.Context) error { return nil })
		if err != nil || counts.Sent != 2 {
			t.Error(counts, err)
		}
	})
}

// racing is an outbox beside which something happens, once, right before it is read.
type racing struct {
	push.Outbox
	beside atomic.Pointer[func()]
}

func (r *racing) Changes(ctx context.Context, m *mapping.Mapping, limit int) ([]outgoing.Change, error) {
	if limit > 1 {
		if do := r.beside.Swap(nil); do != nil {
			(*do)()
		}
	}
	return r.Outbox.Changes(ctx, m, limit)
}

// Rows that go while changes are taken up are forgotten with them: the one that has a key
// now is sent once, as another.
func TestGoneWhileChangesAreTaken(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, database string) {
		b := benchOn(t, database, strings.Replace(rulesToo, "push:\n", "push:\n  auto: true\n", 1), loopstest.Options{})
		triggers, err := b.store.PushTriggers(t.Context(), b.sender.Mapping())
		if err != nil {
			t.Fatal(err)
		}
		b.change(triggers.SQL...)
		b.change("INSERT INTO contacts (loops_id, email, plan) VALUES ('1', 'old@example.com', 'pro'), ('2', 'other@example.com', 'pro')")
		outbox := &racing{Outbox: b.store}
		ctx, cancel := context.WithCancel(t.Context())
		var work sync.WaitGroup
		f := &push.Follower{Pusher: b.pusher, Outbox: outbox, Log: slog.New(slog.DiscardHandler),
			Plan: func(context.Context) (push.Plan, error) { return push.Plan{Sender: b.sender, Auto: true}, nil }}
		work.Go(func() { f.Run(ctx) })
		t.Cleanup(func() { cancel(); work.Wait() })
		b.patient("both are sent", func() bool {
			return b.line("1", mapping.ContactKind).Status == outgoing.Sent && b.line("2", mapping.ContactKind).Status == outgoing.Sent
		})
		beside := func() {
			b.change("DELETE FROM contacts", "INSERT INTO contacts (loops_id, email, plan) VALUES ('1', 'new@example.com', 'pro')")
		}
		outbox.beside.Store(&beside)
		b.change("UPDATE contacts SET plan = 'max' WHERE loops_id = '1'")
		b.patient("the new one is sent, the gone one forgotten", func() bool {
			_, ok := b.loops.Contact("new@example.com")
			return ok && b.line("1", mapping.ContactKind).Status == outgoing.Sent && b.line("2", mapping.ContactKind).Status == ""
		})
	})
}
