package table

import (
	"context"
	"slices"
	"time"

	"loopmap/mapping"
)

// writeLate writes the row of an entry that may come after newer deliveries of the
// same row: it writes the row and then these over it again, so that the row ends
// as if all had come in the order of their events. Where one of them cannot be
// written again, or deletes the row, the row stays as it is: that is what the newer
// ones say.
func (w *work) writeLate(ctx context.Context, e mapping.Entry) (mapping.Outcome, error) {
	newer, err := w.newer(ctx, e)
	if err != nil {
		return mapping.Outcome{}, err
	}
	out := mapping.Outcome{Status: mapping.Applied}
	if slices.ContainsFunc(newer, deletes) {
		return out, nil
	}
	if mayPrecedeItsRow(e, newer) {
		if there, err := w.wasThere(ctx, e); err != nil || !there {
			return out, err
		}
	}
	if err := w.tx.savepoint(); err != nil {
		return out, err
	}
	for i, n := range append([]mapping.Entry{e}, newer...) {
		why := error(&refusal{n.Reason})
		if n.Status == mapping.Applied { // under another mapping it was
			refused, err := w.tx.write([]mapping.Entry{n})
			if err != nil {
				return out, err
			}
			why = refused[0]
		}
		switch {
		case why == nil:
		case i == 0:
			if out, err = w.quarantine(ctx, e, why); err != nil {
				return out, err
			}
		default:
			if err := w.tx.rollbackTo(); err != nil {
				return out, err
			}
			e.Reason = "the row has what a newer delivery says, which cannot be written again"
			out.Reason = e.Reason
			if err := w.tx.update(e); err != nil {
				return out, err
			}
			return out, w.tx.release()
		}
	}
	return out, w.tx.release()
}

// newer are the applied deliveries of e's row that come after e, as its mapping
// reads them, in their order.
func (w *work) newer(ctx context.Context, e mapping.Entry) (list []mapping.Entry, err error) {
	own := placeOfEntry(e)
	records, err := w.tx.siblings(e, own.at)
	if err != nil {
		return nil, err
	}
	return w.inOrder(ctx, e, records, func(p place) bool { return p.compare(own) > 0 })
}

// wasThere reports whether the row was there when e happened, as far as the journal
// knows.
func (w *work) wasThere(ctx context.Context, e mapping.Entry) (there bool, err error) {
	records, err := w.tx.siblings(e, time.Time{})
	if err != nil {
		return false, err
	}
	own := placeOfEntry(e)
	older, err := w.inOrder(ctx, e, records, func(p place) bool { return p.compare(own) < 0 })
	return madeBy(older), err
}

// deletes reports whether an entry takes its row out.
func deletes(e mapping.Entry) bool {
	return e.Row.Action == mapping.Delete && e.Status == mapping.Applied
}

// mayPrecedeItsRow reports whether e, which comes before newer, may have found its row only
// because that was made later.
func mayPrecedeItsRow(e mapping.Entry, newer []mapping.Entry) bool {
	return e.Row.Action == mapping.Update &&
		slices.ContainsFunc(newer, func(n mapping.Entry) bool { return n.Row.Action == mapping.Upsert })
}

// madeBy reports whether a row is there after entries, none of which found it there.
func madeBy(entries []mapping.Entry) (there bool) {
	for _, e := range entries {
		switch e.Row.Action {
		case mapping.Upsert:
			there = true
		case mapping.Delete:
			there = false
		case mapping.Update: // which makes no row
		}
	}
	return there
}

// inOrder are the records that are wanted, as e's mapping reads them, in their order.
func (w *work) inOrder(ctx context.Context, e mapping.Entry, records []Record, wanted func(place) bool) (list []mapping.Entry, err error) {
	form, err := w.store.keyForm(ctx, e.Mapping)
	if err != nil {
		return nil, err
	}
	return readInOrder(form, e, records, wanted), nil
}

// readInOrder are the records that are wanted, as e's mapping reads them, in their order.
func readInOrder(form keyForm, e mapping.Entry, records []Record, wanted func(place) bool) (list []mapping.Entry) {
	records = slices.DeleteFunc(records, func(r Record) bool { return !wanted(placeOfRecord(r)) })
	slices.SortFunc(records, func(a, b Record) int { return placeOfRecord(a).compare(placeOfRecord(b)) })
	for _, r := range records {
		if r.Forgotten {
			list = append(list, mapping.Entry{Delivery: r.Delivery, Status: mapping.Quarantined, Reason: "its body is not kept any more"})
		} else if n := mapping.Enter(e.Mapping, r.Delivery); form.same(n.Row.Key, e.Row.Key) { // else it is another row by today's key
			list = append(list, n)
		}
	}
	return list
}
