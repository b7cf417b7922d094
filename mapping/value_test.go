package mapping

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func read(t testing.TB, typ Type, d Dialect, raw string) Cell {
	t.Helper()
	body := `{"eventName":"contact.created","contactIdentity":{"id":"x"},"contact":{"v":` + raw + `}}`
	m := New("sqlite:a.db")
	m.Dialect = d
	m.Receive.Columns = append(m.Receive.Columns, Column{"v", typ, MakePath(Step{Key: "contact"}, Step{Key: "v"})})
	row, err := m.Row(Delivery{Body: []byte(body)})
	if (err != nil) != (row.Cells[1].State == Misfit) {
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
		for typ, want := range map[Type]string{Text: c.text, Integer: c.integer, Number: c.number, Boolean: c.boolean, Time: c.time, JSON: c.j} {
			got := read(t, typ, SQLite, c.raw)
			switch {
			case want == no && (got.State != Misfit || got.Text == ""):
				t.Errorf("%s into %s: %+v, want a misfit", c.raw, typ, got)
			case want != no && (got.State != Present || got.Text != want):
				t.Errorf("%s into %s: %+v, want %q", c.raw, typ, got, want)
			}
		}
	}
	for _, typ := range Types {
		if got := read(t, typ, SQLite, "null"); got.State != Null {
			t.Errorf("null into %s: %+v", typ, got)
		}
	}
	// PostgreSQL's numeric holds what SQLite's does not.
	if got := read(t, Number, Postgres, "12.50"); got.State != Present || got.Text != "12.50" {
		t.Errorf("12.50 into PostgreSQL: %+v", got)
	}
}

// FuzzRead: whatever the value, a cell holds what was written or says why not.
func FuzzRead(f *testing.F) {
	for _, raw := range []string{`1`, `-0.50e+7`, `"x\ud83d"`, `"2026-12-07T00:00:00Z"`, `[1,{"a":null}]`, `true`, `1e-400`, `"\u0000"`} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if scanJSON([]byte(raw), nil, nil) != nil || strings.TrimSpace(raw) != raw {
			return
		}
		for _, typ := range Types {
			c := read(t, typ, SQLite, raw)
			if c.State == Misfit {
				if c.Text == "" || Printable(c.Text) != c.Text {
					t.Fatalf("%q into %s: the reason is %q", raw, typ, c.Text)
				}
				continue
			}
			if c.State != Present {
				if raw != "null" {
					t.Fatalf("%q into %s: %+v", raw, typ, c)
				}
				continue
			}
			switch typ {
			case JSON:
				if c.Text != raw {
					t.Fatalf("%q as json became %q", raw, c.Text)
				}
			case Time:
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

func TestProposeName(t *testing.T) {
	taken := map[string]bool{"email": true, "email_2": true}
	for path, want := range map[string]string{
		"contact.firstName":       "first_name",
		"contactIdentity.id":      "loops_id",
		"contactIdentity.userId":  "user_id",
		"contact.email":           "email_3",
		"eventTime":               "event_time",
		"contact.HTMLBody":        "html_body",
		"contact.userID":          "user_id",
		`contact["plan name"]`:    "plan_name",
		`contact["company.name"]`: "company_name",
		`contact["größe ÄÖ"]`:     "größe_äö",
		`contact["2fa"]`:          "_2fa",
		`contact[""]`:             "attribute",
		`contact["!!!"]`:          "attribute",
		"contact.order":           "contact_order",
		"contact.rowid":           "contact_rowid",
		"contact.tags[0]":         "tags_0",
		"contact.mailingLists.cm06f5v0e45nf0ml5754o9cix": "mailing_lists_cm06f",
		`contact["` + strings.Repeat("ж", 500) + `"]`:    strings.Repeat("ж", 29),
		"contact": "contact",
	} {
		p, err := ParsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		got := ProposeName(p, SQLite, func(s string) bool { return taken[s] })
		if got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
		for _, d := range []Dialect{SQLite, Postgres} {
			if err := d.CheckColumn(got); err != nil {
				t.Errorf("%s: %s is not fit for %s: %v", path, got, d, err)
			}
		}
	}
}

func TestCheckNames(t *testing.T) {
	long := strings.Repeat("n", 64)
	for _, c := range []struct {
		d    Dialect
		name string
		want string
	}{
		{SQLite, "", "a name is needed"}, {SQLite, "a\x00", "NUL"}, {SQLite, "a\xff", "UTF-8"}, {SQLite, "RowID", "SQLite's own"},
		{SQLite, long, ""}, {SQLite, `a"b; --`, ""}, {SQLite, "ctid", ""}, {SQLite, "列", ""},
		{Postgres, long, "64 bytes; PostgreSQL would cut it after 63"}, {Postgres, strings.Repeat("é", 32), "64 bytes"}, {Postgres, long[1:], ""},
		{Postgres, "ctid", "system column"}, {Postgres, "rowid", ""},
	} {
		err := c.d.CheckColumn(c.name)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %q: %v, want %q", c.d, c.name, err, c.want)
		}
	}
	for name, want := range map[string]string{"sqlite_x": "keeps names", "LOOPMAP_x": "loopmap's own", "contacts": ""} {
		err := SQLite.CheckTable(name)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("table %s: %v", name, err)
		}
	}
}

// Samples merge into the union of their paths; a doubled key is flagged and the
// last counts.
func TestAttributes(t *testing.T) {
	list := Attributes([][]byte{
		[]byte(`{"contact":{"a":1,"b":{"x":null},"c":[1,{"d":2}]}}`),
		[]byte(`no JSON`),
		[]byte(`{"contact":{"a":"one","b":null,"e":true,"e":"2026-12-07T00:00:00Z","o":{"p":1},"o":{"q":2}},"late":1}`),
	})
	var got []string
	for _, a := range list {
		got = append(got, fmt.Sprintf("%s %s %d %s %v", a.Path, a.Kinds, a.Seen, a.Value.Raw, a.Doubled))
	}
	want := `contact object 2 {"a":"one","b":null,"e":true,"e":"2026-12-07T00:00:00Z","o":{"p":1},"o":{"q":2}} false
contact.a text|number 2 "one" false
contact.b object 2 {"x":null} false
contact.b.x null 1 null false
contact.c list 1 [1,{"d":2}] false
contact.c[0] number 1 1 false
contact.c[1] object 1 {"d":2} false
contact.c[1].d number 1 2 false
contact.e time 1 "2026-12-07T00:00:00Z" true
contact.o object 1 {"q":2} true
contact.o.q number 1 2 false
late number 1 1 false`
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("got\n%s\nwant\n%s", s, want)
	}
	if !list[1].Kinds.Mixed() || list[2].Kinds.Mixed() {
		t.Error("text|number is mixed, object|null is not")
	}
}

func TestSet(t *testing.T) {
	for _, c := range []struct{ body, path, value, want string }{
		{`{"a":1}`, "a", `2`, `{"a":2}`},
		{`{"a":{ }}`, "a.b", `"x"`, `{"a":{"b":"x" }}`},
		{`{"a":{"c":1}}`, `a["b.c"].d`, `[]`, `{"a":{"c":1,"b.c":{"d":[]}}}`},
		{`{"a":[1]}`, "a[1]", `2`, `{"a":[1,2]}`},
		{`{"a":[]}`, "a[0].b", `2`, `{"a":[{"b":2}]}`},
		{`{"a":1}`, "a.b", `2`, ""},
		{`{"a":[1]}`, "a[2]", `2`, ""},
		{`{"a":[1]}`, "b[1]", `2`, ""},
		{`{"a":1}`, "a", `{`, ""},
	} {
		p, err := ParsePath(c.path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Set([]byte(c.body), []byte(c.value))
		if (err != nil) != (c.want == "") || string(got) != c.want {
			t.Errorf("%s in %s: %s, %v; want %s", c.path, c.body, got, err, c.want)
		}
	}
}
