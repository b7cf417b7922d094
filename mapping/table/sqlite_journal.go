package table

import (
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"loopmap/mapping"
)

// timestamps have one width, so that they sort as text.
const timestamp = "2006-01-02T15:04:05.000Z07:00"

// fullSecond is how an event_time and a received_at of that second begin.
const fullSecond = "2006-01-02T15:04:05"

// journalStatements are made ready once.
type journalStatements struct {
	begin, commit, insert, insertMany, update, late, between, betweenIDs, siblings, schema *sqlite.Stmt
}

func (j *journalStatements) prepare(c *sqlite.Conn) (err error) {
	for to, text := range map[**sqlite.Stmt]string{
		&j.begin:  "BEGIN IMMEDIATE",
		&j.schema: "PRAGMA schema_version",
		&j.commit: "COMMIT",
		&j.insert: `INSERT INTO loopmap_deliveries (id, event, event_time, received_at, body, status, reason, row_key, mapping)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO NOTHING`,
		// All ids are new. OR ROLLBACK spares SQLite what it keeps to take back one statement.
		&j.insertMany: `INSERT OR ROLLBACK INTO loopmap_deliveries (id, event, event_time, received_at, body, status, reason, row_key, mapping)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)` + strings.Repeat(", (?, ?, ?, ?, ?, ?, ?, ?, ?)", together-1),
		&j.betweenIDs: "SELECT 1 FROM loopmap_deliveries WHERE id BETWEEN ?1 AND ?2 LIMIT 1",
		&j.update: `UPDATE loopmap_deliveries SET status = ?2, reason = ?3, row_key = ?4, mapping = ?5
			WHERE id = ?1 AND (status <> ?2 OR reason IS NOT ?3 OR row_key IS NOT ?4 OR mapping IS NOT ?5)`,
		&j.late: `SELECT 1 FROM loopmap_deliveries WHERE row_key = ?1 AND status = 'applied' AND coalesce(event_time, received_at) >= ?2
			AND id <> ?3 LIMIT 1`,
		&j.between: `SELECT 1 FROM loopmap_deliveries WHERE row_key BETWEEN ?1 AND ?2 AND status = 'applied' LIMIT 1`,
		&j.siblings: `SELECT ` + recordColumns + ` FROM loopmap_deliveries
			WHERE row_key = ?1 AND status = 'applied' AND coalesce(event_time, received_at) >= ?2 AND id <> ?3`,
	} {
		if *to, err = c.Prepare(text); err != nil {
			return err
		}
	}
	return nil
}

// schemaVersion changes with each change of a table.
func (j *journalStatements) schemaVersion() (version int64, err error) {
	if _, err = j.schema.Step(); err == nil {
		version = j.schema.ColumnInt64(0)
		err = j.schema.Reset()
	}
	return version, err
}

func (s *sqliteTx) insert(entries, rows []mapping.Entry) (fresh, late []bool, written bool, err error) {
	if late, err = s.late(rows); err != nil {
		return nil, nil, false, err
	}
	fresh = make([]bool, len(entries))
	many := 0 // entries that are written together
	if len(entries) >= together {
		if some, err := s.anyID(entries); err != nil {
			return nil, nil, false, err
		} else if !some {
			many = len(entries) - len(entries)%together
		}
	}
	for i := 0; i < len(entries); {
		st, n := s.journal.insert, 1
		if i < many {
			st, n = s.journal.insertMany, together
		}
		for k, e := range entries[i : i+n] {
			bindLine(st, 9*k, e)
		}
		if err := run(st); err != nil {
			return nil, nil, false, err
		}
		for k := range n {
			fresh[i+k] = n > 1 || s.writer.Changes() > 0
		}
		i += n
	}
	return fresh, late, false, nil
}

// together is how many new journal lines, and how many rows, one statement writes where
// there are many.
const together = 16

// anyID reports whether the journal may have one of the entries already. Ids grow with
// time, so that what is new lies behind all that is there.
func (s *sqliteTx) anyID(entries []mapping.Entry) (bool, error) {
	low, high := entries[0].ID, entries[0].ID
	for _, e := range entries {
		low, high = min(low, e.ID), max(high, e.ID)
	}
	s.journal.betweenIDs.BindText(1, low)
	s.journal.betweenIDs.BindText(2, high)
	return found(s.journal.betweenIDs)
}

// bindLine gives a statement a journal line, behind the first parameters.
func bindLine(st *sqlite.Stmt, first int, e mapping.Entry) {
	st.BindText(first+1, e.ID)
	bindOrNull(st, first+2, e.Row.Event)
	bindOrNull(st, first+3, eventTime(e))
	bindOrNull(st, first+4, e.Received.UTC().Format(timestamp))
	st.BindBytes(first+5, e.Body)
	bindOrNull(st, first+6, string(e.Status))
	bindOrNull(st, first+7, e.Reason)
	bindOrNull(st, first+8, e.Row.Key)
	bindOrNull(st, first+9, hash(e))
}

func (s *sqliteTx) update(entries ...mapping.Entry) error {
	st := s.journal.update
	for _, e := range entries {
		st.BindText(1, e.ID)
		st.BindText(2, string(e.Status))
		bindOrNull(st, 3, e.Reason)
		bindOrNull(st, 4, e.Row.Key)
		bindOrNull(st, 5, hash(e))
		if err := run(st); err != nil {
			return err
		}
	}
	return nil
}

func (s *sqliteTx) late(entries []mapping.Entry) ([]bool, error) {
	list := make([]bool, len(entries))
	// Loops' ids grow with time: what is new lies behind all that is there. One look
	// then saves one for each.
	if len(entries) > 4 {
		low, high := entries[0].Row.Key, entries[0].Row.Key
		for _, e := range entries {
			low, high = min(low, e.Row.Key), max(high, e.Row.Key)
		}
		s.journal.between.BindText(1, low)
		s.journal.between.BindText(2, high)
		if some, err := found(s.journal.between); err != nil || !some {
			return list, err
		}
	}
	for i, e := range entries {
		bindPlace(s.journal.late, e, placeOfEntry(e).at)
		var err error
		if list[i], err = found(s.journal.late); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// found reports whether a statement has a row.
func found(st *sqlite.Stmt) (bool, error) {
	yes, err := st.Step()
	if err == nil {
		err = st.Reset()
	}
	return yes, err
}

func bindPlace(st *sqlite.Stmt, e mapping.Entry, from time.Time) {
	st.BindText(1, e.Row.Key)
	st.BindText(2, from.UTC().Format(fullSecond))
	st.BindText(3, e.ID)
}

func (s *sqliteTx) siblings(e mapping.Entry, from time.Time) (list []Record, err error) {
	st := s.journal.siblings
	defer func() { _ = st.Reset() }() // which repeats an error that was returned
	bindPlace(st, e, from)
	for {
		found, err := st.Step()
		if err != nil || !found {
			return list, err
		}
		r, err := readRecord(st)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
}

func (s *sqliteTx) siblingsOf(entries []mapping.Entry) (list [][]Record, err error) {
	list = make([][]Record, len(entries))
	for i, e := range entries {
		if list[i], err = s.siblings(e, placeOfEntry(e).at); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func bindOrNull(st *sqlite.Stmt, i int, text string) {
	if text == "" {
		st.BindNull(i)
	} else {
		st.BindText(i, text)
	}
}

func eventTime(e mapping.Entry) string {
	if e.Row.EventTime.IsZero() {
		return ""
	}
	return e.Row.EventTime.Format(time.RFC3339)
}

func hash(e mapping.Entry) string {
	if e.Mapping == nil {
		return ""
	}
	return e.Mapping.Hash
}
