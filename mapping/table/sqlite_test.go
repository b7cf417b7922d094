package table

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite/sqlitex"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

// What holds for SQLite alone.

func TestDurable(t *testing.T) {
	d := sqliteDatabase(t)
	s := d.open()
	var major, minor, patch int
	if _, err := fmt.Sscanf(sqliteText(t, s, "SELECT sqlite_version()"), "%d.%d.%d", &major, &minor, &patch); err != nil {
		t.Fatal(err)
	}
	// 3.51.2 and older lose committed rows (sqlite.org/wal.html, the WAL-reset bug).
	if major*1e6+minor*1e3+patch < 3051003 {
		t.Errorf("SQLite %d.%d.%d is older than 3.51.3", major, minor, patch)
	}
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2"} {
		if got := sqliteText(t, s, "PRAGMA "+pragma); got != want {
			t.Errorf("%s is %s, want %s", pragma, got, want)
		}
	}
}

// sqliteText asks the connection that writes.
func sqliteText(t testing.TB, s *Store, query string) string {
	t.Helper()
	st, _, err := s.engine.(*sqliteEngine).writer.PrepareTransient(query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Finalize() }()
	if _, err := st.Step(); err != nil {
		t.Fatal(err)
	}
	return st.ColumnText(0)
}

func TestOpenRefuses(t *testing.T) {
	d := sqliteDatabase(t)
	d.open().Close()
	good, err := os.ReadFile(filepath.Join(d.dir, "contacts.db"))
	if err != nil {
		t.Fatal(err)
	}
	flipped := []byte(string(good))
	for i := 100; i < 4096; i += 3 {
		flipped[i] ^= 0x5a
	}
	for name, c := range map[string]struct{ content, says string }{
		"text.db":      {strings.Repeat("this is no database\n", 300), "not a SQLite database"},
		"flipped.db":   {string(flipped), "damaged"},
		"truncated.db": {string(good[:len(good)-4096-100]), "damaged"},
	} {
		if err := os.WriteFile(filepath.Join(d.dir, name), []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(context.Background(), Options{URL: "sqlite:" + name, Dir: d.dir, Write: true})
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if now, err := os.ReadFile(filepath.Join(d.dir, name)); err != nil || string(now) != c.content {
			t.Errorf("%s was changed", name)
		}
	}
	for url, want := range map[string]string{
		"sqlite::memory:":                         "must be a file",
		"sqlite:.":                                "is a folder",
		"sqlite:none/a.db":                        "its folder is not there",
		"mysql://x":                               "a database is written",
		"postgres://u:secret@127.0.0.1:1/db":      "PostgreSQL cannot be reached",
		"postgres://u:secret@[::1/db?sslmode=xyz": "cannot be read",
		"sqlite:missing.db?":                      "",
	} {
		s, err := Open(context.Background(), Options{URL: url, Dir: d.dir, Write: true})
		if err == nil {
			s.Close()
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
	if _, err := Open(context.Background(), Options{URL: "sqlite:none.db", Dir: d.dir}); err == nil || !strings.Contains(err.Error(), ErrNoDatabase.Error()) {
		t.Errorf("a database that is not there: %v", err)
	}
	if _, err := os.Stat(filepath.Join(d.dir, "none.db")); err == nil {
		t.Error("looking made a database")
	}
	if info, err := os.Stat(filepath.Join(d.dir, "missing.db?")); runtime.GOOS != "windows" && (err != nil || info.Mode().Perm() != 0o600) {
		t.Errorf("the database's file: %v %v", info, err)
	}
}

// Numbers as JSON can write them, each into a text, an integer and a number
// column: what is stored is what was written, or the delivery is quarantined.
func TestNumbersArriveAsWritten(t *testing.T) {
	d := sqliteDatabase(t)
	s := d.open()
	numbers := []string{"0", "-0", "7", "-7", "120", "1249.5", "-0.5", "0.1", "12.50", "1.0", "1e3", "1E400", "1e-400", "1e+21", "1e-7",
		"9007199254740991", "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
		"123456789012345678901234567890", "0.1234567890123456789", "3.141592653589793", "0.30000000000000004", "100000000000000000000"}
	held := map[string][]string{}
	for _, typ := range []column.Type{column.Text, column.Integer, column.Number, column.JSON} {
		m := d.mapping("v " + string(typ) + " contact.v")
		m.Table = "t_" + string(typ)
		ready(t, s, m)
		for _, n := range numbers {
			out := commit(t, s, m, created(string(typ)+n, n, 0, `,"v":`+n))[0]
			if out.Status == mapping.Quarantined {
				if !strings.Contains(out.Reason, n) && !strings.Contains(out.Reason, "column v") {
					t.Errorf("%s into %s: the reason says nothing: %s", n, typ, out.Reason)
				}
				continue
			}
			held[string(typ)] = append(held[string(typ)], n)
			var v any
			if err := d.look.QueryRow(`SELECT v FROM "`+m.Table+`" WHERE id = ?`, n).Scan(&v); err != nil {
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

// A table of the user's own: nothing is dropped or retyped, columns that are not
// mapped stay, and what would change values is refused.
func TestUsersTable(t *testing.T) {
	d := sqliteDatabase(t)
	s := d.open()
	d.exec(`CREATE TABLE contacts (Id TEXT, Name VARCHAR(20) DEFAULT 'nobody', zip INTEGER, mrr REAL,
		at DATETIME, ok BOOLEAN, twice INT GENERATED ALWAYS AS (zip * 2), mine TEXT DEFAULT 'keep')`, "INSERT INTO contacts (Id, zip) VALUES ('x', 1)")
	m := d.mapping("name text contact.name", "zip text contact.zip", "twice integer contact.zip", "mrr integer contact.mrr", "extra json contact.extra")
	p, err := s.Plan(context.Background(), m)
	if err != nil || len(p.Misfits) != 3 || p.Err() == nil {
		t.Fatalf("misfits: %q %v", p.Misfits, err)
	}
	if err := s.Apply(context.Background(), p); err == nil {
		t.Error("a misfit is no error")
	}
	m = d.mapping("name text contact.name", "zip integer contact.zip", "mrr number contact.mrr", "at time contact.at", "ok boolean contact.ok", "extra json contact.extra")
	p, err = s.Plan(context.Background(), m)
	want := []string{`ALTER TABLE "contacts" ADD COLUMN "extra" TEXT`, `CREATE UNIQUE INDEX "contacts_id_loopmap" ON "contacts" ("id")`}
	if err != nil || strings.Join(p.SQL, "\n") != strings.Join(want, "\n") || len(p.Misfits) > 0 {
		t.Fatalf("plan: %+v %v", p, err)
	}
	ready(t, s, m)
	out := commit(t, s, m, created("1", "x", 0, `,"zip":9007199254740993,"mrr":12.5,"at":1795421000,"ok":true,"extra":{"b": 1.10}`))
	if out[0].Status != mapping.Applied {
		t.Fatalf("%+v", out)
	}
	got := d.text(`SELECT Name||' '||zip||' '||mrr||' '||CAST(at AS TEXT)||' '||ok||' '||extra||' '||mine FROM contacts`)
	if got != `nobody 9007199254740993 12.5 2026-11-23T08:03:20Z 1 {"b": 1.10} keep` {
		t.Errorf("got %s", got)
	}
	if out := commit(t, s, m, created("2", "x", 0, `,"mrr":9007199254740993`)); out[0].Status != mapping.Quarantined || !strings.Contains(out[0].Reason, "REAL") {
		t.Errorf("REAL rounds, and yet: %+v", out)
	}
}

// A column that must have a value and gets none would refuse every row.
func TestRequiredColumn(t *testing.T) {
	d := sqliteDatabase(t)
	s := d.open()
	d.exec(`CREATE TABLE contacts (n INTEGER PRIMARY KEY NOT NULL, id TEXT UNIQUE, strictly TEXT NOT NULL, slack TEXT NOT NULL DEFAULT '')`)
	p, err := s.Plan(context.Background(), d.mapping())
	if err != nil || len(p.Misfits) != 1 || !strings.Contains(p.Misfits[0], "column strictly is NOT NULL") {
		t.Errorf("%+v %v", p, err)
	}
	if p, err := s.Plan(context.Background(), d.mapping("strictly text contact.x")); err != nil || p.Err() != nil {
		t.Errorf("%+v %v", p, err)
	}
}

// After a stop the database is one file, fit to be copied.
func TestCloseLeavesOneFile(t *testing.T) {
	d := sqliteDatabase(t)
	s, m := d.open(), d.mapping()
	ready(t, s, m)
	commit(t, s, m, created("1", "x", 0, ""))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(d.dir, "*"))
	if err != nil || len(files) != 1 {
		t.Errorf("left: %v %v", files, err)
	}
}

func TestLockedByAnother(t *testing.T) {
	d := sqliteDatabase(t)
	s, m := d.open(), d.mapping()
	ready(t, s, m)
	s.engine.(*sqliteEngine).writer.SetBusyTimeout(50 * time.Millisecond)
	d.look.SetMaxOpenConns(1)
	d.exec("BEGIN IMMEDIATE")
	e := mapping.Enter(m, created("1", "x", 0, ""))
	if _, err := s.Commit(context.Background(), []mapping.Entry{e}); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("locked, and yet: %v", err)
	}
	if err := s.Ready(context.Background(), nil); err == nil {
		t.Error("locked, and yet ready")
	}
	d.exec("ROLLBACK")
	if out, err := s.Commit(context.Background(), []mapping.Entry{e}); err != nil || out[0].Status != mapping.Applied {
		t.Errorf("unlocked again: %+v %v", out, err)
	}
}

// A full disk loses nothing and tears nothing, and once there is space again the
// store goes on without being opened anew.
func TestDiskFull(t *testing.T) {
	d := sqliteDatabase(t)
	s, m := d.open(), d.mapping("a text contact.a")
	ready(t, s, m)
	// SQLite's own limit on pages gives the same error as a disk without space.
	w := s.engine.(*sqliteEngine).writer
	limit := func(pages int) {
		if err := sqlitex.ExecuteTransient(w, fmt.Sprintf("PRAGMA max_page_count = %d", pages), nil); err != nil {
			t.Fatal(err)
		}
	}
	limit(20)
	stored := 0
	var err error
	for ; err == nil && stored < 1000; stored++ {
		e := mapping.Enter(m, created(strconv.Itoa(stored), strconv.Itoa(stored), 0, `,"a":"`+strings.Repeat("x", 3000)+`"`))
		_, err = s.Commit(context.Background(), []mapping.Entry{e})
	}
	stored--
	if err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Fatalf("after %d: %v", stored, err)
	}
	failed := mapping.Enter(m, created("failed", "z", 0, ""))
	if err := s.Ready(context.Background(), &failed); err == nil {
		t.Error("full, and yet ready")
	}
	if got := d.text("SELECT count(*) || ' ' || (SELECT count(*) FROM contacts) FROM loopmap_deliveries"); got != fmt.Sprintf("%d %d", stored, stored) {
		t.Errorf("stored are %s, answered %d", got, stored)
	}
	limit(1 << 30)
	if err := s.Ready(context.Background(), &failed); err != nil {
		t.Error(err)
	}
	if out := commit(t, s, m, created("after", "y", 0, "")); out[0].Status != mapping.Applied {
		t.Errorf("%+v", out)
	}
	if got := d.text("PRAGMA integrity_check"); got != "ok" {
		t.Error(got)
	}
}

// A reader that never ends keeps SQLite from folding the WAL into the file: what
// comes is stored all the same.
func TestLongReader(t *testing.T) {
	d := sqliteDatabase(t)
	s, m := d.open(), d.mapping()
	ready(t, s, m)
	commit(t, s, m, created("first", "x", 0, ""))
	rows, err := d.look.Query("SELECT * FROM loopmap_deliveries") //nolint:rowserrcheck // it is left open
	if err != nil || !rows.Next() {
		t.Fatal(err)
	}
	defer rows.Close()
	for i := range 500 {
		commit(t, s, m, created(strconv.Itoa(i), strconv.Itoa(i), 0, `,"pad":"`+strings.Repeat("x", 10000)+`"`))
	}
}

// Written in bulk, also without new journal lines, the WAL stays short, and is gone when the
// store is closed.
func TestBulkFolds(t *testing.T) {
	d := sqliteDatabase(t)
	s, err := Open(context.Background(), Options{URL: d.url, Dir: d.dir, Write: true, Bulk: true})
	if err != nil {
		t.Fatal(err)
	}
	m := d.mapping("pad text contact.pad")
	ready(t, s, m)
	const n, together, pages, size = 1000, 20, 256, 4096
	s.engine.(*sqliteEngine).fold.pages = pages
	longest := int64(0)
	for _, write := range []struct {
		what string
		do   func(context.Context, []mapping.Entry) ([]mapping.Outcome, error)
	}{{"commit", s.Commit}, {"recommit", s.Recommit}} {
		for at := 0; at < n; at += together {
			var group []mapping.Entry
			for i := at; i < at+together; i++ {
				body := created(fmt.Sprintf("msg_%06d", i), fmt.Sprint(i), 0, `,"pad":"`+strings.Repeat(write.what[:1], 24_000)+`"`)
				group = append(group, mapping.Enter(m, body))
			}
			if _, err := write.do(context.Background(), group); err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(filepath.Join(d.dir, "contacts.db-wal"))
			if err != nil {
				t.Fatal(err)
			}
			if longest = max(longest, info.Size()); longest > (foldMost+1)*pages*size {
				t.Fatalf("%s: the WAL has %d bytes, more than %d", write.what, longest, (foldMost+1)*pages*size)
			}
		}
	}
	if longest < pages*size {
		t.Errorf("the WAL had %d bytes at most: nothing was tried", longest)
	}
	if got := d.text("SELECT count(*) || ' ' || min(pad) || max(pad) FROM contacts WHERE length(pad) = 24000 AND pad LIKE 'rrr%'"); !strings.HasPrefix(got, fmt.Sprint(n, " rrr")) {
		t.Errorf("the table has %.20s...", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(d.dir, "contacts.db-wal")); err == nil && info.Size() > 0 {
		t.Errorf("%d bytes are left in the WAL", info.Size())
	}
}

func BenchmarkCommit(b *testing.B) {
	body, err := os.ReadFile("../testdata/contact.created.json")
	if err != nil {
		b.Fatal(err)
	}
	for name, open := range map[string]func(testing.TB) *database{"sqlite": sqliteDatabase, "postgres": postgresDatabase} {
		for _, n := range []int{1, 64} {
			b.Run(fmt.Sprint(name, "/", n), func(b *testing.B) {
				d := open(b)
				f := d.files()
				s := f.open()
				m := f.mapping("", "email text contact.email", "first text contact.firstName", "last text contact.lastName", "source text contact.source",
					"subscribed boolean contact.subscribed", "grp text contact.userGroup", "at time contact.createdAt")
				ready(b, s, m)
				i := 0
				for b.Loop() {
					group := make([]mapping.Entry, n)
					for k := range group {
						i++
						id := fmt.Sprintf("msg_%c%07d", 'a'+k%26, i)
						group[k] = mapping.Enter(m, mapping.Delivery{ID: id, Received: time.Unix(start, 0), Body: []byte(strings.ReplaceAll(string(body), "uid00001", id))})
					}
					if _, err := s.Commit(context.Background(), group); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(i)/b.Elapsed().Seconds(), "deliveries/s")
			})
		}
	}
}
