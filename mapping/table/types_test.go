package table

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
)

// typeExamples are, for each type, a value of a webhook and what Loops gets of it.
var typeExamples = map[column.Type]struct{ in, out string }{
	column.Text:    {`"it's \"this\" 😀"`, `"it's \"this\" 😀"`},
	column.Integer: {`9007199254740991`, `9007199254740991`},
	column.Number:  {`-0.25`, `-0.25`},
	column.Boolean: {`true`, `true`},
	column.Time:    {`"2026-11-23T09:00:00.5+01:00"`, `"2026-11-23T08:00:00.500Z"`},
	column.JSON:    {`{"a":[1,null]}`, `"{\"a\":`}, // PostgreSQL puts blanks behind it
}

// Each type of a column goes into both databases, comes back as what it was, and goes on to
// Loops. A type without an example fails.
func TestEachTypeThereAndBack(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		var columns, attributes, properties strings.Builder
		for _, typ := range column.Types {
			x, ok := typeExamples[typ]
			if !ok {
				t.Fatalf("no example of %s", typ)
			}
			fmt.Fprintf(&columns, "    - {name: v_%s, type: %[1]s, from: contact.v_%[1]s}\n", typ)
			fmt.Fprintf(&attributes, `,"v_%s":%s`, typ, x.in)
			fmt.Fprintf(&properties, "      p_%s: v_%[1]s\n", typ)
		}
		m, err := mapping.Parse("loopmap.yaml", []byte(`version: 1
database: `+map[column.Dialect]string{column.SQLite: "sqlite:contacts.db", column.Postgres: "postgres://h/d"}[d.d]+`
table: contacts
key: loops_id
receive:
  events: [contact.created]
  columns:
    - {name: loops_id, type: text, from: contactIdentity.id}
`+columns.String()+`push:
  contact:
    userId: loops_id
    properties:
`+properties.String()))
		if err != nil {
			t.Fatal(err)
		}
		s := d.open()
		ready(t, s, m)
		delivery := created("msg_1", "c1", 0, attributes.String())
		commit(t, s, m, delivery)
		want := mapping.Enter(m, delivery).Row
		rows := pushRows(t, s, m, outgoing.Query{})
		if len(rows) != 1 {
			t.Fatalf("%d rows", len(rows))
		}
		for i, c := range m.Columns() {
			if got := rows[0].Cells[c.Name]; want.Cells[i].State != column.Present || !c.Type.Same(got, want.Cells[i]) {
				t.Errorf("%s: %+v came back as %+v", c.Name, want.Cells[i], got)
			}
		}
		sender, err := outgoing.NewSender(m, "loopmap.yaml", fieldsOf(t, s, m))
		if err != nil {
			t.Fatal(err)
		}
		rows[0].Told = nil // as if it had not come from Loops
		steps := sender.At(time.Now()).Steps(rows[0], outgoing.Resend{})
		if len(steps) != 1 || steps[0].Request == nil {
			t.Fatalf("%+v", steps)
		}
		sent := string(steps[0].Request.Body)
		for typ, x := range typeExamples {
			if property := fmt.Sprintf(`"p_%s":%s`, typ, x.out); !strings.Contains(sent, property) {
				t.Errorf("Loops does not get %s: %s", property, sent)
			}
		}
	})
}
