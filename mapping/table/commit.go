package table

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"loopmap/mapping"
)

// timestamps have one width, so that they sort as text.
const timestamp = "2006-01-02T15:04:05.000Z07:00"

// statements are the journal's, made ready.
type statements struct{ insert, update, quarantine, newer *sql.Stmt }

func (st *statements) prepare(ctx context.Context, c *sql.Conn) error {
	for to, text := range map[**sql.Stmt]string{
		&st.insert: `INSERT INTO loopmap_deliveries (id, event, event_time, received_at, body, status, reason, row_key, mapping)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO NOTHING
			RETURNING EXISTS (SELECT 1 FROM loopmap_deliveries WHERE row_key = ?8 AND status = 'applied'
				AND coalesce(event_time, received_at) > coalesce(?3, ?4))`,
		&st.update: `UPDATE loopmap_deliveries SET status = ?, reason = ?, row_key = ?, mapping = ? WHERE id = ?`,
		// By event time (by arrival, where a body has none), and within one second by arrival.
		&st.newer: `SELECT id, body FROM loopmap_deliveries WHERE row_key = ?1 AND status = 'applied' AND id <> ?2
			AND (coalesce(event_time, received_at), rowid) >
				(SELECT coalesce(event_time, received_at), rowid FROM loopmap_deliveries WHERE id = ?2)
			ORDER BY coalesce(event_time, received_at), rowid`,
		&st.quarantine: `UPDATE loopmap_deliveries SET status = 'quarantined', reason = ? WHERE id = ?`,
	} {
		var err error
		if *to, err = c.PrepareContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

func (st *statements) close() {
	for _, s := range []*sql.Stmt{st.insert, st.update, st.quarantine, st.newer} {
		if s != nil {
			s.Close()
		}
	}
}

// Commit writes new deliveries: their journal lines, and the rows of those that
// are to be applied, in one transaction. When it returns without an error all of
// it is durable. With an error none of it is: the same entries may be tried
// again, alone or together. A row that the table refuses is no error: its
// delivery is kept as quarantined.
func (s *Store) Commit(ctx context.Context, entries []mapping.Entry) ([]mapping.Outcome, error) {
	return s.write(ctx, entries, s.writeNew)
}

// Recommit writes deliveries that the journal has already under what the mapping
// makes of them now, with the promises of [Store.Commit].
func (s *Store) Recommit(ctx context.Context, entries []mapping.Entry) ([]mapping.Outcome, error) {
	return s.write(ctx, entries, s.writeAgain)
}

func (s *Store) write(ctx context.Context, entries []mapping.Entry, one func(mapping.Entry) (mapping.Outcome, error)) ([]mapping.Outcome, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// From here on the transaction is finished whatever becomes of ctx; locks are
	// waited for as long as busy_timeout says.
	if err := s.exec("BEGIN IMMEDIATE"); err != nil {
		return nil, explain(err)
	}
	outcomes := make([]mapping.Outcome, len(entries))
	for i, e := range entries {
		var err error
		if outcomes[i], err = one(e); err != nil {
			s.rollback()
			return nil, explain(err)
		}
	}
	if err := s.exec("COMMIT"); err != nil {
		s.rollback()
		return nil, explain(err)
	}
	return outcomes, nil
}

func (s *Store) exec(text string) error {
	_, err := s.writer.ExecContext(context.Background(), text)
	return err
}

func (s *Store) rollback() {
	_ = s.exec("ROLLBACK") // fails where SQLite has rolled back by itself
}

func (s *Store) writeNew(e mapping.Entry) (mapping.Outcome, error) {
	var late bool // a newer delivery of this row is there already
	err := s.journal.insert.QueryRow(e.ID, null(e.Row.Event), eventTime(e), e.Received.UTC().Format(timestamp),
		body(e), string(e.Status), null(e.Reason), null(e.Row.Key), hash(e)).Scan(&late)
	if errors.Is(err, sql.ErrNoRows) {
		return mapping.Outcome{Duplicate: true, Status: e.Status}, nil
	} else if err != nil {
		return mapping.Outcome{}, err
	}
	return s.apply(e, late)
}

func (s *Store) writeAgain(e mapping.Entry) (mapping.Outcome, error) {
	if _, err := s.journal.update.Exec(string(e.Status), null(e.Reason), null(e.Row.Key), hash(e), e.ID); err != nil {
		return mapping.Outcome{}, err
	}
	return s.apply(e, true)
}

// apply writes an entry's row, if it has one.
func (s *Store) apply(e mapping.Entry, late bool) (mapping.Outcome, error) {
	if e.Status != mapping.Applied {
		return mapping.Outcome{Status: e.Status, Reason: e.Reason}, nil
	}
	var newer []mapping.Entry
	var err error
	if late {
		if newer, err = s.newer(e); err != nil {
			return mapping.Outcome{}, err
		}
	}
	if len(newer) > 0 {
		return s.applyLate(e, newer)
	}
	return s.outcome(e, s.upsert(e))
}

// outcome is what became of an entry whose row was written with err.
func (s *Store) outcome(e mapping.Entry, err error) (mapping.Outcome, error) {
	switch {
	case err == nil:
		return mapping.Outcome{Status: mapping.Applied}, nil
	case aboutRow(err):
		reason := mapping.Printable(fmt.Sprintf("the table %s refuses the row: %v", e.Mapping.Table, err))
		_, err := s.journal.quarantine.Exec(reason, e.ID)
		return mapping.Outcome{Status: mapping.Quarantined, Reason: reason}, err
	}
	return mapping.Outcome{}, err
}

// applyLate writes the row of an entry that comes after newer deliveries of the
// same row, and then these over it again: the row ends as if all had come in the
// order of their events. Where one of them cannot be written again, the row stays
// as it is, which is what the newest says.
func (s *Store) applyLate(e mapping.Entry, newer []mapping.Entry) (mapping.Outcome, error) {
	if err := s.exec("SAVEPOINT late"); err != nil {
		return mapping.Outcome{}, err
	}
	err := s.upsert(e)
	out, failed := s.outcome(e, err)
	for i := 0; i < len(newer) && failed == nil && err == nil; i++ {
		if newer[i].Status == mapping.Applied { // under another mapping it was
			err = s.upsert(newer[i])
		} else {
			err = &refusal{newer[i].Reason}
		}
		if err != nil && !aboutRow(err) {
			failed = err
		} else if err != nil {
			if failed = s.exec("ROLLBACK TO late"); failed == nil {
				out.Reason = "the row has what a newer delivery says, which cannot be written again"
				_, failed = s.journal.update.Exec(string(e.Status), out.Reason, null(e.Row.Key), hash(e), e.ID)
			}
		}
	}
	if failed == nil {
		failed = s.exec("RELEASE late")
	}
	return out, failed
}

// newer are the deliveries of e's row that were applied and come after e, as its
// mapping reads them.
func (s *Store) newer(e mapping.Entry) (list []mapping.Entry, err error) {
	rows, err := s.journal.newer.Query(e.Row.Key, e.ID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var d mapping.Delivery
		if err := rows.Scan(&d.ID, &d.Body); err != nil {
			return nil, err
		}
		if n := mapping.Enter(e.Mapping, d); n.Row.Key == e.Row.Key { // else it is another row by today's key
			list = append(list, n)
		}
	}
	return list, rows.Err()
}

// refusal is a value that its column would not give back.
type refusal struct{ msg string }

func (e *refusal) Error() string { return e.msg }

func (s *Store) upsert(e mapping.Entry) error {
	t, err := s.targetOf(e.Mapping)
	if err != nil {
		return err
	}
	shape := make([]byte, len(e.Row.Cells)) // which columns this delivery sets
	args := make([]any, 0, len(shape))
	for i, cell := range e.Row.Cells {
		shape[i] = '0'
		if cell.State == mapping.Missing {
			continue
		}
		shape[i] = '1'
		if cell.State == mapping.Null {
			args = append(args, nil)
			continue
		}
		c := e.Mapping.Receive.Columns[i]
		v, why := bind(c.Type, t.affinities[i], cell.Text)
		if why != "" {
			return &refusal{fmt.Sprintf("column %s: %s", c.Name, why)}
		}
		args = append(args, v)
	}
	stmt, err := t.statement(s.writer, string(shape))
	if err != nil {
		return err
	}
	_, err = stmt.Exec(args...)
	return err
}

// target is a mapping's table made ready for writing.
type target struct {
	mapping    *mapping.Mapping
	affinities []affinity
	upserts    map[string]*sql.Stmt // by shape
}

// maxShapes bounds the statements that are kept ready; most tables need one.
const maxShapes = 64

func (s *Store) targetOf(m *mapping.Mapping) (*target, error) {
	if s.target != nil && s.target.mapping == m {
		return s.target, nil
	}
	s.forgetTarget()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	columns, err := s.Columns(ctx, m.Table)
	if err != nil {
		return nil, err
	}
	t := &target{mapping: m, affinities: make([]affinity, len(m.Receive.Columns)), upserts: map[string]*sql.Stmt{}}
	for i, c := range m.Receive.Columns {
		for _, have := range columns {
			if m.Dialect.Fold(have.Name) == m.Dialect.Fold(c.Name) {
				t.affinities[i] = affinityOf(have.Type)
			}
		}
	}
	s.target = t
	return t, nil
}

func (s *Store) forgetTarget() {
	if s.target != nil {
		s.target.close()
		s.target = nil
	}
}

func (t *target) close() {
	for _, stmt := range t.upserts {
		stmt.Close()
	}
	clear(t.upserts)
}

// statement is the upsert of the columns that shape marks. The others keep what
// they have, and in a new row get the table's default.
func (t *target) statement(c *sql.Conn, shape string) (*sql.Stmt, error) {
	if stmt := t.upserts[shape]; stmt != nil {
		return stmt, nil
	}
	if len(t.upserts) == maxShapes {
		t.close()
	}
	stmt, err := c.PrepareContext(context.Background(), upsertSQL(t.mapping, shape))
	if err == nil {
		t.upserts[shape] = stmt
	}
	return stmt, err
}

func upsertSQL(m *mapping.Mapping, shape string) string {
	var names, marks, sets []string
	for i, c := range m.Receive.Columns {
		if shape[i] == '0' {
			continue
		}
		names, marks = append(names, quote(c.Name)), append(marks, "?")
		if c.Name != m.Key {
			sets = append(sets, quote(c.Name)+" = excluded."+quote(c.Name))
		}
	}
	action := "NOTHING"
	if len(sets) > 0 {
		action = "UPDATE SET " + strings.Join(sets, ", ")
	}
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s) ON CONFLICT (%s) DO %s",
		quote(m.Table), strings.Join(names, ", "), strings.Join(marks, ", "), quote(m.Key), action)
}

func null(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func eventTime(e mapping.Entry) any {
	if e.Row.EventTime.IsZero() {
		return nil
	}
	return e.Row.EventTime.Format(time.RFC3339)
}

// body is never NULL: an empty body is kept as no bytes.
func body(e mapping.Entry) []byte {
	if e.Body == nil {
		return []byte{}
	}
	return e.Body
}

func hash(e mapping.Entry) any {
	if e.Mapping == nil {
		return nil
	}
	return e.Mapping.Hash
}
