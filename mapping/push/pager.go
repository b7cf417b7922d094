package push

import (
	"context"
	"fmt"
	"slices"

	"loopmap/mapping/outgoing"
)

// pager hands a job's rows over, some at a time; of all rows of a table at last those
// that are gone.
type pager struct {
	store  Store
	sender *outgoing.Sender
	q      outgoing.Query
	keys   []string // that are left of a job with keys
	byKey  bool
	ended  bool // of the table
	gone   bool // those that are gone are wanted, too
	after  string
}

func newPager(store Store, job Job) pager {
	return pager{store: store, sender: job.Sender, keys: distinct(job.Keys), byKey: job.Keys != nil, gone: job.Keys == nil && job.Status == "",
		q: outgoing.Query{Status: job.Status, Due: job.Due, Limit: page}}
}

// distinct are keys without those that come again: no row is sent twice by one job.
func distinct(keys []string) (list []string) {
	seen := make(map[string]bool, len(keys))
	for _, key := range keys {
		if !seen[key] {
			seen[key], list = true, append(list, key)
		}
	}
	return list
}

// next are the next rows; nil when there are none any more.
func (p *pager) next(ctx context.Context) ([]outgoing.Row, error) {
	for {
		rows, more, err := p.some(ctx)
		if err != nil || !more || len(rows) > 0 {
			return rows, err
		}
	}
}

// some may be none although there are more.
func (p *pager) some(ctx context.Context) (rows []outgoing.Row, more bool, err error) {
	m, fields := p.sender.Mapping(), p.sender.Fields()
	switch {
	case p.byKey:
		if len(p.keys) == 0 {
			return nil, false, nil
		}
		n := min(page, len(p.keys))
		p.q.Keys, p.keys = p.keys[:n], p.keys[n:]
		rows, err = p.store.PushRows(ctx, m, fields, p.q)
		return rows, true, err
	case !p.ended:
		if rows, err = p.store.PushRows(ctx, m, fields, p.q); err != nil {
			return nil, false, err
		}
		if p.ended = len(rows) < page; p.ended {
			return rows, true, nil
		}
		last := rows[len(rows)-1].Key
		if p.q.After != "" && (last == p.q.After || rows[0].Key == p.q.After) {
			return nil, false, fmt.Errorf("the rows of table %s cannot be gone through by column %s: it does not keep them in order", m.Table, m.Key)
		}
		p.q.After = last
		return rows, true, nil
	case !p.gone:
		return nil, false, nil
	}
	keys, err := p.store.GoneContacts(ctx, m, p.after, page)
	if err != nil || len(keys) == 0 {
		return nil, false, err
	}
	p.after = keys[len(keys)-1]
	rows, err = p.store.PushRows(ctx, m, fields, outgoing.Query{Keys: keys})
	return slices.DeleteFunc(rows, func(r outgoing.Row) bool { return !r.Gone }), true, err
}
