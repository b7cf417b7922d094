package table

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"loopmap/mapping/column"
)

// What the triggers cost the user's own statements, as a ratio of the same work with them
// and without, in turn: go test ./mapping/table -run - -bench Outbox -benchtime 5x

const benchRows = 50_000

func benchDatabases(b *testing.B, run func(b *testing.B, d *database)) {
	b.Run("sqlite", func(b *testing.B) { run(b, sqliteDatabase(b)) })
	b.Run("postgres", func(b *testing.B) { run(b, postgresDatabase(b)) })
}

// benchTables are two tables that are alike, the second with triggers.
func benchTables(b *testing.B, d *database) {
	s, m := d.open(), d.mapping("email text contact.email", "plan text contact.plan", "n integer contact.n")
	for _, table := range []string{"plain", "noted"} {
		m.Table = table
		ready(b, s, m)
		series := "SELECT i FROM generate_series(1, %d) AS g(i)"
		if d.d == column.SQLite {
			series = "WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < %d) SELECT i FROM g"
		}
		id := "'cm' || substr('00000000000000000000000' || (i * 7919 % 50000), -23)"
		if d.d == column.Postgres {
			id = "'cm' || lpad((i * 7919 % 50000)::text, 23, '0')"
		}
		d.exec(fmt.Sprintf("INSERT INTO %s SELECT %s, 'user' || i || '@example.com', 'pro', i FROM (%s) AS s", table, id, fmt.Sprintf(series, benchRows)))
	}
	install(b, s, m)
	if d.d == column.Postgres {
		d.exec("VACUUM ANALYZE plain", "VACUUM ANALYZE noted")
	}
}

// report is the median of the ratios with/without.
func report(b *testing.B, with, without []float64) {
	ratios := make([]float64, len(with))
	for i := range with {
		ratios[i] = with[i] / without[i]
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "with/without")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkOutboxBulk changes 50,000 rows by one statement. On SQLite a trigger that does
// nothing at all costs more than the statement.
func BenchmarkOutboxBulk(b *testing.B) {
	benchDatabases(b, func(b *testing.B, d *database) {
		benchTables(b, d)
		var took [2][]float64
		for range b.N {
			for i, table := range []string{"plain", "noted"} {
				begun := time.Now()
				d.exec("UPDATE " + table + " SET n = n + 1")
				took[i] = append(took[i], time.Since(begun).Seconds())
			}
			emptied := "DELETE FROM loopmap_outbox"
			if d.d == column.Postgres {
				emptied = "TRUNCATE loopmap_outbox"
			}
			d.exec(emptied)
		}
		report(b, took[1], took[0])
	})
}

// BenchmarkOutboxWriters has eight writers change rows one by one, each by a transaction,
// and counts what they do.
func BenchmarkOutboxWriters(b *testing.B) {
	d := postgresDatabase(b)
	benchTables(b, d)
	d.look.SetMaxIdleConns(8)
	var done [2][]float64
	for range b.N {
		for i, table := range []string{"plain", "noted"} {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			var all sync.WaitGroup
			var mu sync.Mutex
			total := 0
			for range 8 {
				all.Go(func() {
					n := 0
					for ctx.Err() == nil {
						id := fmt.Sprintf("cm%023d", rand.IntN(benchRows))
						if _, err := d.look.Exec("UPDATE "+table+" SET n = n + 1 WHERE id = $1", id); err != nil {
							b.Error(err)
							return
						}
						n++
					}
					mu.Lock()
					total += n
					mu.Unlock()
				})
			}
			all.Wait()
			cancel()
			done[i] = append(done[i], float64(total))
		}
		d.exec("TRUNCATE loopmap_outbox")
	}
	report(b, done[1], done[0])
}
