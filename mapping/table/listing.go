package table

import (
	"context"
	"errors"
	"strconv"
	"strings"
)

// columns are those of a journal line that f wants: a list of them, in which the body is
// called body.
func (f Filter) columns(all string) string {
	if f.Head == 0 {
		return all
	}
	return strings.Replace(all, " body,", " substr(body, 1, "+strconv.Itoa(f.Head)+"),", 1)
}

// Each hands over the records that f wants one by one, so that no more than one body is
// held. An error of each ends it and is returned as it is.
func (s *Store) Each(ctx context.Context, f Filter, each func(Record) error) error {
	var own error
	err := s.records(ctx, f, func(r Record) error {
		own = each(r)
		return own
	})
	if own != nil {
		return own
	}
	return s.explain(err)
}

// errFull ends a page.
var errFull = errors.New("the page is full")

// Page is [Store.Deliveries], but fewer where their bodies together are larger than a
// number of bytes: one at least, while there are any.
func (s *Store) Page(ctx context.Context, f Filter, bytes int) (list []Record, err error) {
	err = s.Each(ctx, f, func(r Record) error {
		list = append(list, r)
		if bytes -= len(r.Body); bytes <= 0 {
			return errFull
		}
		return nil
	})
	if errors.Is(err, errFull) {
		err = nil
	}
	return list, err
}

// FirstWaiting is the oldest line of the journal that is no row and could become one; 0
// when none is.
func (s *Store) FirstWaiting(ctx context.Context) (seq int64, err error) {
	err = s.Each(ctx, Filter{Stale: "-", Oldest: true, Limit: 1, Head: 1}, func(r Record) error {
		seq = r.Seq
		return nil
	})
	return seq, err
}
