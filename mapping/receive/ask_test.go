package receive

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// Who asks which process is there is told, at each path where webhooks come, and it counts
// as no webhook; two processes do not answer the same.
func TestAsk(t *testing.T) {
	ask := func(h *harness, path, header string) (int, string) {
		q := httptest.NewRequest(http.MethodGet, path, nil)
		if header != "" {
			q.Header.Set(header, "x")
		}
		w := httptest.NewRecorder()
		h.receive.ServeHTTP(w, q)
		return w.Code, w.Header().Get(InstanceHeader)
	}
	seen := 0
	one := start(t, newMapping(t), func(c *Config) { c.Public.Path, c.Seen = "/hooks"+Path, func(Arrival) { seen++ } })
	other := start(t, newMapping(t), nil)
	code, first := ask(one, Path, AskHeader)
	if again, second := ask(one, "/hooks"+Path, AskHeader); code != 200 || again != 200 || first == "" || first != second {
		t.Errorf("%d %q, %d %q", code, first, again, second)
	}
	if _, name := ask(other, Path, AskHeader); name == first || name == "" {
		t.Errorf("two processes answer %q and %q", first, name)
	}
	for works, want := range map[string]bool{"contacts": true, "leads": false} {
		h := start(t, newMapping(t), func(c *Config) { c.Works = func() string { return "contacts" } })
		q := httptest.NewRequest(http.MethodGet, Path, nil)
		q.Header.Set(AskHeader, "x")
		w := httptest.NewRecorder()
		h.receive.ServeHTTP(w, q)
		if got := w.Header().Get(WorksHeader) == Fingerprint(w.Header().Get(InstanceHeader), works); got != want {
			t.Errorf("it works on contacts; on %s is %v", works, got)
		}
	}
	if seen > 0 || one.logs.Len() > 0 || one.receive.metrics.refused.Load() > 0 {
		t.Errorf("it counts as a webhook: %d %s", seen, one.logs)
	}
	if code, name := ask(one, Path, ""); code != 405 || name != "" || seen != 1 {
		t.Errorf("a GET is answered %d %q", code, name)
	}
}
