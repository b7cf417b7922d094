package table

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"loopmap/mapping"
	"loopmap/mapping/body"
)

// sqliteEngine has one connection that writes, and one that reads beside it.
type sqliteEngine struct {
	sqliteDialect
	file    string
	files   atomic.Pointer[openFiles] // that were opened
	lost    time.Time                 // since when others are at their path; zero while they stay
	broken  error                     // an fsync failed: what is on disk is not known any more
	writer  *sqlite.Conn
	journal journalStatements
	target  *sqliteTarget // of the mapping last written by
	schema  int64         // version of the schema that target was made for
	beginning
	kept keptVersions
	form atomic.Pointer[sqliteForm]

	mu     sync.Mutex // guards reader
	reader *sqlite.Conn

	writing sync.Mutex // guards writer: held by a transaction from begin to its end

	bulk bool        // much is written at once
	fold *sqliteBulk // of one that is open in bulk; else nil
}

const busyTimeout = 5 * time.Second

func openSQLite(ctx context.Context, o Options) (engine, error) {
	file, err := prepareFile(o)
	if err != nil {
		return nil, err
	}
	s := &sqliteEngine{file: file, bulk: o.Bulk}
	if err := s.start(ctx, o.Write); err != nil {
		_ = s.close()
		return nil, fmt.Errorf("open %s: %w", file, s.explain(err))
	}
	return s, nil
}

// prepareFile finds the database's file, and makes it readable by its owner
// alone when it is to be made.
func prepareFile(o Options) (string, error) {
	file, err := FileOf(o.URL, o.Dir)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(file)
	switch {
	case err == nil && info.IsDir():
		return "", fmt.Errorf("%s is a folder, not a database", file)
	case err == nil:
		return file, nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", err
	case !isFolder(filepath.Dir(file)):
		return "", fmt.Errorf("%s: its folder is not there; make it first", file)
	case !o.Write:
		return "", fmt.Errorf("%s: %w", file, ErrNoDatabase)
	}
	// Of one that was made meanwhile, a close would take the locks away.
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return file, nil
	} else if err != nil {
		return "", fmt.Errorf("make the database: %w", err)
	}
	return file, f.Close()
}

// FileOf is where the file of a SQLite database is. dir is the folder that a relative one
// is in.
func FileOf(url, dir string) (string, error) {
	file := strings.TrimPrefix(url, "sqlite:")
	file = strings.TrimPrefix(file, "//") // sqlite:///absolute as others write it
	if file == "" || strings.HasPrefix(file, ":memory:") {
		return "", errors.New("the database must be a file, for example sqlite:contacts.db")
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	return filepath.Abs(file)
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// connect opens a connection.
func (s *sqliteEngine) connect(write bool) (c *sqlite.Conn, err error) {
	if c, err = sqlite.OpenConn(s.file, sqlite.OpenReadWrite); err != nil {
		return nil, err
	}
	c.SetBusyTimeout(busyTimeout)
	if !write {
		return c, nil
	}
	for _, p := range []string{"PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON"} {
		if err := sqlitex.ExecuteTransient(c, p, nil); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

func (s *sqliteEngine) start(ctx context.Context, write bool) (err error) {
	if s.reader, err = s.connect(false); err != nil {
		return err
	}
	files, err := filesAt(s.file)
	if err != nil {
		return err
	}
	files.wal = nil // it is ours from the first transaction on
	s.files.Store(&files)
	if err = s.query(ctx, "SELECT count(*) FROM sqlite_schema", nil, nil); err != nil {
		return err
	}
	if !write {
		return s.migrate(ctx, false)
	}
	if s.writer, err = s.connect(true); err != nil {
		return err
	}
	mode, err := sqlitex.ResultText(s.writer.Prep("PRAGMA journal_mode"))
	if err != nil {
		return err
	}
	sync, err := sqlitex.ResultInt(s.writer.Prep("PRAGMA synchronous"))
	if err != nil {
		return err
	}
	if mode != "wal" || sync != 2 {
		return fmt.Errorf("it does not take the settings that make a commit durable (journal_mode is %s, synchronous is %d)", mode, sync)
	}
	if s.bulk {
		if err = s.startBulk(); err != nil {
			return err
		}
	}
	if err = s.migrate(ctx, true); err != nil {
		return err
	}
	return s.journal.prepare(s.writer)
}

func (s *sqliteEngine) close() (err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.fold != nil {
		err = s.fold.close(s)
	}
	if s.writer != nil {
		// Statements left open would keep SQLite from folding the WAL into the file.
		s.forgetTarget()
		err = errors.Join(err, s.writer.Close())
	}
	if s.reader != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		err = errors.Join(err, s.reader.Close())
	}
	return err
}

// query reads with the reading connection.
func (s *sqliteEngine) query(ctx context.Context, text string, args []any, each func(*sqlite.Stmt) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.mainStays() {
		return &movedError{file: s.file}
	}
	defer s.reader.SetInterrupt(s.reader.SetInterrupt(ctx.Done()))
	return sqlitex.ExecuteTransient(s.reader, text, &sqlitex.ExecOptions{Args: args, ResultFunc: each})
}

func (s *sqliteEngine) columns(ctx context.Context, table string) (list []Column, err error) {
	kind := ""
	err = s.query(ctx, "SELECT type FROM sqlite_schema WHERE name = ? COLLATE NOCASE AND type IN ('table', 'view')", []any{table},
		func(st *sqlite.Stmt) error { kind = st.ColumnText(0); return nil })
	if err != nil {
		return nil, err
	}
	if kind == "view" {
		return nil, fmt.Errorf("%s is a view; loopmap writes into tables", body.Printable(table))
	}
	// Which collation a column compares by only its index tells.
	err = s.query(ctx, `
		SELECT c.name, c.type, c.hidden > 1,
		  c."notnull" AND c.dflt_value IS NULL AND NOT (c.pk > 0 AND upper(c.type) = 'INTEGER'),
		  (c.pk = 1 AND (SELECT count(*) FROM pragma_table_xinfo(?1) WHERE pk > 0) = 1)
		  OR EXISTS (SELECT 1 FROM pragma_index_list(?1) AS l WHERE l."unique" AND NOT l.partial
		       AND (SELECT count(*) FROM pragma_index_info(l.name)) = 1
		       AND (SELECT name FROM pragma_index_info(l.name)) = c.name),
		  coalesce((SELECT x.coll FROM pragma_index_list(?1) AS l, pragma_index_xinfo(l.name) AS x WHERE l."unique" AND NOT l.partial
		    AND x.key AND x.name = c.name AND x.coll <> 'BINARY' AND (SELECT count(*) FROM pragma_index_info(l.name)) = 1 LIMIT 1), '')
		FROM pragma_table_xinfo(?1) AS c WHERE c.hidden <> 1`, []any{table}, func(st *sqlite.Stmt) error {
		list = append(list, Column{Name: st.ColumnText(0), Type: st.ColumnText(1), Generated: st.ColumnBool(2), Required: st.ColumnBool(3),
			Key: st.ColumnBool(4), Compare: strings.ToUpper(st.ColumnText(5))})
		return nil
	})
	return list, err
}

// exec runs a statement on the writing connection.
func (s *sqliteEngine) exec(text string) error {
	return sqlitex.ExecuteTransient(s.writer, text, nil)
}

func (s *sqliteEngine) change(ctx context.Context, sql []string) (err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.forgetTarget()
	s.form.Store(nil)
	if len(sql) == 0 {
		return nil
	}
	if err := s.usable(ctx); err != nil {
		return err
	}
	end, err := s.begun(ctx)
	if err != nil {
		return err
	}
	defer end(&err)
	// The look at the schema makes SQLite read it again when others have changed it.
	for _, text := range append([]string{"SELECT 1 FROM sqlite_schema LIMIT 1"}, sql...) {
		if err = s.exec(text); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	return nil
}

// records is the engine's.
func (s *sqliteEngine) records(ctx context.Context, f Filter, each func(Record) error) error {
	if there, err := s.hasJournal(ctx); err != nil || !there {
		return err
	}
	where, args := f.where("rowid", "IS NOT", f.Since.UTC().Format(timestamp))
	text := "SELECT " + f.columns(recordColumns) + " FROM loopmap_deliveries" + where
	return s.query(ctx, text, args, func(st *sqlite.Stmt) error {
		r, err := readRecord(st)
		if err != nil {
			return err
		}
		return each(r)
	})
}

const recordColumns = "rowid, id, event, event_time, received_at, body, status, reason, row_key, mapping"

func readRecord(st *sqlite.Stmt) (r Record, err error) {
	r.Seq, r.ID, r.Event = st.ColumnInt64(0), st.ColumnText(1), st.ColumnText(2)
	if event := st.ColumnText(3); event != "" {
		if r.EventTime, err = readMoment(time.RFC3339, event); err != nil {
			return r, err
		}
	}
	if r.Received, err = readMoment(timestamp, st.ColumnText(4)); err != nil {
		return r, err
	}
	r.Forgotten = st.ColumnIsNull(5)
	r.Body = make([]byte, st.ColumnLen(5))
	st.ColumnBytes(5, r.Body)
	r.Status, r.Reason, r.RowKey, r.Mapping = mapping.Status(st.ColumnText(6)), st.ColumnText(7), st.ColumnText(8), st.ColumnText(9)
	return r, nil
}

func (s *sqliteEngine) hasJournal(ctx context.Context) (there bool, err error) {
	err = s.query(ctx, "SELECT 1 FROM sqlite_schema WHERE name = 'loopmap_deliveries'", nil,
		func(*sqlite.Stmt) error { there = true; return nil })
	return there, err
}

func (s *sqliteEngine) mark(ctx context.Context) (mark int64, err error) {
	if there, err := s.hasJournal(ctx); err != nil || !there {
		return 0, err
	}
	err = s.query(ctx, "SELECT coalesce(max(rowid), 0) FROM loopmap_deliveries", nil,
		func(st *sqlite.Stmt) error { mark = st.ColumnInt64(0); return nil })
	return mark, err
}

func (s *sqliteEngine) waiting(ctx context.Context) (quarantined, pending int64, err error) {
	err = s.query(ctx, `SELECT status = 'pending', count(*) FROM loopmap_deliveries
		WHERE status IN ('quarantined', 'pending') GROUP BY 1`, nil,
		func(st *sqlite.Stmt) error {
			if st.ColumnBool(0) {
				pending = st.ColumnInt64(1)
			} else {
				quarantined = st.ColumnInt64(1)
			}
			return nil
		})
	return quarantined, pending, err
}

func (s *sqliteEngine) forget(ctx context.Context, before time.Time, after int64, most int) (last int64, n int, err error) {
	last = after
	err = s.query(ctx, `SELECT max(rowid)
		FROM (SELECT rowid, received_at FROM loopmap_deliveries WHERE rowid > ? ORDER BY rowid LIMIT ?) WHERE received_at < ?`,
		[]any{after, most, before.UTC().Format(timestamp)}, func(st *sqlite.Stmt) error {
			last = max(after, st.ColumnInt64(0))
			return nil
		})
	if err != nil || last == after {
		return after, 0, err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if err = s.usable(ctx); err != nil {
		return after, 0, err
	}
	err = sqlitex.ExecuteTransient(s.writer, `UPDATE loopmap_deliveries SET body = NULL WHERE rowid > ? AND rowid <= ? AND received_at < ?
		AND body IS NOT NULL AND status IN ('applied', 'ignored')`,
		&sqlitex.ExecOptions{Args: []any{after, last, before.UTC().Format(timestamp)}})
	return last, s.writer.Changes(), err
}

func (s *sqliteEngine) ready(ctx context.Context, thorough bool) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.usable(ctx); err != nil {
		return err
	}
	defer s.writer.SetInterrupt(s.writer.SetInterrupt(ctx.Done()))
	if err := s.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if !thorough {
		return s.exec("ROLLBACK")
	}
	// Written and taken out again: what is left to write are the pages in between.
	for _, text := range []string{
		"INSERT INTO loopmap_deliveries (id, received_at, body, status) VALUES ('loopmap.probe', '', zeroblob(65536), 'ignored')",
		"DELETE FROM loopmap_deliveries WHERE id = 'loopmap.probe'",
		"COMMIT",
	} {
		if err := s.exec(text); err != nil {
			_ = s.exec("ROLLBACK")
			return err
		}
	}
	return nil
}
