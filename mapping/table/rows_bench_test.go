package table

import (
	"flag"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/condition"
)

var manyRows = flag.Int("rows", 100_000, "rows of the tables that benchmarks page through")

// million is a table of many rows, of which one failed to be sent, with a journal of as many
// deliveries.
func (d *database) million(b testing.TB, n int) (*Store, *mapping.Mapping) {
	m := d.mapping("email text contact.email", "plan text contact.plan", "n integer contact.n")
	s := d.open()
	ready(b, s, m)
	series := fmt.Sprintf("WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < %d) ", n)
	d.exec(series+"INSERT INTO contacts (id, email, plan, n) SELECT 'k' || (10000000 + i), 'person.' || i || '@northwind.example', "+
		"CASE i % 3 WHEN 0 THEN 'pro' ELSE 'free' END, i % 100003 FROM g",
		"CREATE INDEX contacts_n ON contacts (n)",
		fmt.Sprintf("INSERT INTO loopmap_pushes (table_name, row_key, kind, idempotency_key, status, code, message, attempts, updated_at) "+
			"VALUES ('contacts', 'k%d', 'contact', '', 'failed', 400, 'Invalid email address', 1, '2026-11-26T10:00:00.000Z')", 10_000_000+n/2))
	bytes, stamp := "CAST('{}' AS BLOB)", ""
	if d.d == column.Postgres {
		bytes, stamp = "'{}'::bytea", "::timestamptz"
	}
	d.exec(series+"INSERT INTO loopmap_deliveries (id, event, event_time, received_at, body, status, row_key) SELECT 'm' || i, 'contact.created', "+
		"'2026-11-23T08:03:20Z'"+stamp+", '2026-11-23T08:03:21.000Z'"+stamp+", "+bytes+", 'applied', 'k' || (10000000 + i) FROM g", "ANALYZE")
	return s, m
}

// BenchmarkTableRows is what a page of a table costs: the first, the next, the last, by a
// column with an index and without, and what a condition lets through.
//
//	go test ./mapping/table -run '^$' -bench TableRows -rows 1000000
func BenchmarkTableRows(b *testing.B) {
	for _, kind := range []struct {
		name string
		make func(testing.TB) *database
	}{{"sqlite", sqliteDatabase}, {"postgres", postgresDatabase}} {
		b.Run(kind.name, func(b *testing.B) {
			d := kind.make(b)
			s, m := d.million(b, *manyRows)
			columns, err := s.Columns(b.Context(), m.Table)
			if err != nil {
				b.Fatal(err)
			}
			fields := Present(m, Fields(m, columns), columns)
			where := func(src string) *condition.Condition {
				c, err := condition.Compile(src, fields)
				if err != nil {
					b.Fatal(err)
				}
				return c
			}
			from := func(p Page, rows int) Page {
				p.Limit = rows
				got, err := s.TableRows(b.Context(), m, fields, p)
				if err != nil {
					b.Fatal(err)
				}
				p.From = got.Mark
				return p
			}
			for _, one := range []struct {
				name string
				page Page
			}{
				{"first", Page{}}, {"next", from(Page{}, 1000)}, {"back", from(Page{Back: true}, 1000)}, {"last", Page{Back: true}},
				{"by an index, down", from(Page{Column: "n", Down: true}, 1000)}, {"by no index", from(Page{Column: "email"}, 1000)},
				{"where SQL can ask", Page{Where: where(`n == 77`), Most: 10_000}},
				{"where it cannot, 10,000 rows", Page{Where: where(`lower(email) == "x"`), Most: 10_000}},
			} {
				b.Run(one.name, func(b *testing.B) {
					one.page.Limit = 100
					var took []time.Duration
					for range b.N {
						began := time.Now()
						if _, err := s.TableRows(b.Context(), m, fields, one.page); err != nil {
							b.Fatal(err)
						}
						took = append(took, time.Since(began))
					}
					b.ReportMetric(float64(slices.Max(took).Microseconds())/1000, "ms-most")
				})
			}
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			held, err := s.TableRows(b.Context(), m, fields, Page{Limit: 600})
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.Logf("600 of %d rows take %.1f KiB (%d of them, %v)", *manyRows, float64(after.HeapAlloc-before.HeapAlloc)/1024, len(held.List), err)
		})
	}
}
