package mapping

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"loopmap/mapping/body"
	"loopmap/mapping/column"
)

func read(t testing.TB, typ column.Type, d column.Dialect, raw string) column.Cell {
	t.Helper()
	src := `{"eventName":"contact.created","contactIdentity":{"id":"x"},"contact":{"v":` + raw + `}}`
	m := New("sqlite:a.db")
	m.Dialect = d
	m.Receive.Columns = append(m.Receive.Columns, Column{"v", typ, body.MakePath(body.Step{Key: "contact"}, body.Step{Key: "v"})})
	row, err := m.Row(Delivery{Body: []byte(src)})
	if (err != nil) != (row.Cells[1].State == column.Misfit) {
		t.Errorf("%s into %s: %v, and the cell is %+v", raw, typ, err, row.Cells[1])
	}
	return row.Cells[1]
}

func TestRead(t *testing.T) {
	const no = "\x00" // a misfit
	for _, c := range []struct {
		raw                                     string
		text, integer, number, boolean, time, j string
	}{
		{`"Ada"`, "Ada", no, no, no, no, `"Ada"`},
		{`""`, "", no, no, no, no, `""`},
		{`"a\n\"b\" \u00e9 \ud83d\ude00"`, "a\n\"b\" é 😀", no, no, no, no, `"a\n\"b\" \u00e9 \ud83d\ude00"`},
		{`42`, "42", "42", "42", no, "1970-01-01T00:00:42Z", "42"},
		{`"42"`, "42", "42", "42", no, "1970-01-01T00:00:42Z", `"42"`},
		{`"007"`, "007", no, no, no, no, `"007"`},
		{`" 42"`, " 42", no, no, no, no, `" 42"`},
		{`12.50`, "12.50", no, no, no, no, "12.50"},
		{`12.5`, "12.5", no, "12.5", no, no, "12.5"},
		{`9007199254740993`, "9007199254740993", "9007199254740993", "9007199254740993", no, no, "9007199254740993"},
		{`123456789012345678901234567890`, "123456789012345678901234567890", no, no, no, no, "123456789012345678901234567890"},
		{`1e400`, "1e400", no, no, no, no, "1e400"},
		{`true`, "true", no, no, "true", no, "true"},
		{`"false"`, "false", no, no, "false", no, `"false"`},
		{`1795421000`, "1795421000", "1795421000", "1795421000", no, "2026-11-23T08:03:20Z", "1795421000"},
		{`1795421000123`, "1795421000123", "1795421000123", "1795421000123", no, "2026-11-23T08:03:20.123Z", "1795421000123"},
		{`"2026-12-07T00:00:00.000Z"`, "2026-12-07T00:00:00.000Z", no, no, no, "2026-12-07T00:00:00Z", `"2026-12-07T00:00:00.000Z"`},
		{`"2026-12-07T01:30:00.123456789+01:30"`, "2026-12-07T01:30:00.123456789+01:30", no, no, no, "2026-12-07T00:00:00.123456789Z", `"2026-12-07T01:30:00.123456789+01:30"`},
		{`"2026-12-07"`, "2026-12-07", no, no, no, "2026-12-07T00:00:00Z", `"2026-12-07"`},
		{`"2026-12-07 10:20"`, "2026-12-07 10:20", no, no, no, "2026-12-07T10:20:00Z", `"2026-12-07 10:20"`},
		{`"2026-13-07"`, "2026-13-07", no, no, no, no, `"2026-13-07"`},
		{`{"a": [1, 2]}`, `{"a": [1, 2]}`, no, no, no, no, `{"a": [1, 2]}`},
		{`[]`, `[]`, no, no, no, no, `[]`},
	} {
		for typ, want := range map[column.Type]string{column.Text: c.text, column.Integer: c.integer, column.Number: c.number, column.Boolean: c.boolean, column.Time: c.time, column.JSON: c.j} {
			got := read(t, typ, column.SQLite, c.raw)
			switch {
			case want == no && (got.State != column.Misfit || got.Text == ""):
				t.Errorf("%s into %s: %+v, want a misfit", c.raw, typ, got)
			case want != no && (got.State != column.Present || got.Text != want):
				t.Errorf("%s into %s: %+v, want %q", c.raw, typ, got, want)
			}
		}
	}
	for _, typ := range column.Types {
		if got := read(t, typ, column.SQLite, "null"); got.State != column.Null {
			t.Errorf("null into %s: %+v", typ, got)
		}
	}
	// PostgreSQL's numeric holds what SQLite's does not.
	if got := read(t, column.Number, column.Postgres, "12.50"); got.State != column.Present || got.Text != "12.50" {
		t.Errorf("12.50 into PostgreSQL: %+v", got)
	}
}

// FuzzRead: whatever the value, a cell holds what was written or says why not.
func FuzzRead(f *testing.F) {
	for _, raw := range []string{`1`, `-0.50e+7`, `"x\ud83d"`, `"2026-12-07T00:00:00Z"`, `[1,{"a":null}]`, `true`, `1e-400`, `"\u0000"`} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if body.CheckJSON([]byte(raw)) != nil || strings.TrimSpace(raw) != raw {
			return
		}
		for _, typ := range column.Types {
			c := read(t, typ, column.SQLite, raw)
			if c.State == column.Misfit {
				if c.Text == "" || body.Printable(c.Text) != c.Text {
					t.Fatalf("%q into %s: the reason is %q", raw, typ, c.Text)
				}
				continue
			}
			if c.State != column.Present {
				if raw != "null" {
					t.Fatalf("%q into %s: %+v", raw, typ, c)
				}
				continue
			}
			switch typ {
			case column.JSON:
				if c.Text != raw {
					t.Fatalf("%q as json became %q", raw, c.Text)
				}
			case column.Time:
				if at, err := time.Parse(time.RFC3339, c.Text); err != nil || at.Location() != time.UTC {
					t.Fatalf("%q as time became %q", raw, c.Text)
				}
			default:
				want := raw
				if raw[0] == '"' {
					if err := json.Unmarshal([]byte(raw), &want); err != nil {
						t.Fatal(err)
					}
				}
				if c.Text != want {
					t.Fatalf("%q into %s became %q", raw, typ, c.Text)
				}
			}
		}
	})
}
