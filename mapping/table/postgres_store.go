package table

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"loopmap/mapping"
)

// postgresEngine shares its database with other processes.
type postgresEngine struct {
	postgresDialect
	pool       *pgxpool.Pool
	limit      time.Duration               // of a transaction
	readOnly   bool                        // rows are read in transactions that can only read
	pooled     bool                        // connections are a pooler's, which others use in turn
	lockPrefix string                      // of the advisory locks of rows
	types      atomic.Pointer[columnTypes] // of the mapping last written by
	beginning
	kept keptVersions
}

// postgresWriters are as many as keep PostgreSQL busy while others are verified and
// mapped. A third has nothing to do.
const postgresWriters = 2

const (
	connectTimeout = 5 * time.Second
	// A sender waits about 15 s for its answer: a transaction that takes longer than
	// this is given up, and tried again with the sender's next try.
	transactionTimeout = 8 * time.Second
	// For much that nobody waits for, and that is parted where it takes long.
	bulkTimeout = 2 * time.Minute
	// own is the advisory lock under which tables are changed.
	own = 0x6c6f6f706d6170 // "loopmap"
)

// settings are those of each transaction. A lock is waited for a shorter time than a
// statement, so that the error says which of the two it was.
const settings = `SELECT set_config('lock_timeout', '4s', %[1]t), set_config('statement_timeout', '7s', %[1]t),
	set_config('idle_in_transaction_session_timeout', '20s', %[1]t), set_config('synchronous_commit', 'on', %[1]t)`

// sessionSettings hold for a connection that is ours alone. Behind a pooler, whose
// connections others use in turn, localSettings come with each transaction.
var sessionSettings, localSettings = fmt.Sprintf(settings, false), fmt.Sprintf(settings, true)

func openPostgres(ctx context.Context, o Options) (engine, error) {
	c, err := pgxpool.ParseConfig(o.URL)
	if err != nil {
		return nil, errors.New("the database's URL cannot be read; it is written postgres://USER@HOST:PORT/NAME") // the cause holds the URL
	}
	c.MaxConns = postgresWriters + 4 // for readers, and the one that sending holds
	c.MaxConnIdleTime = 5 * time.Minute
	c.ConnConfig.ConnectTimeout = connectTimeout
	// These a pooler sets again for whom it hands a connection to.
	for name, value := range map[string]string{"application_name": "loopmap", "timezone": "UTC", "datestyle": "ISO",
		"standard_conforming_strings": "on"} {
		if _, ok := c.ConnConfig.RuntimeParams[name]; !ok || name != "application_name" {
			c.ConnConfig.RuntimeParams[name] = value
		}
	}
	p := &postgresEngine{limit: transactionTimeout, readOnly: o.ReadOnly}
	if o.Bulk {
		p.limit = bulkTimeout
	}
	if p.pooled, err = isPooled(ctx, c.ConnConfig); err != nil {
		return nil, fmt.Errorf("open %s: %w", placeName(c), p.explain(err))
	}
	if p.pooled {
		// No statement is prepared by name: the next one may meet another connection.
		c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	} else {
		c.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, sessionSettings)
			return err
		}
	}
	if p.pool, err = pgxpool.NewWithConfig(ctx, c); err != nil {
		return nil, errors.New("the database's URL cannot be used")
	}
	reach, cancel := context.WithTimeout(ctx, 2*connectTimeout)
	defer cancel()
	schema := ""
	if err = p.pool.QueryRow(reach, "SELECT coalesce(current_schema(), '')").Scan(&schema); err == nil {
		if schema != "public" {
			p.lockPrefix = schema + "."
		}
		err = p.migrate(ctx, o.Write)
	}
	if err != nil {
		p.pool.Close()
		return nil, fmt.Errorf("open %s: %w", placeName(c), p.explain(err))
	}
	return p, nil
}

// isPooled reports whether a pooler (PgBouncer, say) stands before the database: then
// the process that answers is not the one that the connection was made to.
func isPooled(ctx context.Context, c *pgx.ConnConfig) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return false, err
	}
	defer conn.Close(ctx)
	var pid uint32
	err = conn.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeSimpleProtocol).Scan(&pid)
	return pid != conn.PgConn().PID(), err
}

// placeName is where a database is, without user and password.
func placeName(c *pgxpool.Config) string {
	return fmt.Sprintf("postgres://%s:%d/%s", c.ConnConfig.Host, c.ConnConfig.Port, c.ConnConfig.Database)
}

func (p *postgresEngine) close() error {
	p.pool.Close()
	return nil
}

func (p *postgresEngine) change(ctx context.Context, sql []string) error {
	defer p.types.Store(nil) // also what others have read meanwhile
	if len(sql) == 0 {
		return nil
	}
	return p.alone(ctx, func(t pgx.Tx) error {
		for _, text := range sql {
			if _, err := t.Exec(ctx, text, pgx.QueryExecModeSimpleProtocol); err != nil {
				return fmt.Errorf("%s: %w", text, err)
			}
		}
		return nil
	})
}

const postgresRecord = `SELECT seq, id, coalesce(event, ''), coalesce(event_time, 'epoch'), event_time IS NULL, received_at,
	body IS NULL, body, status, coalesce(reason, ''), coalesce(row_key, ''), coalesce(mapping, '') FROM loopmap_deliveries`

func scanRecord(row pgx.CollectableRow) (r Record, err error) { return scanRecordBehind(row) }

// scanRecordBehind reads a record that stands behind other columns.
func scanRecordBehind(row pgx.CollectableRow, others ...any) (r Record, err error) {
	var timeless bool
	err = row.Scan(append(others, &r.Seq, &r.ID, &r.Event, &r.EventTime, &timeless, &r.Received, &r.Forgotten, &r.Body,
		&r.Status, &r.Reason, &r.RowKey, &r.Mapping)...)
	if r.EventTime, r.Received = mapping.Moment(r.EventTime.UTC()), mapping.Moment(r.Received.UTC()); timeless {
		r.EventTime = time.Time{}
	}
	return r, err
}

func (p *postgresEngine) hasJournal(ctx context.Context) (there bool, err error) {
	err = p.pool.QueryRow(ctx, "SELECT to_regclass('loopmap_deliveries') IS NOT NULL").Scan(&there)
	return there, err
}

func (p *postgresEngine) records(ctx context.Context, f Filter, each func(Record) error) error {
	if there, err := p.hasJournal(ctx); err != nil || !there {
		return err
	}
	where, args := f.where("seq", "IS DISTINCT FROM", f.Since)
	text := numbered(f.columns(postgresRecord) + where)
	rows, err := p.pool.Query(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		r, err := scanRecord(rows)
		if err == nil {
			err = each(r)
		}
		if err != nil {
			return err
		}
	}
	return rows.Err()
}

func (p *postgresEngine) mark(ctx context.Context) (mark int64, err error) {
	if there, err := p.hasJournal(ctx); err != nil || !there {
		return 0, err
	}
	err = p.pool.QueryRow(ctx, "SELECT coalesce(max(seq), 0) FROM loopmap_deliveries").Scan(&mark)
	return mark, err
}

func (p *postgresEngine) waiting(ctx context.Context) (quarantined, pending int64, err error) {
	err = p.pool.QueryRow(ctx, `SELECT count(*) FILTER (WHERE status = 'quarantined'), count(*) FILTER (WHERE status = 'pending')
		FROM loopmap_deliveries WHERE status IN ('quarantined', 'pending')`).Scan(&quarantined, &pending)
	return quarantined, pending, err
}

func (p *postgresEngine) forget(ctx context.Context, before time.Time, after int64, most int) (last int64, n int, err error) {
	err = p.pool.QueryRow(ctx, `SELECT coalesce(max(seq), $1) 
		FROM (SELECT seq, received_at FROM loopmap_deliveries WHERE seq > $1 ORDER BY seq LIMIT $2) d
		WHERE received_at < $3`, after, most, before).Scan(&last)
	if err != nil || last == after {
		return after, 0, err
	}
	tag, err := p.pool.Exec(ctx, `UPDATE loopmap_deliveries SET body = NULL WHERE seq > $1 AND seq <= $2 AND received_at < $3
		AND body IS NOT NULL AND status IN ('applied', 'ignored')`, after, last, before)
	return last, int(tag.RowsAffected()), err
}

func (p *postgresEngine) ready(ctx context.Context, thorough bool) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if !thorough {
		var readOnly bool
		err := p.pool.QueryRow(ctx, `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean FROM loopmap_deliveries
			UNION ALL SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean LIMIT 1`).Scan(&readOnly)
		if err == nil && readOnly {
			err = errors.New("the database takes no writes now (a standby, or read-only)")
		}
		return err
	}
	t, err := p.pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = t.Rollback(ctx) }() // after a commit it does nothing
	for _, text := range []string{
		`INSERT INTO loopmap_deliveries (id, received_at, body, status)
			VALUES ('loopmap.probe', now(), decode(repeat('00', 65536), 'hex'), 'ignored') ON CONFLICT (id) DO NOTHING`,
		"DELETE FROM loopmap_deliveries WHERE id = 'loopmap.probe'",
	} {
		if _, err := t.Exec(ctx, text); err != nil {
			return err
		}
	}
	return t.Commit(ctx)
}
