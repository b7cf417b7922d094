package table

import (
	"sync"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// sqliteBulk folds the WAL into the database beside the connection that writes, so
// that neither waits for the other's disk. What is written in bulk comes from a file
// or from the journal and can be written again: it is durable when the store is
// closed without an error, not with each commit.
type sqliteBulk struct {
	conn    *sqlite.Conn
	folding sync.WaitGroup
	busy    chan struct{} // holds one token while folding
	written int           // bytes of bodies since the WAL began anew
}

// foldBytes is how much may be written before the WAL is folded.
const foldBytes = 64 << 20

func (s *sqliteEngine) startBulk() (err error) {
	s.bulk = &sqliteBulk{busy: make(chan struct{}, 1)}
	if s.bulk.conn, err = s.connect(true); err != nil {
		return err
	}
	for _, text := range []string{"PRAGMA cache_size = -32768", "PRAGMA wal_autocheckpoint = 0", "PRAGMA synchronous = NORMAL"} {
		if err := s.exec(text); err != nil {
			return err
		}
	}
	return nil
}

// wrote is told after each commit.
func (b *sqliteBulk) wrote(s *sqliteEngine, bytes int) error {
	b.written += bytes
	if b.written < foldBytes {
		return nil
	}
	if b.written > 2*foldBytes {
		// What is left to fold is little; then the WAL begins anew.
		b.folding.Wait()
		b.written = 0
		return s.exec("PRAGMA wal_checkpoint(RESTART)")
	}
	select {
	case b.busy <- struct{}{}:
		b.folding.Go(func() {
			defer func() { <-b.busy }()
			_ = sqlitex.ExecuteTransient(b.conn, "PRAGMA wal_checkpoint(PASSIVE)", nil) // what it leaves, close folds
		})
	default:
	}
	return nil
}

// close makes durable what was written.
func (b *sqliteBulk) close(s *sqliteEngine) error {
	b.folding.Wait()
	err := s.exec("PRAGMA wal_checkpoint(TRUNCATE)")
	if b.conn != nil {
		b.conn.Close()
	}
	return err
}
