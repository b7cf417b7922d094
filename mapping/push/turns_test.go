package push_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"loopmap/mapping/loops/loopstest"
	"loopmap/mapping/outgoing"
	"loopmap/mapping/push"
)

// many fills the table with rows.
func (b *bench) many(n int) {
	b.Helper()
	var values []string
	for i := range n {
		values = append(values, fmt.Sprintf("('r%05d', 'r%05d@example.com', 'pro')", i, i))
	}
	b.change("INSERT INTO contacts (loops_id, email, plan) VALUES " + strings.Join(values, ", "))
}

// follow follows until the test ends, or stop is called.
func (b *bench) follow(plan func(context.Context) (push.Plan, error), changed <-chan struct{}, log *slog.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	f := &push.Follower{Pusher: b.pusher, Outbox: b.store, Log: log, Changed: changed, Plan: plan}
	work.Go(func() { f.Run(ctx) })
	stop = func() { cancel(); work.Wait() }
	b.Cleanup(stop)
	return stop
}

// patient waits for what takes long on a machine that is busy.
func (b *bench) patient(what string, is func() bool) {
	b.Helper()
	for begun := time.Now(); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Since(begun) > time.Minute {
			b.Fatalf("never: %s", what)
		}
	}
}

// One row has its turn while another process sends many; and no eleventh request goes out
// in any second.
func TestOneRowAmongMany(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, database string) {
		b := benchOn(t, database, eventsAlone, loopstest.Options{WebhookEvents: []string{}})
		b.many(80)
		nothing := func(context.Context) error { return nil }
		var through atomic.Int64
		all := make(chan error, 1)
		ctx, cancel := context.WithCancel(b.Context())
		defer cancel()
		go func() {
			_, err := b.pusher.InTurns(ctx, push.Job{Sender: b.sender, Through: func(string) { through.Add(1) }}, nil, nothing)
			all <- err
		}()
		b.patient("the first rows", func() bool { return through.Load() > 5 })
		waited := false
		other := &push.Pusher{Store: b.store, API: b.pusher.API, Pace: push.NewPace()}
		counts, err := other.InTurns(b.Context(), push.Job{Sender: b.sender, Keys: []string{"r00079"}}, func() { waited = true }, nothing)
		if err != nil || counts.Sent != 1 || !waited {
			t.Fatal(counts, err, waited)
		}
		if n := through.Load(); n >= 79 {
			t.Errorf("it had to wait for all of the other's: %d", n)
		}
		n := through.Load()
		b.patient("the many go on", func() bool { return through.Load() > n+3 })
		cancel()
		if err := <-all; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if n := b.loops.MaxPerSecond(); n > 15 { // two that knew nothing of each other would be 20; some come late on a busy machine
			t.Errorf("%d requests in a second", n)
		}
	})
}

// What was missed while nothing ran is sent at once, and once; a restart begins no
// schedule anew.
func TestTheScheduleOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, database string) {
		b := benchOn(t, database, strings.Replace(eventsAlone, "push:\n", "push:\n  every: 1h\n", 1), loopstest.Options{WebhookEvents: []string{}})
		b.many(3)
		next, err := b.sender.Mapping().Push.Next()
		if err != nil {
			t.Fatal(err)
		}
		plan := func(context.Context) (push.Plan, error) { return push.Plan{Sender: b.sender, Next: next}, nil }
		last := func() (at time.Time) {
			at, ok, err := b.store.Scheduled(context.Background(), "contacts", "1h")
			if err != nil || !ok && !at.IsZero() {
				t.Fatal(err)
			}
			return at
		}
		stop := b.follow(plan, nil, slog.New(slog.DiscardHandler))
		b.patient("the schedule begins", func() bool { return !last().IsZero() })
		stop()
		begun := last()
		b.follow(plan, nil, slog.New(slog.DiscardHandler))()
		if !last().Equal(begun) || len(b.loops.Sent()) > 0 {
			t.Errorf("it began anew, or sent %d", len(b.loops.Sent()))
		}
		// Long ago: three runs were missed.
		if err := b.store.SaveScheduled(t.Context(), "contacts", "1h", time.Now().Add(-3*time.Hour-time.Minute)); err != nil {
			t.Fatal(err)
		}
		b.follow(plan, nil, slog.New(slog.DiscardHandler))
		b.patient("the missed run", func() bool { return len(b.loops.Sent()) == 3 && time.Since(last()) < time.Hour })
		if _, ok, _ := b.store.Scheduled(t.Context(), "contacts", "2h"); ok {
			t.Error("another schedule has not run")
		}
	})
}

// A plan that has changed is gone by at once, however much is left; and while rows change
// all the time, what is scheduled and what is due again have their turns.
func TestNothingStarves(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, database string) {
		b := benchOn(t, database, strings.Replace(eventsAlone, "push:\n", "push:\n  auto: true\n  every: 1h\n", 1), loopstest.Options{WebhookEvents: []string{}})
		b.change("INSERT INTO contacts (loops_id, email, plan) VALUES ('a', 'scheduled@example.com', 'pro')")
		triggers, err := b.store.PushTriggers(t.Context(), b.sender.Mapping())
		if err != nil {
			t.Fatal(err)
		}
		b.change(triggers.SQL...)
		b.many(400)
		due := outgoing.Line{Kind: "upgraded", IdempotencyKey: "k", Status: outgoing.Pending, Body: []byte(`{"email":"due@example.com","eventName":"upgraded"}`),
			FirstAt: time.Now(), NextAt: time.Now(), UpdatedAt: time.Now()}
		if err := b.store.SavePushes(t.Context(), "contacts", []outgoing.Save{{RowKey: "gone", Kind: "upgraded", Line: due}}); err != nil {
			t.Fatal(err)
		}
		if err := b.store.SaveScheduled(t.Context(), "contacts", "1h", time.Now().Add(-2*time.Hour)); err != nil {
			t.Fatal(err)
		}
		next, err := b.sender.Mapping().Push.Next()
		if err != nil {
			t.Fatal(err)
		}
		var asked atomic.Int64
		var off atomic.Bool
		changed := make(chan struct{})
		b.follow(func(context.Context) (push.Plan, error) {
			if asked.Add(1); off.Load() {
				return push.Plan{}, nil
			}
			return push.Plan{Sender: b.sender, Auto: true, Next: next}, nil
		}, changed, slog.New(slog.DiscardHandler))
		sent := func(email string) bool { _, ok := b.loops.Contact(email + "@example.com"); return ok }
		b.patient("what is due again", func() bool { return sent("due") })
		b.patient("what is scheduled", func() bool { return b.line("a", "upgraded").Status == outgoing.Sent })
		if n := len(b.loops.Sent()); n >= 402 {
			t.Errorf("after all of %d", n)
		}
		off.Store(true)
		before := asked.Load()
		changed <- struct{}{} // heard in the middle of a turn
		b.patient("the other plan", func() bool { return asked.Load() > before })
		n := len(b.loops.Sent())
		if n >= 402 {
			t.Errorf("all %d went by the plan before", n)
		}
		time.Sleep(1500 * time.Millisecond)
		if more := len(b.loops.Sent()) - n; more > 32 {
			t.Errorf("%d more by the plan before", more)
		}
	})
}

// A table that vanishes is said once, and waited for.
func TestATableThatVanishes(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, database string) {
		b := benchOn(t, database, strings.Replace(eventsAlone, "push:\n", "push:\n  auto: true\n", 1), loopstest.Options{WebhookEvents: []string{}})
		triggers, err := b.store.PushTriggers(t.Context(), b.sender.Mapping())
		if err != nil {
			t.Fatal(err)
		}
		b.change(triggers.SQL...)
		b.many(2)
		b.change("DROP TABLE contacts")
		var asked atomic.Int64
		said, begun := &safeBuffer{}, time.Now()
		b.follow(func(context.Context) (push.Plan, error) {
			asked.Add(1)
			return push.Plan{Sender: b.sender, Auto: true}, nil
		}, nil, slog.New(slog.NewTextHandler(said, nil)))
		b.patient("it is said", func() bool { return strings.Contains(said.String(), "table contacts is not there any more") })
		time.Sleep(900 * time.Millisecond) // a pause is a second at least
		if n := asked.Load(); n > 2+int64(time.Since(begun).Seconds()) {
			t.Errorf("it was looked at %d times", n)
		}
		b.change("CREATE TABLE contacts (loops_id VARCHAR(20) PRIMARY KEY, email VARCHAR(50), plan VARCHAR(10))", "INSERT INTO contacts VALUES ('r00000', 'r00000@example.com', 'pro')")
		b.patient("it goes on", func() bool { return len(b.loops.Sent()) == 1 })
		if n := strings.Count(said.String(), "not there any more"); n != 1 {
			t.Errorf("said %d times", n)
		}
	})
}

type safeBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// An event that a contact.unsubscribed brings about is sent, once no contact.deleted has
// followed it; of one that was deleted it would make the contact again.
func TestUnsubscribedAndDeleted(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, database string) {
		b := benchOn(t, database, strings.NewReplacer("push:\n", "push:\n  auto: true\n", "{name: upgraded, once_per: [email], properties: {plan: plan}}",
			`{name: left, only_run_if: plan == "gone", once_per: [email]}`).Replace(rulesToo), loopstest.Options{})
		triggers, err := b.store.PushTriggers(t.Context(), b.sender.Mapping())
		if err != nil {
			t.Fatal(err)
		}
		b.change(triggers.SQL...)
		b.change("INSERT INTO contacts (loops_id, email, plan) VALUES ('x', 'own@example.com', 'pro')")
		for _, name := range []string{"stays", "goes"} {
			b.call("POST", "/v1/contacts/create", `{"email":"`+name+`@example.com","plan":"pro"}`)
		}
		b.flush()
		b.change("UPDATE contacts SET plan = 'max'") // so that there is more to it than what came
		b.follow(func(context.Context) (push.Plan, error) { return push.Plan{Sender: b.sender, Auto: true}, nil }, nil, slog.New(slog.DiscardHandler))
		b.patient("all are sent", func() bool {
			n, err := b.store.CountPushes(context.Background(), "contacts")
			return err == nil && n[outgoing.Sent] == 3
		})
		b.call("PUT", "/v1/contacts/update", `{"email":"stays@example.com","subscribed":false}`)
		b.call("POST", "/v1/contacts/delete", `{"email":"goes@example.com"}`)
		b.patient("the event", func() bool { return len(b.loops.Sent()) == 1 })
		if list := b.loops.Sent(); list[0].Email != "stays@example.com" {
			t.Errorf("%+v", list)
		}
		if _, ok := b.loops.Contact("goes@example.com"); ok {
			t.Error("the contact that was deleted is there again")
		}
	})
}

// Beside one who follows, with much to do of each kind, a row has its turn by hand.
func TestOneRowBesideAFollower(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, database string) {
		b := benchOn(t, database, strings.Replace(eventsAlone, "push:\n", "push:\n  auto: true\n  every: 1h\n", 1), loopstest.Options{WebhookEvents: []string{}})
		triggers, err := b.store.PushTriggers(t.Context(), b.sender.Mapping())
		if err != nil {
			t.Fatal(err)
		}
		b.change(triggers.SQL...)
		b.many(120)
		if err := b.store.SaveScheduled(t.Context(), "contacts", "1h", time.Now().Add(-2*time.Hour)); err != nil {
			t.Fatal(err)
		}
		next, err := b.sender.Mapping().Push.Next()
		if err != nil {
			t.Fatal(err)
		}
		b.follow(func(context.Context) (push.Plan, error) {
			return push.Plan{Sender: b.sender, Auto: true, Next: next}, nil
		}, nil, slog.New(slog.DiscardHandler))
		b.patient("the first rows", func() bool { return len(b.loops.Sent()) > 3 })
		other := &push.Pusher{Store: b.store, API: b.pusher.API, Pace: push.NewPace()}
		counts, err := other.InTurns(b.Context(), push.Job{Sender: b.sender, Keys: []string{"r00119"}}, nil, func(context.Context) error { return nil })
		if err != nil || counts.Sent != 1 {
			t.Fatal(counts, err)
		}
		if n := len(b.loops.Sent()); n >= 120 {
			t.Errorf("it had to wait for all: %d", n)
		}
	})
}
