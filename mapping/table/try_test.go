package table

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

// What Try says would change is what Recommit changes, whatever others have done to the
// rows meanwhile, also where a trigger has a say.
func TestTryAgreesWithRecommit(t *testing.T) {
	for _, triggers := range []bool{false, true} {
		t.Run(fmt.Sprint("triggers ", triggers), func(t *testing.T) {
			databases(t, func(t *testing.T, d *database) {
				s, m := d.open(), d.allTypes()
				ready(t, s, m)
				var entries []mapping.Entry
				for i := range 40 {
					attributes := fmt.Sprintf(`,"name":"n%d","size":%d,"score":%d.5,"vip":%t,"seen":"2026-11-23T08:00:00.%03dZ","mailingLists":{"b":true,"a":%d.0}`, i, i, i, i%2 == 0, i, i)
					if i%5 == 0 {
						attributes = `,"name":null,"size":null,"seen":1763000000,"mailingLists":[1.10, "x"]`
					}
					entries = append(entries, mapping.Enter(m, created(fmt.Sprint("msg_", i), fmt.Sprint("c", i%35), i, attributes)))
				}
				if _, err := s.Commit(context.Background(), entries); err != nil {
					t.Fatal(err)
				}
				for i, text := range []string{"name = 'other'", "team_size = 99", "score = 1.5", "vip = NULL", "seen = NULL", "lists = NULL", "name = NULL", "score = score", "lists = lists"} {
					d.exec(fmt.Sprintf("UPDATE contacts SET %s WHERE id = 'c%d'", text, 7+i*3))
				}
				d.exec("DELETE FROM contacts WHERE id IN ('c1', 'c2')")
				if triggers && d.d == column.SQLite {
					d.exec("CREATE TRIGGER own AFTER UPDATE ON contacts WHEN new.name = 'n3' BEGIN UPDATE contacts SET name = 'by trigger' WHERE id = new.id; END")
				} else if triggers {
					d.exec("CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF new.name = 'n3' THEN new.name := 'by trigger'; END IF; RETURN new; END $$",
						"CREATE TRIGGER own BEFORE UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION own()")
				}
				all := func() []string {
					return strings.Split(d.lines("SELECT id || ':' || coalesce(name, '-') || coalesce(cast(team_size AS text), '-') || coalesce(cast(score AS text), '-') || coalesce(cast(vip AS text), '-') || coalesce(cast(seen AS text), '-') || coalesce(cast(lists AS text), '-') FROM contacts ORDER BY id"), "\n")
				}
				before := all()
				_, changes, err := s.Try(context.Background(), entries)
				if err != nil {
					t.Fatal(err)
				}
				if now := all(); !slices.Equal(now, before) {
					t.Error("trying has changed rows")
				}
				var said []string
				for _, c := range changes {
					said = append(said, c.Key)
				}
				if _, err := s.Recommit(context.Background(), entries); err != nil {
					t.Fatal(err)
				}
				var done []string
				for _, row := range all() {
					if !slices.Contains(before, row) {
						done = append(done, strings.Split(row, ":")[0])
					}
				}
				slices.Sort(said)
				slices.Sort(done)
				if !slices.Equal(said, done) || len(done) < 8 {
					t.Errorf("said %q, done %q", said, done)
				}
			})
		})
	}
}

func TestSameText(t *testing.T) {
	for _, c := range []struct {
		t                      column.Type
		declared, stored, text string
		same                   bool
	}{
		{column.Text, "text", "a", "a", true}, {column.Text, "text", "a", "b", false}, {column.Boolean, "", "1", "true", true}, {column.Boolean, "", "1", "false", false},
		{column.Number, "numeric", "1.50", "1.5", false}, // which numeric would change
		{column.Time, "timestamp with time zone", "2026-11-23 08:00:00.123+00", "2026-11-23T08:00:00.123Z", true},
		{column.Time, "timestamp without time zone", "2026-11-23 08:00:00", "2026-11-23T08:00:00Z", true},
		{column.Time, "timestamp with time zone", "2026-11-23 08:00:00+00", "2026-11-23T08:00:01Z", false},
		{column.JSON, "jsonb", `{"a": 1.0, "b": [true]}`, `{"b":[true],"a":1.0}`, true}, {column.JSON, "jsonb", `{"a": 1.0}`, `{"a":1}`, false},
		{column.JSON, "json", `{"a": 1}`, `{"a":1}`, false},
	} {
		if got := sameText(c.t, c.declared, c.stored, c.text); got != c.same {
			t.Errorf("%+v", c)
		}
	}
}
