package table

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"loopmap/mapping/column"
)

var modifier = regexp.MustCompile(` ?\([^)]*\)`)

// builtinPostgres says why types that PostgreSQL comes with do not hold a mapped type
// to the letter, by the type's name without its limits. "" is a type that does; what its
// limits would round, [fits] finds value by value.
var builtinPostgres = map[string]func(column.Type) string{
	"text":                        anything,
	"character varying":           anything,
	"character":                   never("it fills texts up with blanks"),
	"bpchar":                      never("it fills texts up with blanks"),
	"json":                        only("it holds json", column.JSON),
	"jsonb":                       only("it holds json", column.JSON),
	"boolean":                     only("it holds true and false", column.Boolean),
	"smallint":                    only("it holds whole numbers", column.Integer),
	"integer":                     only("it holds whole numbers", column.Integer),
	"bigint":                      only("it holds whole numbers", column.Integer),
	"numeric":                     only("it holds numbers", column.Integer, column.Number),
	"real":                        never("it rounds to binary fractions"),
	"double precision":            never("it rounds to binary fractions"),
	"timestamp with time zone":    only("it holds times", column.Time),
	"timestamp without time zone": only("it holds times", column.Time),
	"date":                        only("it holds dates", column.Time),
	"uuid":                        only("it holds UUIDs, which are text", column.Text),
	"inet":                        only("it holds addresses, which are text", column.Text),
	"cidr":                        only("it holds addresses, which are text", column.Text),
	"macaddr":                     only("it holds addresses, which are text", column.Text),
	"macaddr8":                    only("it holds addresses, which are text", column.Text),
	"xml":                         only("it holds XML, which is text", column.Text),
	"bit":                         only("it holds bits, which are text", column.Text),
	"bit varying":                 only("it holds bits, which are text", column.Text),
	"name":                        never("it cuts texts after 63 bytes"),
	`"char"`:                      never("it keeps one byte"),
	"money":                       never("it rounds, and writes amounts as the server's locale does"),
	"bytea":                       never("it holds bytes"),
	"interval":                    never("it holds spans of time"),
	"time with time zone":         never("it holds times of day"),
	"time without time zone":      never("it holds times of day"),
	"tsvector":                    never("it holds words to search by"),
	"tsquery":                     never("it holds searches"),
	"point":                       never("it holds points"),
	"line":                        never("it holds lines"),
	"lseg":                        never("it holds lines"),
	"box":                         never("it holds boxes"),
	"path":                        never("it holds paths"),
	"polygon":                     never("it holds polygons"),
	"circle":                      never("it holds circles"),
	"oid":                         never("it holds PostgreSQL's own numbers"),
	"xid":                         never("it holds PostgreSQL's own numbers"),
	"xid8":                        never("it holds PostgreSQL's own numbers"),
	"cid":                         never("it holds PostgreSQL's own numbers"),
	"tid":                         never("it holds PostgreSQL's own numbers"),
	"pg_lsn":                      never("it holds PostgreSQL's own numbers"),
	"regclass":                    never("it holds names of PostgreSQL's own"),
	"regproc":                     never("it holds names of PostgreSQL's own"),
	"regprocedure":                never("it holds names of PostgreSQL's own"),
	"regtype":                     never("it holds names of PostgreSQL's own"),
	"regrole":                     never("it holds names of PostgreSQL's own"),
	"regnamespace":                never("it holds names of PostgreSQL's own"),
	"jsonpath":                    never("it writes paths in its own way"),
}

func anything(column.Type) string { return "" }

func never(why string) func(column.Type) string {
	return func(column.Type) string { return why }
}

func only(why string, types ...column.Type) func(column.Type) string {
	return func(t column.Type) string {
		if slices.Contains(types, t) {
			return ""
		}
		return why
	}
}

// knownPostgres reports whether a type, without its limits, is one that PostgreSQL comes
// with.
func knownPostgres(base string) bool {
	_, ok := builtinPostgres[base]
	return ok || strings.HasSuffix(base, "[]") || strings.HasSuffix(base, "range")
}

// castPostgres is the type that a text is cast to before it is assigned to a column of
// this type, which then holds it to its limits: a cast to the limits would cut it.
func castPostgres(declared string) string {
	switch base := modifier.ReplaceAllString(declared, ""); base {
	case "bit":
		return "bit varying" // bit alone is bit(1)
	default:
		return base
	}
}

// operator is how values of a type are compared: where the search_path does not lead to
// citext, it does not lead to its operators either, and PostgreSQL would take those of
// text, which tell upper from lower case.
func operator(name, declared string) string {
	if schema, ok := strings.CutSuffix(declared, ".citext"); ok {
		return "OPERATOR(" + schema + "." + name + ")"
	}
	return name
}

// codeOf is PostgreSQL's SQLSTATE of an error, "" when it has none.
func codeOf(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// aboutRow takes whatever a row's statement raises to be about the row, since triggers
// may raise anything, but for the classes that are about the connection, the transaction,
// what passes, or the server (PostgreSQL, Appendix A). Rights are looked up: see
// [postgresTx.forbidden].
func (p *postgresEngine) aboutRow(err error) bool {
	if errors.As(err, new(*refusal)) {
		return true
	}
	code := codeOf(err)
	switch {
	case code == "" || stalePlan(err):
		return false
	case code == "55P03", code == "55006", code == "42501", code == "42P05":
		return false // a lock that is held, an object in use, rights, a pooler's statement
	}
	switch code[:2] {
	case "08", "25", "26", "28", "40", "53", "57", "58", "F0", "XX":
		return false
	}
	return true
}

// stalePlan reports whether a statement was prepared for what the table was before.
func stalePlan(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "0A000" && e.Routine == "RevalidateCachedQuery"
}

// passing knows serialization failure, deadlock, a statement that was prepared for
// what the table was before, and a connection that was ended or lost: the next one may
// be well.
func (p *postgresEngine) passing(err error) bool {
	if stalePlan(err) {
		return true
	}
	switch codeOf(err) {
	case "40001", "40P01", "57P01", "57P02":
		return true
	case "":
		if errors.As(err, new(*unknownError)) {
			return true
		}
		var connecting *pgconn.ConnectError
		lost := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, new(*net.OpError)) ||
			strings.Contains(err.Error(), "conn closed")
		// One that stalls has cost the time already.
		return lost && !errors.As(err, &connecting) && !errors.Is(err, context.DeadlineExceeded) && !os.IsTimeout(err)
	}
	return false
}

func (p *postgresEngine) waited(err error) bool { return codeOf(err) == lockNotAvailable }

func (p *postgresEngine) explain(err error) error {
	switch code := codeOf(err); {
	case err == nil:
		return nil
	case code == "25006":
		return fmt.Errorf("the database takes no writes now (a standby, or read-only): %w", err)
	case code == "42501":
		return fmt.Errorf("the database user may not do this; grant it, or name another user: %w", err)
	case code == "55P03" || code == "57014":
		return fmt.Errorf("the database did not answer in time (a lock is held, or it is slow): %w", err)
	case code == "53100":
		return fmt.Errorf("the database's disk is full: %w", err)
	}
	var connecting *pgconn.ConnectError
	if errors.As(err, &connecting) {
		return &connectError{codeOf(err), err}
	}
	return err
}
