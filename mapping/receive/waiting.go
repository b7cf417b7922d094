package receive

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// count is how many deliveries wait, as it was a moment ago. Counting many takes the
// database a while, and whoever asks need not prove who they are: it is done once a
// second at most, and takes a twentieth of the database's time at most.
type count struct {
	mu                   sync.Mutex // held while it is counted
	quarantined, pending int64
	known                bool
	next                 time.Time
}

func (c *count) get(ctx context.Context, j Journal) (quarantined, pending int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	begun := time.Now()
	if c.known && begun.Before(c.next) {
		return c.quarantined, c.pending, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if quarantined, pending, err = j.Waiting(ctx); err != nil {
		return 0, 0, err
	}
	now := time.Now()
	c.quarantined, c.pending, c.known = quarantined, pending, true
	c.next = now.Add(max(time.Second, 20*now.Sub(begun)))
	return quarantined, pending, nil
}

// brief is an error for the log: where it knows how to be logged, as that, since a
// database's own text may quote the row.
func brief(err error) any {
	var v slog.LogValuer
	if errors.As(err, &v) {
		return v
	}
	return err
}
