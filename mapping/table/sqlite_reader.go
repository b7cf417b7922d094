package table

import (
	"context"
	"os"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// Whoever reads a SQLite database for long, a backup or a query that was left open, keeps
// its write-ahead log (WAL) from being begun anew: it grows until the reader ends, and the
// file stays as long as it has become.

// longWAL is how many bytes a WAL has that is worth a word; usually it is a tenth of that.
const longWAL = 32 << 20

// WAL is the state of a write-ahead log.
type WAL struct {
	Bytes int64 // of its file; 0 where there is none
	Held  bool  // it is long, and a reader keeps it so
	Cut   int64 // bytes that it had before it was truncated; 0 when it was not
}

// WALBytes is how long SQLite's write-ahead log is; false where the database has none.
func (s *Store) WALBytes() (int64, bool) {
	e, ok := s.engine.(*sqliteEngine)
	if !ok {
		return 0, false
	}
	info, err := os.Stat(e.file + "-wal")
	if err != nil {
		return 0, true // it is made with the first transaction
	}
	return info.Size(), true
}

// TendWAL folds a long write-ahead log into its database and truncates it, unless somebody
// reads. Nobody waits for that.
func (s *Store) TendWAL(ctx context.Context) (w WAL, err error) {
	if w.Bytes, _ = s.WALBytes(); w.Bytes < longWAL {
		return w, nil
	}
	e := s.engine.(*sqliteEngine)
	c, err := e.connect(false)
	if err != nil {
		return w, s.explain(err)
	}
	defer c.Close()
	c.SetInterrupt(ctx.Done())
	c.SetBusyTimeout(0)
	// The most of it is folded beside who writes. The rest, and to truncate it, keeps that
	// from writing for as long as a commit takes.
	_, long, folded, err := checkpoint(c, "PASSIVE")
	if err != nil {
		return w, s.explain(err)
	}
	if w.Held = (long-folded)*4096 > longWAL/8; w.Held {
		return w, nil
	}
	c.SetBusyTimeout(50 * time.Millisecond)
	busy, _, _, err := checkpoint(c, "TRUNCATE")
	if err != nil || busy {
		w.Held = busy
		return w, s.explain(err)
	}
	w.Cut = w.Bytes
	w.Bytes, _ = s.WALBytes()
	return w, nil
}

// checkpoint folds; long and folded are pages of the WAL. SQLite's busy is what keeps it
// from all that was asked for.
func checkpoint(c *sqlite.Conn, mode string) (busy bool, long, folded int64, err error) {
	err = sqlitex.ExecuteTransient(c, "PRAGMA wal_checkpoint("+mode+")", &sqlitex.ExecOptions{ResultFunc: func(st *sqlite.Stmt) error {
		busy, long, folded = st.ColumnBool(0), st.ColumnInt64(1), st.ColumnInt64(2)
		return nil
	}})
	return busy, long, folded, err
}
