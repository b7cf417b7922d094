package column

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Dialect is the kind of database that a mapping writes to. It decides which
// names and which numbers are fit.
type Dialect string

// The databases that loopmap knows.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// DialectOf reads the dialect off a database's URL: sqlite:FILE or postgres://...
func DialectOf(url string) (Dialect, error) {
	scheme, rest, ok := strings.Cut(url, ":")
	switch {
	case ok && scheme == "sqlite" && rest != "":
		return SQLite, nil
	case ok && (scheme == "postgres" || scheme == "postgresql") && strings.HasPrefix(rest, "//"):
		return Postgres, nil
	}
	return "", fmt.Errorf("a database is written sqlite:FILE or postgres://HOST/NAME")
}

// maxName is PostgreSQL's limit in bytes; it cuts longer names without a word.
const maxName = 63

// CheckName says why the database would refuse, cut or confuse a table's or a
// column's name. Any other name will do: names are always quoted.
func (d Dialect) CheckName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("a name is needed")
	case !utf8.ValidString(name):
		return fmt.Errorf("the name is not UTF-8 text")
	case strings.ContainsRune(name, 0):
		return fmt.Errorf("the name holds a NUL character, which no database takes")
	case d == Postgres && len(name) > maxName:
		return fmt.Errorf("the name has %d bytes; PostgreSQL would cut it after %d", len(name), maxName)
	}
	return nil
}

// CheckTable is CheckName with what holds for tables alone.
func (d Dialect) CheckTable(name string) error {
	switch folded := strings.ToLower(name); {
	case d == SQLite && strings.HasPrefix(folded, "sqlite_"):
		return fmt.Errorf("SQLite keeps names that begin with sqlite_ for itself")
	case strings.HasPrefix(folded, "loopmap_"):
		return fmt.Errorf("names that begin with loopmap_ are for loopmap's own tables")
	}
	return d.CheckName(name)
}

// CheckColumn is CheckName with what holds for columns alone.
func (d Dialect) CheckColumn(name string) error {
	folded := strings.ToLower(name)
	if d == SQLite {
		switch folded {
		case "rowid", "oid", "_rowid_":
			return fmt.Errorf("%s is SQLite's own name for a row's number", folded)
		}
	} else {
		switch name {
		case "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid":
			return fmt.Errorf("%s is one of PostgreSQL's system columns", name)
		}
	}
	return d.CheckName(name)
}

// Fold brings a column's name to the form in which the database compares it:
// SQLite ignores the case of ASCII letters, PostgreSQL nothing (in quotes).
func (d Dialect) Fold(name string) string {
	if d == Postgres {
		return name
	}
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, name)
}

// MaxColumns is how many columns a table of this kind can have.
func (d Dialect) MaxColumns() int {
	if d == Postgres {
		return 1600
	}
	return 2000
}

// Reserved reports whether a name must be quoted in every query that people
// write by hand. It is allowed, and worth a word.
func Reserved(name string) bool {
	_, ok := reserved[strings.ToLower(name)]
	return ok
}

// reserved are the words that both SQLite and PostgreSQL keep, or one of them
// and the SQL standard, as far as they could be a contact's attribute.
var reserved = func() map[string]struct{} {
	m := map[string]struct{}{}
	for _, w := range strings.Fields(`all alter analyze and any as asc between both by case cast check
		collate column commit constraint create cross current_date current_time current_timestamp
		default deferrable delete desc distinct do drop else end escape except exists fetch for foreign
		from full grant group having in index inner insert intersect into is isnull join leading left like
		limit natural not notnull null offset on only or order outer placing primary references returning
		right select session_user set some symmetric table then to trailing transaction union unique
		update user using values when where window with`) {
		m[w] = struct{}{}
	}
	return m
}()
