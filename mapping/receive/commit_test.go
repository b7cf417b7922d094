package receive

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"loopmap/mapping"
)

// clocked is a journal that takes a millisecond for a commit, and notes when it began.
type clocked struct {
	Journal
	mu    sync.Mutex
	began []time.Time
	sizes []int
}

func (j *clocked) Commit(_ context.Context, entries []mapping.Entry) ([]mapping.Outcome, error) {
	j.mu.Lock()
	j.began, j.sizes = append(j.began, time.Now()), append(j.sizes, len(entries))
	j.mu.Unlock()
	time.Sleep(time.Millisecond)
	return make([]mapping.Outcome, len(entries)), nil
}

// Who comes alone is committed at once, also after many came together.
func TestNobodyWaitsAlone(t *testing.T) {
	for _, writers := range []int{1, 2} {
		t.Run(fmt.Sprint(writers), func(t *testing.T) { nobodyWaitsAlone(t, writers) })
	}
}

func nobodyWaitsAlone(t *testing.T, writers int) {
	synctest.Test(t, func(t *testing.T) {
		j := &clocked{}
		c := newCommitter(j, writers, &metrics{})
		defer c.close()
		for range 3 {
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() { _, _ = c.commit(mapping.Entry{}) })
			}
			all.Wait()
			time.Sleep(10 * time.Millisecond)
			for range 3 {
				came := time.Now()
				_, _ = c.commit(mapping.Entry{})
				if n := len(j.began) - 1; j.sizes[n] != 1 || !j.began[n].Equal(came) {
					t.Errorf("a commit of %d began after %s", j.sizes[n], j.began[n].Sub(came))
				}
				time.Sleep(10 * time.Millisecond)
			}
		}
	})
}

// hung is a journal that does not answer until its own limit of time.
type hung struct{ Journal }

func (hung) Commit(context.Context, []mapping.Entry) ([]mapping.Outcome, error) {
	time.Sleep(8 * time.Second)
	return nil, context.DeadlineExceeded
}

// Stopping on a database that hangs takes as long as a sender waits and one commit more,
// not that for each delivery in hand.
func TestStoppingOnHungDatabase(t *testing.T) {
	for _, writers := range []int{1, 4} {
		synctest.Test(t, func(t *testing.T) {
			c := newCommitter(hung{}, writers, &metrics{})
			var all sync.WaitGroup
			for range 3 * maxGroup {
				all.Go(func() {
					if _, err := c.commit(mapping.Entry{}); err == nil {
						t.Error("it counts as stored")
					}
				})
			}
			began := time.Now()
			all.Wait()
			answered := time.Since(began)
			c.close()
			if took := time.Since(began); answered > patience || took > patience+8*time.Second {
				t.Errorf("with %d writers all are answered after %v, and it ends after %v", writers, answered, took)
			}
		})
	}
}
