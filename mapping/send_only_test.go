package mapping

import (
	"errors"
	"strings"
	"testing"

	"loopmap/mapping/body"
)

// sendOnly is a file that receives nothing.
const sendOnly = `version: 1
database: sqlite:crm.db
table: customers   # the CRM's own
key: id

push:
  auto: true
  contact:
    email: mail
    userId: id
    properties: {plan: plan}
`

func TestParseSendOnly(t *testing.T) {
	m := mustParse(t, sendOnly)
	if m.Receives() || m.Key != "id" || len(m.Columns()) != 0 || len(m.Receive.Wanted()) != 0 || m.KeyIsContactID() {
		t.Errorf("got %+v", m)
	}
	if !mustParse(t, example).Receives() {
		t.Error("what receives is taken for what only sends")
	}
	for _, event := range []string{ContactCreated, ContactDeleted, TestEvent} {
		if _, err := m.Row(Delivery{Body: []byte(`{"eventName":"` + event + `","contactIdentity":{"id":"c1"},"contact":{}}`)}); !errors.Is(err, ErrIgnored) {
			t.Errorf("%s: %v", event, err)
		}
	}
	mustParse(t, "version: 1\ndatabase: sqlite:a\ntable: t\nkey: k\npush:\n  events: [{name: a, email: b}]\n")
	mustParse(t, "version: 1\ndatabase: sqlite:a\ntable: t\nkey: k\nreceive:\n  events: [a]\n  columns: [{name: k, type: text, from: a}]\npush:\n")
}

func TestParseRefusesWhatDoesNothing(t *testing.T) {
	const head = "version: 1\ndatabase: sqlite:a\ntable: t\nkey: k\n"
	for src, want := range map[string]string{
		"":                               "f:1:1: the mapping file has no receive, which says which events become rows, and no push, which says what rows send to Loops: it needs one of them",
		"push:\n":                        "f:1:1: the mapping file has no receive",
		"journal: {keep: 90d}\n":         "f:1:1: the mapping file has no receive",
		"push:\n  auto: true\n":          "f:6:3: push sends nothing: give it contact, events or both, or the mapping file a receive",
		"push: {events: []}\n":           "f:5:7: push sends nothing",
		"push: {}\n":                     "f:5:7: push sends nothing",
		"push: 3\n":                      "f:5:7: push is a block of keys: auto, every, connection, contact, events",
		"receves: {events: [a]}\n":       `f:5:1: unknown key "receves" in the mapping file; did you mean receive?`,
		"pusch: {contact: {email: a}}\n": `f:5:1: unknown key "pusch" in the mapping file; did you mean push?`,
	} {
		_, err := parsed(t, "f", []byte(head+src))
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", src, err)
		}
	}
}

// A file without receive keeps its look, gets a receive part with its first column, and
// loses it again.
func TestRewriteSendOnly(t *testing.T) {
	m := mustParse(t, sendOnly)
	same, err := Rewrite("f", []byte(sendOnly), m.Clone())
	if err != nil || string(same) != sendOnly {
		t.Errorf("%v\n%s", err, same)
	}
	edited := m.EditPush(func(p *Push) {
		p.Contact.Properties = append(p.Contact.Properties, Pair{Loops: "firstName", Column: "name"})
	})
	if out, err := Rewrite("f", []byte(sendOnly), edited); err != nil || strings.Contains(string(out), "receive") || !strings.Contains(string(out), "firstName") {
		t.Errorf("%v\n%s", err, out)
	}
	path, _ := ParsePath("contact.firstName")
	more := m.Add(&body.Attribute{Path: path})
	out, err := Rewrite("f", []byte(sendOnly), more)
	want := sendOnly + `
receive:
  events: [contact.created]
  columns:
    - {name: id,         type: text,    from: contactIdentity.userId}
    - {name: first_name, type: text,    from: contact.firstName}
`
	if err != nil || string(out) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, out, want)
	}
	if mustParse(t, string(out)); m.Receives() {
		t.Error("an edit changes the mapping in place")
	}
	if back, err := Rewrite("f", out, m); err != nil || strings.TrimSpace(string(back)) != strings.TrimSpace(sendOnly) {
		t.Errorf("%v\n%s", err, back)
	}
	if fresh, err := Rewrite("f", nil, m); err != nil || !mustParse(t, string(fresh)).Same(m) {
		t.Errorf("%v\n%s", err, fresh)
	}
}

// What tells rows apart says which of a contact's ids it is.
func TestReceivingKey(t *testing.T) {
	path, _ := ParsePath("contact.plan")
	for key, from := range map[string]string{"id": "contactIdentity.userId", "MAIL": "contactIdentity.email", "no": "contactIdentity.id"} {
		m := mustParse(t, strings.Replace(sendOnly, "key: id", "key: '"+key+"'", 1)).Add(&body.Attribute{Path: path})
		if c := m.Receive.Columns[0]; c.Name != key || c.From.String() != from || len(m.Receive.Columns) != 2 {
			t.Errorf("%s: %+v", key, m.Receive.Columns)
		}
	}
}

func TestMergeSendOnly(t *testing.T) {
	base := mustParse(t, sendOnly)
	path, _ := ParsePath("contact.plan")
	keyed := func(key string) *Mapping {
		n := base.Clone()
		n.Key = key
		return n
	}
	receives := base.Add(&body.Attribute{Path: path})
	for _, c := range []struct {
		mine, theirs *Mapping
		key          string
		columns      int
		clash        string
	}{
		{base, base, "id", 0, ""},
		{keyed("no"), base, "no", 0, ""},
		{base, keyed("no"), "no", 0, ""},
		{keyed("no"), keyed("nr"), "no", 0, "the key: they say nr, you say no; yours is taken"},
		{receives, base, "id", 2, ""},
		{base, receives, "id", 2, ""},
		{receives, receives, "id", 2, ""},
	} {
		got, clashes := Merge(base, c.mine, c.theirs)
		if got.Key != c.key || len(got.Receive.Columns) != c.columns || strings.Join(clashes, "; ") != c.clash {
			t.Errorf("%+v: key %s, %+v, %q", c, got.Key, got.Receive, clashes)
		}
		if out, err := Rewrite("f", []byte(sendOnly), got); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}
