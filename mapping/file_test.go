package mapping

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"loopmap/mapping/body"
	"loopmap/mapping/column"
)

// example is a mapping file with all that a file can hold.
const example = `# top comment
version: 1
database: sqlite:contacts.db                   # or ${DATABASE_URL}
table: contacts
key: loops_id                                  # the column that tells rows apart

receive:
  events: [contact.created]
  columns:
    - {name: loops_id,   type: text,    from: contactIdentity.id}
    - {name: email,      type: text,    from: contact.email}   # wörk

    # the one that marketing asked for
    - {name: first_name, type: text,    from: contact.firstName}
    - name: signed_up # block style
      type: time
      from: eventTime
    - {name: vip,        type: boolean, from: 'contact.mailingLists["cm06f5v0e45nf0ml5754o9cix"]'}
    # last words

push:
  auto: true
  contact:
    email: email
    properties: {companyName: company, teamSize: team_size}
    lists: {cm06f5v0e45nf0ml5754o9cix: vip}
  events:
    - name: companyEnriched
      only_run_if: team_size >= 10 and plan != "free"
      once_per: [email, company]
      properties: {company: company, teamSize: team_size}
`

func mustParse(t testing.TB, src string) *Mapping {
	t.Helper()
	m, err := parsed(t, "loopmap.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestParse(t *testing.T) {
	m := mustParse(t, example)
	if m.Table != "contacts" || m.Key != "loops_id" || m.Dialect != column.SQLite || len(m.Receive.Columns) != 5 {
		t.Errorf("got %+v", m)
	}
	if c := m.Receive.Columns[4]; c.Name != "vip" || c.Type != column.Boolean || c.From.String() != `contact.mailingLists.cm06f5v0e45nf0ml5754o9cix` {
		t.Errorf("got %+v", c)
	}
	want := &Push{
		Auto: true,
		Contact: &PushContact{Email: "email", Source: "loopmap", Properties: []Pair{{Loops: "companyName", Column: "company"}, {Loops: "teamSize", Column: "team_size"}},
			Lists: []Pair{{Loops: "cm06f5v0e45nf0ml5754o9cix", Column: "vip"}}},
		Events: []PushEvent{{Name: "companyEnriched", OnlyRunIf: `team_size >= 10 and plan != "free"`, OncePer: []string{"email", "company"},
			Properties: []Pair{{Loops: "company", Column: "company"}, {Loops: "teamSize", Column: "team_size"}}}},
		places: m.Push.places,
	}
	if !reflect.DeepEqual(m.Push, want) {
		t.Errorf("push: %+v", m.Push)
	}
	if crlf := mustParse(t, strings.ReplaceAll(example, "\n", "\r\n")); !crlf.Same(m) {
		t.Error("CRLF line ends change the meaning")
	}
}

func TestParseRefuses(t *testing.T) {
	file := func(old, mended string) string {
		if !strings.Contains(example, old) {
			t.Fatalf("the example lacks %q", old)
		}
		return strings.Replace(example, old, mended, 1)
	}
	for name, c := range map[string]struct{ src, want string }{
		"empty":             {"", "m.yaml:1:1: the file is empty"},
		"only comments":     {"# hello\n", "1:1: the file is empty"},
		"not a map":         {"- a\n", "1:1: the mapping file is a block of keys"},
		"unknown key":       {file("table:", "tabel:"), `4:1: unknown key "tabel" in the mapping file; did you mean table?`},
		"unknown in column": {file("{name: email,      type", "{name: email,      typ"), `11:26: unknown key "typ" in a column; did you mean type?`},
		"unknown in push":   {file("auto:", "atuo:"), `22:3: unknown key "atuo" in push; did you mean auto?`},
		"doubled key":       {file("version: 1\n", "version: 1\nversion: 1\n"), `3:1:`},
		"doubled in flow":   {file("{name: email,", "{name: a, name: email,"), `11:17:`},
		"doubled column":    {file("name: first_name", "name: email"), `14:14: column "email" stands here twice (first in line 11)`},
		"case twin":         {file("name: first_name", "name: EMAIL"), `14:14: column "EMAIL" is "email" to SQLite, which ignores case (line 11)`},
		"newer":             {file("version: 1", "version: 2"), "2:10: version 2 was written for a newer loopmap"},
		"no version":        {file("version: 1\n", ""), "has no version"},
		"type":              {file("type: time", "type: tmie"), `16:13: column signed_up: "tmie" is not a type; did you mean time?`},
		"path":              {file("contact.firstName", "contact.first-name"), `column first_name: path, character 14: "-" needs quotes; write ["first-name"]`},
		"path position":     {file("contact.firstName", "contact.first-name"), "14:60:"},
		"key":               {file("key: loops_id", "key: lops_id"), "5:6: the key \"lops_id\" is not one of the columns; did you mean loops_id?"},
		"database":          {file("sqlite:contacts.db", "contacts.db"), "3:11:"},
		"password":          {file("sqlite:contacts.db", "postgres://u:hunter2@h/db"), "a password has no place"},
		"own table":         {file("table: contacts", "table: loopmap_deliveries"), "loopmap's own tables"},
		"rowid":             {file("name: email,", "name: rowid,"), "SQLite's own name"},
		"no columns":        {"version: 1\ndatabase: sqlite:a\ntable: t\nkey: k\nreceive: {events: [a], columns: []}\n", "5:33: columns is a list"},
		"no receive":        {"version: 1\ndatabase: sqlite:a\ntable: t\nkey: k\n", "no receive"},
		"anchor":            {file("table: contacts", "table: &a contacts"), "4:8: anchors"},
		"tag":               {file("table: contacts", "table: !!str contacts"), "4:8: tags"},
		"merge":             {file("table: contacts", "<<: {table: contacts}"), "merge keys"},
		"two documents":     {example + "---\nversion: 1\n", "one document"},
		"bom":               {"\ufeff" + example, "1:1: the file begins with a byte order mark"},
		"utf-8":             {file("wörk", "w\xf6rk"), "11:67: the file is not UTF-8"},
		"control":           {file("wörk", "w\x1brk"), "11:67: a control character (0x1b)"},
		"conflict":          {file("table: contacts", "<<<<<<< HEAD\ntable: contacts"), "4:1: a merge conflict"},
		"tab":               {file("  events: [con", "\tevents: [con"), ":8:"},
		"deep":              {strings.Repeat("[", 100000), "nested too deep"},
		"auto":              {file("auto: true", "auto: yes"), "22:9: auto is true or false"},
		"no identity":       {file("    email: email\n", ""), "email, userId or both"},
	} {
		_, err := parsed(t, "m.yaml", []byte(c.src))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v\nwant %s", name, err, c.want)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the message holds the password: %v", name, err)
		}
	}
}

func TestParseNeverTakesAPart(t *testing.T) {
	whole := mustParse(t, example)
	for i := range example {
		m, err := Parse("m.yaml", []byte(example[:i]))
		if err != nil || len(m.Receive.Columns) != 5 {
			continue
		}
		if m.Push = whole.Push; !m.Same(whole) { // a push part that lacks its end can mean something, too
			t.Errorf("cut after %d bytes it reads as something else", i)
		}
	}
}

func TestRewriteKeepsTheRest(t *testing.T) {
	edit := func(f func(m *Mapping)) string {
		m := mustParse(t, example).Clone()
		f(m)
		out, err := Rewrite("loopmap.yaml", []byte(example), m)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	path := func(s string) Path {
		p, err := ParsePath(s)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	columns := func(m *Mapping) *[]Column { return &m.Receive.Columns }

	if got := edit(func(*Mapping) {}); got != example {
		t.Errorf("no change, and yet:\n%s", got)
	}
	for name, c := range map[string]struct {
		edit     func(m *Mapping)
		old, new string
	}{
		"add": {
			func(m *Mapping) {
				*columns(m) = append(*columns(m), Column{"plan", column.Text, path(`contact["plan name"]`)})
			},
			"    # last words\n",
			"    - {name: plan,       type: text,    from: 'contact[\"plan name\"]'}\n    # last words\n",
		},
		"rename": {
			func(m *Mapping) { (*columns(m))[1].Name = "mail" },
			"{name: email,      type: text,    from: contact.email}   # wörk", "{name: mail,       type: text,    from: contact.email}   # wörk",
		},
		"rename the key": {
			func(m *Mapping) { (*columns(m))[0].Name, m.Key = "id", "id" },
			"key: loops_id                                  # the column that tells rows apart", "key: id                                  # the column that tells rows apart",
		},
		"type in block style": {
			func(m *Mapping) { (*columns(m))[3].Type = column.Text },
			"      type: time\n", "      type: text\n",
		},
		"drop": {
			func(m *Mapping) { *columns(m) = append((*columns(m))[:2:2], (*columns(m))[3:]...) },
			"    - {name: first_name, type: text,    from: contact.firstName}\n", "",
		},
		"move": {
			func(m *Mapping) { c := *columns(m); c[2], c[3] = c[3], c[2] },
			"\n    # the one that marketing asked for\n    - {name: first_name, type: text,    from: contact.firstName}\n    - name: signed_up # block style\n      type: time\n      from: eventTime\n",
			"    - name: signed_up # block style\n      type: time\n      from: eventTime\n\n    # the one that marketing asked for\n    - {name: first_name, type: text,    from: contact.firstName}\n",
		},
		"table": {
			func(m *Mapping) { m.Table = "people of note" },
			"table: contacts\n", "table: 'people of note'\n",
		},
	} {
		got := edit(c.edit)
		want := strings.Replace(example, c.old, c.new, 1)
		if name == "rename the key" {
			want = strings.Replace(want, "{name: loops_id,   type", "{name: id,         type", 1)
		}
		if got != want {
			t.Errorf("%s:\n%s\nwant:\n%s", name, got, want)
		}
	}
	crlf := strings.ReplaceAll(example, "\n", "\r\n")
	m := mustParse(t, crlf).Clone()
	m.Receive.Columns[1].Name = "mail"
	out, err := Rewrite("loopmap.yaml", []byte(crlf), m)
	if err != nil || strings.Count(string(out), "\r\n") != strings.Count(crlf, "\r\n") || strings.Count(string(out), "\n") != strings.Count(crlf, "\n") {
		t.Errorf("CRLF is not kept: %v", err)
	}
}

func TestRewriteOtherStyles(t *testing.T) {
	for name, src := range map[string]string{
		"flow list":     "version: 1\ndatabase: sqlite:a\ntable: t\nkey: k\nreceive: {events: [a], columns: [{name: k, type: text, from: a}, {name: b, type: text, from: b}]} # end\n",
		"flow lines":    "version: 1\ndatabase: sqlite:a\ntable: t\nkey: k\nreceive:\n  events: [a]\n  columns: [\n    {name: k, type: text, from: a}, # end\n    {name: b, type: text, from: b},\n  ]\n",
		"no last line":  "version: 1\ndatabase: sqlite:a\ntable: t\nkey: k\nreceive:\n  events: [a]\n  columns:\n  - {name: k, type: text, from: a}\n  - {name: b, type: text, from: b}",
		"columns first": "receive:\n  columns:\n  - name: k\n    type: text\n    from: a\n\n  - from: b\n    name: b\n    type: text\n  events: [a]\nversion: 1\ndatabase: sqlite:a\ntable: t\nkey: k\n",
	} {
		m := mustParse(t, src).Clone()
		p, _ := ParsePath(`x["y: #z"]`)
		m.Receive.Columns = []Column{{"new", column.JSON, p}, m.Receive.Columns[1], m.Receive.Columns[0]}
		out, err := Rewrite("m.yaml", []byte(src), m)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if strings.Contains(src, "# end") && !strings.Contains(string(out), "# end") {
			t.Errorf("%s: the comment is gone:\n%s", name, out)
		}
	}
}

// A list in brackets keeps its looks: what is not changed stays byte for byte.
func TestRewriteFlow(t *testing.T) {
	const head, tail = "version: 1\ndatabase: sqlite:a\ntable: t\nkey: k\nreceive:\n  events: [e]\n  columns: ", "\n# after\n"
	const (
		k   = "{name: k, type: text, from: a}"
		b   = "{ name: b,  type: text, from: b }"
		c   = "{name: c, type: json, from: c}"
		odd = "{name: nn, type: text, from: 'x[\"y z\"]'}"
	)
	col := func(name string, typ column.Type, from string) Column {
		p, err := ParsePath(from)
		if err != nil {
			t.Fatal(err)
		}
		return Column{name, typ, p}
	}
	K, B, C, N := col("k", column.Text, "a"), col("b", column.Text, "b"), col("c", column.JSON, "c"), col("nn", column.Text, `x["y z"]`)
	lines := "[\n    # c1\n    " + k + ", # one\n\n    " + b + "  # two\n  ] # end"
	comma := "[\n    " + k + ", # one\n    " + b + ", # two\n  ]"
	for name, x := range map[string]struct {
		src  string
		cols []Column
		want string
	}{
		"add to one line":       {"[" + k + ", " + b + "]", []Column{K, B, N}, "[" + k + ", " + b + ", " + odd + "]"},
		"drop from one line":    {"[" + k + ", " + b + ", " + c + "]", []Column{K, C}, "[" + k + ", " + c + "]"},
		"drop the last":         {"[" + k + ", " + b + "]", []Column{K}, "[" + k + "]"},
		"swap":                  {"[" + k + ", " + b + "]", []Column{B, K}, "[" + b + ", " + k + "]"},
		"add to lines":          {lines, []Column{K, B, N}, "[\n    # c1\n    " + k + ", # one\n\n    " + b + ",  # two\n    " + odd + "\n  ] # end"},
		"add behind a comma":    {comma, []Column{K, B, N}, "[\n    " + k + ", # one\n    " + b + ", # two\n    " + odd + ",\n  ]"},
		"drop a line":           {lines, []Column{K}, "[\n    # c1\n    " + k + ", # one\n\n  ] # end"},
		"drop and add at once":  {lines, []Column{K, N}, "[\n    # c1\n    " + k + ", # one\n    " + odd + ",\n\n  ] # end"},
		"swap lines":            {lines, []Column{B, K}, "[\n    # c1\n    " + b + ", # one\n\n    " + k + "  # two\n  ] # end"},
		"change one in place":   {lines, []Column{K, col("b", column.Number, "b")}, strings.Replace(lines, "b,  type: text", "b,  type: number", 1)},
		"add three to one line": {"[" + k + "]", []Column{K, B, C, N}, "[" + k + ", {name: b, type: text, from: b}, " + c + ", " + odd + "]"},
	} {
		for _, end := range []string{"\n", "\r\n"} {
			src := strings.ReplaceAll(head+x.src+tail, "\n", end)
			m := mustParse(t, src).Clone()
			m.Receive.Columns = x.cols
			out, err := Rewrite("m.yaml", []byte(src), m)
			want := strings.ReplaceAll(head+x.want+tail, "\n", end)
			if err != nil || string(out) != want {
				t.Errorf("%s: %v\n%s\nwant\n%s", name, err, out, want)
			}
		}
	}
}

func TestRewriteNew(t *testing.T) {
	m := New("sqlite:contacts.db")
	p, _ := ParsePath(`contact["a'b: \u001b"]`)
	m.Receive.Columns = append(m.Receive.Columns, Column{"null", column.Text, p}, Column{"x\ny\"", column.JSON, p})
	// Keys of any kind come back from the file as they were.
	for _, key := range []string{"", "a.b", "*#@!|", `q"\\'`, "null", "\u2028\u0085", "\U000e0041", strings.Repeat("k", 64<<10), "- x", "#c", "{a}", "é", "0"} {
		m.Receive.Columns = append(m.Receive.Columns, Column{fmt.Sprint("c", len(m.Receive.Columns)), column.Text, body.MakePath(body.Step{Key: key}, body.Step{Key: key})})
	}
	out, err := Rewrite("loopmap.yaml", nil, m)
	if err != nil {
		t.Fatalf("%v\n%.2000s", err, out)
	}
	if !mustParse(t, string(out)).Same(m) {
		t.Errorf("not the same:\n%s", out)
	}
}

// FuzzFile: whatever the file, Parse returns; and what it takes can be edited and
// still says the rest.
func FuzzFile(f *testing.F) {
	f.Add([]byte(example), "x", `a["b"]`)
	f.Add([]byte(strings.ReplaceAll(example, "\n", "\r\n")), "a: b", "c")
	f.Add([]byte("version: 1\ndatabase: sqlite:a\ntable: t\nkey: k\nreceive: {events: [a], columns: [{name: k, type: text, from: a}]}"), "#", "d")
	f.Fuzz(func(t *testing.T, src []byte, name, from string) {
		m, err := parsed(t, "m.yaml", src)
		if err != nil {
			return
		}
		if out, err := Rewrite("m.yaml", src, m); err != nil || string(out) != string(src) {
			t.Fatalf("no change, and yet %v:\n%q\n%q", err, src, out)
		}
		p, err := ParsePath(from)
		if err != nil {
			return
		}
		n := m.Clone()
		n.Receive.Columns = append([]Column{{name, column.Text, p}}, n.Receive.Columns...)
		if out, err := Rewrite("m.yaml", src, n); err == nil {
			if back, err := parsed(t, "m.yaml", out); err != nil || !back.Same(n) {
				t.Fatalf("%v\n%s", err, out)
			}
		}
	})
}

func BenchmarkRow(b *testing.B) {
	raw, err := os.ReadFile("testdata/contact.created.json")
	if err != nil {
		b.Fatal(err)
	}
	m := New("sqlite:contacts.db")
	for _, s := range []string{"contact.email", "contact.firstName", "contact.lastName", "contact.source", "contact.subscribed", "contact.userGroup", "contact.createdAt"} {
		p, _ := ParsePath(s)
		m.Receive.Columns = append(m.Receive.Columns, Column{p.String(), column.Text, p})
	}
	d := Delivery{Body: raw}
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := m.Row(d); err != nil {
			b.Fatal(err)
		}
	}
}
