package table

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

// allFields are all columns of the table, by the types of the mapping and their own.
func allFields(t *testing.T, s *Store, m *mapping.Mapping) []column.Field {
	t.Helper()
	columns, err := s.Columns(t.Context(), m.Table)
	if err != nil {
		t.Fatal(err)
	}
	return Present(m, Fields(m, columns), columns)
}

// keysRead are the first cells of the rows that are handed over.
func keysRead(t *testing.T, s *Store, m *mapping.Mapping, limit int) (keys []string) {
	t.Helper()
	err := s.EachRow(t.Context(), m, allFields(t, s, m), limit, func(c []RowCell) error {
		key := c[0].Text
		if c[0].State != column.Present {
			key = "NULL"
		}
		keys = append(keys, key)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// Each row is handed over once, in order, those without a key behind the others; and a
// limit is kept, whatever the parts are that rows are read in.
func TestEachRow(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		d.exec("CREATE TABLE contacts (id text UNIQUE, plan text)")
		s, m := d.open(), d.mapping("plan text contact.plan")
		const n = 3*rowsAtOnce + 7
		series := fmt.Sprintf("WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < %d) ", n)
		d.exec(series+`INSERT INTO contacts (id, plan) SELECT 'k' || (100000 + i), 'p' FROM g`,
			`INSERT INTO contacts (id, plan) VALUES (NULL, 'none'), (NULL, 'neither'), ('', 'empty')`)
		want := []string{""}
		for i := 1; i <= n; i++ {
			want = append(want, fmt.Sprint("k", 100000+i))
		}
		want = append(want, "NULL", "NULL")
		for _, limit := range []int{0, 1, rowsAtOnce, rowsAtOnce + 1, n + 1, n + 2, n + 100} {
			part := want
			if limit > 0 {
				part = want[:min(limit, len(want))]
			}
			if got := keysRead(t, s, m, limit); !slices.Equal(got, part) {
				t.Errorf("limit %d: %d rows, want %d", limit, len(got), len(part))
			}
		}
		stop := errors.New("stop")
		if err := s.EachRow(t.Context(), m, allFields(t, s, m), 0, func([]RowCell) error { return stop }); !errors.Is(err, stop) {
			t.Error(err)
		}
	})
}

// Rows that nothing tells apart, and a table without the key, are read all the same.
func TestEachRowWithoutKey(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		d.exec("CREATE TABLE contacts (id text, n integer)", "INSERT INTO contacts VALUES ('a', 1), ('a', 2), (NULL, 3)")
		s, m := d.open(), d.mapping()
		got := keysRead(t, s, m, 0)
		if slices.Sort(got); !slices.Equal(got, []string{"NULL", "a", "a"}) {
			t.Error(got)
		}
		if m.Key = "other"; len(keysRead(t, s, m, 2)) != 2 {
			t.Error("the limit is not kept")
		}
		if m.Table = "not there"; len(keysRead(t, s, m, 0)) != 0 {
			t.Error("a table that is not there has rows")
		}
	})
}

// A column of SQLite without a type holds numbers and texts side by side.
func TestEachRowOfMixedKeys(t *testing.T) {
	d := sqliteDatabase(t)
	d.exec("CREATE TABLE contacts (id PRIMARY KEY, n)")
	for i := range rowsAtOnce + 50 {
		d.exec(fmt.Sprintf("INSERT INTO contacts VALUES (%d, 1), ('t%d', 2)", i, i))
	}
	s, m := d.open(), d.mapping()
	got := keysRead(t, s, m, 0)
	if slices.Sort(got); len(slices.Compact(got)) != 2*(rowsAtOnce+50) {
		t.Errorf("%d rows", len(got))
	}
}

// Keys that the database compares in its own way are gone through in that way.
func TestEachRowOfPostgresKeys(t *testing.T) {
	d := postgresDatabase(t)
	for _, kind := range []string{"bigint", "uuid", "public.citext", "timestamptz"} {
		t.Run(kind, func(t *testing.T) {
			value := map[string]string{"bigint": "i", "uuid": "('00000000-0000-0000-0000-' || lpad(i::text, 12, '0'))::uuid",
				"public.citext": "(CASE WHEN i % 2 = 0 THEN 'A' ELSE 'a' END || i)::public.citext", "timestamptz": "now() + i * interval '1 second'"}[kind]
			if kind == "public.citext" {
				d.exec("CREATE EXTENSION IF NOT EXISTS citext SCHEMA public")
			}
			const n = 2*rowsAtOnce + 1
			d.exec("DROP TABLE IF EXISTS contacts", "CREATE TABLE contacts (id "+kind+" PRIMARY KEY)",
				fmt.Sprintf("INSERT INTO contacts SELECT %s FROM generate_series(1, %d) AS g(i)", value, n))
			s, m := d.open(), d.mapping()
			got := keysRead(t, s, m, 0)
			if slices.Sort(got); len(slices.Compact(got)) != n {
				t.Errorf("%d rows, want %d", len(got), n)
			}
		})
	}
}

// Values come as they are stored, to the last digit; what a column's type does not hold
// comes as text.
func TestEachRowExact(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		m := d.mapping("big integer contact.big", "exact number contact.exact", "shape json contact.shape")
		d.exec("CREATE TABLE contacts (id text PRIMARY KEY, big bigint, exact "+map[column.Dialect]string{column.SQLite: "NUMERIC",
			column.Postgres: "numeric"}[d.d]+", shape text, extra text)",
			`INSERT INTO contacts VALUES ('a', 9223372036854775807, 0.1, '{"n":1.10}', NULL), ('b', NULL, NULL, 'no json', 'x')`)
		s := d.open()
		var got []string
		if err := s.EachRow(t.Context(), m, allFields(t, s, m), 0, func(list []RowCell) error {
			for _, c := range list {
				got = append(got, fmt.Sprintf("%d:%s:%s", c.State, c.Text, c.Stored))
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		want := []string{"2:a:", "2:9223372036854775807:", "2:0.1:", `2:{"n":1.10}:`, "1::",
			"2:b:", "1::", "1::", `3:"no json" is not JSON:no json`, "2:x:"}
		if !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
}

// Large rows are read in small parts: what is held stays as small as it was, however
// many there are.
func TestEachRowMemory(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		const n, long = 150, 256 << 10 // 37 MiB
		d.exec("CREATE TABLE contacts (id integer PRIMARY KEY, plan text)")
		for i := range n / 50 {
			fill := map[column.Dialect]string{column.SQLite: "hex(zeroblob(%d))", column.Postgres: "repeat('00', %d)"}[d.d]
			d.exec(fmt.Sprintf("WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < 50) "+
				"INSERT INTO contacts SELECT %d + i, "+fill+" FROM g", i*50, long/2))
		}
		s, m := d.open(), d.mapping()
		fields := allFields(t, s, m)
		heap := func() uint64 {
			var mem runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&mem)
			return mem.HeapAlloc
		}
		before, rows, most := heap(), 0, uint64(0)
		if err := s.EachRow(t.Context(), m, fields, 0, func(c []RowCell) error {
			if rows++; len(c[1].Text) != long || strings.Trim(c[1].Text, "0") != "" {
				return fmt.Errorf("row %d is another", rows)
			}
			if rows%20 == 0 {
				most = max(most, heap())
			}
			return nil
		}); err != nil || rows != n {
			t.Fatal(rows, err)
		}
		if grown := int64(most) - int64(before); grown > 16<<20 {
			t.Errorf("%d MiB are held of %d", grown>>20, n*long>>20)
		}
	})
}
