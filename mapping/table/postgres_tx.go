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
	types  *columnTypes // that its rows are written for
	reread bool         // they were read in this transaction
}

func (p *postgresEngine) begin(ctx context.Context) (tx, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.limit)
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
		t.engine.local(b)
	}
}

// local adds the settings of a transaction, where the connection does not have them.
func (p *postgresEngine) local(b *pgx.Batch) {
	if p.pooled {
		b.Queue(localSettings)
	}
}

// lock keeps other processes from writing the same rows meanwhile, so that the order
// of their deliveries can be told. Locks are taken in one order by all.
func (t *postgresTx) lock(b *pgx.Batch, entries []mapping.Entry) {
	var keys []int64
	for _, e := range entries {
		keys = append(keys, t.engine.lockOf(e.Mapping.Table, e.Row.Key))
	}
	slices.Sort(keys)
	b.Queue(lockRows, slices.Compact(keys))
}

// lockRows lets all locks of the transaction be waited for as long as [rowWait], its own
// first: a row of s comes before what is counted.
var lockRows = fmt.Sprintf("SELECT count(pg_advisory_xact_lock(k)) FROM (SELECT set_config('lock_timeout', '%d', true)) AS s,"+
	" unnest($1::bigint[]) AS k", rowWait.Milliseconds())

// lockOf must be the same in all processes: FNV-1a over table and key. Advisory locks are
// a whole database's, so that a schema that is not the usual one counts as well.
func (p *postgresEngine) lockOf(table, key string) int64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, p.lockPrefix+table+"\x00"+key) // never fails
	return int64(h.Sum64())
}

// send runs what is queued in one round trip.
func (t *postgresTx) send(b *pgx.Batch) error {
	err := t.conn.SendBatch(t.ctx, b).Close() // which reads all results
	t.begun = t.begun || err == nil
	return err
}

func (t *postgresTx) keepVersions(list []Version) error {
	b := &pgx.Batch{}
	t.start(b)
	for _, v := range list {
		b.Queue(numbered(keepVersion), v.Hash, v.Text, v.FirstUsed)
	}
	return t.send(b)
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
	journalArrays  = "$1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::bytea[], $6::text[], $7::text[], " +
		"$8::text[], $9::text[]"
)

func (t *postgresTx) insert(entries, rows []mapping.Entry) (fresh, late []bool, written bool, err error) {
	if t.inOne(entries, rows) {
		fresh, late, err = t.insertWithRows(entries, rows)
		if err == nil || !t.engine.aboutRow(err) && codeOf(err) != insufficientPrivilege {
			return fresh, late, err == nil, err
		}
		// Row by row it shows which the table refuses.
		t.forgetTypes()
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
	b.Queue("INSERT INTO loopmap_deliveries ("+journalColumns+") SELECT * FROM unnest("+journalArrays+") "+
		"ON CONFLICT (id) DO NOTHING RETURNING id",
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
	b.Queue("SELECT "+isLateSQL+" FROM unnest($1::text[], $2::timestamptz[], $3::text[]) WITH ORDINALITY AS u(row_key, place, id, n) "+
		"ORDER BY u.n", keys, times, ids).Query(func(rows pgx.Rows) (err error) {
		*list, err = pgx.CollectRows(rows, pgx.RowTo[bool])
		return err
	})
}

func (t *postgresTx) siblings(e mapping.Entry, from time.Time) ([]Record, error) {
	rows, err := t.conn.Query(t.ctx, postgresRecord+` WHERE row_key = $1 AND status = 'applied'
		AND coalesce(event_time, received_at) >= $2 AND id <> $3`,
		e.Row.Key, from, e.ID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanRecord)
}

func (t *postgresTx) siblingsOf(entries []mapping.Entry) ([][]Record, error) {
	n := len(entries)
	keys, ids, times := make([]string, n), make([]string, n), make([]time.Time, n)
	for i, e := range entries {
		keys[i], ids[i], times[i] = e.Row.Key, e.ID, placeOfEntry(e).at
	}
	rows, err := t.conn.Query(t.ctx, `SELECT u.n, r.* FROM unnest($1::text[], $2::timestamptz[], $3::text[]) 
		WITH ORDINALITY AS u(of_key, place, of_id, n), LATERAL (`+
		postgresRecord+` WHERE row_key = u.of_key AND status = 'applied' AND coalesce(event_time, received_at) >= u.place
			AND id <> u.of_id) r`, keys, times, ids)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := make([][]Record, n)
	for rows.Next() {
		var of int64
		r, err := scanRecordBehind(rows, &of)
		if err != nil {
			return nil, err
		}
		list[of-1] = append(list[of-1], r)
	}
	return list, rows.Err()
}

func (t *postgresTx) exec(text string) error {
	_, err := t.conn.Exec(t.ctx, text)
	return err
}

func (t *postgresTx) savepoint() error  { return t.exec("SAVEPOINT " + savepoint) }
func (t *postgresTx) rollbackTo() error { return t.exec("ROLLBACK TO " + savepoint) }
func (t *postgresTx) release() error    { return t.exec("RELEASE " + savepoint) }

func (t *postgresTx) read(m *mapping.Mapping, keys []string) (map[string][]Value, error) {
	b := &pgx.Batch{}
	if t.start(b); b.Len() > 0 {
		if err := t.send(b); err != nil {
			return nil, err
		}
	}
	types, err := t.typesOf(m)
	if err != nil {
		return nil, err
	}
	cast := types.casts[slices.IndexFunc(m.Columns(), func(c mapping.Column) bool { return c.Name == m.Key })]
	names := []string{"u.k"}
	for _, c := range m.Columns() {
		names = append(names, "t."+quote(c.Name)+"::text")
	}
	rows, err := t.conn.Query(t.ctx, "SELECT "+strings.Join(names, ", ")+
		" FROM unnest($1::text[]) AS u(k) JOIN "+quote(m.Table)+" t ON t."+quote(m.Key)+" "+
		operator("=", cast)+" u.k::"+cast, castable(cast, keys))
	if err != nil {
		return nil, err
	}
	found := make(map[string][]Value, len(keys))
	texts := make([]*string, len(names))
	to := make([]any, len(names))
	for i := range texts {
		to[i] = &texts[i]
	}
	_, err = pgx.ForEachRow(rows, to, func() error {
		row := make([]Value, len(texts)-1)
		for i, text := range texts[1:] {
			if row[i].Null = text == nil; text != nil {
				row[i].Text = *text
			}
		}
		found[*texts[0]] = row
		return nil
	})
	return found, err
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
