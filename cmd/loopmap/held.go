package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"loopmap/mapping/table"
)

// held keeps a database open for reading from one look at the journal to the next, for
// who looks each second: and no longer than somebody looks.
type held struct {
	mu     sync.Mutex
	url    string
	store  *table.Store
	opened time.Time
	idle   *time.Timer
}

const (
	heldAfter = 5 * lookEvery // the last look
	heldMost  = time.Minute   // so that a file put in the place of the one before is seen
)

// look hands the database to f; it does not, where there is none.
func (h *held) look(ctx context.Context, o table.Options, f func(*table.Store) error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.store != nil && (h.url != o.URL || time.Since(h.opened) > heldMost) {
		h.close()
	}
	if h.store == nil {
		store, err := table.Open(ctx, o)
		if errors.Is(err, table.ErrNoDatabase) {
			return nil
		} else if err != nil {
			return err
		}
		h.url, h.store, h.opened = o.URL, store, time.Now()
	}
	if h.idle != nil {
		h.idle.Stop()
	}
	err := f(h.store)
	if err != nil {
		h.close()
		return err
	}
	h.idle = time.AfterFunc(heldAfter, h.end)
	return nil
}

// end closes it, where nobody looks any more.
func (h *held) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.store != nil {
		h.close()
	}
}

// close closes it. h.mu is held.
func (h *held) close() {
	h.store.Close()
	h.store = nil
}
