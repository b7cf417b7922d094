package table

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"testing"
)

var storyRows = flag.Int("story", 1_000_000, "deliveries in the journal of BenchmarkStory")

// fillJournal writes a journal of n deliveries, each of another row, by SQL alone, and gives
// the row x forty by twenty versions.
func (l *lived) fillJournal(n int) {
	l.t.Helper()
	body := `{"eventName":"contact.created","eventTime":1795421000,"contactIdentity":{"id":"%"},"contact":{"a0":"A"}}`
	from, bytes := fmt.Sprintf("generate_series(1, %d) AS s(i)", n), "convert_to(replace('"+body+"', '%', 'c' || i), 'UTF8')"
	if l.d.url == "sqlite:contacts.db" {
		from = fmt.Sprintf("(WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < %d) SELECT i FROM s)", n)
		bytes = "CAST(replace('" + body + "', '%', 'c' || i) AS BLOB)"
	}
	l.d.exec("INSERT INTO loopmap_deliveries (id, event, event_time, received_at, body, status, row_key, mapping) " +
		"SELECT 'bulk_' || i, 'contact.created', '2026-11-23T08:03:20Z', '2026-11-23T08:03:21.000Z', " + bytes +
		", CASE WHEN i % 50 = 0 THEN 'ignored' ELSE 'applied' END, 'c' || i, '" + l.versions[0].Hash + "' FROM " + from)
	for i := range 40 {
		l.write(l.versions[i/2], created(fmt.Sprintf("msg_%03d", i), "x", i, fmt.Sprintf(`,"a0":"A","a1":"B","n":%d`, i)), false)
	}
	l.d.exec("ANALYZE")
}

// A story reads the row's deliveries and no others: as many of other rows change nothing of
// it, and the plan of the question is by the indexes of the row's key.
func TestStoryReadsTheRowAlone(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		l := newLived(t, d)
		l.fillJournal(5_000)
		s := l.story()
		if len(s.Told) != 40 || s.Note != "" || s.cell("n").Author != ByDelivery || s.cell("n").Now.Text != "39" || len(s.cell("n").History) != 40 {
			t.Errorf("%d deliveries, %q, %+v", len(s.Told), s.Note, s.cell("n"))
		}
		where, args := Filter{Keys: []string{"x"}, Oldest: true}.where("seq", "IS NOT", "")
		explain := "EXPLAIN "
		if d.url == "sqlite:contacts.db" {
			where, args = Filter{Keys: []string{"x"}, Oldest: true}.where("rowid", "IS NOT", "")
			explain = "EXPLAIN QUERY PLAN "
		}
		plan := ""
		err := l.s.ask(context.Background(), explain+"SELECT id FROM loopmap_deliveries"+where, args, func(v []stored) error {
			plan += v[len(v)-1].text + "\n"
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, index := range []string{"loopmap_deliveries_row", "loopmap_deliveries_key"} {
			if !strings.Contains(plan, index) {
				t.Errorf("%s is not used:\n%s", index, plan)
			}
		}
	})
}

// BenchmarkStory tells the story of a row of forty deliveries.
func BenchmarkStory(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *database{"sqlite": sqliteDatabase, "postgres": postgresDatabase} {
		b.Run(name, func(b *testing.B) {
			l := newLived(b, open(b))
			l.fillJournal(*storyRows)
			for b.Loop() {
				if s := l.story(); len(s.Told) != 40 {
					b.Fatalf("%d deliveries", len(s.Told))
				}
			}
		})
	}
}
