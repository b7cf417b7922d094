package mapping

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"loopmap/mapping/column"
)

const ruled = `version: 1
database: sqlite:contacts.db
table: contacts
key: loops_id
receive:
  events: [contact.created]
  columns:
    - {name: loops_id, type: text, from: contact.id}
    - {name: subscribed, type: boolean, from: contact.subscribed}
  rules:
%s
journal: {keep: 90d}
`

func TestRules(t *testing.T) {
	m, err := parsed(t, "m.yaml", fmt.Appendf(nil, ruled, `    - {event: contact.unsubscribed, set: {subscribed: false, plan: "7", note: null-ish, score: 1.5}}
    - event: contact.mailingList.subscribed
      if: {mailingList.id: vip, mailingList.isPublic: true}
      set:
        vip: true
        vip_since: {from: eventTime, type: time}
    - {event: contact.deleted, delete: true}
    - {event: contact.created, set: {deleted: false}}`))
	if err != nil {
		t.Fatal(err)
	}
	if m.Keep != 90*24*time.Hour {
		t.Errorf("kept for %v", m.Keep)
	}
	var names []string
	for _, c := range m.Columns() {
		names = append(names, c.Name+" "+string(c.Type))
	}
	if got := strings.Join(names, ", "); got != "loops_id text, subscribed boolean, plan text, note text, score number, vip boolean, vip_since time, deleted boolean" {
		t.Errorf("columns: %s", got)
	}
	identity := `"eventTime":1795421000,"contactIdentity":{"id":"x"}`
	list := func(id string, public bool) string {
		return fmt.Sprintf(`{"eventName":"contact.mailingList.subscribed",%s,"mailingList":{"id":%q,"isPublic":%v}}`, identity, id, public)
	}
	for body, want := range map[string]string{
		`{"eventName":"contact.unsubscribed",` + identity + `}`: "applied 1 x: loops_id=x subscribed=false plan=7 note=null-ish score=1.5",
		list("vip", true):  "applied 1 x: loops_id=x vip=true vip_since=2026-11-23T08:03:20Z",
		list("vip", false): "ignored 1 x: loops_id=x",
		list("cm0", true):  "ignored 1 x: loops_id=x",
		`{"eventName":"contact.deleted",` + identity + `}`:                                        "applied 2 x: loops_id=x",
		`{"eventName":"contact.deleted","contactIdentity":{"id":null}}`:                           "quarantined 2 : loops_id=NULL",
		`{"eventName":"contact.created",` + identity + `,"contact":{"id":"x","subscribed":true}}`: "applied 0 x: loops_id=x subscribed=true deleted=false",
		`{"eventName":"email.opened",` + identity + `}`:                                           "ignored 0 : ",
	} {
		e := Enter(m, Delivery{Body: []byte(body)})
		got := fmt.Sprintf("%s %d %s:", e.Status, e.Row.Action, e.Row.Key)
		for i, c := range m.Columns() {
			switch cell := e.Row.Cells[i]; cell.State {
			case column.Present:
				got += " " + c.Name + "=" + cell.Text
			case column.Null:
				got += " " + c.Name + "=NULL"
			case column.Missing, column.Misfit:
			}
		}
		if strings.TrimSpace(got) != strings.TrimSpace(want) {
			t.Errorf("%s\ngives %s\nwant  %s", body, got, want)
		}
	}
	// The mapper leaves rules and retention as they are.
	src := fmt.Appendf(nil, ruled, "    - {event: contact.deleted, delete: true} # for good")
	m, err = parsed(t, "m.yaml", src)
	if err != nil {
		t.Fatal(err)
	}
	out, err := Rewrite("m.yaml", src, m.Retype(1, column.Text))
	if want := strings.Replace(string(src), "subscribed, type: boolean", "subscribed, type: text", 1); err != nil || strings.Join(strings.Fields(string(out)), " ") != strings.Join(strings.Fields(want), " ") {
		t.Errorf("%s\n%v", out, err)
	}
}

func TestRulesRefused(t *testing.T) {
	for rule, want := range map[string]string{
		"{event: a}":                                                   "11:7: the rule does nothing",
		"{set: {x: 1}}":                                                "11:7: the rule has no event",
		"{event: a, sett: {x: 1}}":                                     `unknown key "sett" in a rule; did you mean set?`,
		"{event: a, set: {x: 1}, delete: true}":                        "a row that is deleted has nothing to set",
		"{event: contact.created, delete: true}":                       "cannot delete it too",
		"{event: a, delete: maybe}":                                    "delete is true or false",
		"{event: a, set: {loops_id: y}}":                               "loops_id is the key",
		"{event: a, set: {subscribed: perhaps}}":                       "column subscribed (boolean)",
		"{event: a, set: {Subscribed: true}}":                          "which ignores case",
		"{event: a, set: {x: null}}":                                   "null alone does not say",
		"{event: a, set: {x: {from: eventTime}}}":                      "has no type",
		"{event: a, set: {x: {from: 'a[', type: text}}}":               "x: ",
		"{event: a, set: {subscribed: {from: eventTime, type: time}}}": "is time, and boolean elsewhere",
		"{event: a, set: {x: [1]}}":                                    "is set to one value",
		"{event: a, set: {rowid: 1}}":                                  "SQLite's own name",
		"{event: a, if: {'a[': 1}, set: {x: 1}}":                       "if: ",
		"{event: a, if: [1], set: {x: 1}}":                             "if is a block",
		"nonsense":                                                     "a rule is a block",
	} {
		_, err := parsed(t, "m.yaml", fmt.Appendf(nil, ruled, "    - "+rule))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngives %v\nwant  %s", rule, err, want)
		}
	}
	src := strings.Replace(fmt.Sprintf(ruled, "    - {event: contact.deleted, delete: true}"), "from: contact.id", "from: contact.custom", 1)
	if _, err := parsed(t, "m.yaml", []byte(src)); err == nil || !strings.Contains(err.Error(), "11:7: the key loops_id comes from contact.custom") {
		t.Errorf("a key that only contact.created has: %v", err)
	}
	for _, keep := range []string{"90", "d", "0d", "-1d", "3m", "1.5d", "99999999d"} {
		src := strings.Replace(fmt.Sprintf(ruled, "    []"), "rules:\n    []", "rules: []", 1)
		if _, err := parsed(t, "m.yaml", []byte(strings.Replace(src, "90d", keep, 1))); err == nil || !strings.Contains(err.Error(), "keep: ") {
			t.Errorf("keep: %s gives %v", keep, err)
		}
	}
}
