package table

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

func TestFindByRowAndEmail(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.open(), d.mapping("email text contact.email", "n integer contact.n")
		ready(t, s, m)
		commit(t, s, m, created("1", "a", 0, `,"email":"Ada@example.com"`), created("2", "b", 0, `,"email":"bob@example.com"`),
			event("3", "email.opened", "a", 1, ""), event("4", "email.opened", "b", 1, ""),
			mapping.Delivery{ID: "5", Received: created("", "", 0, "").Received, Body: []byte(`{"eventName":"contact.created","contactIdentity":{"id":"q","email":"ADA@example.com"},"contact":{"n":"x"}}`)})
		list := func(f Filter) (ids string) {
			t.Helper()
			if err := s.Each(context.Background(), f, func(r Record) error { ids += r.ID; return nil }); err != nil {
				t.Fatal(err)
			}
			return ids
		}
		for _, c := range []struct {
			f    Filter
			want string
		}{
			{Filter{Keys: []string{"a"}}, "31"}, {Filter{Keys: []string{"a", "b"}, Oldest: true}, "1234"}, {Filter{Keys: []string{"a"}, Status: mapping.Ignored}, "3"},
			{Filter{Keys: []string{}}, ""}, {Filter{Events: []string{"email.opened"}}, "43"}, {Filter{Events: []string{"email.opened", "contact.created"}, Limit: 2}, "43"},
			{Filter{Status: mapping.Quarantined}, "5"}, {Filter{Status: mapping.Applied}, "21"},
		} {
			if got := list(c.f); got != c.want {
				t.Errorf("%+v: %s, want %s", c.f, got, c.want)
			}
		}
		found := ""
		if err := s.FindByEmail(context.Background(), m, "ada@example.com", Filter{}, func(r Record) error { found += r.ID; return nil }); err != nil || found != "351" {
			t.Errorf("by email: %s %v", found, err)
		}
	})
}

// What the one who is woken asks reads what it finds, and not the whole journal.
func TestFindUsesIndexes(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s := d.open()
		for _, c := range []struct {
			f     Filter
			index string
		}{
			{Filter{Status: mapping.Quarantined, Limit: 50}, "loopmap_deliveries_"}, // either of two
			{Filter{Status: mapping.Pending}, "loopmap_deliveries_"},
			{Filter{Status: mapping.Ignored, Limit: 50}, "loopmap_deliveries_status"},
			{Filter{Events: []string{"email.opened"}, Limit: 50}, "loopmap_deliveries_event"},
			{Filter{Keys: []string{"a"}, Limit: 50}, "loopmap_deliveries_key"},
			{Filter{Stale: "x", Oldest: true, Limit: 200}, "loopmap_deliveries_"},
		} {
			where, args := c.f.where("rowid", "IS NOT", nil)
			explain := "EXPLAIN QUERY PLAN SELECT id FROM loopmap_deliveries" + where
			if d.d == column.Postgres {
				where, args = c.f.where("seq", "IS DISTINCT FROM", nil)
				d.exec("SET enable_seqscan = off", "SET enable_sort = on", "SET plan_cache_mode = force_custom_plan")
				explain = "EXPLAIN SELECT id FROM loopmap_deliveries" + where
			}
			for _, a := range args {
				explain = strings.Replace(explain, "?", literal(fmt.Sprint(a)), 1)
			}
			if plan := d.lines(explain); !strings.Contains(plan, c.index) || strings.Contains(plan, "SCAN loopmap_deliveries\n") {
				t.Errorf("%+v:\n%s", c.f, plan)
			}
		}
		_ = s
	})
}

// lines are the last columns of all that a query finds.
func (d *database) lines(query string) (text string) {
	d.t.Helper()
	rows, err := d.look.Query(query)
	if err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		d.t.Fatal(err)
	}
	for rows.Next() {
		values := make([]any, len(names))
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			d.t.Fatal(err)
		}
		text += fmt.Sprint(*values[len(values)-1].(*any)) + "\n"
	}
	if err := rows.Err(); err != nil {
		d.t.Fatal(err)
	}
	return text
}
