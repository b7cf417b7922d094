package table

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	_ "modernc.org/sqlite" // the driver "sqlite": SQLite in pure Go

	"loopmap/mapping"
)

//go:embed migrations
var migrations embed.FS

// ErrNoDatabase is returned by [Open] for a database that is not there and was
// not to be made.
var ErrNoDatabase = errors.New("the database is not there yet")

// Options say which database to open and for what.
type Options struct {
	URL   string // sqlite:FILE
	Dir   string // the folder that a relative FILE is in
	Write bool   // make the file and loopmap's own tables when they are missing
}

// Store is an open database. Its methods may be called at the same time.
type Store struct {
	db *sql.DB

	mu      sync.Mutex // one writer at a time
	writer  *sql.Conn
	target  *target // of the mapping last written by
	journal statements
}

// Open opens a database. Errors name the file and never hold a password.
func Open(ctx context.Context, o Options) (*Store, error) {
	d, err := mapping.DialectOf(o.URL)
	if err != nil {
		return nil, err
	}
	if d != mapping.SQLite {
		return nil, errors.New("this loopmap writes SQLite tables only; PostgreSQL is to come")
	}
	file, err := prepareFile(o)
	if err != nil {
		return nil, err
	}
	s := &Store{}
	if s.db, err = sql.Open("sqlite", dsn(file, o.Write)); err != nil {
		return nil, fmt.Errorf("open %s: %w", file, err)
	}
	if err := s.start(ctx, o.Write); err != nil {
		s.db.Close()
		return nil, fmt.Errorf("open %s: %w", file, explain(err))
	}
	return s, nil
}

// prepareFile finds the database's file, and makes it readable by its owner
// alone when it is to be made.
func prepareFile(o Options) (string, error) {
	file := strings.TrimPrefix(o.URL, "sqlite:")
	file = strings.TrimPrefix(file, "//") // sqlite:///absolute as others write it
	if file == "" || strings.HasPrefix(file, ":memory:") {
		return "", errors.New("the database must be a file, for example sqlite:contacts.db")
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(o.Dir, file)
	}
	file, err := filepath.Abs(file)
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
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", fmt.Errorf("make the database: %w", err)
	}
	return file, f.Close()
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

func dsn(file string, write bool) string {
	file = filepath.ToSlash(file)
	if !strings.HasPrefix(file, "/") {
		file = "/" + file // a drive letter
	}
	u := url.URL{Scheme: "file", Path: file}
	q := "?mode=rw&_pragma=busy_timeout(5000)"
	if write {
		q += "&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
	}
	return u.String() + q
}

func (s *Store) start(ctx context.Context, write bool) error {
	s.db.SetMaxOpenConns(4)
	if !write {
		var n int
		return s.db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&n)
	}
	var err error
	if s.writer, err = s.db.Conn(ctx); err != nil {
		return err
	}
	var mode string
	var sync int
	if err := s.writer.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	if err := s.writer.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&sync); err != nil {
		return err
	}
	if mode != "wal" || sync != 2 {
		return fmt.Errorf("it does not take the settings that make a commit durable (journal_mode is %s, synchronous is %d)", mode, sync)
	}
	names, err := fs.Glob(migrations, "migrations/sqlite/*.sql")
	if err != nil {
		return err
	}
	for _, name := range names {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return err
		}
		if _, err := s.writer.ExecContext(ctx, string(text)); err != nil {
			return err
		}
	}
	return s.journal.prepare(ctx, s.writer)
}

// Close ends the database's use. What was committed stays.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writer != nil {
		// Statements left open would keep SQLite from folding the WAL into the file.
		s.forgetTarget()
		s.journal.close()
		s.writer.Close()
	}
	return s.db.Close()
}

// Ready reports whether a delivery could be written now.
func (s *Store) Ready(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.writer.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return explain(err)
	}
	_, err := s.writer.ExecContext(ctx, "ROLLBACK")
	return explain(err)
}
