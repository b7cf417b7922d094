package table

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"loopmap/mapping"
)

// declaredPostgres is the type that loopmap gives a new column.
func declaredPostgres(t mapping.Type) string {
	switch t {
	case mapping.Integer:
		return "bigint"
	case mapping.Number:
		return "numeric"
	case mapping.Boolean:
		return "boolean"
	case mapping.Time:
		return "timestamptz"
	case mapping.JSON:
		return "jsonb"
	}
	return "text"
}

var modifier = regexp.MustCompile(` ?\([^)]*\)`)

// misfitPostgres is [Misfit]. A type that PostgreSQL does not come with (citext, an
// enumeration) takes texts and refuses what it does not hold.
func misfitPostgres(t mapping.Type, declared string) string {
	base := modifier.ReplaceAllString(declared, "") // of numeric(10,2), timestamp(3) with time zone
	limited := base != declared
	switch base {
	case "text", "character varying":
		return ""
	case "character", "bpchar":
		return "it fills texts up with blanks"
	case "json", "jsonb":
		if t != mapping.JSON {
			return "it holds json"
		}
	case "boolean":
		if t != mapping.Boolean {
			return "it holds true and false"
		}
	case "smallint", "integer", "bigint":
		if t != mapping.Integer {
			return "it holds whole numbers"
		}
	case "numeric":
		if t != mapping.Integer && t != mapping.Number {
			return "it holds numbers"
		}
		if limited && t == mapping.Number {
			return "it rounds"
		}
	case "real", "double precision":
		if t != mapping.Integer && t != mapping.Number {
			return "it holds numbers"
		}
		return "it rounds to binary fractions"
	case "timestamp with time zone", "timestamp without time zone":
		if t != mapping.Time {
			return "it holds times"
		}
		if limited {
			return "it rounds"
		}
	case "date":
		if t != mapping.Time {
			return "it holds dates"
		}
		return "it drops the time of day"
	case "time with time zone", "time without time zone", "interval", "bytea", "uuid", "inet":
		if base != "uuid" && base != "inet" || t != mapping.Text {
			return "it holds something else"
		}
	default:
		if strings.HasSuffix(base, "[]") {
			return "it holds arrays"
		}
		if t != mapping.Text {
			return "loopmap does not know what it holds"
		}
	}
	return ""
}

// codeOf is PostgreSQL's SQLSTATE of an error, "" when it has none.
func codeOf(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// aboutRow knows the classes data exception, integrity constraint violation, syntax
// or access rule (a column or table that is gone), view check option, program
// limits, and what triggers raise.
func (p *postgresEngine) aboutRow(err error) bool {
	if errors.As(err, new(*refusal)) {
		return true
	}
	code := codeOf(err)
	switch {
	case code == "" || code == "42501": // insufficient privilege passes when it is granted
		return false
	case code == "P0001":
		return true
	}
	switch code[:2] {
	case "22", "23", "42", "44", "54":
		return true
	}
	return false
}

// passing knows serialization failure, deadlock, a statement that was prepared for
// what the table was before, and a connection that was ended or lost: the next one may
// be well.
func (p *postgresEngine) passing(err error) bool {
	switch codeOf(err) {
	case "40001", "40P01", "0A000", "57P01", "57P02":
		return true
	case "":
		if errors.As(err, new(*unknownError)) {
			return true
		}
		var connecting *pgconn.ConnectError
		lost := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, new(*net.OpError)) || strings.Contains(err.Error(), "conn closed")
		// One that stalls has cost the time already.
		return lost && !errors.As(err, &connecting) && !errors.Is(err, context.DeadlineExceeded) && !os.IsTimeout(err)
	}
	return false
}

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
		return fmt.Errorf("PostgreSQL cannot be reached: %w", err)
	}
	return err
}
