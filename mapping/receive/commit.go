package receive

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"loopmap/mapping"
)

const (
	maxGroup = 256                  // entries of one commit
	maxPause = 2 * time.Millisecond // before a commit, for others that are expected
	patience = 12 * time.Second     // from arrival to answer; senders wait about 15 s
)

var errPatience = errors.New("the database did not answer in time")

// committer gathers what arrives while a commit runs into the next one. An entry
// that comes alone is committed at once; one of many that were answered a moment ago
// waits a moment for the others.
type committer struct {
	journal Journal
	metrics *metrics
	queue   chan *waiting
	idle    sync.Pool // of *waiting
	done    sync.WaitGroup
}

type waiting struct {
	entry   mapping.Entry
	outcome mapping.Outcome
	err     error
	ready   chan struct{} // gets one value when outcome and err are set
	late    *time.Timer   // when patience ends
	until   time.Time     // the same
}

func newWaiting() any {
	return &waiting{ready: make(chan struct{}, 1), late: time.NewTimer(patience)}
}

// newCommitter starts so many that commit, beside each other.
func newCommitter(j Journal, writers int, m *metrics) *committer {
	c := &committer{journal: j, metrics: m, queue: make(chan *waiting, maxGroup), idle: sync.Pool{New: newWaiting}}
	for range max(1, writers) {
		c.done.Go(c.run)
	}
	return c
}

func (c *committer) close() {
	close(c.queue)
	c.done.Wait()
}

// commit returns when the entry is durable, or known not to be. When patience
// ends first the entry may still be stored: the sender's retry will be a
// duplicate then.
func (c *committer) commit(e mapping.Entry) (mapping.Outcome, error) {
	w := c.idle.Get().(*waiting)
	w.entry = e
	w.late.Reset(patience)
	w.until = time.Now().Add(patience)
	select {
	case c.queue <- w:
	case <-w.late.C:
		return mapping.Outcome{}, errPatience
	}
	select {
	case <-w.ready:
	case <-w.late.C:
		return mapping.Outcome{}, errPatience // the committer has w still
	}
	w.late.Stop()
	outcome, err := w.outcome, w.err
	w.entry, w.outcome, w.err = mapping.Entry{}, mapping.Outcome{}, nil
	c.idle.Put(w)
	return outcome, err
}

func (c *committer) run() {
	group := make([]*waiting, 0, maxGroup)
	entries := make([]mapping.Entry, 0, maxGroup)
	expected, last, pause := 1, time.Time{}, time.NewTimer(maxPause)
	for first := range c.queue {
		if time.Since(last) > maxPause {
			expected = 1 // whoever was answered then has not sent again
		}
		pause.Reset(maxPause)
		group = c.gather(append(group[:0], first), expected, pause.C)
		entries = entries[:0]
		group = slices.DeleteFunc(group, (*waiting).given)
		for _, w := range group {
			entries = append(entries, w.entry)
		}
		if len(group) > 0 {
			c.commitGroup(group, entries)
		}
		expected, last = len(group)+len(c.queue), time.Now()
	}
}

// gather adds to a group what has arrived, and as many more as are expected to arrive
// before the pause is over: where several senders came together last time, each has
// been answered and sends again. One commit for all of them serves them sooner than two.
func (c *committer) gather(group []*waiting, expected int, over <-chan time.Time) []*waiting {
	for len(group) < maxGroup && (len(group) < expected || len(c.queue) > 0) {
		select {
		case w, ok := <-c.queue:
			if !ok {
				return group
			}
			group = append(group, w)
		case <-over:
			expected = 0
		}
	}
	return group
}

// given reports whether an entry has been given up: whoever waited for it has been
// answered, and sends it again. So a database that hangs holds up as long as one sender
// waits, not for each in turn.
func (w *waiting) given() bool {
	if time.Now().Before(w.until) {
		return false
	}
	w.err = errPatience
	w.ready <- struct{}{}
	return true
}

// commitGroup commits a group whole. If that fails its members are tried one by
// one, so that one that cannot be stored fails alone.
func (c *committer) commitGroup(group []*waiting, entries []mapping.Entry) {
	outcomes, err := c.journal.Commit(context.Background(), entries)
	c.metrics.commits.observe(float64(len(entries)))
	for i, w := range group {
		switch {
		case err == nil:
			w.outcome = outcomes[i]
		case len(group) == 1:
			w.err = err
		case w.given():
			continue
		default:
			var one []mapping.Outcome
			if one, w.err = c.journal.Commit(context.Background(), entries[i:i+1]); w.err == nil {
				w.outcome = one[0]
			}
		}
		w.ready <- struct{}{}
	}
}
