package main

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

// A table keeps to a width: what is long gives way, an id never does, and columns without
// room go on below.
func TestFitted(t *testing.T) {
	t.Parallel()
	id := "trial_07sfdfwxma9x8xq9sbg"
	rows := [][]string{
		{"RECEIVED", "EVENT", "STATUS", "EMAIL", "ID", "REASON"},
		{"2026-11-26 04:34:21", "contact.created", "applied", "dana@northwind.example", id, ""},
		{"2026-11-26 04:34:22", "contact.created", "quarantined", "lee@fabrikam.example", id, "column team_size\n" + strings.Repeat("many ", 40)},
	}
	d := &dress{blank: func(b []byte) []byte { return b }}
	for _, c := range []struct{ width, lines int }{{400, 3}, {130, 3}, {109, 5}, {79, 6}, {40, 11}, {20, 17}} {
		text := d.fitted(rows, c.width, 0, 2, 4)
		if n := strings.Count(text, "\n"); n != c.lines || strings.Count(text, id) != 2 || !strings.Contains(text, "2026-11-26 04:34:22") {
			t.Errorf("in %d: %d lines\n%s", c.width, n, text)
		}
		for line := range strings.Lines(text) {
			if line = strings.TrimSuffix(line, "\n"); ansi.StringWidth(line) > max(c.width, fittedIndent+len(id)) || strings.TrimRight(line, " ") != line {
				t.Errorf("in %d: %q", c.width, line)
			}
		}
	}
	if text := d.fitted([][]string{{"80", "somebody else"}, {"a", "b", "c"}}, 40, 2); text != "80  somebody else\na   b              c\n" {
		t.Errorf("%q", text)
	}
}

// Words are broken between, and never in them: what to do is often to be copied.
func TestHanging(t *testing.T) {
	t.Parallel()
	if got := hanging("give --public-url https://your.name.example to sync", 16, "  "); got != "give\n  --public-url\n  https://your.name.example\n  to sync" {
		t.Errorf("%q", got)
	}
}
