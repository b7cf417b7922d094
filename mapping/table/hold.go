package table

import (
	"slices"
	"time"

	"loopmap/mapping"
)

// hold remembers that the table does not fit a mapping, so that not each delivery
// has to find that out.
type hold struct {
	mapping *mapping.Mapping
	reason  string
	until   time.Time
}

// unfitError says that the table no longer fits a mapping.
type unfitError struct {
	mapping *mapping.Mapping
	reason  string
}

func (e *unfitError) Error() string { return e.reason }

func (s *Store) setHold(h hold) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hold = h
}

// held makes the entries of a held mapping wait.
func (s *Store) held(entries []mapping.Entry) []mapping.Entry {
	s.mu.Lock()
	h := s.hold
	s.mu.Unlock()
	if h.mapping == nil || time.Now().After(h.until) {
		return entries
	}
	entries = slices.Clone(entries)
	for i := range entries {
		if e := &entries[i]; e.Mapping == h.mapping && e.Status == mapping.Applied {
			e.Status, e.Reason = mapping.Pending, h.reason
		}
	}
	return entries
}
