package table

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/condition"
)

// walked are the keys of all rows that pages give from one end to the other.
func walked(t *testing.T, s *Store, m *mapping.Mapping, p Page) (keys []string, looked int) {
	t.Helper()
	fields := allFields(t, s, m)
	for range 10_000 {
		rows, err := s.TableRows(t.Context(), m, fields, p)
		if err != nil {
			t.Fatal(err)
		}
		looked += rows.Looked
		for i, r := range rows.List {
			keys = append(keys, r.Key)
			if r.Cells["id"].Text != r.Key {
				t.Fatalf("row %s has the cells of %s", r.Key, r.Cells["id"].Text)
			}
			// From a row on, with it, the same rows come again.
			if p.Where == nil && i == 1 {
				q := p
				q.From, q.With, q.Limit = r.Mark, true, 2
				same, err := s.TableRows(t.Context(), m, fields, q)
				if err != nil || len(same.List) == 0 || same.List[0].Key != r.Key || len(same.List) > 1 && i+1 < len(rows.List) && same.List[1].Key != rows.List[i+1].Key {
					t.Fatalf("from %s on: %v, %v", r.Key, same.List, err)
				}
			}
		}
		if rows.End {
			return keys, looked
		}
		if rows.Mark == "" || rows.Mark == p.From {
			t.Fatal("it does not go on")
		}
		p.From = rows.Mark
	}
	t.Fatal("it does not end")
	return nil, 0
}

// manyKinds is a table with rows that have no value, the same, and all kinds of values.
func manyKinds(d *database) *mapping.Mapping {
	d.exec("CREATE TABLE contacts (id text PRIMARY KEY, plan text, n integer, f double precision, at timestamp, ok boolean)",
		"INSERT INTO contacts (id, plan, n, f, at) SELECT * FROM (WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < 61) "+
			"SELECT 'k' || (i * 7919 % 101), CASE i % 4 WHEN 0 THEN 'pro' WHEN 1 THEN 'Free' WHEN 2 THEN '' END, "+
			"CASE WHEN i % 5 > 0 THEN i % 7 - 3 END, CASE WHEN i % 6 > 0 THEN i / 3.0 END, "+
			d.cast("CASE WHEN i % 3 > 0 THEN '2026-11-' || (10 + i % 9) || ' 10:00:00' END", "timestamp")+" FROM g) AS x")
	return d.mapping("plan text contact.plan", "n integer contact.n", "f number contact.f", "at time contact.at")
}

// cast is an expression of a type; SQLite takes it as it is.
func (d *database) cast(what, typ string) string {
	if d.d == column.Postgres {
		return "(" + what + ")::" + typ
	}
	return what
}

// Pages of whatever size, up and down, forth and back, give the rows as one question does.
func TestTableRowsInOrder(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.open(), manyKinds(d)
		for _, by := range []string{"id", "plan", "n", "at", "ok"} {
			for _, down := range []bool{false, true} {
				dir := ""
				if down {
					dir = " DESC"
				}
				want := strings.Fields(d.lines(fmt.Sprintf("SELECT id FROM contacts ORDER BY %s IS NULL, %[1]s%s, id%[2]s", by, dir)))
				for _, size := range []int{9, 100} {
					p := Page{Column: by, Down: down, Limit: size}
					if got, _ := walked(t, s, m, p); !slices.Equal(got, want) {
						t.Fatalf("by %s%s, %d at once:\n%v\nwant\n%v", by, dir, size, got, want)
					}
					p.Back = true
					got, _ := walked(t, s, m, p)
					if slices.Reverse(got); !slices.Equal(got, want) {
						t.Fatalf("by %s%s, %d at once, back:\n%v\nwant\n%v", by, dir, size, got, want)
					}
				}
			}
		}
	})
}

// A condition lets through the rows that meet it, however few are looked at in one go; what
// SQL can ask of it is not looked at.
func TestTableRowsWhere(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.open(), manyKinds(d)
		fields := allFields(t, s, m)
		for src, most := range map[string]int{
			`plan == "pro"`: 16, `plan in ["pro", "Free"] and n >= 2`: 10, `plan == nil`: 15, `n > 1 and f < 15`: 18, `2 <= n`: 18,
			`not (plan == "pro")`: 61, `plan == "pro" or n == 1`: 61, `f > 3.5`: 61, `at > date("2026-11-15")`: 61, `plan != "pro"`: 61,
			`lower(plan) == "free"`: 61, `n in [1, 2]`: 61, `plan == "nobody"`: 0,
		} {
			where, err := condition.Compile(src, fields)
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			err = s.EachRow(t.Context(), m, fields, 0, func(c []RowCell) error {
				cells := map[string]column.Cell{}
				for i, f := range fields {
					cells[f.Name] = c[i].Cell
				}
				if met, _ := where.Met(fields, cells, time.Now()); met {
					want = append(want, cells["id"].Text)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range []Page{{Limit: 10, Most: 25}, {Limit: 100, Most: 1000}, {Limit: 20, Most: 7, Column: "n", Down: true}} {
				p.Where, p.Now = where, time.Now()
				got, looked := walked(t, s, m, p)
				if p.Column != "" {
					slices.Sort(got)
					want = slices.Sorted(slices.Values(want))
				}
				if !slices.Equal(got, want) || looked > most {
					t.Errorf("%s: %v of %d looked at, want %v of at most %d", src, got, looked, want, most)
				}
			}
		}
	})
}

// A row comes with the last delivery about it and what it has sent; one without a key does
// not come, and is counted.
func TestTableRowsTell(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.open(), d.mapping("plan text contact.plan")
		ready(t, s, m)
		commit(t, s, m, created("1", "a", 0, `,"plan":"pro"`), created("2", "a", 1, `,"plan":"free"`), created("3", "b", 0, ""))
		d.exec("INSERT INTO loopmap_pushes (table_name, row_key, kind, idempotency_key, status, code, attempts, updated_at) " +
			"VALUES ('contacts', 'a', 'contact', '', 'sent', 200, 1, '2026-11-26T10:00:00.000Z')")
		rows, err := s.TableRows(t.Context(), m, allFields(t, s, m), Page{Limit: 10})
		if err != nil || len(rows.List) != 2 || !rows.End {
			t.Fatal(rows, err)
		}
		a, b := rows.List[0], rows.List[1]
		if a.Key != "a" || a.Came.ID != "2" || a.Came.Status != mapping.Applied || a.Came.Received.IsZero() || len(a.Lines) != 1 || len(a.Told) != 2 {
			t.Errorf("%+v", a)
		}
		if b.Key != "b" || b.Came.ID != "3" || len(b.Lines) != 0 {
			t.Errorf("%+v", b)
		}
		d.exec("INSERT INTO loopmap_pushes (table_name, row_key, kind, idempotency_key, status, attempts, updated_at) VALUES " +
			"('contacts', 'b', 'contact', '', 'failed', 1, '2026-11-26T10:00:00.000Z'), ('contacts', 'gone', 'x', 'k', 'failed', 1, '2026-11-26T10:00:00.000Z')")
		for _, p := range []Page{{Failed: true, Limit: 1}, {Failed: true, Limit: 10}, {Failed: true, Limit: 1, Back: true}} {
			if got, _ := walked(t, s, m, p); !slices.Equal(got, []string{"b"}) {
				t.Errorf("failed: %v", got)
			}
		}
		first, err := s.TableRows(t.Context(), m, allFields(t, s, m), Page{Failed: true, Limit: 1})
		if err != nil || len(first.List) != 1 {
			t.Fatal(first, err)
		}
		same, err := s.TableRows(t.Context(), m, allFields(t, s, m), Page{Failed: true, Limit: 5, From: first.List[0].Mark, With: true})
		if err != nil || len(same.List) != 1 || same.List[0].Key != "b" {
			t.Errorf("from a failed row on, with it: %+v, %v", same, err)
		}
		if n, err := s.Keyless(t.Context(), m); n != 0 || err != nil {
			t.Error(n, err)
		}
	})
}

// No question of a page reads more of the table than the page, where the key or an index has
// the order.
func TestTableRowsByIndex(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.open(), manyKinds(d)
		d.exec("CREATE INDEX by_n ON contacts (n)", "INSERT INTO contacts (id, n) SELECT id || '-' || n, n FROM contacts WHERE n IS NOT NULL")
		fields := allFields(t, s, m)
		for _, p := range []Page{{}, {Down: true}, {Back: true}, {From: `{"v":{"t":""},"k":{"t":"k5"}}`}, {Column: "n"},
			{Column: "n", From: `{"v":{"n":true,"t":"2"},"k":{"t":"k5"}}`}, {Column: "n", Down: true, From: `{"v":{"n":true,"t":"2"},"k":{"t":"k5"}}`}} {
			a := &asked{engine: s.engine}
			if d.d == column.Postgres {
				p.From = strings.Replace(p.From, `"n":true,`, "", 1) // which gives all as text
			}
			p.Limit = 5
			r := &pageReader{Store: &Store{engine: a}, m: m, fields: fields, p: p, declared: map[string]string{"id": "text", "n": "integer"}}
			if _, err := r.read(t.Context(), &Rows{}); err != nil {
				t.Fatal(err)
			}
			if plan := d.plan(a.text, a.args...); !strings.Contains(plan, "INDEX") && !strings.Contains(plan, "Index") ||
				strings.Contains(plan, "USE TEMP B-TREE FOR ORDER BY") || strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "-> Sort") {
				t.Errorf("%+v: %s\n%s", p, a.text, plan)
			}
		}
		if n, ok := s.Guess(t.Context(), "contacts"); d.d == column.SQLite && (!ok || n < 61) {
			t.Errorf("%d rows are guessed, %v", n, ok)
		}
		if plan := d.plan("SELECT count(*) FROM contacts WHERE " + s.noKey("id")); !strings.Contains(strings.ToLower(plan), "index") {
			t.Errorf("rows without a key: %s", plan)
		}
	})
}

// asked is an engine that remembers what it was asked last.
type asked struct {
	engine
	text string
	args []any
}

func (a *asked) ask(ctx context.Context, text string, args []any, each func([]stored) error) error {
	a.text, a.args = text, args
	return a.engine.ask(ctx, text, args, each)
}

// plan is how the database goes about a question. PostgreSQL reads so small a table whole
// unless it is told not to.
func (d *database) plan(text string, args ...any) (plan string) {
	d.t.Helper()
	tx, err := d.look.BeginTx(d.t.Context(), nil)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	explain := "EXPLAIN QUERY PLAN " + text
	if d.d == column.Postgres {
		explain = "EXPLAIN " + numbered(text)
		if _, err := tx.Exec("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off"); err != nil {
			d.t.Fatal(err)
		}
	}
	rows, err := tx.Query(explain, args...)
	if err != nil {
		d.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		into := []any{&line}
		if d.d == column.SQLite {
			into = []any{new(int), new(int), new(int), &line}
		}
		if err := rows.Scan(into...); err != nil {
			d.t.Fatal(err)
		}
		plan += line + "\n"
	}
	if err := rows.Err(); err != nil {
		d.t.Fatal(err)
	}
	return plan
}
