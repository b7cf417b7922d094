package mapping

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"loopmap/mapping/column"
)

const hiddenHead = "version: 1\ndatabase: ${DATABASE_URL}\ntable: %s\nkey: id\nreceive:\n  events: [contact.created]\n  columns:\n" +
	"    - {name: id, type: text, from: contactIdentity.id}\n"

// What the database takes is checked once the environment says which one it is, with its
// place in the file; what only one of the two refuses is well until then.
func TestDialectOnceKnown(t *testing.T) {
	long := strings.Repeat("é", 32) // 64 bytes
	col := func(name, typ string) string {
		return fmt.Sprintf("    - {name: %q, type: %s, from: contact.a}\n", name, typ)
	}
	many := ""
	for i := range 1700 {
		many += col(fmt.Sprint("c", i), "text")
	}
	const rule = "  rules:\n    - {event: contact.deleted, set: {%s}}\n"
	var manySet []string
	for i := range 1700 {
		manySet = append(manySet, fmt.Sprint("c", i, ": 1"))
	}
	for name, x := range map[string]struct{ src, sqlite, postgres string }{
		"long table":       {fmt.Sprintf(hiddenHead, long), "", "m.yaml:3:8: table"},
		"sqlite's table":   {fmt.Sprintf(hiddenHead, "sqlite_x"), "m.yaml:3:8: table", ""},
		"long column":      {fmt.Sprintf(hiddenHead, "t") + col(long, "text"), "", "m.yaml:9:14: column"},
		"sqlite's column":  {fmt.Sprintf(hiddenHead, "t") + col("rowid", "text"), "m.yaml:9:14: column", ""},
		"postgres' column": {fmt.Sprintf(hiddenHead, "t") + col("ctid", "text"), "", "m.yaml:9:14: column"},
		"many columns":     {fmt.Sprintf(hiddenHead, "t") + many, "", "m.yaml:8:5: 1701 columns"},
		"two cases":        {fmt.Sprintf(hiddenHead, "t") + col("Email", "text") + col("email", "text"), "m.yaml:10:14: column", ""},
		"ruled column":     {fmt.Sprintf(hiddenHead, "t") + fmt.Sprintf(rule, long+": 1"), "", "m.yaml:10:38: column"},
		"ruled number":     {fmt.Sprintf(hiddenHead, "t") + col("n", "number") + fmt.Sprintf(rule, "n: 0.12345678901234567890123"), "m.yaml:11:41: column n", ""},
		"many ruled":       {fmt.Sprintf(hiddenHead, "t") + fmt.Sprintf(rule, strings.Join(manySet, ", ")), "", "m.yaml:8:5: 1701 columns"},
	} {
		for url, want := range map[string]string{"sqlite:a.db": x.sqlite, "postgres://h/d": x.postgres} {
			m, err := parsed(t, "m.yaml", []byte(x.src))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				break
			}
			_, err = m.ExpandDatabase(func(string) (string, bool) { return url, true })
			if want == "" {
				if d, _ := column.DialectOf(url); err != nil || m.Dialect != d {
					t.Errorf("%s, %s: %v", name, url, err)
				}
				continue
			}
			if err == nil || !strings.HasPrefix(err.Error(), want) || !errors.As(err, new(*FileError)) {
				t.Errorf("%s, %s: %v, want %s", name, url, err, want)
			}
		}
	}
}

// A mapping that was made here, not read, is held to the same.
func TestDialectOfANewMapping(t *testing.T) {
	for name, change := range map[string]func(m *Mapping){
		"table":  func(m *Mapping) { m.Table = strings.Repeat("t", 64) },
		"column": func(m *Mapping) { m.Receive.Columns[0].Name = "xmin" },
		"many": func(m *Mapping) {
			for i := range 1700 {
				m.Receive.Columns = append(m.Receive.Columns, Column{Name: fmt.Sprint("c", i), Type: column.Text})
			}
		},
	} {
		m := New("${DATABASE_URL}")
		change(m)
		if _, err := m.ExpandDatabase(func(string) (string, bool) { return "postgres://h/d", true }); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// Only what is meant for the database is expanded: a key would be printed with it.
func TestExpandsWhatIsMeant(t *testing.T) {
	for url, ok := range map[string]bool{
		"${DATABASE_URL}": true, "${CRM_DATABASE_URL}": true, "${POSTGRES_URL}": true, "postgres://${PGUSER}:${PGPASSWORD}@${PGHOST}/${PGDATABASE}": true,
		"postgres://a:${DB_PASSWORD}@h/d": true, "${database_url}": true,
		"${LOOPS_API_KEY}": false, "sqlite:${LOOPS_SIGNING_SECRET}": false, "${LOOPS_DATABASE_URL}": false, "${loops_db}": false,
		"sqlite:${AWS_SECRET_ACCESS_KEY}.db": false, "${DATABASE_URL}${HOME}": false, "postgres://${PGUSER}@h/${TOKEN}": false, "${PGP_KEY}": false,
	} {
		m, err := parsed(t, "m.yaml", []byte("version: 1\ndatabase: '"+url+"'\ntable: t\nkey: id\nreceive: {events: [e], columns: [{name: id, type: text, from: a}]}\n"))
		if ok != (err == nil) {
			t.Errorf("%s: %v", url, err)
		}
		if !ok {
			if err != nil && !strings.HasPrefix(err.Error(), "m.yaml:2:11: ${") {
				t.Errorf("%s: %v", url, err)
			}
			m = New(url)
		}
		_, err = m.ExpandDatabase(func(string) (string, bool) { return "postgres://h/secret", true })
		if !ok && (err == nil || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%s is expanded: %v", url, err)
		}
	}
}
