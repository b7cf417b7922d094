//go:build unix && !race

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// wideSample is a contact with n custom properties, and one more of so many bytes.
func wideSample(t testing.TB, dir string, n, large int) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(`{"eventName":"contact.created","contactIdentity":{"id":"x"},"contact":{"email":"ada@example.com"`)
	for i := range n {
		fmt.Fprintf(&b, `,"prop%05d":"value %d.........."`, i, i)
	}
	fmt.Fprintf(&b, `,"large":"%s"}}`, strings.Repeat("x", large))
	file := filepath.Join(dir, "sample.json")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// What the mapper sends over the line, at 120x40: the figures that make it
// pleasant over SSH.
func TestByteBudget(t *testing.T) {
	for name, size := range map[string][2]int{"200 attributes": {200, 10}, "100,000 attributes": {100_000, 10}, "10 MB": {200, 10 << 20}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // it counts bytes, not time
			byteBudget(t, size[0], size[1])
		})
	}
}

func byteBudget(t *testing.T, attributes, large int) {
	dir, addr := newFolder(t)
	x := openTerminal(t, dir, 120, 40, nil, "--listen", addr, "--sample", wideSample(t, dir, attributes, large))
	x.wait("prop00010")
	sent := func() int {
		x.mu.Lock()
		defer x.mu.Unlock()
		return len(x.raw)
	}
	median := func(n int, key string) int {
		var list []int
		for range n {
			before := sent()
			x.press(key)
			x.wait()
			list = append(list, sent()-before)
		}
		slices.Sort(list)
		return list[n/2]
	}
	n := median(15, "down")
	t.Logf("a Down that does not scroll: %d bytes", n)
	if n > 300 {
		t.Errorf("a Down that does not scroll sends %d bytes in the median, 300 are allowed", n)
	}
	x.press("\x1b[6~", "\x1b[6~").wait()
	n = median(20, "down")
	t.Logf("a Down that scrolls: %d bytes", n)
	if n > 700 {
		t.Errorf("a Down that scrolls sends %d bytes in the median, 700 are allowed", n)
	}
	// Most of these are the new column and its value, which appear at once. (The
	// first pick also marks the file as unsaved.)
	x.press("space", "down").wait()
	n = median(11, "space")
	t.Logf("a pick: %d bytes", n)
	if n > 130 {
		t.Errorf("a toggled pick sends %d bytes in the median, 130 are allowed", n)
	}
	before, began := sent(), time.Now()
	for range 60 {
		if _, err := x.pty.WriteString("j"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second / 30)
	}
	x.wait()
	rate := float64(sent()-before) / time.Since(began).Seconds()
	t.Logf("a held Down: %.1f KiB/s", rate/1024)
	if rate > 24<<10 {
		t.Errorf("a held Down sends %.0f bytes a second, 24 KiB are allowed", rate)
	}
	// A machine under load may still be busy with the held key: what counts is that
	// silence comes, which it never does where something ticks.
	if !x.silent(1500*time.Millisecond, 20*time.Second) {
		t.Error("something is sent while nothing happens")
	}
	x.press("ctrl+c", "ctrl+c")
	x.exit()
}

// The mapper opens in under a second; the best of three starts, for machines
// under load.
func TestOpensAtOnce(t *testing.T) {
	best := time.Hour
	for range 3 {
		dir, addr := newFolder(t)
		began := time.Now()
		x := openTerminal(t, dir, 120, 40, nil, "--listen", addr)
		for !strings.Contains(x.text(), "waiting for the first webhook") && time.Since(began) < 10*time.Second {
			time.Sleep(time.Millisecond)
		}
		best = min(best, time.Since(began))
		x.wait().press("q")
		x.exit()
	}
	if best > time.Second {
		t.Errorf("the first screen took %v", best)
	}
	t.Logf("the first screen took %v", best)
}
