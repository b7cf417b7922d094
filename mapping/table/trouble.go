package table

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"zombiezen.com/go/sqlite"
)

// trouble is an error of the database. Its text is for who asked; in a log it is what it is
// by its code, since a trigger may have put a whole contact into the text.
type trouble struct{ err error }

func (t *trouble) Error() string { return t.err.Error() }
func (t *trouble) Unwrap() error { return t.err }

// LogValue is slog's.
func (t *trouble) LogValue() slog.Value {
	text, own, code := t.err.Error(), "", ""
	var pg *pgconn.PgError
	if errors.As(t.err, &pg) {
		own, code = pg.Error(), sqlState(pg.Code)
	} else {
		inner := t.err
		for next := errors.Unwrap(inner); next != nil; next = errors.Unwrap(inner) {
			inner = next
		}
		own, code = inner.Error(), sqlite.ErrCode(inner).String()
	}
	before, _, _ := strings.Cut(text, own) // what loopmap says of it
	return slog.StringValue(before + code)
}

// explain puts what to do next to the errors that people meet.
func (s *Store) explain(err error) error {
	if err = s.engine.explain(err); err == nil {
		return nil
	}
	if codeOf(err) == "" && sqlite.ErrCode(err) == sqlite.ResultError {
		return err // a mistake in SQL, or none of a database's
	}
	return &trouble{err}
}

// sqlState is an SQLSTATE with its class in words (PostgreSQL, Appendix A).
func sqlState(code string) string {
	if class := classes[code[:min(2, len(code))]]; class != "" {
		return fmt.Sprintf("SQLSTATE %s (%s)", code, class)
	}
	return "SQLSTATE " + code
}

var classes = map[string]string{
	"08": "connection exception", "0A": "feature not supported", "21": "cardinality violation", "22": "data exception",
	"23": "integrity constraint violation", "25": "invalid transaction state", "26": "invalid statement name",
	"28": "invalid authorization", "2D": "invalid transaction termination", "38": "external routine exception",
	"40": "transaction rollback", "42": "syntax error or access rule violation", "44": "check option violation",
	"53": "insufficient resources", "54": "program limit exceeded", "55": "object not in prerequisite state",
	"57": "operator intervention", "58": "system error", "P0": "raised by a function", "XX": "internal error",
}
