package table

import (
	"errors"
	"sync"
	"sync/atomic"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// sqliteBulk folds the WAL into the database (a checkpoint, in SQLite's words) beside
// the connection that writes, so that neither waits for the other's disk: by a fifth
// quicker. What is written in bulk comes from a file or from the journal and can be
// written again: it is durable when the store is closed without an error, not with each
// commit.
type sqliteBulk struct {
	conn   *sqlite.Conn
	look   *sqlite.Stmt // of the writing connection: how long the WAL is
	pages  int          // of the WAL, from which on it is folded
	busy   atomic.Bool  // conn is folding
	folded sync.WaitGroup
}

// foldSize is how many bytes the WAL becomes long before it is folded. While it is folded
// it grows on, to foldMost times that before who writes waits.
const (
	foldSize = 32 << 20
	foldMost = 4
)

const foldSome = "PRAGMA wal_checkpoint(PASSIVE)" // without waiting for who reads or writes

func (s *sqliteEngine) startBulk() (err error) {
	size, err := sqlitex.ResultInt(s.writer.Prep("PRAGMA page_size"))
	if err != nil {
		return err
	}
	s.fold = &sqliteBulk{pages: foldSize / size}
	if s.fold.conn, err = s.connect(true); err != nil {
		return err
	}
	for _, text := range []string{"PRAGMA cache_size = -32768", "PRAGMA wal_autocheckpoint = 0", "PRAGMA synchronous = NORMAL"} {
		if err := s.exec(text); err != nil {
			return err
		}
	}
	s.fold.look, err = s.writer.Prepare("PRAGMA wal_checkpoint(NOOP)")
	return err
}

// wrote comes after each commit. The WAL begins anew once all of it is folded: what the
// other connection has left is folded at once when it is little, and when the other does
// not keep up with what is written.
func (b *sqliteBulk) wrote(s *sqliteEngine) {
	long, folded, err := b.length()
	switch {
	case err != nil || long < b.pages: // what went wrong the next commit will meet
	case long > foldMost*b.pages || !b.busy.Load() && long-folded < b.pages/8:
		b.folded.Wait()
		_ = s.exec(foldSome)
	case b.busy.CompareAndSwap(false, true):
		b.folded.Go(func() {
			defer b.busy.Store(false)
			_ = sqlitex.ExecuteTransient(b.conn, foldSome, nil) // what it leaves, close folds
		})
	}
}

// length is how many pages the WAL has, and how many of them are folded.
func (b *sqliteBulk) length() (long, folded int, err error) {
	if _, err = b.look.Step(); err == nil {
		long, folded = b.look.ColumnInt(1), b.look.ColumnInt(2)
		err = b.look.Reset()
	}
	return long, folded, err
}

// close makes durable what was written.
func (b *sqliteBulk) close(s *sqliteEngine) error {
	b.folded.Wait()
	err := s.exec("PRAGMA wal_checkpoint(TRUNCATE)")
	if b.conn != nil {
		err = errors.Join(err, b.conn.Close())
	}
	return err
}
