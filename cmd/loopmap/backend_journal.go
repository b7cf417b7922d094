package main

import (
	"context"
	"time"

	"github.com/tidwall/gjson"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/table"
	"loopmap/tui"
)

// journalSamples is how many deliveries the journal lends to map by.
const journalSamples = 20

// Journal reads the latest deliveries of the mapped events.
func (b *backend) Journal(ctx context.Context) ([]tui.Sample, error) {
	m := b.mapping()
	var list []table.Record
	err := b.look(ctx, m, func(s *table.Store) (err error) {
		list, err = s.Deliveries(ctx, table.Filter{Events: m.Receive.Events, Limit: journalSamples})
		return err
	})
	if err != nil {
		return nil, err
	}
	var samples []tui.Sample
	for i := len(list) - 1; i >= 0; i-- { // oldest first: the latest value counts
		if body.CheckBody(list[i].Body) == nil {
			samples = append(samples, tui.Sample{From: "the journal", Body: list[i].Body, At: list[i].Received})
		}
	}
	return samples, nil
}

// listed is how many deliveries the mapper lists: the latest.
const listed = 500

// lookEvery is how often the journal is looked at while its screen is open.
const lookEvery = time.Second

// Deliveries are the latest deliveries. With a mark from the call before, it waits
// until there are other ones, or ctx ends.
func (b *backend) Deliveries(ctx context.Context, mark int64) (list []tui.Delivery, next int64, err error) {
	for {
		list, next, err = b.deliveriesSince(ctx, mark)
		if err != nil || list != nil {
			return list, next, err
		}
		select {
		case <-ctx.Done():
			return nil, mark, nil
		case <-time.After(lookEvery):
		}
	}
}

// none is the mark of a journal that has been read and is empty.
const none = -1

// deliveriesSince returns nil when nothing has come since mark.
func (b *backend) deliveriesSince(ctx context.Context, mark int64) (list []tui.Delivery, next int64, err error) {
	m := b.mapping()
	url, err := b.app.databaseURL(m)
	if err != nil {
		return nil, 0, err
	}
	err = b.journal.look(ctx, table.Options{URL: url, Dir: folder(b.file)}, func(s *table.Store) error {
		if next, err = s.Mark(ctx); err != nil || next == 0 || next == mark {
			return err
		}
		list = []tui.Delivery{}
		err := s.Each(ctx, table.Filter{Limit: listed, Head: headOf}, func(r table.Record) error {
			list = append(list, listedOf(r))
			return nil
		})
		if err == nil {
			err = withPushes(ctx, s, m.Table, list)
		}
		return err
	})
	if next == 0 && err == nil {
		if mark == none {
			return nil, none, nil
		}
		return []tui.Delivery{}, none, nil
	}
	return list, next, err
}

// headOf is how many bytes of a body a list reads, to find whom it is about.
const headOf = 16 << 10

// listedOf is a record in a list, without its body.
func listedOf(r table.Record) tui.Delivery {
	return tui.Delivery{At: r.Received.Local(), ID: r.ID, Event: r.Event, Email: emailOf(r), Status: string(r.Status), Reason: r.Reason,
		RowKey: r.RowKey}
}

// emailOf is the email of a delivery, of whose body the first bytes are there at least.
func emailOf(r table.Record) string {
	if len(r.Body) < headOf {
		return mapping.FactsOf(r.Body).Email
	}
	return gjson.GetBytes(r.Body, "contactIdentity.email").Str
}

// Delivery is one delivery with its body.
func (b *backend) Delivery(ctx context.Context, id string) (d tui.Delivery, err error) {
	err = b.look(ctx, b.mapping(), func(s *table.Store) error {
		r, err := s.Delivery(ctx, id)
		if err != nil {
			return err
		}
		one := []tui.Delivery{listedOf(r)}
		err = withPushes(ctx, s, b.mapping().Table, one)
		d = one[0]
		d.Body = r.Body
		return err
	})
	return d, err
}

// Search shows match the latest deliveries one by one.
func (b *backend) Search(ctx context.Context, match func(tui.Delivery) bool) (ids map[string]bool, err error) {
	ids = map[string]bool{}
	err = b.look(ctx, b.mapping(), func(s *table.Store) error {
		return s.Each(ctx, table.Filter{Limit: listed}, func(r table.Record) error {
			d := listedOf(r)
			if d.Body = r.Body; match(d) {
				ids[r.ID] = true
			}
			return ctx.Err()
		})
	})
	return ids, err
}
