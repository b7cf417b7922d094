package table

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx", with which the tests look at tables
	_ "modernc.org/sqlite"             // the driver "sqlite", likewise

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/table/tabletest"
)

// database is an empty database of one kind, and a way to look at it beside loopmap.
type database struct {
	t    testing.TB
	url  string
	dir  string
	look *sql.DB
	d    column.Dialect
}

// databases runs a test on both kinds of database.
func databases(t *testing.T, test func(t *testing.T, d *database)) {
	t.Run("sqlite", func(t *testing.T) { test(t, sqliteDatabase(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, postgresDatabase(t)) })
}

func sqliteDatabase(t testing.TB) *database {
	t.Helper()
	dir := t.TempDir()
	look, err := sql.Open("sqlite", "file:"+filepath.ToSlash(filepath.Join(dir, "contacts.db"))+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { look.Close() })
	return &database{t: t, url: "sqlite:contacts.db", dir: dir, look: look, d: column.SQLite}
}

// postgresDatabase is a schema of its own.
func postgresDatabase(t testing.TB) *database {
	t.Helper()
	at := tabletest.Schema(t)
	look, err := sql.Open("pgx", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { look.Close() })
	return &database{t: t, url: at, dir: t.TempDir(), look: look, d: column.Postgres}
}

func (d *database) open() *Store {
	d.t.Helper()
	s, err := Open(context.Background(), Options{URL: d.url, Dir: d.dir, Write: true})
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { s.Close() })
	return s
}

// text is what SQL finds, NULL as such. Marks are written ?.
func (d *database) text(query string, args ...any) string {
	d.t.Helper()
	if d.d == column.Postgres {
		for i := range args {
			query = strings.Replace(query, "?", fmt.Sprintf("$%d", i+1), 1)
		}
	}
	var v sql.NullString
	if err := d.look.QueryRow(query, args...).Scan(&v); err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
	if !v.Valid {
		return "NULL"
	}
	return v.String
}

func (d *database) exec(statements ...string) {
	d.t.Helper()
	for _, s := range statements {
		if _, err := d.look.Exec(s); err != nil {
			d.t.Fatalf("%s: %v", s, err)
		}
	}
}

// mapping makes a mapping with the key column id from contactIdentity.id and a
// column for each name of the form "name type path".
func (d *database) mapping(columns ...string) *mapping.Mapping {
	d.t.Helper()
	m := mapping.New("sqlite:contacts.db")
	m.Dialect, m.Hash = d.d, fmt.Sprintf("%012x", rand.Uint64()>>16)
	m.Key, m.Receive.Columns = "id", nil
	for _, c := range append([]string{"id text contactIdentity.id"}, columns...) {
		f := strings.SplitN(c, " ", 3)
		p, err := mapping.ParsePath(f[2])
		if err != nil {
			d.t.Fatal(err)
		}
		m.Receive.Columns = append(m.Receive.Columns, mapping.Column{Name: f[0], Type: column.Type(f[1]), From: p})
	}
	return m
}

// ready makes the table fit.
func ready(t testing.TB, s *Store, m *mapping.Mapping) {
	t.Helper()
	p, err := s.Plan(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(context.Background(), p); err != nil {
		t.Fatal(err)
	}
}

// start is the eventTime of the tests' events.
const start = 1795421000

// created is a contact.created of a contact, so many seconds after start.
func created(id, contact string, seconds int, attributes string) mapping.Delivery {
	return event(id, "contact.created", contact, seconds, `,"contact":{"id":"`+contact+`"`+attributes+`}`)
}

func event(id, name, contact string, seconds int, more string) mapping.Delivery {
	body := fmt.Sprintf(`{"eventName":%q,"eventTime":%d,"contactIdentity":{"id":%q,"email":"x@example.com"}%s}`, name, start+seconds, contact, more)
	return mapping.Delivery{ID: id, Received: time.Unix(start+3600, 0), Body: []byte(body)}
}

func commit(t testing.TB, s *Store, m *mapping.Mapping, list ...mapping.Delivery) []mapping.Outcome {
	t.Helper()
	var entries []mapping.Entry
	for _, d := range list {
		entries = append(entries, mapping.Enter(m, d))
	}
	out, err := s.Commit(context.Background(), entries)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
