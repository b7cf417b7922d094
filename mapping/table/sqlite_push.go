package table

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// ask is the engine's.
func (s *sqliteEngine) ask(ctx context.Context, text string, args []any, each func([]stored) error) error {
	return s.query(ctx, text, args, func(st *sqlite.Stmt) error {
		row := make([]stored, st.ColumnCount())
		for i := range row {
			switch st.ColumnType(i) {
			case sqlite.TypeNull:
			case sqlite.TypeInteger:
				row[i] = stored{storedNumber, strconv.FormatInt(st.ColumnInt64(i), 10)}
			case sqlite.TypeFloat:
				row[i] = stored{storedNumber, decimalOf(st.ColumnFloat(i))}
			case sqlite.TypeBlob:
				row[i] = stored{kind: storedBytes}
			default:
				row[i] = stored{storedText, st.ColumnText(i)}
			}
		}
		return each(row)
	})
}

// decimalOf writes a REAL as JavaScript does, the shortest text that gives it back.
func decimalOf(f float64) string {
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) && !math.IsInf(f, 0) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// put is the engine's.
func (s *sqliteEngine) put(ctx context.Context, list []statement) (err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.usable(ctx); err != nil {
		return err
	}
	defer s.writer.SetInterrupt(s.writer.SetInterrupt(ctx.Done()))
	end, err := sqlitex.ImmediateTransaction(s.writer)
	if err != nil {
		return err
	}
	defer end(&err)
	for _, st := range list {
		if err = sqlitex.Execute(s.writer, st.text, &sqlitex.ExecOptions{Args: st.args}); err != nil {
			return err
		}
	}
	return nil
}

// appliedOf is the engine's.
func (s *sqliteEngine) appliedOf(ctx context.Context, keys []string) (list []Record, err error) {
	if there, err := s.hasJournal(ctx); err != nil || !there {
		return nil, err
	}
	args := make([]any, len(keys))
	for i, key := range keys {
		args[i] = key
	}
	err = s.query(ctx, "SELECT "+recordColumns+" FROM loopmap_deliveries WHERE status = 'applied' AND row_key IN (?"+strings.Repeat(", ?",
		len(keys)-1)+")",
		args, func(st *sqlite.Stmt) error {
			r, err := readRecord(st)
			list = append(list, r)
			return err
		})
	return list, err
}

// lockPushes holds a write lock on an empty database beside this one, which the system
// gives back when the process dies.
func (s *sqliteEngine) lockPushes(ctx context.Context) (context.Context, func(), bool, error) {
	c, err := sqlite.OpenConn(s.file+"-push", sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		return nil, nil, false, fmt.Errorf("lock %s-push: %w", s.file, err)
	}
	c.SetBusyTimeout(0)
	if err := sqlitex.ExecuteTransient(c, "BEGIN EXCLUSIVE", nil); err != nil {
		c.Close()
		switch sqlite.ErrCode(err).ToPrimary() {
		case sqlite.ResultBusy, sqlite.ResultLocked:
			return nil, nil, false, nil
		}
		return nil, nil, false, fmt.Errorf("lock %s-push: %w", s.file, err)
	}
	held, cancel := context.WithCancel(ctx)
	return held, func() { cancel(); c.Close() }, true, nil
}
