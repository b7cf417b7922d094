package main

import "testing"

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
