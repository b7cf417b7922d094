package table

import (
	"context"
	"errors"
	"time"

	"loopmap/mapping"
)

// Record is a line of the journal.
type Record struct {
	mapping.Delivery
	Seq       int64 // lines are numbered as they come
	Event     string
	EventTime time.Time
	Status    mapping.Status
	Reason    string
	RowKey    string
	Mapping   string // hash of the mapping file; "" when none has mapped it
	Forgotten bool   // the body is not kept any more
}

// Filter says which records are wanted. The zero value wants all.
type Filter struct {
	ID     string
	Events []string // any of these; none: all
	Status mapping.Status
	Keys   []string  // only those about these rows; nil: all
	Stale  string    // only pending ones, and quarantined ones that the mapping with this hash has not tried
	Since  time.Time // received then or later
	Oldest bool      // oldest first; else newest first
	After  int64     // with Oldest, only those with a greater Seq
	Limit  int       // 0: no limit
	Head   int       // only so many bytes of each body; 0: all of it
}

// ErrNoDelivery is returned by [Store.Delivery] for an id that is not there.
var ErrNoDelivery = errors.New("no delivery has this id")

// Deliveries are the journal's records, newest first unless f says otherwise. A
// database without a journal has none.
func (s *Store) Deliveries(ctx context.Context, f Filter) (list []Record, err error) {
	err = s.records(ctx, f, func(r Record) error {
		list = append(list, r)
		return nil
	})
	return list, s.explain(err)
}

// Delivery is the record of one webhook-id.
func (s *Store) Delivery(ctx context.Context, id string) (Record, error) {
	list, err := s.Deliveries(ctx, Filter{ID: id, Limit: 1})
	if err == nil && len(list) == 0 {
		err = ErrNoDelivery
	}
	if err != nil {
		return Record{}, err
	}
	return list[0], nil
}

// Mark changes whenever a delivery comes in: it is the journal's last line, 0 when
// there is none.
func (s *Store) Mark(ctx context.Context) (int64, error) {
	n, err := s.mark(ctx)
	return n, s.explain(err)
}

// Waiting counts the deliveries that are no rows and could become some.
func (s *Store) Waiting(ctx context.Context) (quarantined, pending int64, err error) {
	quarantined, pending, err = s.waiting(ctx)
	return quarantined, pending, s.explain(err)
}

// Forget drops the bodies of applied and ignored deliveries that were received
// before a time, and returns how many. Ids stay, so that a delivery that comes
// again still has no effect. It begins behind the line after, and returns the last
// line that it has looked at.
func (s *Store) Forget(ctx context.Context, before time.Time, after int64) (last int64, n int, err error) {
	const most = 500 // at once, so that deliveries need not wait long
	for last = after; ; {
		next, some, err := s.forget(ctx, before, last, most)
		n += some
		if err != nil || next == last {
			return last, n, s.explain(err)
		}
		last = next
	}
}
