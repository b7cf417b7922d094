package table

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
)

func install(t testing.TB, s *Store, m *mapping.Mapping) Plan {
	t.Helper()
	p, err := s.PushTriggers(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(context.Background(), p); err != nil {
		t.Fatal(err)
	}
	return p
}

// watched is a store with a table whose triggers note what changes.
func (d *database) watched(columns ...string) (*Store, *mapping.Mapping) {
	d.t.Helper()
	s, m := d.open(), d.mapping(columns...)
	ready(d.t, s, m)
	install(d.t, s, m)
	return s, m
}

// changed are the keys in the outbox, sorted, each once; they are taken out.
func changed(t testing.TB, s *Store, m *mapping.Mapping) string {
	t.Helper()
	list, err := s.Changes(context.Background(), m, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for i, c := range list {
		keys = append(keys, c.Keys...)
		list[i].Keys = nil
	}
	if err := s.SettleChanges(context.Background(), list); err != nil {
		t.Fatal(err)
	}
	slices.Sort(keys)
	return strings.Join(slices.Compact(keys), " ")
}

func TestPushTriggers(t *testing.T) {
	for i, name := range []string{`people's "own"`, `a $loopmap0$ b`, `back\slash '' $1 ?`, "contacts", strings.Repeat("x", 63)} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			databases(t, func(t *testing.T, d *database) {
				s, m := d.open(), d.mapping("plan text contact.plan", "note text contact.note", "lists json contact.lists")
				m.Table = name
				ready(t, s, m)
				if p := install(t, s, m); len(p.SQL) == 0 || len(p.Notes) != len(p.SQL) {
					t.Errorf("%+v", p)
				}
				if p := install(t, s, m); len(p.SQL) != 0 {
					t.Errorf("they are there: %+v", p)
				}
				table := quote(m.Table)
				for _, c := range []struct{ sql, want string }{
					{"INSERT INTO " + table + " (id, plan) VALUES ('a', 'free'), ('b', NULL)", "a b"},
					{"UPDATE " + table + " SET plan = 'pro' WHERE id = 'a'", "a"},
					{"UPDATE " + table + " SET plan = 'pro', note = 'x'", "a b"},
					{"UPDATE " + table + " SET plan = 'none' WHERE id = 'nobody'", ""},
					{"UPDATE " + table + " SET id = 'c' WHERE id = 'b'", "c"},
					{"INSERT INTO " + table + " (id, plan) VALUES ('a', 'max'), ('e', '') ON CONFLICT (id) DO UPDATE SET plan = excluded.plan", "a e"},
					{"DELETE FROM " + table + " WHERE id = 'a'", ""},
				} {
					d.exec(c.sql)
					if got := changed(t, s, m); got != c.want {
						t.Errorf("%s: %q, want %q", c.sql, got, c.want)
					}
				}
				if d.d == column.SQLite {
					d.exec("INSERT OR IGNORE INTO "+table+" (id) VALUES ('d')", "UPDATE OR IGNORE "+table+" SET plan = '1' WHERE id = 'd'",
						"INSERT OR REPLACE INTO "+table+" (id) VALUES ('d')", "REPLACE INTO "+table+" (id) VALUES ('d')")
					if got := changed(t, s, m); got != "d" {
						t.Errorf("got %q", got)
					}
				}
				// A change between looking and settling stays.
				d.exec("UPDATE " + table + " SET plan = 'x' WHERE id = 'e'")
				list, _ := s.Changes(context.Background(), m, 10)
				d.exec("UPDATE " + table + " SET plan = 'late' WHERE id = 'e'")
				for i := range list {
					list[i].Keys = nil
				}
				if err := s.SettleChanges(context.Background(), list); err != nil {
					t.Fatal(err)
				}
				if got := changed(t, s, m); got != "e" {
					t.Errorf("a change was lost: %q", got)
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
		})
	}
}

// Rows without a key are written as if there were no triggers.
func TestPushTriggersLeaveRowsWithoutKey(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		d.exec("CREATE TABLE contacts (n integer, id text UNIQUE, plan text)")
		s, m := d.watched("plan text contact.plan")
		d.exec("INSERT INTO contacts (n, id) VALUES (1, NULL), (2, 'a'), (3, NULL)", "UPDATE contacts SET plan = 'x'",
			"UPDATE contacts SET id = NULL WHERE n = 2", "UPDATE contacts SET id = 'b' WHERE n = 3", "INSERT INTO contacts (n) VALUES (4)")
		if got := changed(t, s, m); got != "a b" {
			t.Errorf("got %q", got)
		}
	})
}

// What the user does to the table is not in the triggers' way, nor they in the user's.
func TestPushTriggersAndTheUsersSchema(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		d.exec("CREATE TABLE contacts (id text PRIMARY KEY, first text, last text, score integer, more text)")
		s, m := d.watched("first text contact.first", "last text contact.last", "more text contact.more")
		d.exec("INSERT INTO contacts (id) VALUES ('a')")
		if d.d == column.SQLite {
			d.exec("ALTER TABLE contacts ADD COLUMN full_name text GENERATED ALWAYS AS (first || ' ' || last) VIRTUAL", "ALTER TABLE contacts DROP COLUMN more",
				"ALTER TABLE contacts RENAME COLUMN last TO surname", "CREATE TRIGGER own AFTER UPDATE OF score ON contacts BEGIN UPDATE contacts SET first = new.score WHERE id = new.id; END")
		} else {
			d.exec("ALTER TABLE contacts ADD COLUMN full_name text GENERATED ALWAYS AS (first || ' ' || last) STORED", "ALTER TABLE contacts DROP COLUMN more",
				"ALTER TABLE contacts ALTER COLUMN score TYPE bigint, ALTER COLUMN id TYPE varchar(40)", "ALTER TABLE contacts RENAME COLUMN last TO surname",
				"CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN new.first := new.score; RETURN new; END'",
				"CREATE TRIGGER own BEFORE UPDATE OF score ON contacts FOR EACH ROW EXECUTE FUNCTION own()")
		}
		changed(t, s, m)
		for _, text := range []string{"UPDATE contacts SET score = 3", "UPDATE contacts SET surname = 'O'", "INSERT INTO contacts (id) VALUES ('a') ON CONFLICT (id) DO UPDATE SET score = 4"} {
			d.exec(text)
			if got := changed(t, s, m); got != "a" {
				t.Errorf("%s: %q", text, got)
			}
		}
		if d.d == column.SQLite {
			return // which renames what triggers name
		}
		// The key is another column now, then the outbox is gone: nothing is noted, nothing fails.
		d.exec("ALTER TABLE contacts RENAME COLUMN id TO key", "UPDATE contacts SET score = 4", "INSERT INTO contacts (key) VALUES ('b')",
			"ALTER TABLE contacts RENAME COLUMN key TO id", "ALTER TABLE loopmap_outbox RENAME TO away", "UPDATE contacts SET score = 5",
			"ALTER TABLE away RENAME TO loopmap_outbox", "ALTER TABLE contacts ALTER COLUMN id TYPE text", "UPDATE contacts SET score = 6")
		if got := changed(t, s, m); got != "a b" {
			t.Errorf("after the table is as it was: %q", got)
		}
	})
}

// A statement's own results are the same with triggers.
func TestPushTriggersShowNothing(t *testing.T) {
	d := postgresDatabase(t)
	d.exec("CREATE TABLE contacts (n bigserial, id text PRIMARY KEY)")
	d.watched()
	c, err := d.look.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var last, own int64
	for i := range 3 {
		if err := c.QueryRowContext(context.Background(), "INSERT INTO contacts (id) VALUES ($1) RETURNING n", fmt.Sprint(i)).Scan(&own); err != nil {
			t.Fatal(err)
		}
		if err := c.QueryRowContext(context.Background(), "SELECT lastval()").Scan(&last); err != nil || last != own {
			t.Errorf("lastval() is %d, and the row has %d: %v", last, own, err)
		}
	}
}

// A table whose rows are also written by its partitions or parents.
func TestPushTriggersOfPartitions(t *testing.T) {
	d := postgresDatabase(t)
	d.exec("CREATE TABLE contacts (id text PRIMARY KEY, plan text) PARTITION BY HASH (id)", "CREATE TABLE part PARTITION OF contacts FOR VALUES WITH (MODULUS 1, REMAINDER 0)")
	s, m := d.watched("plan text contact.plan")
	d.exec("INSERT INTO contacts VALUES ('a'), ('b')", "INSERT INTO part VALUES ('c')", "UPDATE part SET plan = 'x' WHERE id = 'a'")
	if got := changed(t, s, m); got != "a b c" {
		t.Errorf("got %q", got)
	}
	m.Table = "part"
	install(t, s, m)
	d.exec("UPDATE contacts SET plan = 'y'")
	if got := changed(t, s, m); got != "a b c" {
		t.Errorf("of a partition: %q", got)
	}
}

// Triggers that are gone, or of another version, are put back, and what those have noted
// is taken over.
func TestPushTriggersComeBack(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.watched("plan text contact.plan")
		if d.d == column.Postgres {
			d.exec("DROP FUNCTION loopmap_change_contacts CASCADE")
		} else {
			d.exec("DROP TRIGGER loopmap_update_contacts")
		}
		if p := install(t, s, m); len(p.SQL) == 0 {
			t.Error("nobody noticed that they are gone")
		}
		if d.d == column.Postgres {
			d.exec("DROP FUNCTION loopmap_change_contacts CASCADE", "CREATE FUNCTION loopmap_change_contacts() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
				"CREATE TRIGGER loopmap_update_contacts AFTER UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION loopmap_change_contacts()")
		} else {
			d.exec("DROP TRIGGER loopmap_update_contacts", "CREATE TRIGGER loopmap_update_contacts AFTER UPDATE ON contacts BEGIN SELECT 1; END")
		}
		d.exec("INSERT INTO loopmap_changes (table_name, row_key) VALUES ('contacts', 'z'), ('contacts', 'y')")
		install(t, s, m)
		if got := changed(t, s, m); got != "y z" {
			t.Errorf("got %q", got)
		}
	})
}

// Rows whose key is gone are noted, whichever way it went, where anything was sent for them.
func TestKeysThatAreGone(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		d.watched("plan text contact.plan")
		d.exec("INSERT INTO contacts (id) VALUES ('a'), ('b'), ('c')", "INSERT INTO loopmap_pushes (table_name, row_key, kind, status, attempts, updated_at) VALUES ('contacts', 'c', 'contact', 'sent', 1, '2026-11-23T08:00:00.000Z')",
			"DELETE FROM contacts WHERE id = 'a'")
		want := "a,c"
		if d.d == column.SQLite {
			d.exec("UPDATE contacts SET plan = 'x'", "UPDATE contacts SET id = 'z' WHERE id = 'c'", "UPDATE contacts SET id = id")
		} else {
			d.exec("TRUNCATE contacts")
		}
		if got := strings.TrimSpace(strings.ReplaceAll(d.lines("SELECT row_key FROM loopmap_gone ORDER BY row_key"), "\n", ",")); got != want+"," {
			t.Errorf("got %s", got)
		}
	})
}

// A table that is put in the place of another takes its triggers over, and takes them out.
func TestTablesSwapped(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.watched("plan text contact.plan")
		d.exec("ALTER TABLE contacts RENAME TO before", "CREATE TABLE contacts (id text PRIMARY KEY, plan text)")
		install(t, s, m)
		d.exec("INSERT INTO before (id) VALUES ('old')", "INSERT INTO contacts (id) VALUES ('new')", "DELETE FROM before")
		if got := changed(t, s, m); got != "new" || d.text("SELECT count(*) FROM loopmap_gone") != "0" {
			t.Errorf("got %q, gone %s", got, d.text("SELECT count(*) FROM loopmap_gone"))
		}
		d.exec("ALTER TABLE contacts RENAME TO middle", "CREATE TABLE contacts (id text PRIMARY KEY, plan text)")
		p, err := s.DropPushTriggers(context.Background(), "contacts")
		if err == nil {
			err = s.Apply(context.Background(), p)
		}
		if err != nil {
			t.Error(err)
		}
		if d.d == column.Postgres {
			install(t, s, m)
			d.exec("ALTER TABLE contacts DISABLE TRIGGER USER")
			if p := install(t, s, m); len(p.SQL) == 0 {
				t.Error("triggers that are disabled are taken for right")
			}
		}
	})
}

// Bytes as a key name no row: they are counted, and keep no other row from being sent.
func TestBytesAsKeys(t *testing.T) {
	d := sqliteDatabase(t)
	d.exec("CREATE TABLE contacts (id TEXT PRIMARY KEY NOT NULL, plan TEXT)")
	s, m := d.watched("plan text contact.plan")
	d.exec("INSERT INTO contacts VALUES (x'616263', 'bytes'), ('abc', 'text'), (x'ff', 'more')")
	if got := changed(t, s, m); got != "abc" {
		t.Errorf("got %q", got)
	}
	if rows := pushRows(t, s, m, outgoing.Query{Limit: 10}); len(rows) != 1 || rows[0].Cells["plan"].Text != "text" {
		t.Errorf("%+v", rows)
	}
	if n, err := s.Keyless(context.Background(), m); err != nil || n != 2 {
		t.Errorf("%d are counted: %v", n, err)
	}
}

// Of a change that many rows have, those that are through go.
func TestSettleChanges(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.watched("n integer contact.n")
		d.exec("INSERT INTO contacts (id) VALUES ('a'), ('b'), ('c')")
		list, err := s.Changes(context.Background(), m, 10)
		if err != nil {
			t.Fatal(err)
		}
		for i := range list {
			list[i].Keys = slices.DeleteFunc(list[i].Keys, func(key string) bool { return key != "b" })
		}
		for range 2 { // the second time it is another change
			if err := s.SettleChanges(context.Background(), list); err != nil {
				t.Fatal(err)
			}
		}
		if got := changed(t, s, m); got != "b" {
			t.Errorf("got %q", got)
		}
	})
}

// Who may write the table alone needs no rights on the outbox.
func TestPushTriggersForOtherRoles(t *testing.T) {
	d := postgresDatabase(t)
	s, m := d.watched("plan text contact.plan")
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
		s, m := d.watched("n integer contact.n")
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
			list, err := s.Changes(context.Background(), m, 7)
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == 0 && ended {
				break
			}
			var keys []string
			for i, c := range list {
				keys = append(keys, c.Keys...)
				list[i].Keys = nil
			}
			if len(keys) > 0 {
				for _, r := range pushRows(t, s, m, outgoing.Query{Keys: keys}) {
					seen[r.Key] = r.Cells["n"].Text
				}
			}
			if err := s.SettleChanges(context.Background(), list); err != nil {
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
		s, m := d.watched("n integer contact.n")
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
