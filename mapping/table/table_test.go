package table

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"loopmap/mapping"
)

func open(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(context.Background(), Options{URL: "sqlite:contacts.db", Dir: dir, Write: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// mappingOf makes a mapping with the key column id from contact.id and a column
// for each name of the form "name type path".
func mappingOf(t testing.TB, columns ...string) *mapping.Mapping {
	t.Helper()
	m := mapping.New("sqlite:contacts.db")
	m.Key, m.Receive.Columns = "id", nil
	for _, c := range append([]string{"id text contact.id"}, columns...) {
		f := strings.SplitN(c, " ", 3)
		p, err := mapping.ParsePath(f[2])
		if err != nil {
			t.Fatal(err)
		}
		m.Receive.Columns = append(m.Receive.Columns, mapping.Column{Name: f[0], Type: mapping.Type(f[1]), From: p})
	}
	return m
}

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

func commit(t testing.TB, s *Store, m *mapping.Mapping, id, contact string) mapping.Outcome {
	t.Helper()
	body := `{"eventName":"contact.created","eventTime":1795421000,"contact":` + contact + `}`
	e := mapping.Enter(m, mapping.Delivery{ID: id, Received: time.Unix(1795421003, 0), Body: []byte(body)})
	out, err := s.Commit(context.Background(), []mapping.Entry{e})
	if err != nil {
		t.Fatal(err)
	}
	return out[0]
}

// text is what SQL finds, NULL as such.
func text(t testing.TB, s *Store, query string, args ...any) string {
	t.Helper()
	var v sql.NullString
	if err := s.db.QueryRow(query, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if !v.Valid {
		return "NULL"
	}
	return v.String
}

func TestDurable(t *testing.T) {
	s := open(t, t.TempDir())
	var major, minor, patch int
	if _, err := fmt.Sscanf(text(t, s, "SELECT sqlite_version()"), "%d.%d.%d", &major, &minor, &patch); err != nil {
		t.Fatal(err)
	}
	// 3.51.2 and older lose committed rows (sqlite.org/wal.html, the WAL-reset bug).
	if major*1e6+minor*1e3+patch < 3051003 {
		t.Errorf("SQLite %d.%d.%d is older than 3.51.3", major, minor, patch)
	}
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2"} {
		var got string
		if err := s.writer.QueryRowContext(context.Background(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s (%v), want %s", pragma, got, err, want)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"text.db": strings.Repeat("this is no database\n", 100),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(context.Background(), Options{URL: "sqlite:" + name, Dir: dir, Write: true})
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "no SQLite database") {
			t.Errorf("%s: %v", name, err)
		}
		if now, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(now) != content {
			t.Errorf("%s was changed", name)
		}
	}
	for url, want := range map[string]string{
		"sqlite::memory:":    "must be a file",
		"sqlite:.":           "is a folder",
		"sqlite:none/a.db":   "its folder is not there",
		"mysql://x":          "a database is written",
		"postgres://h/db":    "PostgreSQL",
		"sqlite:missing.db?": "",
	} {
		s, err := Open(context.Background(), Options{URL: url, Dir: dir, Write: true})
		if err == nil {
			s.Close()
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
	if _, err := Open(context.Background(), Options{URL: "sqlite:none.db", Dir: dir}); err == nil || !strings.Contains(err.Error(), ErrNoDatabase.Error()) {
		t.Errorf("a database that is not there: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "none.db")); err == nil {
		t.Error("looking made a database")
	}
	if info, err := os.Stat(filepath.Join(dir, "missing.db?")); runtime.GOOS != "windows" && (err != nil || info.Mode().Perm() != 0o600) {
		t.Errorf("the database's file: %v %v", info, err)
	}
}

// Numbers as JSON can write them, each into a text, an integer and a number
// column: what is stored is what was written, or the delivery is quarantined.
func TestNumbersArriveAsWritten(t *testing.T) {
	s := open(t, t.TempDir())
	numbers := []string{"0", "-0", "7", "-7", "120", "1249.5", "-0.5", "0.1", "12.50", "1.0", "1e3", "1E400", "1e-400", "1e+21", "1e-7",
		"9007199254740991", "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
		"123456789012345678901234567890", "0.1234567890123456789", "3.141592653589793", "0.30000000000000004", "100000000000000000000"}
	held := map[string][]string{}
	for _, typ := range []mapping.Type{mapping.Text, mapping.Integer, mapping.Number, mapping.JSON} {
		m := mappingOf(t, "v "+string(typ)+" contact.v")
		m.Table = "t_" + string(typ)
		ready(t, s, m)
		for _, n := range numbers {
			id := string(typ) + n
			out := commit(t, s, m, id, fmt.Sprintf(`{"id":%q,"v":%s}`, n, n))
			if out.Status == mapping.Quarantined {
				if !strings.Contains(out.Reason, n) && !strings.Contains(out.Reason, "column v") {
					t.Errorf("%s into %s: the reason says nothing: %s", n, typ, out.Reason)
				}
				continue
			}
			held[string(typ)] = append(held[string(typ)], n)
			var v any
			if err := s.db.QueryRow(`SELECT v FROM "`+m.Table+`" WHERE id = ?`, n).Scan(&v); err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprint(v)
			if f, ok := v.(float64); ok {
				got = strconv.FormatFloat(f, 'f', -1, 64)
				if strings.ContainsAny(n, "eE") {
					got = strings.Replace(strconv.FormatFloat(f, 'e', -1, 64), "e-0", "e-", 1)
				}
			}
			if b, ok := v.([]byte); ok {
				got = string(b)
			}
			if got != n {
				t.Errorf("%s into %s came out as %s (%T)", n, typ, got, v)
			}
		}
	}
	if len(held["text"]) != len(numbers) || len(held["json"]) != len(numbers) {
		t.Errorf("text and json must hold all: %v", held)
	}
	for typ, want := range map[string]string{
		"integer": "0 7 -7 120 9007199254740991 9007199254740993 9223372036854775807 -9223372036854775808",
		"number": "0 7 -7 120 1249.5 -0.5 0.1 1e+21 1e-7 9007199254740991 9007199254740993 9223372036854775807 " +
			"-9223372036854775808 3.141592653589793 0.30000000000000004",
	} {
		if got := strings.Join(held[typ], " "); got != want {
			t.Errorf("%s holds\n%s\nwant\n%s", typ, got, want)
		}
	}
}

func TestNullAndMissing(t *testing.T) {
	s := open(t, t.TempDir())
	m := mappingOf(t, "a text contact.a", "b text contact.b")
	ready(t, s, m)
	commit(t, s, m, "1", `{"id":"x","a":"A","b":"B"}`)
	commit(t, s, m, "2", `{"id":"x","a":null}`)
	if got := text(t, s, "SELECT quote(a) || ' ' || quote(b) FROM contacts"); got != "NULL 'B'" {
		t.Errorf("null and missing give %s", got)
	}
	commit(t, s, m, "3", `{"id":"y"}`)
	if got := text(t, s, "SELECT count(*) FROM contacts WHERE id = 'y' AND a IS NULL"); got != "1" {
		t.Errorf("a row of the key alone: %s", got)
	}
}

func TestSeenBefore(t *testing.T) {
	s := open(t, t.TempDir())
	m := mappingOf(t, "a text contact.a")
	ready(t, s, m)
	commit(t, s, m, "1", `{"id":"x","a":"first"}`)
	if out := commit(t, s, m, "1", `{"id":"x","a":"second"}`); !out.Duplicate {
		t.Errorf("got %+v", out)
	}
	if got := text(t, s, "SELECT a FROM contacts"); got != "first" {
		t.Errorf("a repeated id changed the row to %s", got)
	}
	// The same id twice within one commit.
	var group []mapping.Entry
	for _, v := range []string{"third", "fourth"} {
		body := `{"eventName":"contact.created","contact":{"id":"x","a":"` + v + `"}}`
		group = append(group, mapping.Enter(m, mapping.Delivery{ID: "2", Received: time.Unix(1795421009, 0), Body: []byte(body)}))
	}
	out, err := s.Commit(context.Background(), group)
	if err != nil || out[0].Duplicate || !out[1].Duplicate {
		t.Errorf("got %+v, %v", out, err)
	}
	if got := text(t, s, "SELECT a || (SELECT count(*) FROM loopmap_deliveries) FROM contacts"); got != "third2" {
		t.Errorf("got %s", got)
	}
}

func TestAwkwardNames(t *testing.T) {
	s := open(t, t.TempDir())
	if _, err := s.db.Exec(`CREATE TABLE canary (x); INSERT INTO canary VALUES (1)`); err != nil {
		t.Fatal(err)
	}
	names := []string{`a"b`, `x'); DROP TABLE canary; --`, "select", "naïve 列", "with\nnewline", "a.b", "%s", "?1", "[x]", "`tick`", " lead", "", strings.Repeat("n", 300), "€", ":p", "@p", "$p"}
	for i, table := range []string{"contacts", `t"; DROP TABLE canary; --`, "order", "名前", "a b"} {
		m := mapping.New("sqlite:contacts.db")
		m.Table = table
		contact := `{"k":"v"`
		for j, n := range names {
			if n == "" {
				continue
			}
			p := mapping.MakePath(mapping.Step{Key: "contact"}, mapping.Step{Key: "k"})
			m.Receive.Columns = append(m.Receive.Columns, mapping.Column{Name: n, Type: mapping.Text, From: p})
			_ = j
		}
		ready(t, s, m)
		body := `{"eventName":"contact.created","contactIdentity":{"id":"1"},"contact":` + contact + `}}`
		e := mapping.Enter(m, mapping.Delivery{ID: fmt.Sprint("n", i), Body: []byte(body)})
		out, err := s.Commit(context.Background(), []mapping.Entry{e})
		if err != nil || out[0].Status != mapping.Applied {
			t.Fatalf("table %q: %+v %v", table, out, err)
		}
		columns, err := s.Columns(context.Background(), table)
		if err != nil || len(columns) != len(names) {
			t.Errorf("table %q has %d columns, %v", table, len(columns), err)
		}
		for _, n := range names[:5] {
			if got := text(t, s, "SELECT "+quote(n)+" FROM "+quote(table)); got != "v" {
				t.Errorf("%q.%q holds %q", table, n, got)
			}
		}
		if p, err := s.Plan(context.Background(), m); err != nil || len(p.SQL) != 0 {
			t.Errorf("a second look wants to change something: %+v %v", p, err)
		}
	}
	if got := text(t, s, "SELECT count(*) FROM canary"); got != "1" {
		t.Error("the canary is dead")
	}
}

// A table of the user's own: nothing is dropped or retyped, columns that are not
// mapped stay, and what would change values is refused.
func TestUsersTable(t *testing.T) {
	s := open(t, t.TempDir())
	if _, err := s.db.Exec(`CREATE TABLE contacts (Id TEXT, Name VARCHAR(20) DEFAULT 'nobody', zip INTEGER, mrr REAL,
		at DATETIME, ok BOOLEAN, twice INT GENERATED ALWAYS AS (zip * 2), mine TEXT DEFAULT 'keep');
		INSERT INTO contacts (Id, zip) VALUES ('x', 1)`); err != nil {
		t.Fatal(err)
	}
	m := mappingOf(t, "name text contact.name", "zip text contact.zip", "twice integer contact.zip", "mrr integer contact.mrr", "extra json contact.extra")
	p, err := s.Plan(context.Background(), m)
	if err != nil || len(p.Misfits) != 3 || p.Err() == nil {
		t.Fatalf("misfits: %q %v", p.Misfits, err)
	}
	if err := s.Apply(context.Background(), p); err == nil {
		t.Error("a misfit is no error")
	}
	m = mappingOf(t, "name text contact.name", "zip integer contact.zip", "mrr number contact.mrr", "at time contact.at", "ok boolean contact.ok", "extra json contact.extra")
	p, err = s.Plan(context.Background(), m)
	want := []string{`ALTER TABLE "contacts" ADD COLUMN "extra" TEXT`, `CREATE UNIQUE INDEX "contacts_id_key" ON "contacts" ("id")`}
	if err != nil || strings.Join(p.SQL, "\n") != strings.Join(want, "\n") || len(p.Misfits) > 0 {
		t.Fatalf("plan: %+v %v", p, err)
	}
	ready(t, s, m)
	out := commit(t, s, m, "1", `{"id":"x","zip":9007199254740993,"mrr":12.5,"at":1795421000,"ok":true,"extra":{"b": 1.10}}`)
	if out.Status != mapping.Applied {
		t.Fatalf("%+v", out)
	}
	got := text(t, s, `SELECT Name||' '||zip||' '||mrr||' '||CAST(at AS TEXT)||' '||ok||' '||extra||' '||mine FROM contacts`)
	if got != `nobody 9007199254740993 12.5 2026-11-23T08:03:20Z 1 {"b": 1.10} keep` {
		t.Errorf("got %s", got)
	}
	if out := commit(t, s, m, "2", `{"id":"x","mrr":9007199254740993}`); out.Status != mapping.Quarantined || !strings.Contains(out.Reason, "REAL") {
		t.Errorf("REAL rounds, and yet: %+v", out)
	}
}

// A column that must have a value and gets none would refuse every row.
func TestRequiredColumn(t *testing.T) {
	s := open(t, t.TempDir())
	if _, err := s.db.Exec(`CREATE TABLE contacts (n INTEGER PRIMARY KEY NOT NULL, id TEXT UNIQUE, strictly TEXT NOT NULL, slack TEXT NOT NULL DEFAULT '')`); err != nil {
		t.Fatal(err)
	}
	p, err := s.Plan(context.Background(), mappingOf(t))
	if err != nil || len(p.Misfits) != 1 || !strings.Contains(p.Misfits[0], "column strictly is NOT NULL") {
		t.Errorf("%+v %v", p, err)
	}
	if p, err := s.Plan(context.Background(), mappingOf(t, "strictly text contact.x")); err != nil || p.Err() != nil {
		t.Errorf("%+v %v", p, err)
	}
}

func TestConstraintQuarantines(t *testing.T) {
	s := open(t, t.TempDir())
	if _, err := s.db.Exec(`CREATE TABLE contacts (id TEXT PRIMARY KEY, email TEXT UNIQUE, must TEXT NOT NULL DEFAULT 'x')`); err != nil {
		t.Fatal(err)
	}
	m := mappingOf(t, "email text contact.email", "must text contact.must")
	ready(t, s, m)
	commit(t, s, m, "1", `{"id":"a","email":"a@example.com"}`)
	for id, contact := range map[string]string{"2": `{"id":"b","email":"a@example.com"}`, "3": `{"id":"c","must":null}`} {
		out := commit(t, s, m, id, contact)
		if out.Status != mapping.Quarantined || !strings.Contains(out.Reason, "constraint") {
			t.Errorf("%s: %+v", contact, out)
		}
		if got := text(t, s, "SELECT status || ' ' || (reason IS NOT NULL) FROM loopmap_deliveries WHERE id = ?", id); got != "quarantined 1" {
			t.Errorf("the journal says %s", got)
		}
	}
	if _, err := s.db.Exec("DROP TABLE contacts"); err != nil {
		t.Fatal(err)
	}
	if out := commit(t, s, m, "4", `{"id":"d"}`); out.Status != mapping.Quarantined || !strings.Contains(out.Reason, "no such table") {
		t.Errorf("the table is gone, and: %+v", out)
	}
}

func TestJournal(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := context.Background()
	m := mappingOf(t, "a text contact.a")
	ready(t, s, m)
	hostile := "\x00\xff not json \r\n"
	raw := mapping.Enter(nil, mapping.Delivery{ID: "raw", Received: time.Unix(1795421003, 5e6), Body: []byte(hostile)})
	if _, err := s.Commit(ctx, []mapping.Entry{raw}); err != nil {
		t.Fatal(err)
	}
	commit(t, s, m, "ok", `{"id":"x"}`)
	r, err := s.Delivery(ctx, "raw")
	if err != nil || string(r.Body) != hostile || r.Status != mapping.Quarantined || r.Mapping != "" || !r.Received.Equal(time.Unix(1795421003, 5e6)) {
		t.Errorf("%+v %v", r, err)
	}
	list, err := s.Deliveries(ctx, Filter{})
	if err != nil || len(list) != 2 || list[0].ID != "ok" || list[0].RowKey != "x" || list[0].EventTime.Unix() != 1795421000 {
		t.Errorf("%+v %v", list, err)
	}
	if list, _ := s.Deliveries(ctx, Filter{Stale: "any", Oldest: true}); len(list) != 1 || list[0].ID != "raw" {
		t.Errorf("%+v", list)
	}
	if _, err := s.Delivery(ctx, "none"); err != ErrNoDelivery {
		t.Errorf("%v", err)
	}
}

// A delivery that came before the mapping becomes a row once there is one.
func TestRecommit(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := context.Background()
	d := mapping.Delivery{ID: "1", Body: []byte(`{"eventName":"contact.created","contact":{"id":"x","a":"A"}}`)}
	if _, err := s.Commit(ctx, []mapping.Entry{mapping.Enter(nil, d)}); err != nil {
		t.Fatal(err)
	}
	m := mappingOf(t, "a text contact.a")
	m.Hash = "abc"
	ready(t, s, m)
	for range 2 {
		out, err := s.Recommit(ctx, []mapping.Entry{mapping.Enter(m, d)})
		if err != nil || out[0].Status != mapping.Applied {
			t.Fatalf("%+v %v", out, err)
		}
	}
	if got := text(t, s, "SELECT a || (SELECT status || mapping || count(*) FROM loopmap_deliveries) FROM contacts"); got != "Aappliedabc1" {
		t.Errorf("got %s", got)
	}
}

// A delivery that is mapped late does not bring an older state back, and loses
// nothing that the newer ones do not say.
func TestRecommitKeepsTheNewer(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := context.Background()
	m := mappingOf(t, "n integer contact.n", "w text contact.w")
	m.Hash = "one"
	ready(t, s, m)
	old := mapping.Delivery{ID: "old", Body: []byte(`{"eventName":"contact.created","eventTime":1795420000,"contact":{"id":"x","n":"many","w":"W"}}`)}
	if out, err := s.Commit(ctx, []mapping.Entry{mapping.Enter(m, old)}); err != nil || out[0].Status != mapping.Quarantined {
		t.Fatalf("%+v %v", out, err)
	}
	commit(t, s, m, "new", `{"id":"x","n":2}`)
	if list, err := s.Deliveries(ctx, Filter{Stale: "one"}); err != nil || len(list) != 0 {
		t.Errorf("tried by this mapping: %v %v", list, err)
	}
	later := mappingOf(t, "n2 text contact.n", "w text contact.w")
	later.Hash = "two"
	ready(t, s, later)
	list, err := s.Deliveries(ctx, Filter{Stale: "two"})
	if err != nil || len(list) != 1 {
		t.Fatalf("%v %v", list, err)
	}
	out, err := s.Recommit(ctx, []mapping.Entry{mapping.Enter(later, list[0].Delivery)})
	if err != nil || out[0].Status != mapping.Applied {
		t.Errorf("%+v %v", out, err)
	}
	if got := text(t, s, "SELECT n || n2 || w FROM contacts"); got != "22W" {
		t.Errorf("the row holds %s", got)
	}
}

// A newer delivery that cannot be written again (its row would break a constraint
// by now) keeps what it said: the late one does not take the row back.
func TestLateAndRefused(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := context.Background()
	if _, err := s.db.Exec(`CREATE TABLE contacts (id TEXT PRIMARY KEY, n INTEGER, e TEXT UNIQUE); INSERT INTO contacts VALUES ('y', 0, 'taken')`); err != nil {
		t.Fatal(err)
	}
	first := mappingOf(t, "n integer contact.n")
	ready(t, s, first)
	commit(t, s, first, "new", `{"id":"x","n":2,"e":"taken"}`)
	today := mappingOf(t, "n integer contact.n", "e text contact.e")
	ready(t, s, today)
	old := mapping.Delivery{ID: "old", Body: []byte(`{"eventName":"contact.created","eventTime":1795420000,"contact":{"id":"x","n":1,"e":"mine"}}`)}
	for i, write := range []func() ([]mapping.Outcome, error){
		func() ([]mapping.Outcome, error) { return s.Commit(ctx, []mapping.Entry{mapping.Enter(today, old)}) },
		func() ([]mapping.Outcome, error) { return s.Recommit(ctx, []mapping.Entry{mapping.Enter(today, old)}) },
	} {
		out, err := write()
		if err != nil || out[0].Status != mapping.Applied || !strings.Contains(out[0].Reason, "newer") {
			t.Errorf("%d: %+v %v", i, out, err)
		}
		if got := text(t, s, "SELECT n || coalesce(e, '-') FROM contacts WHERE id = 'x'"); got != "2-" {
			t.Errorf("%d: the row went back to %s", i, got)
		}
	}
}

// Whatever order the events of one contact arrive in, live or late, the row ends
// the same. Within one second the order of arrival counts.
func TestOrderOfEvents(t *testing.T) {
	bodies := []string{`"a":"1","b":"1"`, `"a":"2"`, `"b":null,"c":"3"`, `"a":"4"`}
	for _, late := range []bool{false, true} {
		for i, order := range [][]int{{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}, {1, 3, 0, 2}, {0, 3, 1, 2}, {3, 0, 2, 1}} {
			s := open(t, t.TempDir())
			m := mappingOf(t, "a text contact.a", "b text contact.b", "c text contact.c")
			ready(t, s, m)
			var entries []mapping.Entry
			for _, k := range order {
				d := mapping.Delivery{ID: strconv.Itoa(k), Body: fmt.Appendf(nil, `{"eventName":"contact.created","eventTime":%d,"contact":{"id":"x",%s}}`, 1795421000+k, bodies[k])}
				if entries = append(entries, mapping.Enter(m, d)); late {
					entries[len(entries)-1] = mapping.Enter(nil, d)
				}
			}
			if _, err := s.Commit(context.Background(), entries); err != nil {
				t.Fatal(err)
			}
			if late {
				for k := range entries {
					entries[k] = mapping.Enter(m, entries[k].Delivery)
				}
				if _, err := s.Recommit(context.Background(), entries); err != nil {
					t.Fatal(err)
				}
			}
			if got := text(t, s, "SELECT a || coalesce(b, 'NULL') || c FROM contacts"); got != "4NULL3" {
				t.Errorf("late %v, order %d: %s", late, i, got)
			}
		}
	}
	s := open(t, t.TempDir())
	m := mappingOf(t, "a text contact.a")
	ready(t, s, m)
	for i, v := range []string{"first", "second"} { // in one second
		e := mapping.Enter(nil, mapping.Delivery{ID: strconv.Itoa(i), Body: fmt.Appendf(nil, `{"eventName":"contact.created","eventTime":1795421000,"contact":{"id":"x","a":%q}}`, v)})
		if _, err := s.Commit(context.Background(), []mapping.Entry{e}); err != nil {
			t.Fatal(err)
		}
	}
	list, err := s.Deliveries(context.Background(), Filter{Stale: "m", Oldest: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		if _, err := s.Recommit(context.Background(), []mapping.Entry{mapping.Enter(m, r.Delivery)}); err != nil {
			t.Fatal(err)
		}
	}
	if got := text(t, s, "SELECT a FROM contacts"); got != "second" {
		t.Errorf("in one second the last to arrive counts, not %s", got)
	}
}

// After a stop the database is one file, fit to be copied.
func TestCloseLeavesOneFile(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	m := mappingOf(t)
	ready(t, s, m)
	commit(t, s, m, "1", `{"id":"x"}`)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 1 {
		t.Errorf("left: %v %v", files, err)
	}
}

func TestLockedByAnother(t *testing.T) {
	dir := t.TempDir()
	s, other := open(t, dir), open(t, dir)
	m := mappingOf(t)
	ready(t, s, m)
	if _, err := s.writer.ExecContext(context.Background(), "PRAGMA busy_timeout = 50"); err != nil {
		t.Fatal(err)
	}
	if err := other.exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	e := mapping.Enter(m, mapping.Delivery{ID: "1", Body: []byte(`{"eventName":"contact.created","contact":{"id":"x"}}`)})
	if _, err := s.Commit(context.Background(), []mapping.Entry{e}); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("locked, and yet: %v", err)
	}
	if err := s.Ready(context.Background()); err == nil {
		t.Error("locked, and yet ready")
	}
	other.rollback()
	if out, err := s.Commit(context.Background(), []mapping.Entry{e}); err != nil || out[0].Status != mapping.Applied {
		t.Errorf("unlocked again: %+v %v", out, err)
	}
}

func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{1, 64} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			s := open(b, b.TempDir())
			m := mappingOf(b, "email text contact.email", "first text contact.firstName", "last text contact.lastName", "source text contact.source",
				"subscribed boolean contact.subscribed", "grp text contact.userGroup", "at time contact.createdAt")
			ready(b, s, m)
			body, err := os.ReadFile("../testdata/contact.created.json")
			if err != nil {
				b.Fatal(err)
			}
			i := 0
			for b.Loop() {
				group := make([]mapping.Entry, n)
				for k := range group {
					i++
					id := strconv.Itoa(i)
					group[k] = mapping.Enter(m, mapping.Delivery{ID: id, Body: []byte(strings.ReplaceAll(string(body), "uid00001", id))})
				}
				if _, err := s.Commit(context.Background(), group); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(i)/b.Elapsed().Seconds(), "deliveries/s")
		})
	}
}
