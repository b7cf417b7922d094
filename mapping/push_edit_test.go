package mapping

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"loopmap/mapping/body"
	"loopmap/mapping/column"
)

// What a person may have written, in the styles that YAML has.
var pushFiles = map[string]string{
	"none": strings.TrimSuffix(pushHead, "push:\n"),
	"bare": pushHead,
	"block": pushHead + `  # soon after they change
  auto: true

  contact:
    email: email   # who
    # the rest
    properties:
      plan: plan
      zip: {column: zip, as: string}

    lists:
      l1: vip
  events:
    # the first
    - name: upgraded
      only_run_if: plan == "pro"   # paid
      once_per:
        - email
        - plan
      properties: {plan: plan}
    # the second
    - only_run_if: vip
      name: welcomed
      contact:
        plan: plan
# the end
`,
	"flow": pushHead[:len(pushHead)-1] + ` {auto: true, contact: {email: email, properties: {plan: plan, zip: {column: zip, as: string}}}, events: [{name: upgraded, once_per: [email]}]} # all
journal: {keep: 90d}
`,
	"mixed": pushHead + `  contact: {email: email, userId: "user_id"}
  events:
  - {name: upgraded, properties: {plan: plan}}
  - name: welcomed
    only_run_if: |
      vip and
      plan != nil
    lists: {l1: vip}
journal: {keep: 90d}
`,
}

// randomEdit changes the push part as the mapper might.
func randomEdit(r *rand.Rand, m *Mapping) *Mapping {
	names := []string{"plan", "zip", "companyName", "fav.color", "2024", "true", "a b", "l'été"}
	name, column := names[r.IntN(len(names))], []string{"plan", "zip", "vip", "team size", "on"}[r.IntN(5)]
	q := Pair{Loops: name, Column: column, As: []string{"", "", "string"}[r.IntN(3)], OnNull: []OnNull{"", "", SkipNull, ClearNull}[r.IntN(4)]}
	return m.EditPush(func(p *Push) {
		event := func() *PushEvent {
			if len(p.Events) == 0 {
				p.Events = append(p.Events, PushEvent{Name: "first", Email: "email"})
			}
			return &p.Events[r.IntN(len(p.Events))]
		}
		switch r.IntN(16) {
		case 0:
			p.Auto = !p.Auto
		case 1:
			p.Every = []string{"", "1h", "0 6 * * 1-5"}[r.IntN(3)]
		case 2:
			p.TheContact().OnlyRunIf = []string{"", `plan == "pro"`, "vip # not"}[r.IntN(3)]
		case 3:
			p.TheContact().UserID = []string{"", "user_id", "id"}[r.IntN(3)]
		case 4, 5:
			p.TheContact().Properties = SetPair(p.TheContact().Properties, q)
		case 6, 7:
			p.TheContact().Properties = DropPair(p.TheContact().Properties, name)
		case 8:
			p.TheContact().Lists = SetPair(p.TheContact().Lists, q)
		case 9:
			p.TheContact().Lists = DropPair(p.TheContact().Lists, "l1")
		case 10:
			p.Events = append(p.Events, PushEvent{Name: fmt.Sprint("event ", r.IntN(1000)), Email: "email"})
		case 11:
			if e := event(); e != nil {
				e.Name = fmt.Sprint("named ", r.IntN(1000))
			}
		case 12:
			q.OnNull = ""
			e := event()
			e.Properties = SetPair(e.Properties, q)
		case 13:
			e := event()
			e.OncePer = [][]string{nil, {"email"}, {"email", "team size"}, {"plan", "email"}, {"plan"}}[r.IntN(5)]
			e.Contact = DropPair(SetPair(e.Contact, q), "plan")
		case 14:
			e := event()
			e.OnlyRunIf = []string{"", "vip", `plan == 'x'`}[r.IntN(3)]
		case 15:
			if len(p.Events) > 0 {
				i := r.IntN(len(p.Events))
				p.Events = append(p.Events[:i:i], p.Events[i+1:]...)
			}
		}
	})
}

// Whatever is changed, the file says it, the rest of it stays as it was, and changing
// it back gives the same push part.
func TestRewritePush(t *testing.T) {
	for name, src := range pushFiles {
		for _, end := range []string{"\n", "\r\n"} {
			for seed := range uint64(40) {
				r := rand.New(rand.NewPCG(seed, 1))
				file := strings.ReplaceAll(src, "\n", end)
				m := mustParse(t, file)
				start := m
				for range 1 + r.IntN(6) {
					n := randomEdit(r, m)
					if n.Push.Check() != nil {
						continue // the mapper would not have let it
					}
					out, err := Rewrite("f", []byte(file), n)
					if err != nil {
						t.Fatalf("%s, seed %d: %v\n%s\nwanted %s", name, seed, err, file, n.Push.settings().Inline())
					}
					if rest, _, _ := strings.Cut(pushHead, "push:"); !strings.HasPrefix(string(out), strings.ReplaceAll(rest, "\n", end)) {
						t.Fatalf("%s, seed %d: the rest has changed:\n%s", name, seed, out)
					}
					if strings.Contains(src, "keep: 90d") != strings.Contains(string(out), "keep: 90d") || end == "\r\n" && strings.Count(string(out), "\n") != strings.Count(string(out), end) {
						t.Fatalf("%s, seed %d: the rest has changed:\n%s", name, seed, out)
					}
					file, m = string(out), n
				}
				if out, err := Rewrite("f", []byte(file), start); err != nil || !mustParse(t, string(out)).Same(start) {
					t.Fatalf("%s, seed %d: back again: %v\n%s", name, seed, err, file)
				}
			}
		}
	}
}

// Comments, order and the look of what is not changed stay.
func TestRewritePushKeeps(t *testing.T) {
	src := pushFiles["block"]
	m := mustParse(t, src).EditPush(func(p *Push) {
		p.Contact.Properties = append(DropPair(p.Contact.Properties, "plan"), Pair{Loops: "companyName", Column: "company"})
		p.Contact.UserID = "user_id"
		p.Events[0].OncePer = []string{"email", "company"}
		p.Events[0].OnlyRunIf = `plan == "max"`
		p.Events[1].Name = "greeted"
		p.Events[1].OnlyRunIf = ""
		p.Events = append(p.Events, PushEvent{Name: "left", Properties: []Pair{{Loops: "plan", Column: "plan"}}})
		p.Every = "1h"
	})
	out, err := Rewrite("f", []byte(src), m)
	if err != nil {
		t.Fatal(err)
	}
	want := pushHead + `  # soon after they change
  auto: true

  contact:
    email: email   # who
    # the rest
    properties:
      zip: {column: zip, as: string}
      companyName: company

    lists:
      l1: vip
    userId: user_id
  events:
    # the first
    - name: upgraded
      only_run_if: 'plan == "max"'   # paid
      once_per:
        - email
        - company
      properties: {plan: plan}
    # the second
    - name: greeted
      contact:
        plan: plan
    - name: left
      properties:
        plan: plan
  every: '1h'
# the end
`
	if string(out) != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

// A new file is written in blocks.
func TestRenderPush(t *testing.T) {
	m := New("sqlite:contacts.db").EditPush(func(p *Push) {
		p.Auto = true
		c := p.TheContact()
		c.Email, c.Properties, c.Lists = "email", []Pair{{Loops: "plan", Column: "plan", OnNull: ClearNull}}, []Pair{{Loops: "l1", Column: "vip"}}
		p.Events = []PushEvent{{Name: "upgraded", OncePer: []string{"email"}, Properties: []Pair{{Loops: "plan", Column: "plan"}}}}
	})
	out, err := Rewrite("f", nil, m)
	if err != nil {
		t.Fatal(err)
	}
	want := `
push:
  auto: true
  contact:
    email: email
    properties:
      plan: {column: plan, on_null: clear}
    lists:
      l1: vip
  events:
    - name: upgraded
      once_per: [email]
      properties:
        plan: plan
`
	if !strings.HasSuffix(string(out), want) {
		t.Errorf("got\n%s\nwant the end to be\n%s", out, want)
	}
}

func TestMergePush(t *testing.T) {
	base := mustParse(t, pushFiles["block"])
	mine := base.EditPush(func(p *Push) {
		p.Contact.Properties = SetPair(p.Contact.Properties, Pair{Loops: "plan", Column: "my_plan"})
		p.Contact.Properties = append(p.Contact.Properties, Pair{Loops: "mine", Column: "mine"})
		p.Events = p.Events[1:] // upgraded goes
		p.Events[0].OnlyRunIf = "plan != nil"
	})
	theirs := base.EditPush(func(p *Push) {
		p.Auto = false
		p.Contact.Properties = SetPair(p.Contact.Properties, Pair{Loops: "plan", Column: "their_plan"})
		p.Contact.Lists = nil
		p.Events[0].OncePer = []string{"email"}
		p.Events = p.Events[:1] // welcomed goes
	})
	merged, clashes := Merge(base, mine, theirs)
	want := base.EditPush(func(p *Push) {
		p.Auto = false
		p.Contact.Properties = SetPair(p.Contact.Properties, Pair{Loops: "plan", Column: "my_plan"})
		p.Contact.Properties = append(p.Contact.Properties, Pair{Loops: "mine", Column: "mine"})
		p.Contact.Lists = nil
		p.Events = p.Events[1:]
		p.Events[0].OnlyRunIf = "plan != nil"
	})
	if !merged.Same(want) {
		t.Errorf("got  %s\nwant %s", merged.Push.settings().Inline(), want.Push.settings().Inline())
	}
	if said := strings.Join(clashes, "\n"); len(clashes) != 3 || !strings.Contains(said, "they say their_plan, you say my_plan; yours is taken") ||
		!strings.Contains(said, "event upgraded: they have changed it, you have dropped it") || !strings.Contains(said, "event welcomed: they have dropped it, you have changed it; it stays") {
		t.Errorf("clashes:\n%s", said)
	}
	if n, clashes := Merge(base, base, theirs); !n.Same(theirs) || clashes != nil {
		t.Error("theirs alone", clashes)
	}
	if n, clashes := Merge(base, mine, base); !n.Same(mine) || clashes != nil {
		t.Error("mine alone", clashes)
	}
}

// A new name reaches what is sent from the column; where it would mean something else
// it is refused.
func TestRenamePushedColumn(t *testing.T) {
	src := strings.Replace(pushFiles["block"], "  columns:\n", "  columns:\n    - {name: zip, type: text, from: contact.zip}\n    - {name: plan, type: text, from: contact.plan}\n    - {name: vip, type: boolean, from: contact.vip}\n", 1)
	m := mustParse(t, src)
	n, err := m.Rename(0, "postcode")
	if q, _ := FindPair(n.Push.Contact.Properties, "zip"); err != nil || q.Column != "postcode" || m.Push.Contact.Properties[1].Column != "zip" {
		t.Errorf("%v, %v", q, err)
	}
	if _, err := m.Rename(2, "important"); err == nil || !strings.Contains(err.Error(), "a condition of push") {
		t.Errorf("in a condition: %v", err)
	}
	n = m.EditPush(func(p *Push) { p.Events[0].OnlyRunIf = "" })
	if _, err := n.Rename(1, "tier"); err == nil || !strings.Contains(err.Error(), "once_per") {
		t.Errorf("in once_per: %v", err)
	}
}

// A column that is added by a name of its own touches nothing that names the column which
// would have been proposed: the table may have that, from before.
func TestAddAs(t *testing.T) {
	m := mustParse(t, pushFiles["block"])
	at, err := ParsePath("contact.vip")
	if err != nil {
		t.Fatal(err)
	}
	n, err := m.AddAs(&body.Attribute{Path: at}, "important")
	if err != nil {
		t.Fatal(err)
	}
	if c := n.Receive.Columns[len(n.Receive.Columns)-1]; c.Name != "important" || !c.From.Equal(at) {
		t.Errorf("added %+v", c)
	}
	if n.Push.Events[0].OnlyRunIf != m.Push.Events[0].OnlyRunIf || !reflect.DeepEqual(n.Push.Contact.Properties, m.Push.Contact.Properties) {
		t.Error("what is sent is another thing")
	}
	if _, err := n.AddAs(&body.Attribute{Path: body.MakePath(body.Step{Key: "x"})}, "important"); err == nil {
		t.Error("two columns have one name")
	}
}

func TestPushMisfits(t *testing.T) {
	m := mustParse(t, pushHead+`  contact:
    email: email
    properties: {plan: plan, teamSize: {column: size, as: number}, zip: zip, firstName: zip, none: plan}
    lists: {l1: vip, l2: plan}
  events:
    - name: upgraded
      properties: {plan: plan, seats: plan, gone: plan}
      contact: {zip: zip}
    - {name: downgraded, properties: {any: plan}}
`)
	fields := []column.Field{{Name: "email", Type: column.Text}, {Name: "plan", Type: column.Text}, {Name: "size", Type: column.Text}, {Name: "zip", Type: column.Integer}, {Name: "vip", Type: column.Boolean}}
	team := Team{Properties: []Property{{"plan", "string"}, {"teamSize", "number"}, {"zip", "string"}}, Lists: []List{{"l1", "VIP"}},
		Events: map[string][]Property{"upgraded": {{"plan", "string"}, {"seats", "number"}}}}
	misfits, warnings := m.PushMisfits(team, fields)
	want := []string{
		"contact property zip is string in Loops, and column zip is integer; as: string sends it so",
		"Loops has no contact property none; make it in Loops, Settings, or take it out",
		"Loops has no mailing list l2; it has l1 (VIP)",
		"mailing list l2 takes true or false, and column plan is text",
		"contact property zip is string in Loops, and column zip is integer; as: string sends it so",
		"property of event upgraded seats is number in Loops, and column plan is text; as: number sends it so",
		"Loops knows no property of event upgraded gone; make it in Loops, Settings, or take it out",
	}
	if strings.Join(misfits, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(misfits, "\n"), strings.Join(want, "\n"))
	}
	if len(warnings) != 1 || !strings.HasPrefix(warnings[0], "Loops has no event downgraded") {
		t.Errorf("%v", warnings)
	}
	team.Events = nil
	if misfits, warnings := m.PushMisfits(team, nil); len(misfits) != 2 || warnings != nil {
		t.Errorf("with little known: %v, %v", misfits, warnings)
	}
}
