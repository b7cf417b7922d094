package table

import (
	"strings"
	"testing"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

// The first rows are read, with the columns that there are, and on PostgreSQL no
// question can write.
func TestSample(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.open(), d.mapping()
		ready(t, s, m)
		for _, id := range []string{"c", "a", "b"} {
			if out := commit(t, s, m, created("msg_"+id, id, 1, `,"email":"`+id+`@example.com"`)); out[0].Status != mapping.Applied {
				t.Fatal(out)
			}
		}
		read, err := Open(t.Context(), Options{URL: d.url, Dir: d.dir, ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		defer read.Close()
		fields := []column.Field{{Name: m.Key, Type: column.Text}, {Name: "not there", Type: column.Text}}
		rows, err := read.Sample(t.Context(), m, fields, 2)
		if err != nil || len(rows) != 2 || rows[0][m.Key].Text != "a" || rows[1][m.Key].Text != "b" || len(rows[0]) != 1 {
			t.Errorf("%v %v", rows, err)
		}
		if m.Dialect != column.Postgres {
			return
		}
		err = read.ask(t.Context(), "UPDATE "+quote(m.Table)+" SET "+quote(m.Key)+" = 'x' RETURNING 1", nil, func([]stored) error { return nil })
		if err == nil || !strings.Contains(err.Error(), "read-only transaction") {
			t.Errorf("a question that writes is asked: %v", err)
		}
	})
}
