package main

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// heard counts the writes that reach it.
type heard struct {
	mu     sync.Mutex
	writes int
	text   strings.Builder
}

func (c *heard) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes++
	return c.text.Write(b)
}

func (c *heard) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writes
}

func (c *heard) said() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

// Lines are written in their order, together where they come together, and none waits
// long or is lost.
func TestGatheredLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := &heard{}
		g := &gatheredLines{w: to}
		line := func(s string) { _, _ = g.Write([]byte(s)) }
		line("a\n")
		line("b\n")
		if to.count() != 0 {
			t.Error("the first line was not held for others")
		}
		time.Sleep(gatherTime + time.Millisecond)
		synctest.Wait()
		if to.count() != 1 || to.said() != "a\nb\n" {
			t.Errorf("%d writes: %q", to.count(), to.said())
		}
		line("c\n")
		line(strings.Repeat("d", gatherMost))
		if to.count() != 2 {
			t.Error("much was held back")
		}
		line("e\n")
		g.flush()
		if to.count() != 3 || !strings.HasPrefix(to.said(), "a\nb\nc\nd") || !strings.HasSuffix(to.said(), "e\n") {
			t.Errorf("%d writes", to.count())
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if to.count() != 3 {
			t.Error("something is written although nothing was said")
		}
	})
}
