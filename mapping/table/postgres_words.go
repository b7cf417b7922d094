package table

import (
	"context"
	"errors"
	"strings"
)

// connectError is why PostgreSQL could not be connected to, on one line: pgx tells of
// each address, and of each with and without TLS, on lines of their own.
type connectError struct {
	code string // SQLSTATE; "" when no server has answered
	err  error
}

func (e *connectError) Unwrap() error { return e.err }

func (e *connectError) Error() string {
	what := "PostgreSQL cannot be reached: "
	switch e.code {
	case "28P01", "28000":
		what = "PostgreSQL does not let this user in: "
	case "3D000":
		what = "PostgreSQL has no such database: "
	}
	return what + once(e.err.Error())
}

// once joins the lines of a text, without those that others say already.
func once(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		said := line == "" || strings.HasPrefix(line, "failed to connect to ")
		for _, other := range lines {
			said = said || strings.Contains(other, line)
		}
		if !said {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return strings.TrimSpace(text)
	}
	return strings.Join(lines, "; ")
}

// TookTooLong reports whether an error says that the database had no answer in time: less
// at once may have one.
func TookTooLong(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || codeOf(err) == "57014"
}
