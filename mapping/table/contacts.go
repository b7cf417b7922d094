package table

import (
	"context"
	"fmt"
	"strconv"

	"loopmap/mapping"
	"loopmap/mapping/outgoing"
)

// has reports whether loopmap's own table of this name is there.
func (s *Store) has(ctx context.Context, name string) (there bool, err error) {
	err = s.ask(ctx, s.hasTable(name), nil, func([]stored) error { there = true; return nil })
	return there, err
}

// contactsOf adds to rows what is known of their contacts: Loops' id, and the last
// deletion, unless a contact.created came after it; made has the last of each row.
func (s *Store) contactsOf(ctx context.Context, m *mapping.Mapping, rows []outgoing.Row, made map[string]place) error {
	keys := make([]string, len(rows))
	for i, r := range rows {
		keys[i] = r.Key
	}
	ids, err := s.contactIDs(ctx, m.Table, keys)
	if err != nil {
		return err
	}
	gone, err := s.noted(ctx, m.Table, keys)
	if err != nil {
		return err
	}
	for i, r := range rows {
		if gone[r.Key] {
			rows[i] = r.Anew()
			delete(ids, r.Key)
		}
	}
	byID := m.KeyIsContactID()
	if byID { // a row that was not made by Loops has a key of its own
		for _, id := range ids {
			keys = append(keys, id)
		}
	}
	deleted, err := s.deletions(ctx, keys)
	if err != nil {
		return err
	}
	for i := range rows {
		r := &rows[i]
		r.ContactID = ids[r.Key]
		last := deleted[r.Key]
		if d, ok := deleted[r.ContactID]; byID && ok && d.place.compare(last.place) > 0 {
			last = d
		}
		if last.ID == "" || made[r.Key].compare(last.place) > 0 {
			continue
		}
		d := last.Deletion
		if byID {
			d.ContactID = last.key
		}
		r.Deleted = &d
	}
	return nil
}

type deletion struct {
	outgoing.Deletion
	key   string
	place place
}

// deletions are the last contact.deleted of rows, whatever the mapping made of them.
func (s *Store) deletions(ctx context.Context, keys []string) (map[string]deletion, error) {
	last := map[string]deletion{}
	if there, err := s.has(ctx, "loopmap_deliveries"); err != nil || !there {
		return last, err
	}
	where, args := s.among("row_key", "text", keys)
	err := s.ask(ctx, "SELECT row_key, id, event_time, received_at FROM loopmap_deliveries WHERE event = 'contact.deleted' AND "+where,
		args, func(v []stored) error {
			d := deletion{Deletion: outgoing.Deletion{ID: v[1].text, At: readClock(v[2]), Received: readClock(v[3])}, key: v[0].text}
			d.place = placeOf(d.ID, mapping.ContactDeleted, d.At, d.Received)
			if d.At.IsZero() {
				d.At = d.Received
			}
			if d.place.compare(last[d.key].place) > 0 {
				last[d.key] = d
			}
			return nil
		})
	return last, err
}

// contactIDs are Loops' ids of rows' contacts, by the rows' keys.
func (s *Store) contactIDs(ctx context.Context, table string, keys []string) (map[string]string, error) {
	ids := map[string]string{}
	if there, err := s.has(ctx, "loopmap_contacts"); err != nil || !there {
		return ids, err
	}
	where, args := s.among("row_key", "text", keys)
	err := s.ask(ctx, "SELECT row_key, contact_id FROM loopmap_contacts WHERE table_name = ? AND "+where, append([]any{table}, args...),
		func(v []stored) error {
			ids[v[0].text] = v[1].text
			return nil
		})
	return ids, err
}

// contactSave writes what a save says beside its line: Loops' id of the contact, and that
// an event was refused.
func (s *Store) contactSave(table string, p outgoing.Save) (list []statement) {
	if p.Gone {
		list = append(list, statement{"DELETE FROM loopmap_contacts WHERE table_name = ? AND row_key = ?", []any{table, p.RowKey}})
	}
	if p.ContactID != "" {
		list = append(list, statement{`INSERT INTO loopmap_contacts (table_name, row_key, contact_id) VALUES (?, ?, ?)
			ON CONFLICT (table_name, row_key) DO UPDATE SET contact_id = excluded.contact_id`, []any{table, p.RowKey, p.ContactID}})
	}
	if l := p.Line; l.Refusals > 0 {
		list = append(list, statement{`INSERT INTO loopmap_refusals (table_name, kind, idempotency_key, refusals) VALUES (?, ?, ?, ?)
			ON CONFLICT (table_name, kind, idempotency_key) DO UPDATE SET refusals = excluded.refusals
			WHERE loopmap_refusals.refusals < excluded.refusals`,
			[]any{table, l.Kind, l.IdempotencyKey, int64(l.Refusals)}})
	}
	return list
}

// refused adds to lines how often Loops has refused their events.
func (s *Store) refused(ctx context.Context, table string, lines map[string][]outgoing.Line) error {
	var keys []string
	for _, list := range lines {
		for _, l := range list {
			if l.IdempotencyKey != "" {
				keys = append(keys, l.IdempotencyKey)
			}
		}
	}
	if len(keys) == 0 {
		return nil
	}
	there, err := s.has(ctx, "loopmap_refusals")
	if err != nil || !there {
		return err
	}
	type event struct{ kind, key string }
	times := map[event]int{}
	where, args := s.among("idempotency_key", "text", keys)
	err = s.ask(ctx, "SELECT kind, idempotency_key, refusals FROM loopmap_refusals WHERE table_name = ? AND "+where,
		append([]any{table}, args...), func(v []stored) (err error) {
			times[event{v[0].text, v[1].text}], err = strconv.Atoi(v[2].text)
			return err
		})
	for _, list := range lines {
		for i := range list {
			l := &list[i]
			if l.Refusals = times[event{l.Kind, l.IdempotencyKey}]; l.Refusals == 0 && l.RefusedOnce() {
				l.Refusals = 1 // by a version that did not count
			}
		}
	}
	return err
}

// PushRefusals is how often Loops has refused an event, of whichever row.
func (s *Store) PushRefusals(ctx context.Context, table, kind, idempotencyKey string) (n int, err error) {
	if there, err := s.has(ctx, "loopmap_refusals"); err != nil || !there { // a dry run makes no tables
		return 0, s.explain(err)
	}
	err = s.ask(ctx, "SELECT refusals FROM loopmap_refusals WHERE table_name = ? AND kind = ? AND idempotency_key = ?",
		[]any{table, kind, idempotencyKey},
		func(v []stored) error { n, err = strconv.Atoi(v[0].text); return err })
	return n, s.explain(err)
}

// Keyless counts the rows whose key is NULL, or bytes that no text names (SQLite): nothing
// tells them apart.
func (s *Store) Keyless(ctx context.Context, m *mapping.Mapping) (n int, err error) {
	err = s.ask(ctx, fmt.Sprintf("SELECT count(*) FROM %s WHERE %s", quote(m.Table), s.noKey(m.Key)), nil,
		func(v []stored) error { n, err = strconv.Atoi(v[0].text); return err })
	return n, s.explain(err)
}

// GoneContacts are keys of contact updates, after a key and in order, that no row of the
// table seems to have: whether it has is for [Store.PushRows] to say.
func (s *Store) GoneContacts(ctx context.Context, m *mapping.Mapping, after string, limit int) (keys []string, err error) {
	if there, err := s.has(ctx, "loopmap_pushes"); err != nil || !there {
		return nil, s.explain(err)
	}
	order := s.inOrder("p.row_key")
	err = s.ask(ctx, fmt.Sprintf(`SELECT DISTINCT %s FROM loopmap_pushes p WHERE p.table_name = ? AND p.kind = 'contact' AND %s > ?
		AND NOT EXISTS (SELECT 1 FROM %s WHERE %s) ORDER BY 1 LIMIT %d`,
		order, order, quote(m.Table), s.isKey(m.Key, "p.row_key"), limit), []any{m.Table, after},
		func(v []stored) error { keys = append(keys, v[0].text); return nil })
	return keys, s.explain(err)
}

// KeyMisfit says why rows cannot be told apart by a column of the table, whatever is
// unique; "" when they can.
func KeyMisfit(m *mapping.Mapping, c Column) string {
	return keyMisfit(m, typeOfColumn(m, m.Key), c)
}

// NoteGone notes that rows were deleted, and that those which have their keys now are
// others.
func (s *Store) NoteGone(ctx context.Context, table string, keys []string) error {
	var list []statement
	for _, key := range keys {
		list = append(list, statement{"INSERT INTO loopmap_gone (table_name, row_key) VALUES (?, ?)", []any{table, key}})
	}
	return s.explain(s.put(ctx, list))
}

// goneTogether is how many rows that are gone are forgotten in one transaction.
const goneTogether = 500

// noted are those of keys whose rows were deleted and not forgotten yet.
func (s *Store) noted(ctx context.Context, table string, keys []string) (map[string]bool, error) {
	gone := map[string]bool{}
	if there, err := s.has(ctx, "loopmap_gone"); err != nil || !there {
		return gone, err
	}
	where, args := s.among("row_key", "text", keys)
	err := s.ask(ctx, "SELECT row_key FROM loopmap_gone WHERE table_name = ? AND "+where, append([]any{table}, args...),
		func(v []stored) error {
			gone[v[0].text] = true
			return nil
		})
	return gone, err
}

// ForgetGone forgets what was sent for rows that were deleted since it was last called, as
// far as triggers have noted them: see [outgoing.Row.Anew]. It returns the keys.
func (s *Store) ForgetGone(ctx context.Context, m *mapping.Mapping) (keys []string, err error) {
	if there, err := s.has(ctx, "loopmap_gone"); err != nil || !there {
		return nil, s.explain(err)
	}
	for {
		var raw []string
		err := s.ask(ctx, fmt.Sprintf("SELECT DISTINCT row_key FROM loopmap_gone WHERE table_name = ? LIMIT %d", goneTogether), []any{m.Table},
			func(v []stored) error { raw = append(raw, v[0].text); return nil })
		if err != nil || len(raw) == 0 {
			return keys, s.explain(err)
		}
		some, err := s.canonicalKeys(ctx, m, raw)
		if err != nil {
			return keys, s.explain(err)
		}
		where, args := s.among("row_key", "text", some)
		args = append([]any{m.Table}, args...)
		noted, rawArgs := s.among("row_key", "text", raw)
		if err := s.put(ctx, []statement{
			{"DELETE FROM loopmap_pushes WHERE table_name = ? AND " + where +
				" AND (kind = 'contact' OR first_at IS NULL AND status IN ('failed', 'not_met'))", args},
			{"DELETE FROM loopmap_contacts WHERE table_name = ? AND " + where, args},
			{"DELETE FROM loopmap_gone WHERE table_name = ? AND " + noted, append([]any{m.Table}, rawArgs...)},
		}); err != nil {
			return keys, s.explain(err)
		}
		keys = append(keys, some...)
	}
}
