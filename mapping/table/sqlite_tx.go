package table

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"loopmap/mapping"
)

// sqliteTx is a transaction of the writing connection.
type sqliteTx struct {
	*sqliteEngine
	looked bool // whether the schema is the one that target was made for
}

// targetOf is the engine's, once a transaction made sure that no other process has
// changed the table.
func (s *sqliteTx) targetOf(m *mapping.Mapping) (*sqliteTarget, error) {
	if !s.looked {
		version, err := s.journal.schemaVersion()
		if err != nil {
			return nil, err
		}
		if version != s.schema {
			s.forgetTarget()
			s.schema = version
		}
		s.looked = true
	}
	return s.sqliteEngine.targetOf(m)
}

func (s *sqliteEngine) begin(ctx context.Context) (tx, error) {
	s.writing.Lock()
	err := s.usable(ctx)
	if err == nil {
		err = run(s.journal.begin)
	}
	if err != nil {
		s.writing.Unlock()
		return nil, err
	}
	// From here on the transaction is finished whatever becomes of the context; locks
	// are waited for as long as busyTimeout says.
	return &sqliteTx{sqliteEngine: s}, nil
}

// run runs a statement that returns nothing.
func run(st *sqlite.Stmt) error {
	_, err := st.Step()
	if err != nil {
		return err
	}
	return st.Reset()
}

func (s *sqliteTx) commit() error {
	if err := run(s.journal.commit); err != nil {
		switch sqlite.ErrCode(err) {
		case sqlite.ResultIOErrFsync, sqlite.ResultIOErrDirFsync:
			// What the disk holds is not known any more, and syncing again would not tell.
			s.broken = fmt.Errorf("the disk failed to keep what was written; look after it, then start again: %w", err)
		}
		return err
	}
	if s.fold != nil {
		s.fold.wrote(s.sqliteEngine)
	}
	if !s.stays() { // perhaps nobody will find what was committed; rollback gives back the right to write
		return &movedError{file: s.file}
	}
	s.writing.Unlock()
	return nil
}

func (s *sqliteTx) rollback() {
	_ = s.exec("ROLLBACK") // fails where SQLite has rolled back by itself
	s.writing.Unlock()
}

func (s *sqliteTx) savepoint() error  { return s.exec("SAVEPOINT " + savepoint) }
func (s *sqliteTx) rollbackTo() error { return s.exec("ROLLBACK TO " + savepoint) }
func (s *sqliteTx) release() error    { return s.exec("RELEASE " + savepoint) }

func (s *sqliteTx) keepVersions(list []Version) error {
	for _, v := range list {
		args := []any{v.Hash, v.Text, clock(v.FirstUsed)}
		if err := sqlitex.ExecuteTransient(s.writer, keepVersion, &sqlitex.ExecOptions{Args: args}); err != nil {
			return err
		}
	}
	return nil
}
