package table

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
)

// Two ways of writing a key that the table holds for one name one row: for the order of
// events, for what is tried again, for what is sent, and for the lines of versions before.
func TestKeysAsTheTableComparesThem(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		tables := map[string][3]string{ // column, and two ways of writing one key
			"nocase": {"TEXT COLLATE NOCASE PRIMARY KEY NOT NULL", "Ada@Example.com", "ada@example.COM"},
			"rtrim":  {"TEXT COLLATE RTRIM PRIMARY KEY NOT NULL", "ada ", "ada  "},
		}
		if d.d == column.Postgres {
			d.exec("CREATE EXTENSION IF NOT EXISTS citext SCHEMA public")
			tables = map[string][3]string{
				"citext": {"public.citext PRIMARY KEY", "Ada@Example.com", "aDa@example.COM"},
				"uuid":   {"uuid PRIMARY KEY", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "{a0eebc999c0b4ef8bb6d6bb9bd380a11}"},
			}
		}
		s := d.open()
		for table, c := range tables {
			d.exec("CREATE TABLE " + table + " (id " + c[0] + ", a text)")
			m := d.mapping("a text contact.a")
			m.Table = table
			ready(t, s, m)
			install(t, s, m)
			one, other := strings.ReplaceAll(c[1], `"`, ""), c[2]
			commit(t, s, m, created(table+"1", one, 100, `,"a":"new"`))
			commit(t, s, m, created(table+"2", other, 0, `,"a":"old"`))
			if got := d.text("SELECT a FROM " + table); got != "new" {
				t.Errorf("%s: an older event overwrites a newer one: %s", table, got)
			}
			out := commit(t, s, m, created(table+"3", one, 200, `,"a":"x"`), created(table+"4", other, 201, `,"a":"y"`))
			if out[0].Status != mapping.Applied || out[1].Status != mapping.Applied || d.text("SELECT a FROM "+table) != "y" {
				t.Errorf("%s: together: %+v %s", table, out, d.text("SELECT a FROM "+table))
			}
			canonical := d.text("SELECT DISTINCT row_key FROM loopmap_deliveries WHERE id LIKE '" + table + "%'")
			if got := changed(t, s, m); got != canonical {
				t.Errorf("%s: the outbox says %q, the journal %q", table, got, canonical)
			}
			for _, key := range []string{one, other, canonical} {
				rows := pushRows(t, s, m, outgoing.Query{Keys: []string{key}})
				if len(rows) != 1 || rows[0].Gone || rows[0].Key != canonical || len(rows[0].Told) != 4 {
					t.Errorf("%s: %s is read as %+v", table, key, rows)
				}
			}
			// The versions before told rows apart by each way of writing.
			d.exec("UPDATE loopmap_deliveries SET row_key = '"+one+"' WHERE id IN ('"+table+"1', '"+table+"3')",
				"INSERT INTO loopmap_pushes (table_name, row_key, kind, status, attempts, updated_at) VALUES ('"+table+"', '"+one+"', 'contact', 'sent', 1, '2026-11-23T08:00:00.000Z')",
				"INSERT INTO loopmap_pushes (table_name, row_key, kind, status, attempts, updated_at) VALUES ('"+table+"', '"+other+"', 'contact', 'failed', 1, '2026-11-24T08:00:00.000Z')")
			for range 2 {
				if err := s.AdoptKeys(context.Background(), m); err != nil {
					t.Fatal(err)
				}
			}
			if got := d.text("SELECT count(DISTINCT row_key) || (SELECT min(row_key || status) || count(*) FROM loopmap_pushes WHERE table_name = '" + table + "') FROM loopmap_deliveries WHERE id LIKE '" + table + "%'"); got != "1"+canonical+"failed1" {
				t.Errorf("%s: adopted: %s", table, got)
			}
		}
	})
}

// A key that reads in more ways than one is refused while mapping, with the reason.
func TestKeysThatCannotNameRows(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s := d.open()
		refused := []string{"REAL", "NUMERIC", "DATETIME", "BOOLEAN", "DECIMAL(10,2)"}
		taken := []string{"TEXT", "VARCHAR(40)", "", "TEXT COLLATE NOCASE"}
		if d.d == column.Postgres {
			refused = []string{"timestamptz", "timestamp", "date", "inet", "numeric", "boolean", "double precision", "jsonb", `text COLLATE "nd"`, "bytea"}
			taken = []string{"text", "varchar(40)", "uuid", "kind"}
			d.exec(`CREATE COLLATION nd (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`, "CREATE TYPE kind AS ENUM ('a', 'b')")
		}
		for i, declared := range append(refused, taken...) {
			m := d.mapping()
			m.Table = fmt.Sprint("t", i)
			d.exec(fmt.Sprintf("CREATE TABLE t%d (id %s PRIMARY KEY)", i, declared))
			p, err := s.Plan(context.Background(), m)
			if err != nil {
				t.Fatal(err)
			}
			if is := i < len(refused); is != (len(p.Misfits) > 0) || is && !strings.Contains(strings.Join(p.Misfits, " "), "tell rows apart") {
				t.Errorf("key %s: %+v", declared, p.Misfits)
			}
		}
		for _, typ := range []column.Type{column.Number, column.Boolean, column.Time, column.JSON} {
			m := d.mapping()
			m.Table, m.Receive.Columns[0].Type = "unmade", typ
			if p, err := s.Plan(context.Background(), m); err != nil || len(p.Misfits) == 0 {
				t.Errorf("key of type %s: %+v %v", typ, p, err)
			}
		}
	})
}

// SQLite keeps numbers and texts beside each other in a column without a type.
func TestUntypedKeys(t *testing.T) {
	d := sqliteDatabase(t)
	d.exec("CREATE TABLE contacts (id PRIMARY KEY, a TEXT)")
	s, m := d.open(), d.mapping("a text contact.a")
	ready(t, s, m)
	install(t, s, m)
	d.exec("INSERT INTO contacts VALUES (5, 'number'), ('x', 'text')")
	if got := changed(t, s, m); got != "5 x" {
		t.Fatalf("got %q", got)
	}
	for key, want := range map[string]string{"5": "number", "x": "text"} {
		if rows := pushRows(t, s, m, outgoing.Query{Keys: []string{key}}); rows[0].Gone || rows[0].Cells["a"].Text != want {
			t.Errorf("%s: %+v", key, rows)
		}
	}
}
