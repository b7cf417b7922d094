package table

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"loopmap/mapping"
)

// A column that is retyped while rows are written changes no value: what comes waits, from
// the first delivery on and however often it is tried, until the column is as before.
func TestRetyped(t *testing.T) {
	t.Parallel() // it waits most of the time
	for name, x := range map[string]struct{ column, value, before, after string }{
		"date":         {"at time contact.v", `"2026-06-30T15:42:00Z"`, "timestamptz", "date"},
		"timestamp(0)": {"at time contact.v", `"2026-06-30T15:42:00.5Z"`, "timestamptz", "timestamp(0)"},
		"real":         {"n number contact.v", `1234.5678901`, "numeric", "real"},
		"numeric(5,1)": {"n number contact.v", `123.45`, "numeric", "numeric(5,1)"},
		"char(10)":     {"s text contact.v", `"ab"`, "text", "char(10)"},
		"varchar(2)":   {"s text contact.v", `"ab   "`, "text", "varchar(2)"},
		"money":        {"n number contact.v", `1.005`, "numeric", "money"},
		"name":         {"s text contact.v", `"` + strings.Repeat("x", 70) + `"`, "text", "name"},
	} {
		for _, way := range []string{"alone", "many", "late", "first", "mixed"} {
			t.Run(name+" "+way, func(t *testing.T) {
				d := postgresDatabase(t)
				s, m := d.open(), d.mapping(x.column)
				column, _, _ := strings.Cut(x.column, " ")
				ready(t, s, m)
				if way == "first" { // the keeper has looked, and nothing has come
					if _, err := s.Plan(context.Background(), m); err != nil {
						t.Fatal(err)
					}
				} else {
					commit(t, s, m, created("msg_0", "zero", 100, ""))
				}
				d.exec(fmt.Sprintf("ALTER TABLE contacts ALTER COLUMN %s TYPE %s USING %s::text::%s", column, x.after, column, x.after))
				var list []mapping.Delivery
				switch value := `,"v":` + x.value; way {
				case "late":
					list = append(list, created("msg_late", "zero", 0, value))
				case "many":
					for i := range 20 {
						list = append(list, created(fmt.Sprint("msg_", i+1), fmt.Sprint("c", i), 0, value))
					}
				case "mixed": // of two shapes, which one statement does not write
					list = append(list, created("msg_1", "a", 0, value), created("msg_2", "b", 0, ""))
				default:
					list = append(list, created("msg_1", "a", 0, value))
				}
				for range 3 {
					for i, o := range commit(t, s, m, list...) {
						if o.Status != mapping.Pending && !o.Duplicate || !o.Duplicate && !strings.Contains(o.Reason, "column "+column) {
							t.Fatalf("%s: %+v", list[i].ID, o)
						}
					}
					if n, err := mapAll(s, m); err != nil || n > 0 {
						t.Fatalf("%d applied, %v", n, err)
					}
					s.setHold(hold{}) // as time does
					list[0].ID += "x"
				}
				if got := d.text("SELECT count(*) FROM contacts WHERE " + column + " IS NOT NULL"); got != "0" {
					t.Errorf("%s rows are written", got)
				}
				d.exec(fmt.Sprintf("ALTER TABLE contacts ALTER COLUMN %s TYPE %s USING %s::text::%s", column, x.before, column, x.before))
				s.setHold(hold{})
				if n, err := mapAll(s, m); err != nil || n != len(list)+2 {
					t.Errorf("%d applied once it is mended, want %d, %v", n, len(list)+2, err)
				}
			})
		}
	}
}

// mapAll tries again what waits.
func mapAll(s *Store, m *mapping.Mapping) (applied int, err error) {
	list, err := s.Deliveries(context.Background(), Filter{Status: mapping.Pending, Oldest: true})
	var entries []mapping.Entry
	for _, r := range list {
		entries = append(entries, mapping.Enter(m, r.Delivery))
	}
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	out, err := s.Recommit(context.Background(), entries)
	for _, o := range out {
		if o.Status == mapping.Applied {
			applied++
		}
	}
	return applied, err
}

// Who has begun with a narrow column is held to it value by value, and may go on with
// another one that changes nothing.
func TestNarrowFromTheBeginning(t *testing.T) {
	d := postgresDatabase(t)
	s, m := d.open(), d.mapping("n number contact.n", "s text contact.s")
	d.exec("CREATE TABLE contacts (id text PRIMARY KEY, n numeric(5,1), s varchar(9))")
	ready(t, s, m)
	if o := commit(t, s, m, created("1", "a", 0, `,"n":1.5,"s":"x"`)); o[0].Status != mapping.Applied {
		t.Errorf("%+v", o)
	}
	d.exec("ALTER TABLE contacts ALTER n TYPE numeric, ALTER s TYPE text", "ALTER TABLE contacts ADD more int")
	if o := commit(t, s, m, created("2", "b", 0, `,"n":1.25,"s":"long enough"`)); o[0].Status != mapping.Applied {
		t.Errorf("%+v", o)
	}
	if got := d.text("SELECT n || s FROM contacts WHERE id = 'b'"); got != "1.25long enough" {
		t.Error(got)
	}
}

// The table is retyped by a transaction that the commit has to wait for.
func TestRetypedMeanwhile(t *testing.T) {
	d := postgresDatabase(t)
	s, m := d.open(), d.mapping("at time contact.at")
	ready(t, s, m)
	commit(t, s, m, created("msg_0", "zero", 0, `,"at":"2026-06-30T15:42:00Z"`))
	tx, err := d.look.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("ALTER TABLE contacts ALTER at TYPE date"); err != nil {
		t.Fatal(err)
	}
	done := make(chan []mapping.Outcome, 1)
	go func() { done <- commit(t, s, m, created("msg_1", "one", 0, `,"at":"2026-06-30T15:42:00Z"`)) }()
	for d.text("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'contacts'::regclass") == "0" {
		time.Sleep(5 * time.Millisecond)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if o := <-done; o[0].Status != mapping.Pending {
		t.Errorf("%+v", o)
	}
	if got := d.text("SELECT count(*) FROM contacts WHERE id = 'one'"); got != "0" {
		t.Error("a row is written")
	}
}

// SQLite's tables are retyped by making them anew.
func TestRetypedSQLite(t *testing.T) {
	d := sqliteDatabase(t)
	s, m := d.open(), d.mapping("s text contact.s", "n integer contact.n")
	ready(t, s, m)
	anew := func(columns string) {
		d.exec("DROP TABLE contacts", "CREATE TABLE contacts (id TEXT PRIMARY KEY, "+columns+")")
		s.setHold(hold{})
	}
	list := []mapping.Delivery{created("msg_1", "a", 0, `,"s":"007","n":9007199254740993`)}
	for i, columns := range []string{"s NUMERIC, n INTEGER", "s INT, n INTEGER", "s TEXT, n REAL"} {
		anew("s TEXT, n INTEGER")
		commit(t, s, m, created(fmt.Sprint("before_", i), "b", 0, `,"s":"008","n":1`))
		anew(columns)
		list[0].ID += "x"
		if o := commit(t, s, m, list...); o[0].Status != mapping.Pending {
			t.Errorf("%s: %+v", columns, o)
		}
	}
	anew("s TEXT, n INTEGER")
	if n, err := mapAll(s, m); err != nil || n != 3 {
		t.Errorf("%d applied, %v", n, err)
	}
	if got := d.text("SELECT s || n FROM contacts WHERE id = 'a'"); got != "0079007199254740993" {
		t.Error(got)
	}
}
