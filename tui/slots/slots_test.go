package slots

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

const file = `version: 1
database: sqlite:contacts.db
table: contacts
key: loops_id
receive:
  events: [contact.created]
  columns:
    - {name: loops_id, type: text, from: contactIdentity.id}
    - {name: mail, type: text, from: contact.email}
    - {name: news, type: boolean, from: contact.mailingLists.l2}
`

const push = `push:
  auto: true
  contact:
    email: mail
    only_run_if: plan == "pro"
    properties: {plan: plan, headCount: {column: team_size, on_null: clear}}
    lists: {l1: vip, gone: news}
  events:
    - name: upgraded
      once_per: [mail, plan]
      properties: {plan: plan, seats: team_size}
      contact: {zip: zip}
      lists: {l2: news}
    - name: left
`

// facts are those of a mapping file, a table, and a team that was asked.
func facts(t *testing.T, text string) Facts {
	t.Helper()
	m, err := mapping.Parse("loopmap.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return Facts{
		Mapping: m,
		Fields: []column.Field{{Name: "loops_id", Type: column.Text}, {Name: "mail", Type: column.Text}, {Name: "company", Type: column.Text},
			{Name: "team_size", Type: column.Integer}, {Name: "plan", Type: column.Text}, {Name: "vip", Type: column.Boolean},
			{Name: "news", Type: column.Boolean}, {Name: "zip", Type: column.Integer}, {Name: "subscribed", Type: column.Boolean}},
		Catalog: Catalog{
			Properties: []mapping.Property{{Key: "teamSize", Type: "number"}, {Key: "plan", Type: "string"},
				{Key: "zip", Type: "string"}, {Key: "createdAt", Type: "date"}},
			Lists:           []mapping.List{{ID: "l1", Name: "VIP"}, {ID: "l2", Name: "Product news"}},
			Events:          []string{"upgraded"},
			EventProperties: map[string][]mapping.Property{"upgraded": {{Key: "plan", Type: "string"}}},
		},
		Samples: [][]byte{[]byte(`{"contact":{"email":"a@x.example","score":1,"tags":[],"optInStatus":null,"mailingLists":{"l9":true}}}`)},
	}
}

func unasked(f Facts) Facts {
	f.Catalog = Catalog{}
	return f
}

// find is the slot of a label, of the contact update unless an event is named.
func find(t *testing.T, f Facts, label string, event int) Slot {
	t.Helper()
	for _, s := range f.Slots() {
		if s.Label == label && s.Event == event {
			return s
		}
	}
	t.Fatalf("no slot %s of %d", label, event)
	return Slot{}
}

// words are slots, a line each.
func words(list []Slot) string {
	var b strings.Builder
	for _, s := range list {
		fmt.Fprintf(&b, "%d %s", s.Event, s.Label)
		for _, w := range []string{s.Type, s.Value} {
			b.WriteString(" | " + w)
		}
		if s.Lacks {
			b.WriteString(" | lacks")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestSlots(t *testing.T) {
	const when = "-2 when |  | \n-2 as rows change |  | \n-2 every |  | \n"
	const begin = "-1 contact update |  | PUT /v1/contacts/update\n-1 email | string | \n-1 userId | string | \n-1 only run if |  | \n" +
		"-1 firstName | string | \n-1 lastName | string | \n-1 userGroup | string | \n-1 source | string | \n-1 subscribed | boolean | \n"
	for name, c := range map[string]struct {
		facts Facts
		want  string
	}{
		"asked": {facts(t, file), begin + "-1 teamSize | number | \n-1 plan | string | \n-1 zip | string | \n" +
			"-1 list VIP | boolean | \n-1 list Product news | boolean | \n0 + event |  | \n" + when},
		"not asked": {unasked(facts(t, file)), begin + "-1 score |  | \n-1 list l9 | boolean | \n0 + event |  | \n" + when},
		"a push part": {facts(t, file+push), `-1 contact update |  | PUT /v1/contacts/update
-1 email | string | mail
-1 userId | string | 
-1 only run if |  | plan == "pro"
-1 firstName | string | 
-1 lastName | string | 
-1 userGroup | string | 
-1 source | string | 
-1 subscribed | boolean | 
-1 teamSize | number | 
-1 plan | string | plan
-1 zip | string | 
-1 headCount |  | team_size | lacks
-1 list VIP | boolean | vip
-1 list Product news | boolean | 
-1 list gone | boolean | news | lacks
0 event upgraded |  | POST /v1/events/send
0 email | string | 
0 userId | string | 
0 only run if |  | 
0 once per |  | mail, plan
0 plan | string | plan
0 seats |  | team_size | lacks
0 contact zip | string | zip
0 list Product news | boolean | news
1 event left |  | POST /v1/events/send | lacks
1 email | string | 
1 userId | string | 
1 only run if |  | 
1 once per |  | 
2 + event |  | 
-2 when |  | 
-2 as rows change |  | on
-2 every |  | 
`},
		"createdAt, picked": {facts(t, file+"push: {contact: {email: mail, properties: {createdAt: plan}}}\n"),
			strings.Replace(begin, "email | string | ", "email | string | mail", 1) +
				"-1 teamSize | number | \n-1 plan | string | \n-1 zip | string | \n-1 createdAt | date | plan\n" +
				"-1 list VIP | boolean | \n-1 list Product news | boolean | \n0 + event |  | \n" + when},
	} {
		if got := words(c.facts.Slots()); got != c.want {
			t.Errorf("%s:\n%swant\n%s", name, got, c.want)
		}
	}
}

// What is a slot's own kind of thing, and what only looks like it.
func TestKinds(t *testing.T) {
	all := facts(t, file+push).Slots()
	labels := func(is func(Slot) bool) (list []string) {
		for _, s := range all {
			if is(s) {
				list = append(list, fmt.Sprint(s.Event, " ", s.Label))
			}
		}
		return list
	}
	ofEvent := func(is func(Slot) bool) func(Slot) bool { return func(s Slot) bool { return s.Event == 0 && is(s) } }
	for want, is := range map[string]func(Slot) bool{
		`["-1 contact update" "0 event upgraded" "1 event left" "2 + event" "-2 when"]`:   Slot.Heads,
		`["0 plan" "0 seats" "0 contact zip" "0 list Product news"]`:                      ofEvent(Slot.IsPair),
		`["0 email" "0 userId" "0 plan" "0 seats" "0 contact zip" "0 list Product news"]`: ofEvent(Slot.TakesColumn),
		`["0 contact zip"]`: ofEvent(Slot.IsContactProperty),
	} {
		if got := fmt.Sprintf("%q", labels(is)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	for i, s := range all {
		for k, other := range all {
			if s.Is(other) != (i == k) {
				t.Errorf("%d %s and %d %s", s.Event, s.Label, other.Event, other.Label)
			}
		}
	}
	for label, want := range map[string]string{
		"event upgraded": "upgraded", "list Product news": "Product news", "contact zip": "zip", "plan": "plan", "+ event": "",
	} {
		i := slices.IndexFunc(all, func(s Slot) bool { return s.Label == label })
		if got := all[i].Name(); got != want {
			t.Errorf("the name of %s is %q", label, got)
		}
	}
}

func TestMatch(t *testing.T) {
	f := facts(t, file+push)
	f.Fields = append(f.Fields, column.Field{Name: "Product_News", Type: column.Boolean})
	for label, want := range map[string]string{
		"email": "mail", "userId": "", "teamSize": "team_size", "plan": "plan", "firstName": "", "list VIP": "vip",
		"list Product news": "news", // by its path, though a column has its name
		"only run if":       "", "contact update": "",
	} {
		if got := f.Match(find(t, f, label, OfContact)); got != want {
			t.Errorf("%s: %q", label, got)
		}
	}
	var names []string
	for _, c := range f.Fitting(find(t, f, "list VIP", OfContact)) {
		names = append(names, c.Name)
	}
	if got := strings.Join(names, " "); got != "vip news subscribed Product_News" {
		t.Errorf("a list takes %s", got)
	}
	if n := len(f.Fitting(find(t, f, "plan", OfContact))); n != len(f.Fields) {
		t.Errorf("a property takes %d columns", n)
	}
	if Letters("first_name") != Letters("FirstName") || Letters("a-1") != "a1" {
		t.Error("styles of naming differ")
	}
}

func TestCondition(t *testing.T) {
	f := facts(t, file)
	if _, err := f.Condition(`plan == "pro" and team_size > 1`); err != nil {
		t.Error(err)
	}
	for src, want := range map[string]string{"plan == ": "character 8: ", "nope == 1": "character 1: the table has no column nope"} {
		if _, err := f.Condition(src); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", src, err)
		}
	}
}
