package push_test

import (
	"context"
	"fmt"
	"testing"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/loops/loopstest"
	"loopmap/mapping/outgoing"
	"loopmap/mapping/push"
)

// Rows that came from Loops are sent when that is asked for, each once a run, and their
// events once for good.
func TestAgain(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, database string) {
		b := benchOn(t, database, file, loopstest.Options{})
		for _, name := range []string{"a", "b"} {
			b.call("POST", "/v1/contacts/create", `{"email":"`+name+`@example.com","plan":"pro"}`)
		}
		b.flush()
		rows, err := b.store.PushRows(t.Context(), b.sender.Mapping(), b.sender.Fields(), outgoing.Query{})
		if err != nil || len(rows) != 2 {
			t.Fatal(rows, err)
		}
		if counts := b.mustRun(push.Job{}); counts.Sent != 0 || counts.Nothing[outgoing.WhyCame] != 2 || counts.Known() != 2 {
			t.Errorf("without: %v %v", counts, counts.Nothing)
		}
		again := outgoing.Resend{Known: true}
		some := push.Job{Keys: []string{rows[0].Key, rows[0].Key}, Again: again}
		if counts := b.mustRun(some); counts.Rows != 1 || counts.Sent != 2 {
			t.Errorf("one row, named twice: %v", counts)
		}
		if counts := b.mustRun(some); counts.Sent != 1 || b.line(rows[0].Key, mapping.ContactKind).Attempts != 1 {
			t.Errorf("once more: %v", counts)
		}
		if counts := b.mustRun(push.Job{Again: again}); counts.Sent != 3 || len(b.loops.Sent()) != 2 {
			t.Errorf("all: %v, %d events", counts, len(b.loops.Sent()))
		}
		if counts := b.mustRun(push.Job{}); counts.Sent != 0 || counts.Nothing[outgoing.WhyHas] != 2 {
			t.Errorf("afterwards: %v %v", counts, counts.Nothing)
		}
	})
}

// A contact that Loops refuses when it is sent all the same is refused, and its events wait.
func TestAgainRefused(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, database string) {
		b := benchOn(t, database, file, loopstest.Options{})
		b.call("POST", "/v1/contacts/create", `{"email":"a@example.com","plan":"pro"}`)
		b.flush()
		// As it came, and yet not to be sent: Loops takes no such address any more.
		told := "CAST(replace(CAST(body AS TEXT), 'a@example.com', 'no address') AS BLOB)"
		if b.sender.Mapping().Dialect == column.Postgres {
			told = "convert_to(replace(convert_from(body, 'UTF8'), 'a@example.com', 'no address'), 'UTF8')"
		}
		b.change("UPDATE contacts SET email = 'no address'", "UPDATE loopmap_deliveries SET body = "+told)
		counts := b.mustRun(push.Job{Again: outgoing.Resend{Known: true}})
		if counts.Failed != 1 || counts.NotMet != 1 || counts.Sent != 0 || len(b.loops.Sent()) != 0 {
			t.Errorf("%v", counts)
		}
	})
}

// cutting ends a turn once a contact update is answered.
type cutting struct {
	push.API
	cut func()
}

func (c cutting) Send(ctx context.Context, r outgoing.Request) (push.Answer, error) {
	a, err := c.API.Send(ctx, r)
	if r.Kind == mapping.ContactKind {
		c.cut()
	}
	return a, err
}

// A row whose turn ends between its contact and its event goes on there in the next turn.
func TestAgainInTurns(t *testing.T) {
	b := newBench(t, loopstest.Options{}, 1)
	b.mustRun(push.Job{})
	b.change("UPDATE contacts SET email = 'another@example.com'", "DELETE FROM loopmap_pushes WHERE kind = 'contact'")
	turn, cut := context.WithCancel(t.Context())
	b.pusher.API = cutting{b.pusher.API, cut}
	r := b.pusher.Begin(push.Job{Sender: b.sender, Again: outgoing.Resend{Known: true}})
	if done, err := r.Turn(t.Context(), turn); err != nil || done {
		t.Fatalf("%t %v: %v", done, err, r.Counts())
	}
	if done, err := r.Turn(t.Context(), t.Context()); err != nil || !done || r.Counts().Sent != 2 {
		t.Errorf("%t %v: %v", done, err, r.Counts())
	}
}

// Named rows are gone through some at a time, however many they are.
func TestManyKeys(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, database string) {
		b := benchOn(t, database, file, loopstest.Options{})
		b.change("INSERT INTO contacts (loops_id, email, plan) VALUES ('r99999', 'a@example.com', 'pro')")
		keys := make([]string, 100_000)
		for i := range keys {
			keys[i] = fmt.Sprintf("r%05d", i)
		}
		if counts := b.mustRun(push.Job{Keys: keys, Again: outgoing.Resend{Known: true}}); counts.Rows != 1 || counts.Sent != 2 {
			t.Errorf("%v", counts)
		}
	})
}
