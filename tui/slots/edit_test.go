package slots

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"loopmap/mapping"
)

// said is the push part that a mapping file says, or why it is refused.
func said(m *mapping.Mapping, err error) string {
	if err != nil {
		return err.Error()
	}
	if m.Push == nil {
		return "nothing"
	}
	pairs := func(list []mapping.Pair) (s string) {
		for _, q := range list {
			s += " " + q.Loops + ":" + q.Column
			if q.As != "" {
				s += " as " + q.As
			}
			if q.OnNull != "" {
				s += " null " + string(q.OnNull)
			}
		}
		return s
	}
	who := func(kind, email, userID string) string {
		return kind + " " + cmp.Or(email, "-") + " " + cmp.Or(userID, "-") + " "
	}
	var list []string
	if m.Push.Auto {
		list = append(list, "auto")
	}
	if m.Push.Every != "" {
		list = append(list, "every "+m.Push.Every)
	}
	if c := m.Push.Contact; c != nil {
		list = append(list, who("contact", c.Email, c.UserID)+c.OnlyRunIf+pairs(c.Properties)+pairs(c.Lists))
	}
	for _, e := range m.Push.Events {
		list = append(list, who(e.Name, e.Email, e.UserID)+e.OnlyRunIf+strings.Join(e.OncePer, "+")+
			pairs(e.Properties)+pairs(e.Contact)+pairs(e.Lists))
	}
	return strings.ReplaceAll(strings.Join(strings.Fields(strings.Join(list, ";\n")), " "), " ;", ";")
}

// Each change, on a push part that is small enough to be read whole.
func TestChanges(t *testing.T) {
	const small = `push:
  every: 1h
  contact: {email: mail, properties: {plan: plan}}
  events: [{name: upgraded, once_per: [mail], properties: {plan: plan}}]
`
	const was = "every 1h; contact mail - plan:plan; upgraded - - mail plan:plan"
	for name, c := range map[string]struct {
		text   string // the push part
		label  string
		event  int
		change func(Facts, Slot) (*mapping.Mapping, error)
		want   string
	}{
		"the first property brings who it is": {"", "teamSize", -1, puts("team_size"), "contact mail - teamSize:team_size"},
		"a type that Loops would refuse":      {"", "zip", -1, puts("zip"), "contact mail - zip:zip as string"},
		"a list of its own type":              {"", "list VIP", -1, puts("vip"), "contact mail - l1:vip"},
		"a property that every team has":      {"", "firstName", -1, puts("team_size"), "contact mail - firstName:team_size"},
		"a condition brings who it is":        {"", "only run if", -1, says("plan != nil"), "contact mail - plan != nil"},
		"an event brings who it is":           {"", "+ event", 0, says("left"), "left mail -"},
		"an event beside a contact":           {small, "+ event", 1, says("left"), was + "; left - -"},
		"an event named as the contact is": {small, "+ event", 1, says("contact"),
			"an event cannot be named contact: so loopmap_pushes names the contact update"},
		"another column":               {small, "plan", -1, puts("company"), strings.Replace(was, "plan:plan;", "plan:company;", 1)},
		"no column":                    {small, "plan", -1, puts(""), strings.Replace(was, " plan:plan", "", 1)},
		"an event's own":               {small, "plan", 0, puts("zip"), was[:strings.LastIndex(was, ":")] + ":zip as string"},
		"the user's id":                {small, "userId", -1, puts("loops_id"), strings.Replace(was, "mail - ", "mail loops_id ", 1)},
		"an event's email":             {small, "email", 0, puts("company"), strings.Replace(was, "upgraded -", "upgraded company", 1)},
		"an event's id":                {small, "userId", 0, puts("company"), strings.Replace(was, "upgraded - -", "upgraded - company", 1)},
		"once per one more":            {small, "once per", 0, puts("plan"), strings.Replace(was, "- mail", "- mail+plan", 1)},
		"once per one less":            {small, "once per", 0, puts("mail"), strings.Replace(was, "- mail", "-", 1)},
		"another name":                 {small, "event upgraded", 0, says("grown"), strings.Replace(was, "upgraded", "grown", 1)},
		"an event's condition":         {small, "only run if", 0, says("vip"), strings.Replace(was, "- mail", "- vipmail", 1)},
		"a schedule":                   {small, "every", -2, says("2h"), strings.Replace(was, "1h", "2h", 1)},
		"auto":                         {small, "as rows change", -2, auto, "auto; " + was},
		"drop a property":              {small, "plan", -1, Facts.Drop, strings.Replace(was, " plan:plan", "", 1)},
		"drop once per":                {small, "once per", 0, Facts.Drop, strings.Replace(was, "- mail", "-", 1)},
		"drop a schedule":              {small, "every", -2, Facts.Drop, strings.Replace(was, "every 1h; ", "", 1)},
		"drop an event":                {small, "event upgraded", 0, Facts.Drop, was[:strings.LastIndex(was, ";")]},
		"drop what is empty":           {small, "userId", -1, Facts.Drop, was},
		"drop nothing":                 {small, "when", -2, Facts.Drop, was},
		"drop the last":                {"push: {auto: true}\n", "as rows change", -2, Facts.Drop, "nothing"},
		"drop a contact that is alone": {"push: {contact: {email: mail}}\n", "contact update", -1, Facts.Drop, "nothing"},
	} {
		f := facts(t, file+c.text)
		before := said(f.Mapping, nil)
		if got := said(c.change(f, find(t, f, c.label, c.event))); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if said(f.Mapping, nil) != before {
			t.Errorf("%s: the mapping before has changed", name)
		}
	}
}

func auto(f Facts, _ Slot) (*mapping.Mapping, error) { return f.SetAuto(true) }

func puts(name string) func(Facts, Slot) (*mapping.Mapping, error) {
	return func(f Facts, s Slot) (*mapping.Mapping, error) { return f.SetColumn(s, name) }
}

func says(text string) func(Facts, Slot) (*mapping.Mapping, error) {
	return func(f Facts, s Slot) (*mapping.Mapping, error) { return f.SetText(s, text) }
}

func TestMatchAll(t *testing.T) {
	const full = "contact mail - plan:plan zip:zip as string teamSize:team_size"
	for name, c := range map[string]struct {
		text  string
		event int
		n     int
		want  string
	}{
		// neither subscribed nor the lists
		"all": {"", OfContact, 4, "contact mail - teamSize:team_size plan:plan zip:zip as string"},
		"what is empty": {"push: {contact: {email: mail, properties: {plan: company}}}\n", OfContact, 2,
			"contact mail - plan:company teamSize:team_size zip:zip as string"},
		"none": {"push: {contact: {email: mail, properties: {plan: plan, zip: {column: zip, as: string}, teamSize: team_size}}}\n",
			OfContact, 0, full},
		"of an event": {"push: {contact: {email: mail}, events: [{name: upgraded}]}\n", 0, 1, "contact mail -; upgraded - - plan:plan"},
	} {
		f := facts(t, file+c.text)
		m, n, err := f.MatchAll(c.event)
		if got := said(m, err); n != c.n || got != c.want {
			t.Errorf("%s: %d, %s", name, n, got)
		}
	}
	// What cannot be said is left out, and the rest is not.
	f := facts(t, file)
	for i := range f.Mapping.Receive.Columns {
		f.Mapping.Receive.Columns[i].From = f.Mapping.Receive.Columns[0].From
	}
	m, n, err := f.MatchAll(OfContact)
	if n != 0 || m.Push != nil || err == nil || !strings.Contains(err.Error(), "needs email, userId or both") {
		t.Errorf("%d of nobody: %v", n, err)
	}
}

// What a press changes of a pair, press by press.
func TestNext(t *testing.T) {
	for name, c := range map[string]struct {
		label string
		event int
		next  func(Slot) (mapping.Pair, string)
		want  []string // what is said each time
	}{
		"null":             {"plan", -1, NextNull, []string{"NULL empties plan in Loops", "NULL leaves plan in Loops as it is"}},
		"null that clears": {"headCount", -1, NextNull, []string{"NULL leaves headCount in Loops as it is"}},
		"of an event": {"seats", 0, NextNull, []string{
			"an event's property is left out when it is NULL: Loops refuses null there",
		}},
		"of an event's": {"contact zip", 0, NextNull, []string{"NULL empties zip in Loops"}},
		"not picked":    {"zip", -1, NextNull, []string{notAlterable}},
		"a list":        {"list VIP", -1, NextAs, []string{notAlterable}},
		"no pair":       {"only run if", -1, NextAs, []string{notAlterable}},
		"one type":      {"plan", -1, NextAs, []string{"sent as string", "sent as its column's type", "sent as string"}},
		"any type": {"headCount", -1, NextAs, []string{
			"sent as string", "sent as number", "sent as boolean", "sent as date", "sent as its column's type",
		}},
		"one that all have":    {"firstName", -1, NextAs, []string{"Loops takes firstName as string, and it is sent so"}},
		"null that all have":   {"firstName", -1, NextNull, []string{"NULL empties firstName in Loops"}},
		"any type of an event": {"seats", 0, NextAs, []string{"sent as string", "sent as number"}},
	} {
		f := facts(t, file+strings.Replace(push, "plan: plan, headCount", "plan: plan, firstName: plan, headCount", 1))
		for i, want := range c.want {
			s := find(t, f, c.label, c.event)
			q, got := c.next(s)
			if got != want {
				t.Errorf("%s: press %d says %q", name, i+1, got)
			}
			if q == s.Pair {
				continue
			}
			m, err := f.SetPair(s, q)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if f.Mapping = m; find(t, f, c.label, c.event).Pair != q {
				t.Errorf("%s: press %d changes nothing", name, i+1)
			}
		}
	}
}

func TestMissing(t *testing.T) {
	f := facts(t, file+push)
	f.Catalog.Problem = "no key"
	for label, want := range map[string]string{
		"headCount": "headCount number", "plan": "Loops has plan already", "list VIP": "this is for contact properties that Loops has not",
		"only run if": "this is for contact properties that Loops has not",
	} {
		p, why := f.Missing(find(t, f, label, OfContact))
		if got := cmp.Or(why, p.Key+" "+p.Type); got != want {
			t.Errorf("%s: %s", label, got)
		}
	}
	if _, why := f.Missing(find(t, f, "seats", 0)); why != "this is for contact properties that Loops has not" {
		t.Errorf("an event's own: %s", why)
	}
	s := find(t, f, "headCount", OfContact)
	s.Pair.As = "string"
	if p, _ := f.Missing(s); p.Type != "string" {
		t.Errorf("sent as string, and made as %s", p.Type)
	}
	f.Catalog.Properties = nil
	if _, why := f.Missing(s); why != "what Loops has is not known: no key" {
		t.Errorf("not asked: %s", why)
	}
}

func TestAddable(t *testing.T) {
	f := facts(t, file+push)
	if more := f.Addable(OfContact); more != nil {
		t.Errorf("to the contact update: %v", more)
	}
	var names []string
	for _, s := range f.Addable(1) {
		names = append(names, s.Name())
		m, err := f.SetColumn(s, "news")
		if err != nil {
			t.Fatal(err)
		}
		e := m.Push.Events[1]
		if pairs := slices.Concat(e.Contact, e.Lists); len(pairs) != 1 || pairs[0].Loops != s.Loops || len(e.Properties) > 0 {
			t.Errorf("%s: %+v", s.Name(), e)
		}
	}
	if got := strings.Join(names, " "); got != "firstName lastName userGroup source subscribed teamSize plan zip VIP Product news" {
		t.Error(got)
	}
	m, err := f.SetColumn(Named(1, "any name"), "plan")
	if err != nil || m.Push.Events[1].Properties[0].Loops != "any name" {
		t.Errorf("%v %v", m, err)
	}
}
