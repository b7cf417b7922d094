package table

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/column"
)

// The promises of a Store, the same on every database.

func TestNullAndMissing(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.open(), d.mapping("a text contact.a", "b text contact.b")
		ready(t, s, m)
		commit(t, s, m, created("1", "x", 0, `,"a":"A","b":"B"`))
		commit(t, s, m, created("2", "x", 1, `,"a":null`))
		if got := d.text("SELECT coalesce(a, 'NULL') || ' ' || coalesce(b, 'NULL') FROM contacts"); got != "NULL B" {
			t.Errorf("null and missing give %s", got)
		}
		commit(t, s, m, created("3", "y", 0, ""))
		if got := d.text("SELECT count(*) FROM contacts WHERE id = 'y' AND a IS NULL"); got != "1" {
			t.Errorf("a row of the key alone: %s", got)
		}
	})
}

// All types arrive, in a table that loopmap made.
func TestTypes(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s := d.open()
		m := d.mapping("t text contact.t", "i integer contact.i", "n number contact.n", "b boolean contact.b", "at time contact.at", "j json contact.j")
		ready(t, s, m)
		out := commit(t, s, m, created("1", "x", 0, `,"t":"007 ünï 列 'quoted' \"x\" \\ \n","i":9223372036854775807,"n":1249.5,"b":true,"at":1795421000,"j":{"a":[1.10,"é"]}`))
		if out[0].Status != mapping.Applied {
			t.Fatalf("%+v", out)
		}
		if p, err := s.Plan(context.Background(), m); err != nil || len(p.SQL)+len(p.Misfits) > 0 {
			t.Errorf("a table of our own does not fit: %+v %v", p, err)
		}
		for query, want := range map[string]string{
			"SELECT t FROM contacts":                                    "007 ünï 列 'quoted' \"x\" \\ \n",
			"SELECT i FROM contacts":                                    "9223372036854775807",
			"SELECT n FROM contacts":                                    "1249.5",
			"SELECT CASE WHEN b THEN 'yes' ELSE 'no' END FROM contacts": "yes",
			map[column.Dialect]string{column.SQLite: "SELECT CAST(at AS TEXT) FROM contacts", column.Postgres: `SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') FROM contacts`}[d.d]: "2026-11-23T08:03:20Z",
			"SELECT j ->> '$.a[0]' || '' FROM contacts": "1.1",
		} {
			if d.d == column.Postgres && strings.Contains(query, "->>") {
				query, want = "SELECT j -> 'a' ->> 0 FROM contacts", "1.10"
			}
			if got := d.text(query); got != want {
				t.Errorf("%s gives %q, want %q", query, got, want)
			}
		}
	})
}

func TestSeenBefore(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.open(), d.mapping("a text contact.a")
		ready(t, s, m)
		commit(t, s, m, created("1", "x", 0, `,"a":"first"`))
		if out := commit(t, s, m, created("1", "x", 9, `,"a":"second"`)); !out[0].Duplicate {
			t.Errorf("got %+v", out)
		}
		if got := d.text("SELECT a FROM contacts"); got != "first" {
			t.Errorf("a repeated id changed the row to %s", got)
		}
		// The same id twice within one commit, with and without a row.
		out := commit(t, s, m, created("2", "x", 1, `,"a":"third"`), created("2", "x", 1, `,"a":"fourth"`),
			event("3", "email.opened", "x", 0, ""), event("3", "email.opened", "x", 0, ""))
		if out[0].Duplicate || !out[1].Duplicate || out[2].Duplicate || !out[3].Duplicate {
			t.Errorf("got %+v", out)
		}
		if got := d.text("SELECT a || (SELECT count(*) FROM loopmap_deliveries) FROM contacts"); got != "third3" {
			t.Errorf("got %s", got)
		}
	})
}

// recommitPending writes what waits for rows that another process held locked, which a busy
// machine makes more of, until nothing waits.
func recommitPending(t *testing.T, s *Store, m *mapping.Mapping) {
	t.Helper()
	for range 20 {
		list, err := s.Deliveries(context.Background(), Filter{Status: mapping.Pending})
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			return
		}
		time.Sleep(triedFor / 2)
		for _, r := range list {
			if _, err := s.Recommit(context.Background(), []mapping.Entry{mapping.Enter(m, r.Delivery)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Fatal("rows wait for ever")
}

// Several processes on one table, one of which writes twice at once: each id has one
// effect, and each row ends as its newest event says.
func TestSeveralWriters(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		const ids, contacts = 300, 7
		m := d.mapping("a integer contact.a")
		first := d.open()
		ready(t, first, m)
		var all sync.WaitGroup
		fresh := make([]int, 4)
		for w, s := range []*Store{first, first, d.open(), d.open()} {
			all.Go(func() {
				order := rand.Perm(ids)
				for len(order) > 0 {
					n := min(len(order), 1+rand.IntN(12))
					var list []mapping.Delivery
					for _, i := range order[:n] {
						list = append(list, created(strconv.Itoa(i), strconv.Itoa(i%contacts), i, fmt.Sprintf(`,"a":%d`, i)))
					}
					order = order[n:]
					var entries []mapping.Entry
					for _, e := range list {
						entries = append(entries, mapping.Enter(m, e))
					}
					out, err := s.Commit(context.Background(), entries)
					if err != nil {
						t.Error(err)
						return
					}
					for _, o := range out {
						if !o.Duplicate {
							fresh[w]++
						}
					}
				}
			})
		}
		all.Wait()
		recommitPending(t, first, m)
		if n := fresh[0] + fresh[1] + fresh[2] + fresh[3]; n != ids {
			t.Errorf("%d effects of %d ids", n, ids)
		}
		for c := range contacts {
			newest := ids - 1 - (ids-1-c)%contacts
			if got := d.text("SELECT a FROM contacts WHERE id = ?", strconv.Itoa(c)); got != strconv.Itoa(newest) {
				t.Errorf("contact %d ends with %s, not with %d", c, got, newest)
			}
		}
	})
}

func TestAwkwardNames(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s := d.open()
		d.exec("CREATE TABLE canary (x int)", "INSERT INTO canary VALUES (1)")
		names := []string{`a"b`, `x'); DROP TABLE canary; --`, "select", "naïve 列", "with\nnewline", "a.b", "%s", "?1", "[x]", "`tick`", " lead", "€", ":p", "@p", "$p", "$1", "u.c1"}
		if d.d == column.SQLite {
			names = append(names, strings.Repeat("n", 300))
		} else {
			names = append(names, strings.Repeat("n", 63), "A", "a")
		}
		for i, table := range []string{"contacts", `t"; DROP TABLE canary; --`, "order", "名前", "a b"} {
			m := d.mapping()
			m.Table = table
			for _, n := range names {
				p := body.MakePath(body.Step{Key: "contact"}, body.Step{Key: "k"})
				m.Receive.Columns = append(m.Receive.Columns, mapping.Column{Name: n, Type: column.Text, From: p})
			}
			ready(t, s, m)
			if out := commit(t, s, m, created(fmt.Sprint("n", i), "1", 0, `,"k":"v"`)); out[0].Status != mapping.Applied {
				t.Fatalf("table %q: %+v", table, out)
			}
			columns, err := s.Columns(context.Background(), table)
			if err != nil || len(columns) != len(names)+1 {
				t.Errorf("table %q has %d columns, %v", table, len(columns), err)
			}
			for _, n := range names {
				if got := d.text("SELECT " + quote(n) + " FROM " + quote(table)); got != "v" {
					t.Errorf("%q.%q holds %q", table, n, got)
				}
			}
			if p, err := s.Plan(context.Background(), m); err != nil || len(p.SQL) != 0 {
				t.Errorf("a second look wants to change something: %+v %v", p, err)
			}
		}
		if got := d.text("SELECT count(*) FROM canary"); got != "1" {
			t.Error("the canary is dead")
		}
	})
}

// A row that the table refuses is quarantined alone; the others of its commit are
// written.
func TestConstraintQuarantines(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s := d.open()
		d.exec("CREATE TABLE contacts (id TEXT PRIMARY KEY, email TEXT UNIQUE, must TEXT NOT NULL DEFAULT 'x')")
		m := d.mapping("email text contact.email", "must text contact.must")
		ready(t, s, m)
		commit(t, s, m, created("1", "a", 0, `,"email":"a@example.com"`))
		out := commit(t, s, m, created("2", "b", 0, `,"email":"a@example.com"`), created("3", "c", 0, `,"must":null`),
			created("4", "d", 0, `,"email":"d@example.com"`), created("5", "e", 0, ``))
		for i, want := range []mapping.Status{mapping.Quarantined, mapping.Quarantined, mapping.Applied, mapping.Applied} {
			id := strconv.Itoa(i + 2)
			if out[i].Status != want || want == mapping.Quarantined && !strings.Contains(out[i].Reason, "constraint") {
				t.Errorf("%s: %+v", id, out[i])
			}
			if got := d.text("SELECT status FROM loopmap_deliveries WHERE id = ?", id); got != string(want) {
				t.Errorf("the journal says %s of %s", got, id)
			}
		}
		if got := d.text("SELECT count(*) FROM contacts"); got != "3" {
			t.Errorf("%s rows", got)
		}
	})
}

// One commit has deliveries that are new, were there before, are late, are twice in it,
// have nothing to do with a row, and make no row, among few and among many others.
func TestMixedCommit(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s := d.open()
		m := d.mapping("name text contact.name")
		ready(t, s, m)
		for _, others := range []int{0, 20, 300} {
			at := func(what string) string { return fmt.Sprint(others, ".", what) }
			named := func(id, contact string, seconds int, name string) mapping.Delivery {
				return created(at(id), at(contact), seconds, `,"name":"`+name+`"`)
			}
			commit(t, s, m, named("old", "old", 0, "old"), named("newer", "late", 9, "newer"))
			list := []mapping.Delivery{
				named("new", "new", 0, "new"),
				named("old", "again", 0, "again"),
				named("late", "late", 5, "late"),
				named("twice", "twice", 0, "first"),
				named("twice", "twice", 0, "second"),
				event(at("other"), "email.sent", at("other"), 0, ""),
				named("unfit", "unfit", 0, "unfit"),
				named("after", "new", 1, "after"),
			}
			list[6].Body = []byte(`{"eventName":"contact.created"}`)
			for i := range others {
				list = append(list, named(fmt.Sprint("more", i), fmt.Sprint("more", i), 0, "more"))
			}
			out := commit(t, s, m, list...)
			for i, want := range []mapping.Outcome{{Status: mapping.Applied}, {Status: mapping.Applied, Duplicate: true}, {Status: mapping.Applied}, {Status: mapping.Applied},
				{Status: mapping.Applied, Duplicate: true}, {Status: mapping.Ignored}, {Status: mapping.Quarantined}, {Status: mapping.Applied}} {
				if out[i].Status != want.Status || out[i].Duplicate != want.Duplicate {
					t.Errorf("%d others, %s: %+v, want %+v", others, list[i].ID, out[i], want)
				}
			}
			for contact, want := range map[string]string{"new": "after", "old": "old", "again": "", "late": "newer", "twice": "first", "unfit": ""} {
				if got := d.text("SELECT coalesce(max(name), '') FROM contacts WHERE id = ?", at(contact)); got != want {
					t.Errorf("%d others: %s is %q, want %q", others, contact, got, want)
				}
			}
			if got, want := d.text("SELECT count(*) FROM contacts WHERE name = 'more' AND id LIKE ?", at("%")), fmt.Sprint(others); got != want {
				t.Errorf("%s others have rows, want %s", got, want)
			}
			if got, want := d.text("SELECT count(*) FROM loopmap_deliveries WHERE id LIKE ?", at("%")), fmt.Sprint(8+others); got != want {
				t.Errorf("%s journal lines, want %s", got, want)
			}
		}
	})
}

// Also among so many that rows are written together.
func TestConstraintAmongMany(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s := d.open()
		d.exec("CREATE TABLE contacts (id TEXT PRIMARY KEY, email TEXT UNIQUE, must TEXT NOT NULL DEFAULT 'x')")
		m := d.mapping("email text contact.email", "must text contact.must")
		ready(t, s, m)
		for round, bad := range []map[int]bool{{}, {7: true, 20: true}, {0: true, 15: true, 39: true}} {
			var list []mapping.Delivery
			for i := range 40 {
				more := fmt.Sprintf(`,"email":"%d.%d@example.com","must":"round %d"`, round, i, round)
				if bad[i] {
					more = `,"email":"same","must":null`
				}
				list = append(list, created(fmt.Sprintf("%d.%d", round, i), fmt.Sprint("c", i), round, more))
			}
			for i, out := range commit(t, s, m, list...) {
				if want := map[bool]mapping.Status{false: mapping.Applied, true: mapping.Quarantined}[bad[i]]; out.Status != want {
					t.Errorf("round %d, %d: %+v", round, i, out)
				}
			}
			if got, want := d.text("SELECT count(*) FROM contacts WHERE must = ?", fmt.Sprint("round ", round)), fmt.Sprint(40-len(bad)); got != want {
				t.Errorf("round %d: %s rows, not %s", round, got, want)
			}
		}
	})
}

// The table is altered while deliveries come: the journal goes on, rows wait and
// the reason names the SQL; once the table is mended they are written.
func TestTableAltered(t *testing.T) {
	t.Parallel() // it waits most of the time
	ctx := context.Background()
	for name, alter := range map[string]struct{ breaks, mends, says string }{
		"column gone":    {"ALTER TABLE contacts DROP COLUMN b", "ALTER TABLE contacts ADD COLUMN b TEXT", "ADD COLUMN"},
		"column renamed": {"ALTER TABLE contacts RENAME COLUMN b TO c", "ALTER TABLE contacts RENAME COLUMN c TO b", "ADD COLUMN"},
		"table gone":     {"ALTER TABLE contacts RENAME TO old", "ALTER TABLE old RENAME TO contacts", "CREATE TABLE"},
		"key not unique": {"DROP INDEX by_id", "CREATE UNIQUE INDEX by_id ON contacts (id)", "CREATE UNIQUE INDEX"},
	} {
		t.Run(name, func(t *testing.T) {
			databases(t, func(t *testing.T, d *database) {
				s, m := d.open(), d.mapping("a integer contact.a", "b text contact.b")
				d.exec("CREATE TABLE contacts (id TEXT, a BIGINT, b TEXT)", "CREATE UNIQUE INDEX by_id ON contacts (id)")
				ready(t, s, m)
				commit(t, s, m, created("1", "x", 1, `,"a":1,"b":"B"`))
				d.exec(alter.breaks)
				for i := 2; i < 5; i++ {
					out := commit(t, s, m, created(strconv.Itoa(i), "x", i, fmt.Sprintf(`,"a":%d,"b":"B%d"`, i, i)), event(fmt.Sprint("o", i), "email.opened", "x", i, ""))
					if out[0].Status != mapping.Pending || !strings.Contains(out[0].Reason, alter.says) || out[1].Status != mapping.Ignored {
						t.Fatalf("%+v", out)
					}
				}
				if _, pending, err := s.Waiting(ctx); err != nil || pending != 3 {
					t.Errorf("%d wait, %v", pending, err)
				}
				d.exec(alter.mends)
				time.Sleep(holdFor + 50*time.Millisecond)
				commit(t, s, m, created("9", "x", 9, `,"a":9`))
				list, err := s.Deliveries(ctx, Filter{Stale: m.Hash, Oldest: true})
				if err != nil || len(list) != 3 {
					t.Fatalf("%d are stale, %v", len(list), err)
				}
				for _, r := range list {
					if out, err := s.Recommit(ctx, []mapping.Entry{mapping.Enter(m, r.Delivery)}); err != nil || out[0].Status != mapping.Applied {
						t.Errorf("%+v %v", out, err)
					}
				}
				if got := d.text("SELECT a || b || (SELECT count(*) FROM loopmap_deliveries WHERE status = 'applied') FROM contacts"); got != "9B45" {
					t.Errorf("the row ends as %s", got)
				}
			})
		})
	}
}

// What newly must have a value, and gets none, makes all rows wait; loopmap does
// not quarantine one after the other.
func TestRequiredColumnAppears(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.open(), d.mapping()
		ready(t, s, m)
		if d.d == column.SQLite {
			d.exec("DROP TABLE contacts", "CREATE TABLE contacts (id TEXT PRIMARY KEY, must TEXT NOT NULL)")
		} else {
			d.exec("ALTER TABLE contacts ADD COLUMN must TEXT NOT NULL")
		}
		out := commit(t, s, m, created("1", "x", 0, ""))
		if out[0].Status != mapping.Pending || !strings.Contains(out[0].Reason, "column must is NOT NULL") {
			t.Errorf("%+v", out)
		}
		if d.d == column.Postgres && !strings.Contains(out[0].Reason, `ALTER TABLE "contacts" ALTER COLUMN "must" DROP NOT NULL`) {
			t.Errorf("the SQL is not named: %s", out[0].Reason)
		}
	})
}

func TestJournal(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.open(), d.mapping("a text contact.a")
		ctx := context.Background()
		ready(t, s, m)
		hostile := "\x00\xff not json \r\n"
		commit(t, s, nil, mapping.Delivery{ID: "raw", Received: time.Unix(start+3, 5e6), Body: []byte(hostile)})
		commit(t, s, m, created("ok", "x", 0, ""), mapping.Delivery{ID: "empty", Received: time.Unix(start+4, 0)})
		r, err := s.Delivery(ctx, "raw")
		if err != nil || string(r.Body) != hostile || r.Status != mapping.Pending || r.Mapping != "" || !r.Received.Equal(time.Unix(start+3, 5e6)) {
			t.Errorf("%+v %v", r, err)
		}
		if r, err := s.Delivery(ctx, "empty"); err != nil || len(r.Body) != 0 || r.Forgotten || r.Status != mapping.Quarantined {
			t.Errorf("%+v %v", r, err)
		}
		list, err := s.Deliveries(ctx, Filter{})
		if err != nil || len(list) != 3 || list[1].ID != "ok" || list[1].RowKey != "x" || list[1].EventTime.Unix() != start || list[1].Mapping != m.Hash {
			t.Errorf("%+v %v", list, err)
		}
		for want, f := range map[string]Filter{
			"raw empty": {Stale: "any", Oldest: true},
			"raw":       {Stale: m.Hash, Oldest: true},
			"ok":        {Events: []string{"x", "contact.created"}},
			"empty":     {Status: mapping.Quarantined},
			"ok empty":  {Oldest: true, After: list[2].Seq},
			"empty ok":  {Since: time.Unix(start+4, 0)},
		} {
			var ids []string
			got, err := s.Deliveries(ctx, f)
			for _, r := range got {
				ids = append(ids, r.ID)
			}
			if err != nil || strings.Join(ids, " ") != want {
				t.Errorf("%+v finds %v, %v", f, ids, err)
			}
		}
		if _, err := s.Delivery(ctx, "none"); !errors.Is(err, ErrNoDelivery) {
			t.Errorf("%v", err)
		}
		quarantined, pending, err := s.Waiting(ctx)
		mark, err2 := s.Mark(ctx)
		if quarantined != 1 || pending != 1 || mark != list[0].Seq || err != nil || err2 != nil {
			t.Errorf("waiting %d %d, mark %d; %v %v", quarantined, pending, mark, err, err2)
		}
	})
}

// Bodies that are old are dropped, their ids stay, and what waits is kept.
func TestForget(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.open(), d.mapping("a text contact.a")
		ctx := context.Background()
		ready(t, s, m)
		const day = 86400
		old := func(x mapping.Delivery, days int) mapping.Delivery {
			x.Received = time.Unix(start, 0).AddDate(0, 0, -days)
			return x
		}
		for i := range 1200 {
			commit(t, s, m, old(created(fmt.Sprint("old", i), "x", -i-100*day, ""), 100))
			if i == 20 {
				break
			}
		}
		commit(t, s, m, old(event("ignored", "email.opened", "x", 0, ""), 91), old(created("misfit", "", 0, ""), 91), old(created("young", "x", -89*day, ""), 89))
		last, n, err := s.Forget(ctx, time.Unix(start, 0).AddDate(0, 0, -90), 0)
		if err != nil || n != 22 {
			t.Errorf("%d dropped, %v", n, err)
		}
		for id, want := range map[string]bool{"old3": true, "ignored": true, "misfit": false, "young": false} {
			if r, err := s.Delivery(ctx, id); err != nil || r.Forgotten != want || r.Forgotten == (len(r.Body) > 0) {
				t.Errorf("%s: %+v %v", id, r, err)
			}
		}
		if _, n, err = s.Forget(ctx, time.Unix(start, 0).AddDate(0, 0, -90), last); n != 0 || err != nil {
			t.Errorf("%d dropped twice, %v", n, err)
		}
		if out := commit(t, s, m, created("old3", "x", 0, "")); !out[0].Duplicate {
			t.Errorf("an id was forgotten: %+v", out)
		}
		// An event older than those whose bodies are gone does not take the row back.
		if out := commit(t, s, m, created("oldest", "x", -99-100*day, `,"a":"A"`)); out[0].Status != mapping.Applied || !strings.Contains(out[0].Reason, "newer") {
			t.Errorf("%+v", out)
		}
	})
}

// A delivery that came before the mapping becomes a row once there is one.
func TestRecommit(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.open(), d.mapping("a text contact.a")
		x := created("1", "x", 0, `,"a":"A"`)
		commit(t, s, nil, x)
		ready(t, s, m)
		for range 2 {
			out, err := s.Recommit(context.Background(), []mapping.Entry{mapping.Enter(m, x)})
			if err != nil || out[0].Status != mapping.Applied {
				t.Fatalf("%+v %v", out, err)
			}
		}
		if got := d.text("SELECT a || (SELECT max(status || mapping) || count(*) FROM loopmap_deliveries) FROM contacts"); got != "Aapplied"+m.Hash+"1" {
			t.Errorf("got %s", got)
		}
	})
}

// A delivery that is mapped late does not bring an older state back, and loses
// nothing that the newer ones do not say.
func TestRecommitKeepsTheNewer(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s := d.open()
		m := d.mapping("n integer contact.n", "w text contact.w")
		ready(t, s, m)
		out := commit(t, s, m, created("old", "x", -1000, `,"n":"many","w":"W"`))
		if out[0].Status != mapping.Quarantined {
			t.Fatalf("%+v", out)
		}
		commit(t, s, m, created("new", "x", 0, `,"n":2`))
		later := d.mapping("n2 text contact.n", "w text contact.w")
		ready(t, s, later)
		list, err := s.Deliveries(context.Background(), Filter{Stale: later.Hash})
		if err != nil || len(list) != 1 {
			t.Fatalf("%v %v", list, err)
		}
		out, err = s.Recommit(context.Background(), []mapping.Entry{mapping.Enter(later, list[0].Delivery)})
		if err != nil || out[0].Status != mapping.Applied {
			t.Errorf("%+v %v", out, err)
		}
		if got := d.text("SELECT n || n2 || w FROM contacts"); got != "22W" {
			t.Errorf("the row holds %s", got)
		}
	})
}

// A newer delivery that cannot be written again (its row would break a constraint
// by now) keeps what it said: the late one does not take the row back.
func TestLateAndRefused(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s := d.open()
		d.exec("CREATE TABLE contacts (id TEXT PRIMARY KEY, n BIGINT, e TEXT UNIQUE)", "INSERT INTO contacts VALUES ('y', 0, 'taken')")
		first := d.mapping("n integer contact.n")
		ready(t, s, first)
		commit(t, s, first, created("new", "x", 0, `,"n":2,"e":"taken"`))
		today := d.mapping("n integer contact.n", "e text contact.e")
		ready(t, s, today)
		old := mapping.Enter(today, created("old", "x", -1000, `,"n":1,"e":"mine"`))
		for i, write := range []func(context.Context, []mapping.Entry) ([]mapping.Outcome, error){s.Commit, s.Recommit} {
			out, err := write(context.Background(), []mapping.Entry{old})
			if err != nil || out[0].Status != mapping.Applied || !strings.Contains(out[0].Reason, "newer") {
				t.Errorf("%d: %+v %v", i, out, err)
			}
			if got := d.text("SELECT n || coalesce(e, '-') FROM contacts WHERE id = 'x'"); got != "2-" {
				t.Errorf("%d: the row went back to %s", i, got)
			}
		}
	})
}

// rules are those that issue an update, a deletion and a mailing list's.
func rules() []mapping.Rule {
	path := body.MakePath(body.Step{Key: "mailingList"}, body.Step{Key: "id"})
	return []mapping.Rule{
		{Event: "contact.unsubscribed", Set: []mapping.RuleValue{{Column: "sub", Type: column.Boolean, Value: "false"}}},
		{Event: "contact.mailingList.subscribed", If: []mapping.RuleCondition{{Path: path, Text: "vip"}}, Set: []mapping.RuleValue{{Column: "vip", Type: column.Boolean, Value: "true"}}},
		{Event: "contact.deleted", Delete: true},
	}
}

// Whatever order five events of one contact arrive in, in one commit, one by one, in
// two groups, or before there was a mapping, the row ends the same: also when all
// bear one second.
func TestOrderOfEvents(t *testing.T) {
	list := `,"mailingList":{"id":"vip"}`
	for name, c := range map[string]struct {
		events []mapping.Delivery
		want   string
	}{
		"updates": {[]mapping.Delivery{created("1", "x", 1, `,"a":"1","b":"1"`), created("2", "x", 2, `,"a":"2"`), created("3", "x", 3, `,"b":null,"c":"3"`),
			created("4", "x", 4, `,"a":"4"`), event("5", "contact.unsubscribed", "x", 5, "")}, "4 - 3 f -"},
		"one second": {[]mapping.Delivery{created("1", "x", 1, `,"a":"1","b":"1"`), created("2", "x", 1, `,"a":"2"`), created("3", "x", 1, `,"b":null,"c":"3"`),
			event("4", "contact.mailingList.subscribed", "x", 1, list), event("5", "contact.unsubscribed", "x", 1, "")}, "2 - 3 f t"},
		"rules": {[]mapping.Delivery{event("1", "contact.unsubscribed", "x", 0, ""), created("2", "x", 1, `,"a":"1"`), event("3", "contact.mailingList.subscribed", "x", 2, list),
			event("4", "contact.mailingList.subscribed", "x", 3, `,"mailingList":{"id":"other"}`), created("5", "x", 4, `,"b":"2"`)}, "1 2 - - t"},
		"deleted": {[]mapping.Delivery{created("1", "x", 1, `,"a":"1"`), created("2", "x", 2, `,"a":"2"`), event("3", "contact.unsubscribed", "x", 3, ""),
			event("4", "contact.deleted", "x", 3, ""), event("5", "contact.unsubscribed", "x", 4, "")}, "none"},
		"created again": {[]mapping.Delivery{created("1", "x", 1, `,"a":"1","b":"1"`), event("2", "contact.deleted", "x", 2, ""), created("3", "x", 3, `,"a":"3"`),
			event("4", "contact.mailingList.subscribed", "x", 4, list), event("5", "contact.unsubscribed", "x", 1, "")}, "3 - - - t"},
	} {
		t.Run(name, func(t *testing.T) {
			databases(t, func(t *testing.T, d *database) {
				s := d.open()
				m := d.mapping("a text contact.a", "b text contact.b", "c text contact.c")
				m.Receive.Rules = rules()
				ready(t, s, m)
				state := `SELECT coalesce((SELECT coalesce(a, '-') || ' ' || coalesce(b, '-') || ' ' || coalesce(c, '-') || ' ' ||
					CASE WHEN sub THEN 't' WHEN NOT sub THEN 'f' ELSE '-' END || ' ' || CASE WHEN vip THEN 't' WHEN NOT vip THEN 'f' ELSE '-' END FROM contacts), 'none')`
				step := 1
				if testing.Short() || d.d == column.Postgres {
					step = 7 // of the 120 orders
				}
				for i := 0; i < 120; i += step {
					order := permutation(c.events, i)
					way := i / step % 4
					d.exec("DELETE FROM contacts", "DELETE FROM loopmap_deliveries")
					switch way {
					case 0:
						commit(t, s, m, order...)
					case 1:
						for _, x := range order {
							commit(t, s, m, x)
						}
					case 2:
						commit(t, s, m, order[:2]...)
						commit(t, s, m, order[2:]...)
					case 3:
						commit(t, s, nil, order...)
						var entries []mapping.Entry
						for _, x := range order {
							entries = append(entries, mapping.Enter(m, x))
						}
						if _, err := s.Recommit(context.Background(), entries); err != nil {
							t.Fatal(err)
						}
					}
					if got := d.text(state); got != c.want {
						t.Fatalf("order %d, way %d: %s, want %s", i, way, got, c.want)
					}
				}
			})
		})
	}
}

// permutation is the nth order of a list.
func permutation(list []mapping.Delivery, n int) (out []mapping.Delivery) {
	rest := slices.Clone(list)
	for len(rest) > 0 {
		i := n % len(rest)
		n /= len(rest)
		out, rest = append(out, rest[i]), slices.Delete(rest, i, i+1)
	}
	return out
}

// Try says what would change, and changes nothing.
func TestTry(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s := d.open()
		m := d.mapping("a text contact.a")
		ready(t, s, m)
		list := []mapping.Delivery{created("1", "x", 0, `,"a":"A","b":12.5`), created("2", "y", 0, `,"a":"B"`), created("3", "z", 0, `,"a":"C"`)}
		commit(t, s, m, list...)
		d.exec("UPDATE contacts SET a = 'by hand' WHERE id = 'x'", "DELETE FROM contacts WHERE id = 'z'")
		entries := make([]mapping.Entry, 3)
		for i, x := range list {
			entries[i] = mapping.Enter(m, x)
		}
		out, changes, err := s.Try(context.Background(), entries)
		if err != nil || len(out) != 3 || len(changes) != 2 {
			t.Fatalf("%+v %+v %v", out, changes, err)
		}
		if c := changes[0]; c.Key != "x" || c.Before[1].Text != "by hand" || c.After[1].Text != "A" {
			t.Errorf("%+v", c)
		}
		if c := changes[1]; c.Key != "z" || c.Before != nil || c.After[1].Text != "C" {
			t.Errorf("%+v", c)
		}
		if got := d.text("SELECT count(*) || min(a) FROM contacts"); got != "2B" {
			t.Errorf("it changed the table: %s", got)
		}
	})
}
