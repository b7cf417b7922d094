package table

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"loopmap/mapping"
)

// allTypes is a mapping with a column of each type, and odd names.
func (d *database) allTypes() *mapping.Mapping {
	return d.mapping("name text contact.name", "team_size integer contact.size", "score number contact.score",
		"vip boolean contact.vip", "seen time contact.seen", "lists json contact.mailingLists")
}

func fieldsOf(t *testing.T, s *Store, m *mapping.Mapping) []mapping.Field {
	t.Helper()
	columns, err := s.Columns(context.Background(), m.Table)
	if err != nil {
		t.Fatal(err)
	}
	return Fields(m, columns)
}

func pushRows(t *testing.T, s *Store, m *mapping.Mapping, q mapping.PushQuery) []mapping.PushRow {
	t.Helper()
	rows, err := s.PushRows(context.Background(), m, fieldsOf(t, s, m), q)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// What a webhook writes is what sending reads, to the letter.
func TestPushRowsReadWhatWasWritten(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.open(), d.allTypes()
		ready(t, s, m)
		for i, attributes := range []string{
			`,"name":"O'Hara \"x\" 😀\n","size":9223372036854775807,"score":0.1,"vip":true,"seen":"2026-11-23T08:00:00.123Z","mailingLists":{"a":true}`,
			`,"name":"","size":-5,"score":-12345.678,"vip":false,"seen":1763000000,"mailingLists":[1,"x",null]`,
			`,"name":null,"size":null,"score":null,"vip":null,"seen":null,"mailingLists":null`,
			``,
		} {
			delivery := created(fmt.Sprint("msg_", i), fmt.Sprint("c", i), i, attributes)
			commit(t, s, m, delivery)
			want := mapping.Enter(m, delivery).Row
			rows := pushRows(t, s, m, mapping.PushQuery{Keys: []string{fmt.Sprint("c", i)}})
			if len(rows) != 1 || rows[0].Gone || len(rows[0].Told) != 1 || rows[0].Told[0].ID != delivery.ID {
				t.Fatalf("%+v", rows)
			}
			for j, c := range m.Columns() {
				got, w := rows[0].Cells[c.Name], want.Cells[j]
				if w.State == mapping.Missing {
					w.State = mapping.Null
				}
				if c.Type == mapping.JSON {
					got.Text, w.Text = strings.ReplaceAll(got.Text, " ", ""), strings.ReplaceAll(w.Text, " ", "")
				}
				if got != w {
					t.Errorf("row %d, column %s: got %+v, want %+v", i, c.Name, got, w)
				}
			}
		}
		if rows := pushRows(t, s, m, mapping.PushQuery{Keys: []string{"nobody", "c1"}}); !rows[0].Gone || rows[1].Gone {
			t.Errorf("%+v", rows)
		}
	})
}

// Values that others have put there in their own way.
func TestPushRowsReadWhatOthersWrote(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.open(), d.allTypes()
		ready(t, s, m)
		if d.d == mapping.SQLite {
			d.exec(`INSERT INTO contacts (id, name, team_size, score, vip, seen, lists) VALUES ('a', 'x', 7, 2.5, 1, '2026-11-23 08:00:00', 'no json'), ('b', x'ff00', 1.5, 1e300, 'yes', 'soon', '{}')`)
		} else {
			d.exec(`INSERT INTO contacts (id, name, team_size, score, vip, seen, lists) VALUES ('a', 'x', 7, 2.50, 't', '2026-11-23 10:00:00.5+02', '{"a": 1}'), ('b', '', 0, 'NaN', NULL, 'infinity', '1')`)
		}
		rows := pushRows(t, s, m, mapping.PushQuery{})
		var got []string
		for _, r := range rows {
			for _, name := range []string{"name", "team_size", "score", "vip", "seen", "lists"} {
				c := r.Cells[name]
				got = append(got, strings.TrimSpace(strings.Fields(c.Text + " -")[0]+fmt.Sprint(" ", c.State)))
			}
		}
		want := []string{"x 2", "7 2", "2.5 2", "true 2", "2026-11-23T08:00:00Z 2", `"no 3`, "it 3", "1.5 3", "1e+300 2", `"yes" 3`, `"soon" 3`, "{} 2"}
		if d.d == mapping.Postgres {
			want = []string{"x 2", "7 2", "2.50 2", "true 2", "2026-11-23T08:00:00.5Z 2", `{"a": 2`, "- 2", "0 2", `"NaN" 3`, "- 1", `"infinity" 3`, "1 2"}
		}
		if !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
}

func TestPushRowsInPages(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		for _, kind := range []string{"text", "integer"} {
			s, m := d.open(), d.mapping()
			m.Table = `odd "` + kind + `" ?`
			m.Receive.Columns[0].Type = mapping.Type(kind)
			ready(t, s, m)
			var values []string
			for i := range 1000 {
				values = append(values, fmt.Sprintf("('%d')", i))
			}
			d.exec("INSERT INTO " + quote(m.Table) + " (id) VALUES " + strings.Join(values, ", "))
			for _, page := range []int{77, 200} { // the last is full, and one more is empty
				seen := map[string]bool{}
				for after := ""; ; {
					rows := pushRows(t, s, m, mapping.PushQuery{After: after, Limit: page})
					for _, r := range rows {
						if seen[r.Key] || r.Gone {
							t.Fatalf("%s: row %s comes twice, or not at all", kind, r.Key)
						}
						seen[r.Key] = true
					}
					if len(rows) < page {
						break
					}
					after = rows[len(rows)-1].Key
				}
				if len(seen) != 1000 {
					t.Errorf("%s: %d rows", kind, len(seen))
				}
			}
			if rows := pushRows(t, s, m, mapping.PushQuery{Keys: []string{"x", "5"}}); !rows[0].Gone || rows[1].Gone {
				t.Errorf("%s: %+v", kind, rows)
			}
		}
	})
}

func TestSavePushes(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.open(), d.mapping()
		ready(t, s, m)
		d.exec("INSERT INTO contacts (id) VALUES ('a'), ('b')")
		ctx := context.Background()
		at := time.Date(2026, 11, 24, 5, 6, 7, 123e6, time.UTC)
		save := func(key string, l mapping.PushLine, drop ...string) {
			t.Helper()
			l.UpdatedAt = at
			at = at.Add(time.Second)
			if err := s.SavePushes(ctx, m.Table, []mapping.PushSave{{RowKey: key, Kind: l.Kind, Line: l, Drop: drop}}); err != nil {
				t.Fatal(err)
			}
		}
		full := mapping.PushLine{Kind: "up", IdempotencyKey: "k1", Status: mapping.PushPending, Code: 503, Message: "wait", Attempts: 3, Hash: "h", Tried: "i",
			Body: []byte(`{"a":"é"}`), SentAt: at, FirstAt: at.Add(time.Minute), NextAt: at.Add(time.Hour)}
		save("a", full)
		full.UpdatedAt = at.Add(-time.Second)
		if got := pushRows(t, s, m, mapping.PushQuery{Status: mapping.PushPending}); len(got) != 1 || !reflect.DeepEqual(got[0].Lines, []mapping.PushLine{full}) {
			t.Errorf("got %+v\nwant %+v", got, full)
		}
		if got := pushRows(t, s, m, mapping.PushQuery{Status: mapping.PushPending, Due: at}); len(got) != 0 {
			t.Errorf("not due: %+v", got)
		}
		if next, ok, err := s.PushDue(ctx, m.Table); err != nil || !ok || !next.Equal(full.NextAt) {
			t.Error(next, ok, err)
		}
		save("b", mapping.PushLine{Kind: "up", IdempotencyKey: "k1", Status: mapping.PushSent})
		if key, l, found, err := s.PushOwner(ctx, m.Table, "up", "k1"); err != nil || !found || key != "b" || l.Status != mapping.PushSent {
			t.Error("the one that was sent owns the key:", key, l, found, err)
		}
		if _, _, found, _ := s.PushOwner(ctx, m.Table, "down", "k1"); found {
			t.Error("another event's key")
		}
		save("a", mapping.PushLine{Kind: "up", IdempotencyKey: "k2", Status: mapping.PushFailed, Message: "no"}, "k1")
		newest, pending, err := s.PushesSince(ctx, m.Table)
		if err != nil || pending || !newest.Equal(at.Add(-time.Second)) {
			t.Error(newest, pending, err)
		}
		save("gone", mapping.PushLine{Kind: "contact", Status: mapping.PushFailed})
		rows := pushRows(t, s, m, mapping.PushQuery{Status: mapping.PushFailed})
		if len(rows) != 2 || rows[0].Key != "a" || len(rows[0].Lines) != 1 || !rows[1].Gone {
			t.Errorf("%+v", rows)
		}
		save("gone", mapping.PushLine{Kind: "contact"}, "")
		if counts, err := s.CountPushes(ctx, m.Table); err != nil || !reflect.DeepEqual(counts, map[mapping.PushStatus]int{mapping.PushSent: 1, mapping.PushFailed: 1}) {
			t.Error(counts, err)
		}
	})
}

func install(t *testing.T, s *Store, m *mapping.Mapping, columns ...string) Plan {
	t.Helper()
	p, err := s.PushTriggers(context.Background(), m, columns)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(context.Background(), p); err != nil {
		t.Fatal(err)
	}
	return p
}

func changed(t *testing.T, s *Store, m *mapping.Mapping) string {
	t.Helper()
	list, err := s.Changes(context.Background(), m.Table, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, c := range list {
		keys = append(keys, c.Key)
	}
	if err := s.DropChanges(context.Background(), m.Table, list); err != nil {
		t.Fatal(err)
	}
	return strings.Join(keys, " ")
}

func TestPushTriggers(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.open(), d.mapping("plan text contact.plan", "note text contact.note", "lists json contact.lists")
		m.Table = `people's "own"`
		ready(t, s, m)
		if p := install(t, s, m, "plan", "lists"); len(p.SQL) == 0 || len(p.Notes) != len(p.SQL) {
			t.Errorf("%+v", p)
		}
		if p := install(t, s, m, "plan", "lists"); len(p.SQL) != 0 {
			t.Errorf("they are there: %+v", p)
		}
		table := quote(m.Table)
		for _, c := range []struct{ sql, want string }{
			{"INSERT INTO " + table + " (id, plan) VALUES ('a', 'free'), ('b', NULL)", "a b"},
			{"UPDATE " + table + " SET plan = 'pro' WHERE id = 'a'", "a"},
			{"UPDATE " + table + " SET plan = 'pro', note = 'x'", "b"},
			{"UPDATE " + table + " SET plan = NULL WHERE id = 'b'", "b"},
			{"UPDATE " + table + " SET note = 'y'", ""},
			{"UPDATE " + table + ` SET lists = '{"a":1}' WHERE id = 'a'`, "a"},
			{"UPDATE " + table + ` SET lists = '{"a":1}' WHERE id = 'a'`, ""},
			{"UPDATE " + table + " SET id = 'c' WHERE id = 'b'", "c"},
			{"INSERT INTO " + table + " (id, plan) VALUES ('a', 'max') ON CONFLICT (id) DO UPDATE SET plan = excluded.plan", "a"},
			{"INSERT INTO " + table + " (id, plan) VALUES ('a', 'max') ON CONFLICT (id) DO UPDATE SET plan = excluded.plan", ""},
			{"DELETE FROM " + table + " WHERE id = 'a'", ""},
		} {
			if d.exec(c.sql); changed(t, s, m) != c.want {
				t.Errorf("%s: want %q", c.sql, c.want)
			}
		}
		if d.d == mapping.SQLite {
			d.exec("INSERT OR IGNORE INTO "+table+" (id) VALUES ('d')", "UPDATE OR IGNORE "+table+" SET plan = '1' WHERE id = 'd'", "INSERT OR REPLACE INTO "+table+" (id) VALUES ('d')")
			if got := changed(t, s, m); got != "d" {
				t.Errorf("got %q", got)
			}
		}
		// A change between looking and dropping stays.
		d.exec("INSERT INTO " + table + " (id) VALUES ('e')")
		list, _ := s.Changes(context.Background(), m.Table, 10)
		d.exec("UPDATE " + table + " SET plan = 'late' WHERE id = 'e'")
		if err := s.DropChanges(context.Background(), m.Table, list); err != nil {
			t.Fatal(err)
		}
		if got := changed(t, s, m); got != "e" {
			t.Errorf("a change was lost: %q", got)
		}
		if p := install(t, s, m, "note"); len(p.SQL) == 0 {
			t.Error("other columns need other triggers")
		}
		d.exec("UPDATE "+table+" SET plan = 'z'", "UPDATE "+table+" SET note = 'z' WHERE id = 'e'")
		if got := changed(t, s, m); got != "e" {
			t.Errorf("after the columns have changed: %q", got)
		}
		p, err := s.DropPushTriggers(context.Background(), m.Table)
		if err == nil {
			err = s.Apply(context.Background(), p)
		}
		if err != nil {
			t.Fatal(err)
		}
		if p, err := s.DropPushTriggers(context.Background(), m.Table); err != nil || len(p.SQL) != 0 {
			t.Error(p, err)
		}
		if d.exec("UPDATE " + table + " SET note = 'zz'"); changed(t, s, m) != "" {
			t.Error("the triggers are still there")
		}
	})
}

// Who may write the table alone needs no rights on the outbox.
func TestPushTriggersForOtherRoles(t *testing.T) {
	d := postgresDatabase(t)
	s, m := d.open(), d.mapping("plan text contact.plan")
	ready(t, s, m)
	install(t, s, m, "plan")
	role := fmt.Sprintf("writer_%08x", rand.Uint32())
	schema := d.text("SELECT current_schema()")
	d.exec("CREATE ROLE "+role, "GRANT USAGE ON SCHEMA "+schema+" TO "+role, "GRANT INSERT, UPDATE, SELECT ON contacts TO "+role)
	defer d.exec("DROP OWNED BY "+role, "DROP ROLE "+role)
	ctx := context.Background()
	c, err := d.look.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, text := range []string{"SET ROLE " + role, "SET search_path TO pg_catalog", "INSERT INTO " + schema + ".contacts (id) VALUES ('a')", "RESET ROLE", "RESET search_path"} {
		if _, err := c.ExecContext(ctx, text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	if got := changed(t, s, m); got != "a" {
		t.Errorf("got %q", got)
	}
}

// While others write the same rows, each row's last change is seen after it was made.
func TestChangesWhileOthersWrite(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.open(), d.mapping("n integer contact.n")
		ready(t, s, m)
		install(t, s, m, "n")
		const rows, each, writers = 20, 60, 4
		for i := range rows {
			d.exec(fmt.Sprintf("INSERT INTO contacts (id, n) VALUES ('%d', 0)", i))
		}
		var work sync.WaitGroup
		for w := range writers {
			work.Go(func() {
				for i := range each {
					text := fmt.Sprintf("UPDATE contacts SET n = %d WHERE id = '%d'", w*1000+i+1, rand.IntN(rows))
					if _, err := d.look.Exec(text); err != nil {
						t.Errorf("%s: %v", text, err)
					}
				}
			})
		}
		seen := map[string]string{}
		done := make(chan struct{})
		go func() { work.Wait(); close(done) }()
		for ended := false; ; {
			list, err := s.Changes(context.Background(), m.Table, 7)
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == 0 && ended {
				break
			}
			var keys []string
			for _, c := range list {
				keys = append(keys, c.Key)
			}
			if len(keys) > 0 {
				for _, r := range pushRows(t, s, m, mapping.PushQuery{Keys: keys}) {
					seen[r.Key] = r.Cells["n"].Text
				}
			}
			if err := s.DropChanges(context.Background(), m.Table, list); err != nil {
				t.Fatal(err)
			}
			select {
			case <-done:
				ended = true
			default:
			}
		}
		for i := range rows {
			if want := d.text("SELECT n FROM contacts WHERE id = ?", fmt.Sprint(i)); seen[fmt.Sprint(i)] != want {
				t.Errorf("row %d: its last change to %s was not seen, but %s", i, want, seen[fmt.Sprint(i)])
			}
		}
	})
}

func TestAwaitChanges(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.open(), d.mapping("n integer contact.n")
		ready(t, s, m)
		install(t, s, m, "n")
		short, cancel := context.WithTimeout(context.Background(), 400*time.Millisecond)
		defer cancel()
		if err := s.AwaitChanges(short, m.Table); err == nil {
			t.Error("nothing has changed")
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- s.AwaitChanges(ctx, m.Table) }()
		time.Sleep(100 * time.Millisecond)
		begun := time.Now()
		d.exec("INSERT INTO contacts (id) VALUES ('a')")
		if err := <-done; err != nil || time.Since(begun) > 2*time.Second {
			t.Error(err, time.Since(begun))
		}
	})
}

func TestLockPushes(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		ctx := context.Background()
		a, b := d.open(), d.open()
		held, unlock, ok, err := a.TryLockPushes(ctx)
		if err != nil || !ok || held.Err() != nil {
			t.Fatal(ok, err)
		}
		for _, s := range []*Store{a, b} {
			if _, _, ok, err := s.TryLockPushes(ctx); ok || err != nil {
				t.Fatal("two hold the lock", err)
			}
		}
		unlock()
		if held.Err() == nil {
			t.Error("held goes on after it was given back")
		}
		for try := 0; ; try++ { // PostgreSQL takes a moment to end a connection
			_, unlock, ok, err = b.TryLockPushes(ctx)
			if err != nil || try == 100 {
				t.Fatal(ok, err)
			}
			if ok {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		unlock()
	})
}

// A lock whose connection was cut says so.
func TestLockPushesIsLost(t *testing.T) {
	d := postgresDatabase(t)
	s := d.open()
	held, unlock, ok, err := s.TryLockPushes(context.Background())
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	defer unlock()
	d.exec("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1819242352 AND objid = hashtext(current_schema())::bigint & 4294967295 AND granted")
	select {
	case <-held.Done():
	case <-time.After(10 * time.Second):
		t.Error("nobody noticed")
	}
}

// A database of the version before has the journal alone.
func TestPushesOfAnOldDatabase(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		text, err := migrations.ReadFile("migrations/" + string(d.d) + "/001_deliveries.sql")
		if err != nil {
			t.Fatal(err)
		}
		d.exec(string(text), "CREATE TABLE contacts (id text PRIMARY KEY)", "INSERT INTO contacts VALUES ('a')")
		s, err := Open(context.Background(), Options{URL: d.url, Dir: d.dir})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		m := d.mapping()
		if rows := pushRows(t, s, m, mapping.PushQuery{}); len(rows) != 1 || len(rows[0].Lines) != 0 {
			t.Errorf("%+v", rows)
		}
		if counts, err := s.CountPushes(context.Background(), m.Table); err != nil || len(counts) != 0 {
			t.Error(counts, err)
		}
		d.open()
		if d.text("SELECT count(*) FROM loopmap_pushes") != "0" {
			t.Error("the tables are not made")
		}
	})
}
