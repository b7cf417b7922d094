package table

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

// Deliveries that come late are written together as they are one by one: whatever comes
// in whatever groups, the rows end as if all had come in the order of their events.
func TestLateTogether(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		ctx, s := context.Background(), d.open()
		m := d.mapping("a text contact.a", "n integer contact.n")
		m.Receive.Rules = []mapping.Rule{{Event: "contact.deleted", Delete: true}}
		ready(t, s, m)
		for round := range 6 {
			d.exec("DELETE FROM contacts", "DELETE FROM loopmap_deliveries")
			var list []mapping.Delivery
			for i := range 60 {
				contact := fmt.Sprint("c", i%9)
				x := created(fmt.Sprintf("msg_%d_%d", round, i), contact, i, fmt.Sprintf(`,"a":"A%d","n":%d`, i, i))
				switch rand.IntN(12) {
				case 0:
					x = event(x.ID, "contact.deleted", contact, i, "")
				case 1: // its row is refused
					x = created(x.ID, contact, i, fmt.Sprintf(`,"a":"B%d","n":"x"`, i))
				case 2: // says less
					x = created(x.ID, contact, i, fmt.Sprintf(`,"a":"C%d"`, i))
				}
				list = append(list, x)
			}
			write := func(list []mapping.Delivery, most int, into func(context.Context, []mapping.Entry) ([]mapping.Outcome, error)) {
				t.Helper()
				for len(list) > 0 {
					n := min(len(list), 1+rand.IntN(most))
					var entries []mapping.Entry
					for _, x := range list[:n] {
						entries = append(entries, mapping.Enter(m, x))
					}
					if _, err := into(ctx, entries); err != nil {
						t.Fatal(err)
					}
					list = list[n:]
				}
			}
			rows := func() string {
				aggregate := map[column.Dialect]string{column.SQLite: "group_concat(x, '; ')", column.Postgres: "string_agg(x, '; ')"}[d.d]
				return d.text("SELECT " + aggregate + " FROM (SELECT id || ' ' || coalesce(a, '-') || ' ' || coalesce(CAST(n AS text), '-') AS x FROM contacts ORDER BY id) AS r")
			}
			write(list, 1, s.Commit)
			want := rows()
			d.exec("DELETE FROM contacts", "DELETE FROM loopmap_deliveries")
			shuffled := append([]mapping.Delivery(nil), list...)
			rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			write(shuffled, 60, s.Commit)
			if got := rows(); got != want {
				t.Errorf("in another order:\n%s\nwant\n%s", got, want)
			}
			write(list, 60, s.Recommit)
			if got := rows(); got != want {
				t.Errorf("written again:\n%s\nwant\n%s", got, want)
			}
			d.exec("DELETE FROM contacts")
			write(list, 60, s.Recommit)
			if got := rows(); got != want {
				t.Errorf("made anew:\n%s\nwant\n%s", got, want)
			}
		}
	})
}

// A row that the table refuses among many late ones is quarantined alone.
func TestLateTogetherRefused(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.open(), d.mapping("a text contact.a")
		ready(t, s, m)
		d.exec("DROP TABLE contacts", "CREATE TABLE contacts (id text PRIMARY KEY, a text CHECK (a <> 'no'))")
		var newer, older []mapping.Delivery
		for i := range 12 {
			contact := fmt.Sprint("c", i)
			newer = append(newer, created(fmt.Sprint("new", i), contact, 100, `,"a":"new"`))
			value := "old"
			if i == 7 {
				value = "no"
			}
			older = append(older, created(fmt.Sprint("old", i), contact, 1, fmt.Sprintf(`,"a":%q`, value)))
		}
		commit(t, s, m, newer...)
		for i, o := range commit(t, s, m, older...) {
			if want := map[bool]mapping.Status{true: mapping.Quarantined, false: mapping.Applied}[i == 7]; o.Status != want {
				t.Errorf("%d: %+v", i, o)
			}
		}
		if got := d.text("SELECT count(*) FROM contacts WHERE a = 'new'"); got != "12" {
			t.Errorf("%s rows are right", got)
		}
	})
}
