package loopstest_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"loopmap/mapping/loops"
	"loopmap/mapping/loops/loopstest"
)

// What is sent has the members of Loops' samples, in their order.
func TestWebhookShape(t *testing.T) {
	bubble(t, loopstest.Options{Rate: -1}, func(t *testing.T, s *loopstest.Server, e *endpoint) {
		call(t, s, "PUT", "/v1/contacts/update", `{"email":"a@x.example","userId":"1","firstName":"A <&>","lastName":"B","userGroup":"g","teamSize":1,"mailingLists":{"`+product+`":true,"`+investors+`":true}}`)
		call(t, s, "PUT", "/v1/contacts/update", `{"email":"a@x.example","mailingLists":{"`+investors+`":false}}`)
		call(t, s, "POST", "/v1/contacts/delete", `{"email":"a@x.example"}`)
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, m := range e.got {
			sample, _ := loops.Example(m.event)
			if got, want := shape(t, m.body), shape(t, sample); !seen[m.event] && !slices.Equal(got, want) {
				t.Errorf("%s has\n%v\nthe sample has\n%v", m.event, got, want)
			}
			if bytes.ContainsAny(m.body, "\n") || bytes.Contains(m.body, []byte(`\u00`)) {
				t.Errorf("%s", m.body)
			}
			seen[m.event] = true
		}
		if len(seen) != 5 {
			t.Errorf("%v", seen)
		}
	})
}

// shape lists the paths of a body with the kinds of their values, without the ids
// of lists and without custom properties.
func shape(t *testing.T, body []byte) (paths []string) {
	t.Helper()
	var walk func(d *json.Decoder, at string)
	walk = func(d *json.Decoder, at string) {
		token, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		if token != json.Delim('{') {
			paths = append(paths, at+" "+jsonKind(token))
			return
		}
		paths = append(paths, at+" {")
		for d.More() {
			key, err := d.Token()
			if err != nil {
				t.Fatal(err)
			}
			name := at + "." + key.(string)
			if strings.HasPrefix(at, ".contact.mailingLists") {
				name = at + ".*"
			}
			walk(d, name)
		}
		if _, err := d.Token(); err != nil {
			t.Fatal(err)
		}
	}
	d := json.NewDecoder(bytes.NewReader(body))
	walk(d, "")
	if i := slices.IndexFunc(paths, func(p string) bool { return strings.HasPrefix(p, ".contact.optInStatus") }); i >= 0 {
		paths = paths[:i+1]
	}
	return slices.Compact(paths)
}

func jsonKind(token json.Token) string {
	switch token.(type) {
	case string:
		return "string"
	case float64:
		return "number"
	case bool:
		return "boolean"
	}
	return "null"
}
