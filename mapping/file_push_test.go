package mapping

import (
	"reflect"
	"strings"
	"testing"

	"loopmap/mapping/column"
)

const pushHead = `version: 1
database: sqlite:contacts.db
table: contacts
key: loops_id
receive:
  events: [contact.created]
  columns:
    - {name: loops_id, type: text, from: contactIdentity.id}
push:
`

func TestPushFile(t *testing.T) {
	m := mustParse(t, pushHead+`  every: '0 6 * * 1-5'
  contact:
    userId: user_id
    only_run_if: "plan != nil"
    source: crm
    on_null: clear
    properties:
      plan: {column: plan, as: string, on_null: skip}
      zip: zip
  events:
    - name: upgraded
      email: manager
      contact: {plan: plan}
      lists: {l1: vip}
`)
	want := &Push{Every: "0 6 * * 1-5", Contact: &PushContact{UserID: "user_id", OnlyRunIf: "plan != nil", Source: "crm", OnNull: ClearNull,
		Properties: []Pair{{"plan", "plan", "string", SkipNull}, {Loops: "zip", Column: "zip"}}},
		Events: []PushEvent{{Name: "upgraded", Email: "manager", Contact: []Pair{{Loops: "plan", Column: "plan"}}, Lists: []Pair{{Loops: "l1", Column: "vip"}}}},
		places: m.Push.places}
	if !reflect.DeepEqual(m.Push, want) {
		t.Errorf("got %+v", m.Push)
	}
}

func TestPushFileRefuses(t *testing.T) {
	for _, c := range []struct{ push, want string }{
		{"  every: 5s\n", "f:10:10: every is a time between two runs, a minute at least"},
		{"  every: soon\n", "f:10:10: every is"},
		{"  every: '* * * *'\n", "every is"},
		{"  contact: {properties: {plan: plan}}\n", "f:10:12: push.contact needs email, userId or both"},
		{"  contact: {email: email, on_null: drop}\n", "on_null is skip"},
		{"  contact: {email: email, source: a, properties: {source: b}}\n", "source stands among the properties, too"},
		{"  contact: {email: email, properties: {plan: {col: plan}}}\n", `unknown key "col" in plan`},
		{"  contact: {email: email, properties: {plan: {column: plan, as: text}}}\n", "as is one of Loops' types"},
		{"  contact: {email: email, properties: {plan: [plan]}}\n", "plan of properties is the name of a column"},
		{"  contact: {email: email, properties: {teamId: plan}}\n", "Loops reserves it"},
		{"  contact: {email: email, only_run_if: 'plan ='}\n", "f:10:46: only_run_if"},
		{"  events:\n    - name: contact\n      email: email\n", "an event cannot be named contact"},
		{"  events:\n    - name: a\n", "f:11:7: the event needs email, userId or both"},
		{"  events:\n    - {name: a, email: e}\n    - {name: a, email: e}\n", "f:12:7: event a stands here twice"},
		{"  events:\n    - {name: a, email: e, properties: {p: {column: c, on_null: clear}}}\n", "f:11:52: an event's property cannot be cleared"},
		{"  events:\n    - {name: a, email: e, contact: {eventName: c}}\n", "it is a word of the API"},
	} {
		_, err := parsed(t, "f", []byte(pushHead+c.push))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\ngot  %v\nwant %s", c.push, err, c.want)
		}
	}
}

func TestPushProblems(t *testing.T) {
	m := mustParse(t, pushHead+`  contact:
    email: emial
    properties: {plan: {column: "plann"}}
  events:
    - name: a
      only_run_if: plan > 5
      once_per: [email, gone]
`)
	var got []string
	for _, p := range m.PushProblems("f", []column.Field{{Name: "email", Type: column.Text}, {Name: "plan", Type: column.Text}}) {
		got = append(got, p.String())
	}
	want := []string{
		"f:11:12: push: the table has no column emial; did you mean email?",
		"f:12:34: push: the table has no column plann; did you mean plan?",
		"f:16:25: push: the table has no column gone",
		"f:15:25: only_run_if of a: ",
	}
	for i, w := range want {
		if i >= len(got) || !strings.HasPrefix(got[i], w) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			break
		}
	}
}
