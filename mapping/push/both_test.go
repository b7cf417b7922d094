package push_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/loops"
	"loopmap/mapping/loops/loopstest"
	"loopmap/mapping/outgoing"
	"loopmap/mapping/push"
	"loopmap/mapping/table"
	"loopmap/mapping/table/tabletest"
)

// both runs a test on SQLite and on PostgreSQL, where one is reached. Tests wait for the
// pace most of the time, so they run beside each other.
func both(t *testing.T, f func(t *testing.T, database string)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		f(t, "sqlite:contacts.db")
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		f(t, tabletest.Schema(t))
	})
}

// benchOn is a bench whose table is made by sql, else as the mapping needs it, and whose
// Loops delivers its webhooks.
func benchOn(t *testing.T, database, src string, o loopstest.Options, sql ...string) *bench {
	t.Helper()
	m, err := mapping.Parse("loopmap.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	if m.Dialect, err = column.DialectOf(database); err != nil {
		t.Fatal(err)
	}
	b := &bench{T: t}
	if b.store, err = table.Open(t.Context(), table.Options{URL: database, Dir: t.TempDir(), Write: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.store.Close() })
	b.change(sql...)
	plan, err := b.store.Plan(t.Context(), m)
	if err == nil {
		err = b.store.Apply(t.Context(), plan)
	}
	if err != nil {
		t.Fatal(err)
	}
	columns, err := b.store.Columns(t.Context(), m.Table)
	if err != nil {
		t.Fatal(err)
	}
	if b.sender, err = outgoing.NewSender(m, "loopmap.yaml", table.Fields(m, columns)); err != nil {
		t.Fatal(err)
	}
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = b.receive(mapping.Delivery{ID: r.Header.Get("webhook-id"), Received: time.Now(), Body: body})
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(hook.Close)
	o.Webhook, o.HookRate = hook.URL, -1
	b.loops = loopstest.New(o)
	h := httptest.NewServer(b.loops)
	t.Cleanup(h.Close)
	t.Cleanup(b.loops.Close)
	api, err := loops.NewClient(h.URL+"/api", loopstest.DefaultKey, &http.Transport{MaxIdleConnsPerHost: 32})
	if err != nil {
		t.Fatal(err)
	}
	b.pusher = &push.Pusher{Store: b.store, API: client{api, 5 * time.Second}, Pace: push.NewPace()}
	return b
}

// receive does what sync does with a delivery.
func (b *bench) receive(d mapping.Delivery) error {
	_, err := b.store.Commit(context.Background(), []mapping.Entry{mapping.Enter(b.sender.Mapping(), d)})
	return err
}

// count is a number that SQL finds; the rows of the table are looked at with PushRows.
func (b *bench) rows() int {
	b.Helper()
	rows, err := b.store.PushRows(b.Context(), b.sender.Mapping(), b.sender.Fields(), outgoing.Query{})
	if err != nil {
		b.Fatal(err)
	}
	return len(rows)
}

// flush waits until all webhooks have been taken.
func (b *bench) flush() {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 30*time.Second)
	defer cancel()
	if err := b.loops.Flush(ctx); err != nil {
		b.Fatal(err)
	}
}

// call is a call of another program that the team has.
func (b *bench) call(method, path, body string) {
	b.Helper()
	for {
		a, err := b.pusher.API.(client).Do(b.Context(), method, path, "", []byte(body))
		if err != nil {
			b.Fatal(err)
		}
		if a.Status != http.StatusTooManyRequests {
			if a.Status != http.StatusOK {
				b.Fatalf("%s %s: %d %s", method, path, a.Status, a.Message)
			}
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// mustRun is a run that has no error.
func (b *bench) mustRun(job push.Job) push.Counts {
	b.Helper()
	counts, err := b.run(job)
	if err != nil {
		b.Fatal(err)
	}
	return counts
}
