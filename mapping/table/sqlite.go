package table

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"zombiezen.com/go/sqlite"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

type affinity int

// SQLite's column affinities ("Datatypes In SQLite", section 3.1).
const (
	affText affinity = iota
	affNumeric
	affInteger
	affReal
	affBlob
)

func affinityOf(declared string) affinity {
	d := strings.ToUpper(declared)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(d, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("INT"):
		return affInteger
	case has("CHAR", "CLOB", "TEXT"):
		return affText
	case d == "" || has("BLOB") || d == "ANY":
		return affBlob
	case has("REAL", "FLOA", "DOUB"):
		return affReal
	}
	return affNumeric
}

// bind puts a cell's text into a statement. why says when the column would not give
// the value back.
func bind(stmt *sqlite.Stmt, i int, t column.Type, a affinity, text string) (why string) {
	switch t {
	case column.Boolean:
		if a != affText {
			stmt.BindBool(i, text == "true")
			return ""
		}
	case column.Integer, column.Number:
		if a == affText {
			break
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err == nil && a == affReal && (n > 1<<53 || n < -1<<53) {
			return text + " is beyond what a REAL column holds exactly"
		}
		if err == nil {
			stmt.BindInt64(i, n)
			return ""
		}
		f, err := strconv.ParseFloat(text, 64) // exact: the mapping has made sure
		if err != nil {
			return text + " is not a number for SQLite"
		}
		stmt.BindFloat(i, f)
		return ""
	case column.JSON:
		if a == affNumeric && !strings.ContainsRune(`{["tfn`, rune(text[0])) {
			return text + " is a bare number, which this column would change"
		}
	case column.Text, column.Time:
	}
	stmt.BindText(i, text)
	return ""
}

// aboutRow is the engine's.
func (s *sqliteEngine) aboutRow(err error) bool {
	if errors.As(err, new(*refusal)) {
		return true
	}
	if errors.As(err, new(*movedError)) || errors.As(err, new(*unfitError)) {
		return false
	}
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultConstraint, sqlite.ResultMismatch, sqlite.ResultTooBig, sqlite.ResultError, sqlite.ResultSchema, sqlite.ResultRange:
		return true
	}
	return false
}

// passing is never true: SQLite has one writer at a time, which is waited for.
func (s *sqliteEngine) passing(error) bool { return false }

// waited is never true: SQLite locks no rows.
func (s *sqliteEngine) waited(error) bool { return false }

func (s *sqliteEngine) lockedAmong(context.Context, []mapping.Entry) ([]rowName, error) {
	return nil, nil
}

func (s *sqliteEngine) explain(err error) error {
	if err == nil {
		return nil
	}
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultBusy, sqlite.ResultLocked:
		return fmt.Errorf("another process holds the database locked: %w", err)
	case sqlite.ResultFull:
		return fmt.Errorf("the disk is full: %w", err)
	case sqlite.ResultReadOnly, sqlite.ResultCantOpen:
		return fmt.Errorf("the database or its folder cannot be written: %w", err)
	case sqlite.ResultNotADB:
		return fmt.Errorf("the file is not a SQLite database; it is left as it is: %w", err)
	case sqlite.ResultCorrupt:
		return fmt.Errorf("the database is damaged; it is left as it is. Restore a copy, or move it away and bring its deliveries over: "+
			"sqlite3 DAMAGED .recover | sqlite3 NEW: %w", err)
	}
	return err
}
