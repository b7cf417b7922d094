package table

import (
	"context"
	"strings"
	"testing"
)

// What keeps from connecting is said once, on one line.
func TestConnectErrorSaysItOnce(t *testing.T) {
	for url, want := range map[string]string{
		"postgres://u:secret@127.0.0.1:1/db":      "PostgreSQL cannot be reached: 127.0.0.1:1 (127.0.0.1): dial error",
		"postgres://u:secret@nohost.invalid/db":   "PostgreSQL cannot be reached: hostname resolving error",
		"postgres://u:secret@127.0.0.1:1,[::1]:1": "PostgreSQL cannot be reached: ",
	} {
		_, err := Open(context.Background(), Options{URL: url, Dir: t.TempDir()})
		if err == nil {
			t.Fatal("it opens")
		}
		got := err.Error()
		if !strings.Contains(got, want) || strings.ContainsAny(got, "\n\t") || strings.Contains(got, "secret") || strings.Count(got, "127.0.0.1:1 (") > 1 || strings.Count(got, "lookup") > 1 {
			t.Errorf("%s: %q", url, got)
		}
	}
}

func TestOnce(t *testing.T) {
	for in, want := range map[string]string{
		"failed to connect to `x`:\n\ta: b\n\ta: b\n": "a: b", "failed to connect to `x`: y": "failed to connect to `x`: y", "a\nb\na c\na": "a; b; a c", "": "",
	} {
		if got := once(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
