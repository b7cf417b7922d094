package main

import (
	"context"
	"sync"
	"time"

	"loopmap/tui"
)

// feed reads the journal once for all screens that show it.
type feed struct {
	b   *backend
	now func() time.Time

	mu     sync.Mutex
	looked time.Time
	list   []tui.Delivery // shared: nobody changes it
	mark   int64

	counted time.Time
	counts  tui.Counts
}

// Counts is as the backend's.
func (f *feed) Counts(ctx context.Context, was tui.Counts) (tui.Counts, error) {
	return awaitCounts(ctx, was, func(ctx context.Context) (tui.Counts, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if now := f.now(); now.Sub(f.counted) >= countEvery*9/10 {
			counts, err := f.b.counts(ctx)
			if err != nil {
				return was, err
			}
			f.counts, f.counted = counts, now
		}
		return f.counts, nil
	})
}

// Deliveries is as the backend's.
func (f *feed) Deliveries(ctx context.Context, mark int64) (list []tui.Delivery, next int64, err error) {
	for {
		if list, next, err = f.since(ctx, mark); list != nil || err != nil {
			return list, next, err
		}
		select {
		case <-ctx.Done():
			return nil, mark, nil
		case <-time.After(lookEvery):
		}
	}
}

func (f *feed) since(ctx context.Context, mark int64) ([]tui.Delivery, int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.now(); f.list == nil || now.Sub(f.looked) >= lookEvery*9/10 {
		list, next, err := f.b.deliveriesSince(ctx, f.mark)
		if err != nil {
			return nil, mark, err
		}
		f.looked = now
		if list != nil {
			f.list, f.mark = list, next
		}
	}
	if f.list == nil || f.mark == mark {
		return nil, mark, nil
	}
	return f.list, f.mark, nil
}

// reread takes the mapping file as it is, which says where the journal is.
func (f *feed) reread() { _, _ = f.b.reread() }
