package main

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/zalando/go-keyring"

	"loopmap/mapping"
	"loopmap/mapping/loops/loopstest"
)

// loopsServer: start a Loops, and set its address and API key.
func loopsServer(ts *testscript.TestScript, _ bool, args []string) {
	o := loopstest.Options{Team: "Analytical Engines"}
	if len(args) > 0 { // it sends webhooks there
		o.Webhook, o.Secret = args[0], ts.Getenv("LOOPS_SIGNING_SECRET")
	}
	server := loopstest.New(o)
	h := httptest.NewServer(server)
	ts.Defer(h.Close)
	ts.Defer(server.Close)
	ts.Setenv("LOOPS_ENDPOINT_URL", h.URL+"/api")
	ts.Setenv("LOOPS_API_KEY", loopstest.DefaultKey)
}

func TestKeyring(t *testing.T) {
	keyring.MockInit() // a keyring in memory
	if err := keyring.Set(keyringService, "key:acme", "from-the-keyring"); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"LOOPS_API_KEY": "from-the-environment"}
	a := &app{stdout: io.Discard, stderr: io.Discard, now: time.Now, lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}
	for team, want := range map[string]string{"": "from-the-environment", "acme": "from-the-keyring"} {
		a.team = team
		if key, err := keyOf(a, nil); err != nil || key != want {
			t.Errorf("team %q: %q, %v", team, key, err)
		}
	}
	a.team = "none"
	if _, err := keyOf(a, nil); err == nil || exitCode(err) != 2 || !strings.Contains(err.Error(), `no key of team "none"`) {
		t.Errorf("an unknown team: %v", err)
	}
}

// keyOf is the API key that a run takes; "" for none.
func keyOf(a *app, m *mapping.Mapping) (string, error) {
	source, err := a.keySource(m)
	if err != nil || source == nil {
		return "", err
	}
	return source.key()
}
