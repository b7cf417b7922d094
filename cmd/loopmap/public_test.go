package main

import (
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/loops"
	"loopmap/tui"
)

// What is shown to be pasted in Loops is served, with the path that a proxy keeps.
func TestPublicURL(t *testing.T) {
	for text, want := range map[string][3]string{
		"":                                {"", "", ""},
		"https://host.example":            {"https://host.example/webhooks/loops", "/webhooks/loops", "host.example"},
		"https://host.example/":           {"https://host.example/webhooks/loops", "/webhooks/loops", "host.example"},
		"https://host.example/hooks":      {"https://host.example/hooks/webhooks/loops", "/hooks/webhooks/loops", "host.example"},
		"https://host.example:8443/a/b//": {"https://host.example:8443/a/b/webhooks/loops", "/a/b/webhooks/loops", "host.example"},
		"http://h/hooks/webhooks/loops":   {"http://h/hooks/webhooks/loops", "/hooks/webhooks/loops", "h"},
		"http://h/a%20b/webhooks/loops/":  {"http://h/a%20b/webhooks/loops", "/a b/webhooks/loops", "h"},
	} {
		p, err := parsePublic(text)
		if got := [3]string{p.shown(), p.path(), p.host()}; err != nil || got != want {
			t.Errorf("%q: %q %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"host.example", "host.example/hooks", "ftp://x", "https://", "https://h?x=1", "https://h/#x", "https://u:p@h", "https://h\x1b", ":"} {
		if p, err := parsePublic(text); exitCode(err) != 2 {
			t.Errorf("%q: %v %v", text, p.shown(), err)
		}
	}
}

// The public URL can be said while the mapper is open: from then on webhooks are taken by its
// name and at its path, and the screen is told that one came by it.
func TestPublicURLLater(t *testing.T) {
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"HOME": t.TempDir()}
	a := &app{stdout: io.Discard, stderr: io.Discard, now: time.Now, lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}
	b := &backend{app: a, file: filepath.Join(env["HOME"], "loopmap.yaml")}
	defer b.close()
	var cfg tui.Config
	stop := a.await(t.Context(), b, &cfg, "127.0.0.1:"+port, publicURL{})
	defer stop()
	if want := "cloudflared tunnel --url http://127.0.0.1:" + port; cfg.Listen.Public || !slices.Contains(cfg.Listen.Ways, want) {
		t.Errorf("%+v lacks %s", cfg.Listen, want)
	}
	body, _ := loops.Example(loops.ContactCreated)
	post := func(path string, header ...string) int {
		t.Helper()
		q, err := loops.NewWebhook(t.Context(), "http://127.0.0.1:"+port+path, "", "msg_1", time.Now(), body)
		if err != nil {
			t.Fatal(err)
		}
		q.Host = "hooks.example"
		if header != nil {
			q.Host = "127.0.0.1"
			q.Header.Set("X-Forwarded-Host", header[0])
		}
		p, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		p.Body.Close()
		return p.StatusCode
	}
	arrived := func() tui.Arrival { t.Helper(); return <-cfg.Arrivals }
	if code := post("/webhooks/loops"); code != http.StatusForbidden || arrived().Public {
		t.Errorf("before: %d", code)
	}
	if code := post("/in/webhooks/loops"); code != http.StatusNotFound || arrived().Public {
		t.Errorf("before, at its path: %d", code)
	}
	for _, text := range []string{"", "https://", "hooks.example"} {
		if url, err := cfg.Listen.Judge(text); err == nil {
			t.Errorf("%q is taken as %s", text, url)
		}
	}
	if url, err := cfg.Listen.Judge("https://hooks.example/in"); err != nil || url != "https://hooks.example/in/webhooks/loops" {
		t.Errorf("%q %v", url, err)
	}
	cfg.Listen.Publish("https://hooks.example/in")
	for _, path := range []string{"/webhooks/loops", "/in/webhooks/loops"} {
		if code := post(path); code != http.StatusServiceUnavailable || !arrived().Public { // a sample, since no secret is set
			t.Errorf("after, %s: %d", path, code)
		}
	}
	if post("/webhooks/loops", "Hooks.example:443, inner.example"); !arrived().Public {
		t.Error("a proxy that says by which name it was called is not heard")
	}
	if post("/webhooks/loops", "other.example"); arrived().Public {
		t.Error("another name is taken for the public one")
	}
}

// Who sends to the mapper is told what becomes of it: without a mapping it waits for one, and
// where one is saved it is mapped at once, unless something is unsaved.
func TestMapperSaysWhatItHolds(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{"": mapping.NoMappingYet, mapsContacts: mapperMaps} {
		dir := t.TempDir()
		a := &app{stdout: io.Discard, stderr: io.Discard, now: time.Now, lookup: func(name string) (string, bool) {
			return testSecret, name == "LOOPS_SIGNING_SECRET"
		}}
		b := &backend{app: a, file: filepath.Join(dir, "loopmap.yaml")}
		writeFile(t, b.file, file)
		var cfg tui.Config
		if err := b.load(&cfg); err != nil {
			t.Fatal(err)
		}
		stop := a.await(t.Context(), b, &cfg, "127.0.0.1:0", publicURL{})
		example, _ := loops.Example(loops.ContactCreated)
		q, err := loops.NewWebhook(t.Context(), cfg.Listen.URL, testSecret, "msg_1", time.Now(), example)
		if err != nil {
			t.Fatal(err)
		}
		p, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		said, _ := io.ReadAll(p.Body)
		p.Body.Close()
		if p.StatusCode != http.StatusOK || !strings.Contains(string(said), `"pending":"`+want+`"`) {
			t.Errorf("%d %s lacks %s", p.StatusCode, said, want)
		}
		stop()
		b.close()
	}
}
