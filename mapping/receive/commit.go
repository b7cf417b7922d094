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
	maxGroup = 256              // entries of one commit
	patience = 12 * time.Second // from arrival to answer; senders wait about 15 s
)

var errPatience = errors.New("the database did not answer in time")

// committer gathers what arrives while a commit runs into the next one. Nothing waits
// for others.
type committer struct {
	journal Journal
	metrics *metrics
	queue   chan *waiting
	done    sync.WaitGroup
}

type waiting struct {
	entry   mapping.Entry
	outcome mapping.Outcome
	err     error
	ready   chan struct{} // closed when outcome and err are set
	until   time.Time     // when patience ends
}

// newCommitter starts so many that commit, beside each other.
func newCommitter(j Journal, writers int, m *metrics) *committer {
	c := &committer{journal: j, metrics: m, queue: make(chan *waiting, maxGroup)}
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
	w := &waiting{entry: e, ready: make(chan struct{}), until: time.Now().Add(patience)}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case c.queue <- w:
	case <-late.C:
		return mapping.Outcome{}, errPatience
	}
	select {
	case <-w.ready:
		return w.outcome, w.err
	case <-late.C:
		return mapping.Outcome{}, errPatience
	}
}

func (c *committer) run() {
	group := make([]*waiting, 0, maxGroup)
	entries := make([]mapping.Entry, 0, maxGroup)
	for first := range c.queue {
		group = slices.DeleteFunc(c.gather(append(group[:0], first)), (*waiting).given)
		entries = entries[:0]
		for _, w := range group {
			entries = append(entries, w.entry)
		}
		if len(group) > 0 {
			c.commitGroup(group, entries)
		}
		clear(group) // bodies may be large
		clear(entries)
	}
}

// gather adds to a group what has arrived.
func (c *committer) gather(group []*waiting) []*waiting {
	for len(group) < maxGroup {
		select {
		case w, ok := <-c.queue:
			if !ok {
				return group
			}
			group = append(group, w)
		default:
			return group
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
	close(w.ready)
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
		close(w.ready)
	}
}
