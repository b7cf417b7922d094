package mapping

import (
	"strings"
	"testing"
)

func TestConnectionNames(t *testing.T) {
	for team, want := range map[string]string{
		"Analytical Engines":               "analytical-engines",
		"  Acme, Inc. (EU) ":               "acme-inc-eu",
		"":                                 "default",
		"株式会社":                             "default",
		"***":                              "default",
		"0123456789abcdef0123456789abcdef": "default",
		"../../etc/passwd":                 "etc-passwd",
		strings.Repeat("long ", 20):        "long-long-long-long-long-long-long-long",
	} {
		if got := ConnectionName(team); got != want || ConnectionMisfit(got) != "" {
			t.Errorf("team %q: %q, want %q; %s", team, got, want, ConnectionMisfit(got))
		}
	}
	const key = "0123456789abcdef0123456789abcdef"
	for _, name := range []string{"", ".hidden", "../up", "a/b", "A", "a b", "a\n", "ü", strings.Repeat("x", 41), key} {
		why := ConnectionMisfit(name)
		if why == "" || name == key && strings.Contains(why, key) {
			t.Errorf("%q: %q", name, why)
		}
	}
}

const connected = `version: 1
database: sqlite:a.db
table: t
key: id
receive:
  events: [contact.created]
  columns: [{name: id, type: text, from: contactIdentity.id}]
push:
  # whose key
  connection: acme   # the team in Europe
  contact: {userId: id}
`

// The name is read, kept through a save of something else, changed and taken out, and the
// rest of the file stays as it is.
func TestPushConnection(t *testing.T) {
	m, err := parsed(t, "f", []byte(connected))
	if err != nil || m.Push.Connection != "acme" {
		t.Fatalf("%+v, %v", m, err)
	}
	for name, want := range map[string]string{"acme": connected, "beta": strings.Replace(connected, ": acme", ": beta", 1)} {
		out, err := Rewrite("f", []byte(connected), m.EditPush(func(p *Push) { p.Connection = name }))
		if err != nil || string(out) != want {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	out, err := Rewrite("f", []byte(connected), m.EditPush(func(p *Push) { p.Auto = true }))
	if err != nil || !strings.Contains(string(out), "connection: acme   # the team in Europe\n") || !strings.Contains(string(out), "auto: true") {
		t.Errorf("%v\n%s", err, out)
	}
	out, err = Rewrite("f", []byte(connected), m.EditPush(func(p *Push) { p.Connection = "" }))
	if err != nil || strings.Contains(string(out), "connection:") {
		t.Errorf("%v\n%s", err, out)
	}
	for _, wrong := range []string{"Acme", `""`, "[acme]", "0123456789abcdef0123456789abcdef"} {
		_, err := parsed(t, "f", []byte(strings.Replace(connected, ": acme", ": "+wrong, 1)))
		if err == nil || !strings.Contains(err.Error(), "f:10:15: ") || strings.Contains(err.Error(), "0123456789") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}
