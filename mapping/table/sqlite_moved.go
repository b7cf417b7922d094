package table

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// A file that is moved, removed or replaced under an open database goes on taking commits
// that nobody will ever find, and a WAL beside another file damages that. So the files at
// the database's path are held against the open ones, before a commit and after it.

// openFiles are the files that were opened.
type openFiles struct{ main, wal os.FileInfo }

func filesAt(file string) (f openFiles, err error) {
	if f.main, err = os.Stat(file); err != nil {
		return f, err
	}
	if f.wal, err = os.Stat(file + "-wal"); errors.Is(err, os.ErrNotExist) {
		err = nil // there is none before the first transaction
	}
	return f, err
}

// reopenAfter is how long another file must have been there before it is opened: who
// restores a copy may still be at it.
const reopenAfter = 10 * time.Second

// movedError says that what was opened is not what is there.
type movedError struct {
	file string
	wal  bool // it is the WAL that is gone
}

func (e *movedError) Error() string {
	if e.wal {
		return fmt.Sprintf("%s-wal was removed or replaced while the database is open: nothing is stored now. What it held is kept, and the "+
			"database is opened anew after %s", e.file, reopenAfter)
	}
	return fmt.Sprintf("%s is not the file any more that was opened: it was moved, removed or replaced. Nothing is stored until it is back; "+
		"a database of loopmap, or an empty one, is taken up once it has been there for %s", e.file, reopenAfter)
}

// mainStays reports whether the open database is the one at the path.
func (s *sqliteEngine) mainStays() bool {
	now, err := os.Stat(s.file)
	return err == nil && os.SameFile(s.files.Load().main, now)
}

// stays reports whether the open files are those at the path. A WAL that was not there
// when it was first looked for is remembered once it is.
func (s *sqliteEngine) stays() bool {
	now, err := filesAt(s.file)
	was := s.files.Load()
	if err != nil || !os.SameFile(was.main, now.main) {
		return false
	}
	if was.wal == nil {
		s.files.Store(&now)
		return true
	}
	return now.wal != nil && os.SameFile(was.wal, now.wal)
}

// usable says why nothing may be written. It is called with the right to write. When the
// file is found to be another, what the WAL holds is brought into the file that is open,
// wherever that is now, and the WAL is left empty: beside another file it would damage it.
func (s *sqliteEngine) usable(ctx context.Context) error {
	switch {
	case s.broken != nil:
		return s.broken
	case s.stays():
		s.lost = time.Time{}
		return nil
	case s.lost.IsZero():
		s.lost = time.Now()
		if s.fold != nil {
			s.fold.folded.Wait()
		}
		_ = s.exec("PRAGMA wal_checkpoint(TRUNCATE)") // which a reader may keep from its end
	case time.Since(s.lost) >= reopenAfter:
		return s.reopen(ctx)
	}
	return &movedError{s.file, s.mainStays()}
}

// reopen opens the file that is there now, if it is a database of loopmap or has nothing.
func (s *sqliteEngine) reopen(ctx context.Context) error {
	if _, err := os.Stat(s.file); err != nil {
		return &movedError{file: s.file}
	}
	if err := ownOrEmpty(s.file); err != nil {
		return err
	}
	next := &sqliteEngine{file: s.file, bulk: s.bulk}
	if err := next.start(ctx, true); err != nil {
		_ = next.close()
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetTarget()
	s.form.Store(nil)
	s.kept.forget()
	old := &sqliteEngine{file: s.file, writer: s.writer, reader: s.reader}
	if s.fold != nil {
		_ = s.fold.conn.Close()
	}
	s.writer, s.reader, s.journal, s.fold, s.lost = next.writer, next.reader, next.journal, next.fold, time.Time{}
	s.files.Store(next.files.Load())
	_ = old.close() // SQLite leaves alone what is at its path, since that is not its own
	return nil
}

// ownOrEmpty refuses a database that is neither loopmap's nor empty.
func ownOrEmpty(file string) error {
	c, err := sqlite.OpenConn(file, sqlite.OpenReadWrite)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetBusyTimeout(busyTimeout)
	all, own := 0, 0
	err = sqlitex.ExecuteTransient(c, "SELECT count(*), count(*) FILTER (WHERE name = 'loopmap_deliveries') FROM sqlite_schema",
		&sqlitex.ExecOptions{ResultFunc: func(st *sqlite.Stmt) error { all, own = st.ColumnInt(0), st.ColumnInt(1); return nil }})
	if err == nil && all > 0 && own == 0 {
		err = fmt.Errorf("another database is at %s now, which has no tables of loopmap: it is left as it is. Put the right one there, or "+
			"start again to use this one", file)
	}
	return err
}
