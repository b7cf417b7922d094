package table

import (
	"slices"
	"sync"
	"time"

	"loopmap/mapping"
)

// A row may be locked by another transaction for as long as that likes. Who waits for it
// waits alone: a moment, then the delivery is kept as pending, and what comes for the same
// row goes there at once. The keeper tries them again.

const (
	rowWait   = 250 * time.Millisecond // for a lock
	lockedFor = 5 * time.Second        // a row counts as locked still
	triedFor  = time.Second            // so long it is not tried again, either
	rowLocked = "another transaction holds the row locked; it is written once that has ended"
)

// rowName names a row of a table.
type rowName struct{ table, key string }

func rowOf(e mapping.Entry) rowName { return rowName{e.Mapping.Table, e.Row.Key} }

// lockedRows are those that were found locked lately.
type lockedRows struct {
	mu    sync.Mutex
	found map[rowName]time.Time
}

func (l *lockedRows) add(rows []rowName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.found == nil {
		l.found = map[rowName]time.Time{}
	}
	now := time.Now()
	for r, at := range l.found { // so that it does not grow
		if now.Sub(at) > lockedFor {
			delete(l.found, r)
		}
	}
	for _, r := range rows {
		l.found[r] = now
	}
}

// written says that rows were written: they are locked no more.
func (l *lockedRows) written(entries []mapping.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.found) == 0 {
		return
	}
	for _, e := range entries {
		if e.Status == mapping.Applied {
			delete(l.found, rowOf(e))
		}
	}
}

// wait makes the entries wait whose row was found locked, within so long.
func (l *lockedRows) wait(entries []mapping.Entry, within time.Duration) []mapping.Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.found) == 0 {
		return entries
	}
	now := time.Now()
	entries = slices.Clone(entries)
	for i := range entries {
		e := &entries[i]
		if e.Status != mapping.Applied {
			continue
		}
		if at, ok := l.found[rowOf(*e)]; ok && now.Sub(at) < within {
			e.Status, e.Reason = mapping.Pending, rowLocked
		}
	}
	return entries
}
