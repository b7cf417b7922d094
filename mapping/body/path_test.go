package body

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParsePath(t *testing.T) {
	long := strings.Repeat("k", 64<<10)
	for in, want := range map[string]Path{
		"email":                      MakePath(Step{Key: "email"}),
		"contact.firstName":          MakePath(Step{Key: "contact"}, Step{Key: "firstName"}),
		"contact.tags[0]":            MakePath(Step{Key: "contact"}, Step{Key: "tags"}, Step{Index: 0, IsIndex: true}),
		`contact["fav.color"]`:       MakePath(Step{Key: "contact"}, Step{Key: "fav.color"}),
		`["a.b"].c`:                  MakePath(Step{Key: "a.b"}, Step{Key: "c"}),
		`[3][4]`:                     MakePath(Step{Index: 3, IsIndex: true}, Step{Index: 4, IsIndex: true}),
		`a["0"]`:                     MakePath(Step{Key: "a"}, Step{Key: "0"}),
		`a[""][""]`:                  MakePath(Step{Key: "a"}, Step{}, Step{}),
		`a["]\"\\[*#@|!{}"]`:         MakePath(Step{Key: "a"}, Step{Key: `]"\[*#@|!{}`}),
		`a["\u001b\ud83d\ude00"]`:    MakePath(Step{Key: "a"}, Step{Key: "\x1b😀"}),
		`a["` + long + `"]`:          MakePath(Step{Key: "a"}, Step{Key: long}),
		"_a.$b.c9":                   MakePath(Step{Key: "_a"}, Step{Key: "$b"}, Step{Key: "c9"}),
		`contact["größe"]["plan n"]`: MakePath(Step{Key: "contact"}, Step{Key: "größe"}, Step{Key: "plan n"}),
	} {
		got, err := ParsePath(in)
		if err != nil || !got.Equal(want) {
			t.Errorf("ParsePath(%.60q) = %v, %v", in, got, err)
		}
		again, err := ParsePath(got.String())
		if err != nil || !again.Equal(got) {
			t.Errorf("%.60q does not read back as itself: %v", got.String(), err)
		}
	}
}

func TestParsePathRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"":                                     "empty",
		"a..b":                                 "character 3: a name is missing",
		".a":                                   "name is missing",
		"a.":                                   "name is missing",
		"a[":                                   "character 2: a bracket holds",
		"a[]":                                  "a bracket holds",
		"a[x]":                                 "a bracket holds",
		"a[-1]":                                "a bracket holds",
		"a[01]":                                "leading zeros",
		"a[9999999999]":                        "not an index",
		"a[0]b":                                `character 5: "b" cannot follow`,
		`a["b]`:                                "does not end",
		`a["b"`:                                "not closed",
		`a["\x"]`:                              "unknown escape",
		"contact.fav-color":                    `write ["fav-color"] in place of fav-color`,
		"contact.plan name":                    `["plan name"]`,
		"2fa":                                  `["2fa"]`,
		"größe":                                `["größe"]`,
		"a\xff":                                "UTF-8",
		strings.Repeat("a.", MaxDepth+1) + "a": "at most 1000 steps",
	} {
		if _, err := ParsePath(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParsePath(%.40q): %v, want %q", in, err, want)
		}
	}
}

func TestPathGet(t *testing.T) {
	body := []byte(`{"a":{"b":1,"b.c":2,"":{"":3},"0":4,"*":5,"#":6,"@this":7,"q\"\\":8},"list":[10,{"x":11}],
		"d":{"x":1},"d":{"y":2}, "\u0061\u0301":9, "e":null}`)
	for path, want := range map[string]string{
		"a.b": "1", `a["b.c"]`: "2", `a[""][""]`: "3", `a["0"]`: "4", `a["*"]`: "5", `a["#"]`: "6",
		`a["@this"]`: "7", `a["q\"\\"]`: "8", "list[0]": "10", "list[1].x": "11", "d.y": "2",
		`["a` + "\u0301" + `"]`: "9", "e": "null", "d": `{"y":2}`,
		// Not there:
		"a[0]": "", `list["0"]`: "", "list[2]": "", "d.x": "", "a.b.c": "", `a["b.d"]`: "", "b": "", `[""]`: "",
	} {
		p, err := ParsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := p.Get(body)
		if ok != (want != "") || got.Raw != want {
			t.Errorf("%s = %q, %v; want %q", path, got.Raw, ok, want)
		}
		if ok && string(body[got.Index:got.Index+len(got.Raw)]) != got.Raw {
			t.Errorf("%s: index %d is not where the value stands", path, got.Index)
		}
	}
	if _, ok := MakePath(Step{Key: "a"}).Get([]byte(`{"a":1`)); ok {
		t.Error("a body that is not JSON has a value")
	}
}

// FuzzPathGet holds the walk against encoding/json, which knows nothing of paths
// and lets the last of doubled keys count too.
func FuzzPathGet(f *testing.F) {
	f.Add(`{"a":{"b":[1,{"c":"x"}]},"a":{"d":2}}`, `a.d`)
	f.Add(`[[],{"0":{"":[null]}}]`, `[1]["0"][""][0]`)
	f.Add(`{"\ud83d\u0041":1,"\ud83d\ude00":2}`, `["\ud83d\ude00"]`)
	f.Add(`{"":{"":1}}`, `[""][""]`)
	f.Fuzz(func(t *testing.T, body, path string) {
		valid := json.Valid([]byte(body)) && utf8.ValidString(body)
		err := scanJSON([]byte(body), nil, nil)
		if (err == nil) != valid && !strings.Contains(err.Error(), "nesting") {
			t.Fatalf("scan of %q: %v, encoding/json says %v", body, err, valid)
		}
		p, perr := ParsePath(path)
		if perr != nil {
			return
		}
		if again, err := ParsePath(p.String()); err != nil || !again.Equal(p) {
			t.Fatalf("%q is written %q, which is not the same path", path, p.String())
		}
		if err != nil {
			return
		}
		got, ok := p.Get([]byte(body))
		want, found := lookUp(json.RawMessage(body), p.Steps())
		if ok != found || ok && strings.TrimSpace(string(want)) != got.Raw {
			t.Fatalf("%s in %s: %q %v, want %q %v", path, body, got.Raw, ok, want, found)
		}
	})
}

func lookUp(v json.RawMessage, steps []Step) (json.RawMessage, bool) {
	for _, s := range steps {
		if s.IsIndex {
			var list []json.RawMessage
			if json.Unmarshal(v, &list) != nil || s.Index >= len(list) {
				return nil, false
			}
			v = list[s.Index]
			continue
		}
		var members map[string]json.RawMessage
		if json.Unmarshal(v, &members) != nil {
			return nil, false
		}
		var ok bool
		if v, ok = members[s.Key]; !ok {
			return nil, false
		}
	}
	return v, true
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"Ada":                    "Ada",
		"東京 e\u0301 ok":          "東京 e\u0301 ok",
		"\x1b[31m":               "␛[31m",
		"a\r\n\tb\b\a\x7f":       "a␍␊␉b␈␇␡",
		"\u009b31m":              "⟨U+009B⟩31m",
		"\x9b31m":                "⟨0x9b⟩31m",
		"\u202eevil\u200b\ufeff": "⟨U+202E⟩evil⟨U+200B⟩⟨U+FEFF⟩",
		"\U000e0041":             "⟨U+E0041⟩",
		"\u3164":                 "⟨U+3164⟩",
	} {
		if got := Printable(in); got != want {
			t.Errorf("Printable(%q) = %q, want %q", in, got, want)
		}
	}
}
