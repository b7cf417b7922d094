package table

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"loopmap/mapping"
)

// quote writes a name so that SQL takes it as a name, whatever it holds.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// declared is the type that loopmap gives a new column.
func declared(t mapping.Type) string {
	switch t {
	case mapping.Integer:
		return "INTEGER"
	case mapping.Number:
		return "NUMERIC"
	case mapping.Boolean:
		return "BOOLEAN"
	}
	return "TEXT" // times as ISO 8601, as SQLite's date functions read them
}

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

// Misfit says why a column of the table, by its declared type, would change the
// values of a mapped type; "" when it keeps them.
func Misfit(t mapping.Type, declared string) string {
	a := affinityOf(declared)
	switch {
	case t == mapping.Text && (a == affNumeric || a == affInteger || a == affReal):
		return `it would turn the text "007" into 7`
	case (t == mapping.Time || t == mapping.JSON) && (a == affInteger || a == affReal):
		return "it holds numbers"
	case t == mapping.Integer && a == affReal:
		return "it rounds whole numbers beyond 2^53"
	}
	return ""
}

// bind turns a cell's text into what the driver is given. why says when the
// column would not give the value back.
func bind(t mapping.Type, a affinity, text string) (v any, why string) {
	switch t {
	case mapping.Boolean:
		if a != affText {
			return int64(len("false") - len(text)), "" // true is 1
		}
	case mapping.Integer, mapping.Number:
		if a == affText {
			return text, ""
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err == nil && a == affReal && (n > 1<<53 || n < -1<<53) {
			return nil, text + " is beyond what a REAL column holds exactly"
		}
		if err == nil {
			return n, ""
		}
		f, err := strconv.ParseFloat(text, 64) // exact: the mapping has made sure
		if err != nil {
			return nil, text + " is no number for SQLite"
		}
		return f, ""
	case mapping.JSON:
		if a == affNumeric && !strings.ContainsRune(`{["tfn`, rune(text[0])) {
			return nil, text + " is a bare number, which this column would change"
		}
	}
	return text, ""
}

// code is SQLite's extended result code of an error, 0 when it has none.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

// aboutRow reports whether a statement failed for what its row holds or what the
// table has become, so that the same delivery would fail again. All other errors
// are the database's own trouble, and pass.
func aboutRow(err error) bool {
	if errors.As(err, new(*refusal)) {
		return true
	}
	switch code(err) & 0xff {
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_SCHEMA, sqlite3.SQLITE_RANGE:
		return true
	}
	return false
}

// explain puts what to do next to the errors that people meet.
func explain(err error) error {
	if err == nil {
		return nil
	}
	switch code(err) & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("another process holds the database locked: %w", err)
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("the disk is full: %w", err)
	case sqlite3.SQLITE_READONLY:
		return fmt.Errorf("the database or its folder cannot be written: %w", err)
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("the file is no SQLite database; it is left as it is: %w", err)
	case sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("the database is damaged; it is left as it is, restore a copy: %w", err)
	}
	return err
}
