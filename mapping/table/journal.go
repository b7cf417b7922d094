package table

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"loopmap/mapping"
)

// Record is a line of the journal.
type Record struct {
	mapping.Delivery
	Event     string
	EventTime time.Time
	Status    mapping.Status
	Reason    string
	RowKey    string
	Mapping   string // hash of the mapping file; "" when none has mapped it
}

// Filter says which records are wanted. The zero value wants all.
type Filter struct {
	ID     string
	Events []string // any of these; none: all
	Status mapping.Status
	Stale  string // only quarantined ones that the mapping with this hash has not tried
	Oldest bool   // oldest first; else newest first
	Limit  int    // 0: no limit
}

// ErrNoDelivery is returned by [Store.Delivery] for an id that is not there.
var ErrNoDelivery = errors.New("no delivery has this id")

// Deliveries are the journal's records, newest first unless f says otherwise. A
// database without a journal has none.
func (s *Store) Deliveries(ctx context.Context, f Filter) ([]Record, error) {
	var where []string
	var args []any
	add := func(cond string, vals ...any) { where, args = append(where, cond), append(args, vals...) }
	if f.ID != "" {
		add("id = ?", f.ID)
	}
	if len(f.Events) > 0 {
		events := make([]any, len(f.Events))
		for i, e := range f.Events {
			events[i] = e
		}
		add("event IN (?"+strings.Repeat(", ?", len(events)-1)+")", events...)
	}
	if f.Status != "" {
		add("status = ?", string(f.Status))
	}
	if f.Stale != "" {
		add("status = 'quarantined' AND mapping IS NOT ?", f.Stale)
	}
	query := `SELECT id, coalesce(event, ''), coalesce(event_time, ''), received_at, body, status,
		coalesce(reason, ''), coalesce(row_key, ''), coalesce(mapping, '') FROM loopmap_deliveries`
	if len(where) > 0 {
		query += " WHERE " + strings.Join(where, " AND ")
	}
	if query += " ORDER BY rowid DESC"; f.Oldest {
		query = strings.TrimSuffix(query, " DESC")
	}
	if f.Limit > 0 {
		query += " LIMIT ?"
		args = append(args, f.Limit)
	}
	var n int
	if err := s.db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE name = 'loopmap_deliveries'").Scan(&n); err != nil || n == 0 {
		return nil, explain(err)
	}
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	var list []Record
	for rows.Next() {
		r, err := scanRecord(rows)
		if err != nil {
			return nil, explain(err)
		}
		list = append(list, r)
	}
	return list, explain(rows.Err())
}

func scanRecord(rows *sql.Rows) (r Record, err error) {
	var event, received string
	if err := rows.Scan(&r.ID, &r.Event, &event, &received, &r.Body, &r.Status, &r.Reason, &r.RowKey, &r.Mapping); err != nil {
		return r, err
	}
	if r.Received, err = time.Parse(timestamp, received); err != nil {
		return r, err
	}
	if event != "" {
		r.EventTime, err = time.Parse(time.RFC3339, event)
	}
	return r, err
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
func (s *Store) Mark(ctx context.Context) (mark int64, err error) {
	var n int
	if err := s.db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE name = 'loopmap_deliveries'").Scan(&n); err != nil || n == 0 {
		return 0, explain(err)
	}
	err = s.db.QueryRowContext(ctx, "SELECT coalesce(max(rowid), 0) FROM loopmap_deliveries").Scan(&mark)
	return mark, explain(err)
}
