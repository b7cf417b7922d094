package body

import (
	"fmt"
	"strings"
	"testing"
)

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
