package loops_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"loopmap/mapping/loops"
	"loopmap/mapping/loops/loopstest"
	"loopmap/mapping/loops/loopstest/openapitest"
)

func newLoops(t *testing.T) (*loopstest.Server, string) {
	server := loopstest.New(loopstest.Options{Team: "Analytical Engines"})
	h := httptest.NewServer(openapitest.Handler(t, server))
	t.Cleanup(h.Close)
	t.Cleanup(server.Close)
	return server, h.URL
}

func newClient(t *testing.T, endpoint, key string) *loops.Client {
	t.Helper()
	c, err := loops.NewClient(endpoint, key, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTeam(t *testing.T) {
	_, url := newLoops(t)
	for _, endpoint := range []string{url, url + "/api", url + "/api/", url + "/api/v1"} {
		if team, err := newClient(t, endpoint, loopstest.DefaultKey).Team(t.Context()); err != nil || team != "Analytical Engines" {
			t.Errorf("%s: %q, %v", endpoint, team, err)
		}
	}
	var refused *loops.APIError
	if _, err := newClient(t, url, "no-such-key").Team(t.Context()); !errors.As(err, &refused) || refused.Status != 401 || refused.Message == "" {
		t.Errorf("an unknown key: %v", err)
	}
}

// The key goes to the endpoint's host alone, and into no message.
func TestKeyStaysHome(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	const key = "a-very-secret-key"
	for name, answer := range map[string]http.HandlerFunc{
		"redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) },
		"key in message": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, `{"success":false,"message":"bad `+key+`"}`, 400)
		},
		"key in old form": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{"error":"bad `+key+`"}`, 400) },
		"false": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"success":false,"message":"` + key + `"}`))
		},
		"page": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>" + key)) },
		"cut":  func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		h := httptest.NewServer(answer)
		_, err := newClient(t, h.URL, key).Team(t.Context())
		if err == nil || strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", name, err)
		}
		h.Close()
	}
	if n := elsewhere.Load(); n > 0 {
		t.Errorf("another host was called %d times", n)
	}
}

// A cut connection is an error: nothing is sent again behind the caller's back.
func TestOneTry(t *testing.T) {
	server, url := newLoops(t)
	c := newClient(t, url, loopstest.DefaultKey)
	if _, err := c.Team(t.Context()); err != nil { // so that a connection is kept
		t.Fatal(err)
	}
	server.Fail(loopstest.Failure{Kind: loopstest.CutAfter})
	send := func() (loops.Answer, error) {
		return c.Do(context.Background(), http.MethodPost, "/v1/events/send", "k1", []byte(`{"email":"ada@example.com","eventName":"signedUp"}`))
	}
	if _, err := send(); err == nil {
		t.Fatal("a cut answer is no error")
	}
	if n := len(server.Calls()); n != 2 {
		t.Errorf("%d calls, want 2", n)
	}
	if a, err := send(); err != nil || a.Status != http.StatusConflict || a.Message == "" {
		t.Errorf("the same key again: %+v, %v", a, err)
	}
}

func TestEndpoints(t *testing.T) {
	for endpoint, ok := range map[string]bool{
		loops.DefaultEndpoint: true, "http://127.0.0.1:8000": true, "http://localhost/api": true, "http://[::1]:1": true,
		"http://app.loops.so/api": false, "https://user:pass@app.loops.so": false, "app.loops.so": false, "": false, "ftp://localhost": false, "https://h?x=1": false,
	} {
		if _, err := loops.NewClient(endpoint, "k", nil); (err == nil) != ok {
			t.Errorf("%q: %v", endpoint, err)
		}
	}
	for _, key := range []string{"", "a b", "a\nb", "ключ"} {
		if _, err := loops.NewClient(loops.DefaultEndpoint, key, nil); err == nil || key != "" && strings.Contains(err.Error(), key) {
			t.Errorf("key %q: %v", key, err)
		}
	}
}
