package receive

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"loopmap/mapping/loops"
)

// Webhooks are taken where they are shown to be taken, whatever a proxy makes of slashes;
// what comes elsewhere is answered 404, never sent on, and told of.
func TestPaths(t *testing.T) {
	body, _ := loops.Example(loops.ContactCreated)
	var mu sync.Mutex
	var seen []Arrival
	h := start(t, newMapping(t), func(c *Config) {
		c.Public.Path = "/hooks/webhooks/loops"
		c.Seen = func(a Arrival) { mu.Lock(); defer mu.Unlock(); seen = append(seen, a) }
	})
	addr := h.listen()
	for i, c := range []struct {
		path string
		code int
	}{
		{"/webhooks/loops", 200}, {"//webhooks/loops", 200}, {"/webhooks//loops", 200}, {"/webhooks/../webhooks/loops", 200}, {"/./webhooks/loops", 200},
		{"/hooks/webhooks/loops", 200}, {"//hooks//webhooks/loops", 200}, {"/webhooks/loops?x=1", 200}, {"/%77ebhooks/loops", 200},
		{"/webhooks/loops/", 404}, {"/hooks", 404}, {"/", 404}, {"//", 404}, {"/hook/webhooks/loops", 404}, {"/webhooks/loops/more", 404}, {"/webhooks", 404},
		{"/hooks/../../webhooks/loops", 200}, {"/%c2%9b%1b]0;x%07%e2%80%ae", 404}, {"/" + strings.Repeat("x", 2000), 404}, {"/healthz", 405}, {"//readyz", 405},
	} {
		text := strings.Replace(whole(t, fmt.Sprintf("msg_%d", i), body), Path, c.path, 1)
		mu.Lock()
		seen = nil
		mu.Unlock()
		before := h.logs.Len()
		if codes := exchange(t, addr, text); !slices.Equal(codes, []int{c.code}) {
			t.Errorf("%.100s: %v, want %d", c.path, codes, c.code)
		}
		mu.Lock()
		got, log := slices.Clone(seen), h.logs.String()[before:]
		mu.Unlock()
		switch {
		case c.code == 405:
		case len(got) != 1 || got[0].Code != c.code:
			t.Errorf("%.100s: seen as %+v", c.path, got)
		case c.code == 404 && (!strings.Contains(got[0].Problem, "webhooks are taken at /webhooks/loops") || !strings.Contains(log, "nothing is served at this path")):
			t.Errorf("%.100s: %q\n%s", c.path, got[0].Problem, log)
		case len(log) > 2000 || strings.ContainsAny(log+got[0].Problem, "\x1b\u009b\u202e\x07"):
			t.Errorf("%.100s is told as %.3000q", c.path, log)
		}
	}
	for _, path := range []string{"//webhooks/loops", "/nothing", "/webhooks/loops/", "/.."} {
		q, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, h.url, nil)
		q.URL.Opaque = path
		p, err := http.DefaultTransport.RoundTrip(q)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, p.Body)
		p.Body.Close()
		if p.StatusCode/100 == 3 {
			t.Errorf("GET %s is sent on: %d %s", path, p.StatusCode, p.Header.Get("Location"))
		}
	}
}
