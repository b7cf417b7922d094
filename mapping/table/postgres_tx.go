package table

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"loopmap/mapping"
)

// postgresTx writes whole groups by few statements: each column's values are sent as
// one array.
type postgresTx struct {
	engine *postgresEngine
	conn   *pgxpool.Conn
	ctx    context.Context
	cancel context.CancelFunc
	begun  bool
}

func (p *postgresEngine) begin(ctx context.Context) (tx, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), transactionTimeout)
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	return &postgresTx{engine: p, conn: conn, ctx: ctx, cancel: cancel}, nil
}

// start begins the transaction with the first statement, which saves a round trip.
func (t *postgresTx) start(b *pgx.Batch) {
	if !t.begun {
		b.Queue("BEGIN ISOLATION LEVEL READ COMMITTED")
	}
}

// lock keeps other processes from writing the same rows meanwhile, so that the order
// of their deliveries can be told. Locks are taken in one order by all.
func (t *postgresTx) lock(b *pgx.Batch, entries []mapping.Entry) {
	var keys []int64
	for _, e := range entries {
		keys = append(keys, lockOf(e.Mapping.Table, e.Row.Key))
	}
	slices.Sort(keys)
	b.Queue("SELECT count(pg_advisory_xact_lock(k)) FROM unnest($1::bigint[]) AS k", slices.Compact(keys))
}

// lockOf must be the same in all processes: FNV-1a over table and key.
func lockOf(table, key string) int64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, table+"\x00"+key) // never fails
	return int64(h.Sum64())
}

// send runs what is queued in one round trip.
func (t *postgresTx) send(b *pgx.Batch) error {
	err := t.conn.SendBatch(t.ctx, b).Close() // which reads all results
	t.begun = t.begun || err == nil
	return err
}

// journalLines are entries as arrays, one a column of loopmap_deliveries.
func journalLines(entries []mapping.Entry) []any {
	n := len(entries)
	ids, statuses := make([]string, n), make([]string, n)
	events, reasons, keys, hashes := make([]*string, n), make([]*string, n), make([]*string, n), make([]*string, n)
	times, received := make([]*time.Time, n), make([]time.Time, n)
	bodies := make([][]byte, n)
	for i, e := range entries {
		ids[i], statuses[i], received[i] = e.ID, string(e.Status), e.Received.Truncate(time.Millisecond)
		events[i], reasons[i], keys[i], hashes[i] = orNull(e.Row.Event), orNull(e.Reason), orNull(e.Row.Key), orNull(hash(e))
		if bodies[i] = e.Body; e.Body == nil {
			bodies[i] = []byte{}
		}
		if !e.Row.EventTime.IsZero() {
			times[i] = &entries[i].Row.EventTime
		}
	}
	return []any{ids, events, times, received, bodies, statuses, reasons, keys, hashes}
}

const (
	journalColumns = "id, event, event_time, received_at, body, status, reason, row_key, mapping"
	journalArrays  = "$1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::bytea[], $6::text[], $7::text[], $8::text[], $9::text[]"
)

func (t *postgresTx) insert(entries, rows []mapping.Entry) (fresh, late []bool, written bool, err error) {
	if t.inOne(entries, rows) {
		fresh, late, err = t.insertWithRows(entries, rows)
		if err == nil || !t.engine.aboutRow(err) {
			return fresh, late, err == nil, err
		}
		// Row by row it shows which the table refuses.
		t.engine.types.Store(nil) // the table may have become another
		if err := t.exec("ROLLBACK"); err != nil {
			return nil, nil, false, err
		}
	}
	b := &pgx.Batch{}
	t.start(b)
	if len(rows) > 0 {
		t.lock(b, rows)
		t.queueLate(b, rows, &late)
	}
	fresh = make([]bool, len(entries))
	b.Queue("INSERT INTO loopmap_deliveries ("+journalColumns+") SELECT * FROM unnest("+journalArrays+") ON CONFLICT (id) DO NOTHING RETURNING id",
		journalLines(entries)...).Query(func(rows pgx.Rows) error {
		ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
		there := make(map[string]bool, len(ids))
		for _, id := range ids {
			there[id] = true
		}
		for i, e := range entries {
			fresh[i] = there[e.ID]
		}
		return err
	})
	err = t.send(b)
	return fresh, late, false, err
}

func (t *postgresTx) update(entries ...mapping.Entry) error {
	n := len(entries)
	ids, statuses := make([]string, n), make([]string, n)
	reasons, keys, hashes := make([]*string, n), make([]*string, n), make([]*string, n)
	for i, e := range entries {
		ids[i], statuses[i], reasons[i], keys[i], hashes[i] = e.ID, string(e.Status), orNull(e.Reason), orNull(e.Row.Key), orNull(hash(e))
	}
	b := &pgx.Batch{}
	t.start(b)
	b.Queue(`UPDATE loopmap_deliveries d SET status = u.status, reason = u.reason, row_key = u.row_key, mapping = u.mapping
		FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS u(id, status, reason, row_key, mapping)
		WHERE d.id = u.id AND (d.status, d.reason, d.row_key, d.mapping) IS DISTINCT FROM (u.status, u.reason, u.row_key, u.mapping)`,
		ids, statuses, reasons, keys, hashes)
	return t.send(b)
}

func (t *postgresTx) late(entries []mapping.Entry) (list []bool, err error) {
	b := &pgx.Batch{}
	t.start(b)
	t.lock(b, entries)
	t.queueLate(b, entries, &list)
	return list, t.send(b)
}

// isLateSQL is whether the row of u may have a newer delivery.
const isLateSQL = `EXISTS (SELECT FROM loopmap_deliveries d WHERE d.row_key = u.row_key AND d.status = 'applied'
	AND coalesce(d.event_time, d.received_at) >= u.place AND d.id <> u.id)`

// queueLate adds the statement that fills list.
func (t *postgresTx) queueLate(b *pgx.Batch, entries []mapping.Entry, list *[]bool) {
	n := len(entries)
	keys, ids, times := make([]string, n), make([]string, n), make([]time.Time, n)
	for i, e := range entries {
		keys[i], ids[i], times[i] = e.Row.Key, e.ID, placeOfEntry(e).at
	}
	b.Queue("SELECT "+isLateSQL+" FROM unnest($1::text[], $2::timestamptz[], $3::text[]) WITH ORDINALITY AS u(row_key, place, id, n) ORDER BY u.n", keys, times, ids).Query(func(rows pgx.Rows) (err error) {
		*list, err = pgx.CollectRows(rows, pgx.RowTo[bool])
		return err
	})
}

func (t *postgresTx) siblings(e mapping.Entry, from time.Time) ([]Record, error) {
	rows, err := t.conn.Query(t.ctx, postgresRecord+` WHERE row_key = $1 AND status = 'applied' AND coalesce(event_time, received_at) >= $2 AND id <> $3`,
		e.Row.Key, from, e.ID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanRecord)
}

func (t *postgresTx) exec(text string) error {
	_, err := t.conn.Exec(t.ctx, text)
	return err
}

func (t *postgresTx) savepoint() error  { return t.exec("SAVEPOINT " + savepoint) }
func (t *postgresTx) rollbackTo() error { return t.exec("ROLLBACK TO " + savepoint) }
func (t *postgresTx) release() error    { return t.exec("RELEASE " + savepoint) }

// write sends all rows at once, and one by one when the table refuses that, so that
// only those fail that it is about.
func (t *postgresTx) write(entries []mapping.Entry) (refused []error, err error) {
	refused = make([]error, len(entries))
	if len(entries) == 0 {
		return refused, nil
	}
	err = t.writeSafely(entries)
	if err == nil || !t.engine.aboutRow(err) {
		return refused, err
	}
	for i := range entries { // one that is alone, too: with the types that the columns have by now
		if err := t.writeSafely(entries[i : i+1]); err != nil && !t.engine.aboutRow(err) {
			return nil, err
		} else if err != nil {
			refused[i] = err
		}
	}
	return refused, nil
}

// writeSafely writes entries whole or not at all, and leaves the transaction usable.
func (t *postgresTx) writeSafely(entries []mapping.Entry) error {
	b := &pgx.Batch{}
	b.Queue("SAVEPOINT rows")
	for _, g := range groups(entries) {
		if err := t.queue(b, g); err != nil {
			return err
		}
	}
	b.Queue("RELEASE rows")
	err := t.send(b)
	if err != nil && t.engine.aboutRow(err) {
		t.engine.types.Store(nil) // the table may have become another
		if back := t.exec("ROLLBACK TO rows"); back != nil {
			return back
		}
	}
	return err
}

// groups parts entries by what decides their SQL.
func groups(entries []mapping.Entry) (list [][]mapping.Entry) {
	type kind struct {
		mapping *mapping.Mapping
		shape
	}
	at := map[kind]int{}
	for _, e := range entries {
		k := kind{e.Mapping, shape{e.Row.Action, shapeOf(e)}}
		i, ok := at[k]
		if !ok {
			i, at[k] = len(list), len(list)
			list = append(list, nil)
		}
		list[i] = append(list[i], e)
	}
	return list
}

// set is what rows of one shape set, as parts of SQL. Values come as arrays of text, one
// a column, whose elements are u.c1, u.c2 and so on.
type set struct {
	names, elements, casts []string
	excluded, values       []string // of all but the key
	key                    string
	arrays                 []any
}

// setOf has the values of all entries, of which those that are no rows have none.
func (t *postgresTx) setOf(shape mapping.Entry, all []mapping.Entry) (s set, err error) {
	m := shape.Mapping
	types, err := t.engine.typesOf(t.ctx, m)
	if err != nil {
		return s, err
	}
	for i, c := range m.Columns() {
		if shape.Row.Cells[i].State == mapping.Missing {
			continue
		}
		texts := make([]*string, len(all))
		for j, e := range all {
			if e.Status != mapping.Applied {
				continue
			}
			if cell := &e.Row.Cells[i]; cell.State == mapping.Present {
				texts[j] = &cell.Text
			}
		}
		s.arrays = append(s.arrays, texts)
		element := fmt.Sprintf("c%d", len(s.arrays))
		name, cast := quote(c.Name), "u."+element+"::"+types[i]
		s.names, s.elements, s.casts = append(s.names, name), append(s.elements, element), append(s.casts, cast)
		if c.Name == m.Key {
			s.key = cast
			continue
		}
		s.excluded, s.values = append(s.excluded, name+" = excluded."+name), append(s.values, name+" = "+cast)
	}
	return s, nil
}

// textArrays are n parameters behind the first ones.
func textArrays(first, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("$%d::text[]", first+i+1)
	}
	return strings.Join(list, ", ")
}

// upsert takes the rows from what is named u.
func (s set) upsert(m *mapping.Mapping, from string) string {
	text := "INSERT INTO " + quote(m.Table) + " (" + strings.Join(s.names, ", ") + ") SELECT " + strings.Join(s.casts, ", ") + from + " ON CONFLICT (" + quote(m.Key) + ") DO "
	if len(s.excluded) == 0 {
		return text + "NOTHING"
	}
	return text + "UPDATE SET " + strings.Join(s.excluded, ", ")
}

// queue adds the statement that writes a group of one shape.
func (t *postgresTx) queue(b *pgx.Batch, group []mapping.Entry) error {
	m, action := group[0].Mapping, group[0].Row.Action
	s, err := t.setOf(group[0], group)
	if err != nil {
		return err
	}
	table, k := quote(m.Table), quote(m.Key)
	from := fmt.Sprintf(" FROM unnest(%s) AS u(%s)", textArrays(0, len(s.arrays)), strings.Join(s.elements, ", "))
	switch {
	case action == mapping.Delete:
		b.Queue("DELETE FROM "+table+" t USING"+strings.TrimPrefix(from, " FROM")+" WHERE t."+k+" = "+s.key, s.arrays...)
	case action == mapping.Update && len(s.values) == 0: // the key alone: there is nothing to set
	case action == mapping.Update:
		b.Queue("UPDATE "+table+" t SET "+strings.Join(s.values, ", ")+from+" WHERE t."+k+" = "+s.key, s.arrays...)
	default:
		b.Queue(s.upsert(m, from), s.arrays...)
	}
	return nil
}

// typesOf are the [columnTypes] of a mapping, one for each of [mapping.Mapping.Columns].
func (p *postgresEngine) typesOf(ctx context.Context, m *mapping.Mapping) ([]string, error) {
	if t := p.types.Load(); t != nil && t.mapping == m {
		return t.names, nil
	}
	rows, err := p.pool.Query(ctx, "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped", quote(m.Table))
	if err != nil {
		return nil, err
	}
	have := map[string]string{}
	var name, kind string
	if _, err = pgx.ForEachRow(rows, []any{&name, &kind}, func() error { have[name] = kind; return nil }); err != nil {
		return nil, err
	}
	var types []string
	for _, c := range m.Columns() {
		kind, ok := have[c.Name]
		if !ok {
			return nil, &refusal{fmt.Sprintf("column %s is not there", c.Name)}
		}
		types = append(types, kind)
	}
	p.types.Store(&columnTypes{m, types})
	return types, nil
}

func (t *postgresTx) read(m *mapping.Mapping, key string) ([]Value, error) {
	b := &pgx.Batch{}
	if t.start(b); b.Len() > 0 {
		if err := t.send(b); err != nil {
			return nil, err
		}
	}
	types, err := t.engine.typesOf(t.ctx, m)
	if err != nil {
		return nil, err
	}
	cast := types[slices.IndexFunc(m.Columns(), func(c mapping.Column) bool { return c.Name == m.Key })]
	rows, err := t.conn.Query(t.ctx, readSQL(m, "%s::text", "$1::text::"+cast), key)
	if err != nil {
		return nil, err
	}
	row, err := pgx.CollectOneRow(rows, func(row pgx.CollectableRow) ([]Value, error) {
		texts := make([]*string, len(types))
		to := make([]any, len(types))
		for i := range texts {
			to[i] = &texts[i]
		}
		err := row.Scan(to...)
		values := make([]Value, len(types))
		for i, text := range texts {
			if values[i].Null = text == nil; text != nil {
				values[i].Text = *text
			}
		}
		return values, err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return row, err
}

func (t *postgresTx) commit() error {
	defer t.end()
	tag, err := t.conn.Exec(t.ctx, "COMMIT")
	switch {
	case err == nil && tag.String() == "ROLLBACK":
		return errors.New("the transaction had failed before its end")
	case err == nil:
		return nil
	case codeOf(err) != "":
		return err // it was refused, and said so
	}
	return &unknownError{err}
}

func (t *postgresTx) rollback() {
	if t.conn == nil {
		return
	}
	if t.ctx.Err() == nil {
		_ = t.exec("ROLLBACK") // where it fails the connection is gone, and with it the transaction
	}
	t.end()
}

func (t *postgresTx) end() {
	if t.conn != nil {
		t.conn.Release() // a connection in a transaction or out of order is closed
		t.cancel()
		t.conn = nil
	}
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
