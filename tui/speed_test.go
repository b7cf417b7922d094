package tui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
)

// manyAttributes is a body with n attributes, each with a value of size bytes.
func manyAttributes(n, size int) []byte {
	var b strings.Builder
	b.WriteString(`{"eventName":"contact.created","contactIdentity":{"id":"x"},"contact":{"a":1`)
	for i := range n {
		fmt.Fprintf(&b, `,"prop%06d":{"value":"%s"}`, i, strings.Repeat("x", size))
	}
	b.WriteString("}}")
	return []byte(b.String())
}

// A key is answered within a frame with 100,000 attributes, and a sample of 10 MB
// opens within a second. The limits are slack, for machines under load: what was
// measured stands in `loopmap help speed`.
func TestLargeSamples(t *testing.T) {
	began := spent()
	d := start(t, 120, 40, func(c *Config) { c.Samples = []Sample{{Body: manyAttributes(50_000, 160)}} })
	_ = d.m.Screen()
	if took := spent() - began; took > 3*slowdown*time.Second {
		t.Errorf("a sample of %d bytes opens in %v", len(d.m.samples[0].Body), took)
	}
	d.keys("E")
	for _, k := range []string{"down", "pgdown", "space", "left", "end", "tab", "tab", "tab"} {
		best := time.Hour // of some, for machines that do other things as well
		for range 5 {
			began := spent()
			d.keys(k)
			_ = d.m.Screen()
			best = min(best, spent()-began)
		}
		if best > 100*slowdown*time.Millisecond {
			t.Errorf("%s is answered in %v", k, best)
		}
	}
}

func BenchmarkKey(b *testing.B) {
	d := start(b, 120, 40, func(c *Config) { c.Samples = []Sample{{Body: manyAttributes(50_000, 20)}} })
	d.keys("E")
	for _, k := range []string{"down", "space"} {
		b.Run(k, func(b *testing.B) {
			msg := tea.KeyPressMsg{Code: named[k]}
			if k == "space" {
				msg = tea.KeyPressMsg{Code: tea.KeySpace, Text: " "}
			}
			for b.Loop() {
				d.m.Update(msg)
				_ = d.m.Screen()
			}
		})
	}
}

func BenchmarkOpen10MB(b *testing.B) {
	body := manyAttributes(50_000, 160)
	for b.Loop() {
		d := start(b, 120, 40, func(c *Config) { c.Samples = []Sample{{Body: body}} })
		_ = d.m.Screen()
	}
}
