package mapping

import (
	"fmt"
	"regexp"
	"strings"

	"loopmap/mapping/body"
	"loopmap/mapping/column"
	"loopmap/mapping/yamledit"
)

var (
	variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)
	password = regexp.MustCompile(`^[a-z]+://[^/@]*:[^/@$]+@|[?&]password=[^&$]`)

	// forDatabase are the variables that hold a database's URL, or part of one: of the
	// names that people give them, and of libpq's own.
	forDatabase = regexp.MustCompile(`(?i)^(.*_)?(database|db|postgres|postgresql|pg|sqlite)(_.*)?$|` +
		`^PG(HOST|HOSTADDR|PORT|DATABASE|USER|PASSWORD)$`)
)

// source is a mapping file that is to be read again once its database is known.
type source struct {
	name string
	root *yamledit.Node
}

func (f *fileReader) database(root *yamledit.Node, m *Mapping) {
	url, at := f.text(root, "the mapping file", "database", "sqlite:contacts.db")
	if url == "" {
		return
	}
	m.Database = url
	d, err := column.DialectOf(url)
	switch {
	case password.MatchString(url):
		f.problem(at.At, "a password has no place in this file; write database: ${DATABASE_URL} and set that in the environment")
	case notForDatabase(url) != "":
		f.problem(at.At, "%s", notForDatabase(url))
	case f.dialect != "":
		m.Dialect = f.dialect
	case err == nil:
		m.Dialect = d
	case variable.MatchString(url):
		f.hidden = true
	default:
		f.problem(at.At, "%q names no database; write sqlite:FILE, postgres://HOST/NAME or ${DATABASE_URL}", body.Printable(url))
	}
}

// notForDatabase says why a URL names a variable that is none of a database: what such
// a one holds, a key perhaps, would stand wherever the database is named.
func notForDatabase(url string) string {
	for _, found := range variable.FindAllStringSubmatch(url, -1) {
		if name := found[1]; !forDatabase.MatchString(name) || strings.HasPrefix(strings.ToUpper(name), "LOOPS_") {
			return found[0] + " is not expanded here; DATABASE_URL is, or a name that speaks of a database: CRM_DATABASE_URL, PGHOST, DB_PASSWORD"
		}
	}
	return ""
}

// checkName asks the database whether a name will do; both, while it is not known.
func (f *fileReader) checkName(d column.Dialect, check func(column.Dialect, string) error, name string) error {
	err := check(d, name)
	if err != nil && f.hidden && check(column.Postgres, name) == nil {
		return nil
	}
	return err
}

// ExpandDatabase puts the values of ${NAME} into the database's URL and settles
// the dialect, whose rules the mapping is held to then. lookup returns a variable's
// value and whether it is set. The error of what is wrong in a file is a *[FileError].
func (m *Mapping) ExpandDatabase(lookup func(name string) (string, bool)) (url string, err error) {
	if why := notForDatabase(m.Database); why != "" {
		return "", fmt.Errorf("database: %s", why)
	}
	url = variable.ReplaceAllStringFunc(m.Database, func(s string) string {
		name := variable.FindStringSubmatch(s)[1]
		v, ok := lookup(name)
		if !ok && err == nil {
			err = fmt.Errorf("database: ${%s} is not set in the environment", name)
		}
		return v
	})
	if err != nil {
		return "", err
	}
	d, err := column.DialectOf(url)
	if err != nil && url != m.Database {
		return "", fmt.Errorf("database: %s does not hold one: %w", m.Database, err)
	} else if err != nil {
		return "", fmt.Errorf("database: %w", err)
	}
	if m.source == nil && d == m.Dialect {
		return url, nil
	}
	if err := m.holdTo(d); err != nil {
		return "", err
	}
	m.Dialect, m.source = d, nil
	return url, nil
}

// holdTo checks what depends on the database.
func (m *Mapping) holdTo(d column.Dialect) error {
	if m.source != nil {
		f := &fileReader{name: m.source.name, dialect: d}
		f.mapping(m.source.root)
		return f.err()
	}
	if err := d.CheckTable(m.Table); err != nil {
		return fmt.Errorf("table %q: %w", m.Table, err)
	}
	columns := m.allColumns()
	if len(columns) > d.MaxColumns() {
		return fmt.Errorf("%d columns are more than the database takes (%d)", len(columns), d.MaxColumns())
	}
	seen := map[string]string{}
	for _, c := range columns {
		if err := d.CheckColumn(c.Name); err != nil {
			return fmt.Errorf("column %q: %w", c.Name, err)
		}
		if first, ok := seen[d.Fold(c.Name)]; ok {
			return fmt.Errorf("column %q is %q to the database", c.Name, first)
		}
		seen[d.Fold(c.Name)] = c.Name
	}
	return nil
}
