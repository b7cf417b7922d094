package receive

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/loops"
)

// eventually is for what is looked at now and then.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(long); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

func (h *harness) get(path string) (int, string) {
	h.t.Helper()
	q, err := http.NewRequest(http.MethodGet, h.url+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return do(h.t, q)
}

// refusing is a journal that can be tried, and cannot be written.
type refusing struct {
	Journal
	commits, tries atomic.Bool // that fail
	counts         atomic.Int64
}

type quoting struct{}

func (quoting) Error() string        { return "row is (ada@example.com)" }
func (quoting) LogValue() slog.Value { return slog.StringValue("SQLSTATE 53200") }

func (j *refusing) Commit(ctx context.Context, entries []mapping.Entry) ([]mapping.Outcome, error) {
	if j.commits.Load() {
		return nil, errors.Join(quoting{})
	}
	return j.Journal.Commit(ctx, entries)
}

func (j *refusing) Ready(ctx context.Context, failed *mapping.Entry) error {
	if failed != nil && j.tries.Load() {
		return quoting{}
	}
	return j.Journal.Ready(ctx, failed)
}

func (j *refusing) Waiting(ctx context.Context) (int64, int64, error) {
	j.counts.Add(1)
	return j.Journal.Waiting(ctx)
}

// From a delivery that could not be stored on, readyz is red and loopmap_storing 0: until
// one is stored, or could be. The log does not quote the row.
func TestRedUntilStored(t *testing.T) {
	j := &refusing{}
	h := start(t, newMapping(t), func(c *Config) { j.Journal, c.Journal = c.Journal, j })
	body, _ := loops.Example(loops.ContactCreated)
	state := func() (int, bool) {
		code, _ := h.get("/readyz")
		_, metrics := h.get("/metrics")
		return code, strings.Contains(metrics, "\nloopmap_storing 1\n")
	}
	if code, storing := state(); code != 200 || !storing {
		t.Fatalf("at first: %d %v", code, storing)
	}
	j.commits.Store(true)
	j.tries.Store(true)
	if code, _ := h.send("msg_1", body); code != 503 {
		t.Fatalf("answered %d", code)
	}
	for range 3 {
		if code, storing := state(); code != 503 || storing {
			t.Errorf("while nothing can be stored: %d %v", code, storing)
		}
		time.Sleep(probeWell)
	}
	j.commits.Store(false)
	if code, _ := h.send("msg_1", body); code != 200 {
		t.Fatalf("answered %d", code)
	}
	if code, storing := state(); code != 200 || !storing {
		t.Errorf("once one is stored: %d %v", code, storing)
	}

	j.commits.Store(true)
	h.send("msg_2", body)
	if code, storing := state(); code != 503 || storing {
		t.Errorf("red again: %d %v", code, storing)
	}
	j.tries.Store(false)
	eventually(t, "it stays red though it could be stored", func() bool {
		_, metrics := h.get("/metrics")
		return strings.Contains(metrics, "\nloopmap_storing 1\n")
	})
	if logs := h.logs.String(); strings.Contains(logs, "ada@") || strings.Count(logs, "SQLSTATE 53200") < 3 {
		t.Errorf("logged: %s", logs)
	}
}

// Who asks for the metrics again and again does not make the database count each time.
func TestCountedOnce(t *testing.T) {
	j := &refusing{}
	h := start(t, newMapping(t), func(c *Config) { j.Journal, c.Journal = c.Journal, j })
	begun := time.Now()
	for range 200 {
		if _, metrics := h.get("/metrics"); !strings.Contains(metrics, `loopmap_waiting_deliveries{status="pending"} 0`) {
			t.Fatal(metrics)
		}
	}
	if n, most := j.counts.Load(), int64(time.Since(begun)/time.Second)+1; n > most {
		t.Errorf("counted %d times, at most %d are due", n, most)
	}
}

// A web page cannot send what is not signed, by whatever name it reaches this machine.
func TestForeign(t *testing.T) {
	h := start(t, newMapping(t), func(c *Config) { c.Verify, c.Public.Host = nil, "hooks.example.com" })
	body, _ := loops.Example(loops.ContactCreated)
	own := strings.TrimPrefix(h.url, "http://")
	for name, x := range map[string]struct {
		host, header, value string
		want                int
	}{
		"a program":             {own, "", "", 200},
		"by name":               {"localhost:8787", "", "", 200},
		"IPv6":                  {"[::1]:8787", "", "", 200},
		"another loopback":      {"127.8.7.6", "", "", 200},
		"the public name":       {"Hooks.example.com", "", "", 200},
		"its own origin":        {own, "Origin", h.url, 200},
		"a page":                {own, "Origin", "https://evil.example", 403},
		"a page of this host":   {own, "Origin", "http://localhost:3000", 403},
		"a page by https":       {own, "Origin", "https://" + own, 403},
		"a sandboxed page":      {own, "Origin", "null", 403},
		"an empty origin":       {own, "Origin", "", 200}, // which Go's client leaves out
		"a form":                {own, "Sec-Fetch-Site", "cross-site", 403},
		"rebound":               {"evil.example:8787", "", "", 403},
		"rebound, as localhost": {"localhost.evil.example", "", "", 403},
		"rebound, same origin":  {"evil.example", "Origin", "http://evil.example", 403},
		"another machine":       {"192.168.1.7:8787", "", "", 403},
	} {
		q, _ := http.NewRequest(http.MethodPost, h.url+Path, strings.NewReader(string(body)))
		q.Host = x.host
		if x.value != "" {
			q.Header.Set(x.header, x.value)
		}
		if code, got := do(t, q); code != x.want {
			t.Errorf("%s: %d %s", name, code, got)
		}
	}
}
