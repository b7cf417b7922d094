package table

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
)

// allTypes is a mapping with a column of each type, and odd names.
func (d *database) allTypes() *mapping.Mapping {
	return d.mapping("name text contact.name", "team_size integer contact.size", "score number contact.score",
		"vip boolean contact.vip", "seen time contact.seen", "lists json contact.mailingLists")
}

func fieldsOf(t *testing.T, s *Store, m *mapping.Mapping) []column.Field {
	t.Helper()
	columns, err := s.Columns(context.Background(), m.Table)
	if err != nil {
		t.Fatal(err)
	}
	return Fields(m, columns)
}

func pushRows(t *testing.T, s *Store, m *mapping.Mapping, q outgoing.Query) []outgoing.Row {
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
			rows := pushRows(t, s, m, outgoing.Query{Keys: []string{fmt.Sprint("c", i)}})
			if len(rows) != 1 || rows[0].Gone || len(rows[0].Told) != 1 || rows[0].Told[0].ID != delivery.ID {
				t.Fatalf("%+v", rows)
			}
			for j, c := range m.Columns() {
				got, w := rows[0].Cells[c.Name], want.Cells[j]
				if w.State == column.Missing {
					w.State = column.Null
				}
				if c.Type == column.JSON {
					got.Text, w.Text = strings.ReplaceAll(got.Text, " ", ""), strings.ReplaceAll(w.Text, " ", "")
				}
				if got != w {
					t.Errorf("row %d, column %s: got %+v, want %+v", i, c.Name, got, w)
				}
			}
		}
		if rows := pushRows(t, s, m, outgoing.Query{Keys: []string{"nobody", "c1"}}); !rows[0].Gone || rows[1].Gone {
			t.Errorf("%+v", rows)
		}
	})
}

// Values that others have put there in their own way.
func TestPushRowsReadWhatOthersWrote(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.open(), d.allTypes()
		ready(t, s, m)
		if d.d == column.SQLite {
			d.exec(`INSERT INTO contacts (id, name, team_size, score, vip, seen, lists) VALUES ('a', 'x', 7, 2.5, 1, '2026-11-23 08:00:00', 'no json'), ('b', x'ff00', 1.5, 1e300, 'yes', 'soon', '{}')`)
		} else {
			d.exec(`INSERT INTO contacts (id, name, team_size, score, vip, seen, lists) VALUES ('a', 'x', 7, 2.50, 't', '2026-11-23 10:00:00.5+02', '{"a": 1}'), ('b', '', 0, 'NaN', NULL, 'infinity', '1')`)
		}
		rows := pushRows(t, s, m, outgoing.Query{})
		var got []string
		for _, r := range rows {
			for _, name := range []string{"name", "team_size", "score", "vip", "seen", "lists"} {
				c := r.Cells[name]
				got = append(got, strings.TrimSpace(strings.Fields(c.Text + " -")[0]+fmt.Sprint(" ", c.State)))
			}
		}
		want := []string{"x 2", "7 2", "2.5 2", "true 2", "2026-11-23T08:00:00Z 2", `"no 3`, "it 3", "1.5 3", "1e+300 2", `"yes" 3`, `"soon" 3`, "{} 2"}
		if d.d == column.Postgres {
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
			m.Receive.Columns[0].Type = column.Type(kind)
			ready(t, s, m)
			var values []string
			for i := range 1000 {
				values = append(values, fmt.Sprintf("('%d')", i))
			}
			d.exec("INSERT INTO " + quote(m.Table) + " (id) VALUES " + strings.Join(values, ", "))
			for _, page := range []int{77, 200} { // the last is full, and one more is empty
				seen := map[string]bool{}
				for after := ""; ; {
					rows := pushRows(t, s, m, outgoing.Query{After: after, Limit: page})
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
			if rows := pushRows(t, s, m, outgoing.Query{Keys: []string{"x", "5"}}); !rows[0].Gone || rows[1].Gone {
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
		save := func(key string, l outgoing.Line, drop ...string) {
			t.Helper()
			l.UpdatedAt = at
			at = at.Add(time.Second)
			if err := s.SavePushes(ctx, m.Table, []outgoing.Save{{RowKey: key, Kind: l.Kind, Line: l, Drop: drop}}); err != nil {
				t.Fatal(err)
			}
		}
		full := outgoing.Line{Kind: "up", IdempotencyKey: "k1", Status: outgoing.Pending, Code: 503, Message: "wait", Attempts: 3, Hash: "h", Tried: "i",
			Body: []byte(`{"a":"é"}`), SentAt: at, FirstAt: at.Add(time.Minute), NextAt: at.Add(time.Hour)}
		save("a", full)
		full.UpdatedAt = at.Add(-time.Second)
		if got := pushRows(t, s, m, outgoing.Query{Status: outgoing.Pending}); len(got) != 1 || !reflect.DeepEqual(got[0].Lines, []outgoing.Line{full}) {
			t.Errorf("got %+v\nwant %+v", got, full)
		}
		if got := pushRows(t, s, m, outgoing.Query{Status: outgoing.Pending, Due: at}); len(got) != 0 {
			t.Errorf("not due: %+v", got)
		}
		if next, ok, err := s.PushDue(ctx, m.Table); err != nil || !ok || !next.Equal(full.NextAt) {
			t.Error(next, ok, err)
		}
		save("b", outgoing.Line{Kind: "up", IdempotencyKey: "k1", Status: outgoing.Sent})
		if key, l, found, err := s.PushOwner(ctx, m.Table, "up", "k1"); err != nil || !found || key != "b" || l.Status != outgoing.Sent {
			t.Error("the one that was sent owns the key:", key, l, found, err)
		}
		if _, _, found, _ := s.PushOwner(ctx, m.Table, "down", "k1"); found {
			t.Error("another event's key")
		}
		save("a", outgoing.Line{Kind: "up", IdempotencyKey: "k2", Status: outgoing.Failed, Message: "no"}, "k1")
		newest, pending, err := s.PushesSince(ctx, m.Table)
		if err != nil || pending || !newest.Equal(at.Add(-time.Second)) {
			t.Error(newest, pending, err)
		}
		save("gone", outgoing.Line{Kind: "contact", Status: outgoing.Failed})
		rows := pushRows(t, s, m, outgoing.Query{Status: outgoing.Failed})
		if len(rows) != 2 || rows[0].Key != "a" || len(rows[0].Lines) != 1 || !rows[1].Gone {
			t.Errorf("%+v", rows)
		}
		save("gone", outgoing.Line{Kind: "contact"}, "")
		if counts, err := s.CountPushes(ctx, m.Table); err != nil || !reflect.DeepEqual(counts, map[outgoing.Status]int{outgoing.Sent: 1, outgoing.Failed: 1}) {
			t.Error(counts, err)
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
		text, err := migrationFiles.ReadFile("migrations/" + string(d.d) + "/001_deliveries.sql")
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
		if rows := pushRows(t, s, m, outgoing.Query{}); len(rows) != 1 || len(rows[0].Lines) != 0 {
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

// A row is found by its key however that is written, where the table does not care.
func TestPushRowsByAnySpelling(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.open(), d.mapping("plan text contact.plan")
		written, asked, named := "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
		declared := "uuid"
		if d.d == column.SQLite {
			declared, written, asked, named = "TEXT COLLATE NOCASE", "Ada", "ADA", "ada"
		}
		d.exec("CREATE TABLE contacts (id "+declared+" PRIMARY KEY, plan text)", "INSERT INTO contacts (id, plan) VALUES ('"+written+"', 'pro')")
		ready(t, s, m)
		rows := pushRows(t, s, m, outgoing.Query{Keys: []string{asked}})
		if len(rows) != 1 || rows[0].Gone || rows[0].Key != named || rows[0].Cells["plan"].Text != "pro" {
			t.Errorf("%+v", rows)
		}
	})
}
