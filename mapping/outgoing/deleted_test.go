package outgoing

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

const followingDeletions = `version: 1
database: sqlite:contacts.db
table: contacts
key: loops_id
receive:
  events: [contact.created]
  columns:
    - {name: loops_id, type: text, from: contactIdentity.id}
    - {name: email, type: text, from: contact.email}
    - {name: plan, type: text, from: contact.plan}
    - {name: subscribed, type: boolean, from: contact.subscribed}
  rules:
    - {event: contact.unsubscribed, set: {subscribed: false}}
push:
  contact:
    email: email
    properties: {plan: plan, subscribed: subscribed}
  events:
    - {name: upgraded, once_per: [email], properties: {plan: plan}}
`

func about(at int, event string) mapping.Delivery {
	return mapping.Delivery{ID: fmt.Sprint("msg_", event, at), Received: time.Unix(int64(at), 0), Body: []byte(fmt.Sprintf(
		`{"eventName":%q,"eventTime":%d,"contactIdentity":{"id":"c1","email":"a@x.io","userId":null}}`, event, at))}
}

func deletedAt(at int) *Deletion {
	d := about(at, "contact.deleted")
	return &Deletion{ID: d.ID, At: d.Received, Received: d.Received, ContactID: "c1"}
}

// settled applies what steps without a request leave behind.
func settled(row Row, at int, steps ...Step) Row {
	for _, st := range steps {
		if st.Request != nil || st.Status == "" {
			continue
		}
		l := st.Line
		l.Kind, l.Status, l.Message, l.UpdatedAt = st.Kind, st.Status, st.Reason, time.Unix(int64(at), 0)
		row.Lines = with(row.Lines, l)
	}
	return row
}

func sends(steps []Step) (kinds []string) {
	for _, st := range steps {
		if st.Request != nil {
			kinds = append(kinds, st.Kind)
		}
	}
	return kinds
}

// A contact that was deleted in Loops comes back when a person changes its row, and by
// nothing else.
func TestAfterADeletion(t *testing.T) {
	s := sender(t, followingDeletions)
	row := Row{Key: "c1", ContactID: "c1", Cells: values("loops_id", "c1", "email", "a@x.io", "plan", "pro", "subscribed", "true")}
	steps := s.Steps(row, Resend{})
	if len(sends(steps)) != 2 {
		t.Fatal(steps)
	}
	sent := delivered(row, 10, steps...)
	arrived := Row{Key: "c1", Cells: row.Cells, Told: []mapping.Delivery{created(10, `{"email":"a@x.io","plan":"pro","subscribed":true}`)}}
	refused := Row{Key: "c1", Cells: values("email", "a@x.io", "plan", "other"), Lines: []Line{{Kind: mapping.ContactKind, Status: Failed, Tried: "x", Attempts: 1,
		UpdatedAt: time.Unix(10, 0), SentAt: time.Unix(5, 0), Body: []byte(`{"email":"a@x.io"}`)}}}
	for name, row := range map[string]Row{"sent": sent, "arrived": arrived, "never sent": row, "refused": refused} {
		all := Resend{Failed: true, Unknown: true}
		row.Deleted = deletedAt(20)
		quiet := func(when string) {
			t.Helper()
			for _, again := range []Resend{{}, all} {
				if list := s.Judge(row, again); len(sends(list)) > 0 || list[0].Why != WhyDeleted || !strings.Contains(list[0].Reason, "deleted in Loops on 1970-01-01 00:00:20") {
					t.Fatalf("%s, %s: %v", name, when, list)
				}
			}
		}
		quiet("deleted")
		row = settled(row, 21, s.Steps(row, Resend{})...)
		quiet("looked at")
		if list := s.Steps(row, all); len(list) != 0 {
			t.Errorf("%s: it is written again: %v", name, list)
		}
		// The contact.unsubscribed of the same deletion, in whatever order.
		for _, at := range []int{19, 22} {
			before := row
			row.Told = append(append([]mapping.Delivery{}, row.Told...), about(at, "contact.unsubscribed"))
			row.Cells = values("email", "a@x.io", "plan", row.Cells["plan"].Text, "subscribed", "false")
			if at > 21 {
				quiet("unsubscribed")
			}
			row = before
		}
		row.Cells = values("email", "a@x.io", "plan", "max", "subscribed", "true")
		steps := s.Steps(row, Resend{})
		if kinds := sends(steps); len(kinds) == 0 || kinds[0] != mapping.ContactKind || steps[0].Request.Create == nil {
			t.Errorf("%s: a person has changed it: %v", name, steps)
			continue
		}
		row = delivered(row, 30, steps...)
		if list := s.Judge(row, Resend{}); len(sends(list)) > 0 || list[0].Why != WhyHas {
			t.Errorf("%s: it is there again: %v", name, list)
		}
		// And is deleted again, under its new id.
		row.ContactID, row.Deleted = "c2", &Deletion{ID: "msg_2", At: time.Unix(40, 0), Received: time.Unix(40, 0), ContactID: "c2"}
		if list := s.Judge(row, all); len(sends(list)) > 0 || list[0].Why != WhyDeleted {
			t.Errorf("%s: deleted again: %v", name, list)
		}
	}
}

// The rule's change may be there before anything was looked at, and a person's as well.
func TestADeletionThatNobodyHasLookedAt(t *testing.T) {
	s := sender(t, followingDeletions)
	row := Row{Key: "c1", Cells: values("loops_id", "c1", "email", "a@x.io", "plan", "pro", "subscribed", "true")}
	row = delivered(row, 10, s.Steps(row, Resend{})...)
	row.Deleted = deletedAt(20)
	row.Told = []mapping.Delivery{about(19, "contact.unsubscribed")}
	row.Cells["subscribed"] = column.Of("false")
	if list := s.Judge(row, Resend{Failed: true}); len(sends(list)) > 0 {
		t.Errorf("by a rule alone: %v", list)
	}
	row.Cells["plan"] = column.Of("max")
	if list := s.Judge(row, Resend{}); len(sends(list)) == 0 {
		t.Errorf("changed by a person: %v", list)
	}
	// What was begun when it was deleted ends with it, and an event is not forgotten.
	row.Cells["plan"] = column.Of("pro")
	row.Lines = append(row.Lines, Line{Kind: "other", IdempotencyKey: "k", Status: Pending, Body: []byte("{}"), FirstAt: time.Unix(15, 0), UpdatedAt: time.Unix(15, 0)})
	list := s.Steps(row, Resend{})
	if len(list) != 2 || list[1].Status != Failed || !list[1].Keeps || len(sends(list)) > 0 {
		t.Errorf("%+v", list)
	}
}

// A rule that deletes the row: one that has its key later is a new one.
func TestARowThatADeletionTookOut(t *testing.T) {
	src := strings.Replace(followingDeletions, "rules:\n", "rules:\n    - {event: contact.deleted, delete: true}\n", 1)
	s := sender(t, src)
	row := Row{Key: "c1", Cells: values("loops_id", "c1", "email", "b@x.io", "plan", "pro"), Deleted: deletedAt(20),
		Told: []mapping.Delivery{created(10, `{"email":"a@x.io","plan":"pro"}`), about(20, "contact.deleted")}}
	if kinds := sends(s.Steps(row, Resend{})); len(kinds) != 2 {
		t.Errorf("%v", kinds)
	}
	// What is known of the one before is forgotten with its row.
	row.Gone, row.Lines = true, []Line{{Kind: mapping.ContactKind, Status: Sent, Body: []byte(`{"email":"a@x.io"}`), SentAt: time.Unix(10, 0)}}
	if list := s.Steps(row, Resend{}); len(list) != 1 || !list[0].Gone || len(list[0].Drops) != 1 || list[0].Request != nil {
		t.Errorf("%+v", list)
	}
}

// An ignored contact.deleted names its row all the same, wherever the key stands.
func TestTheKeyOfADeletion(t *testing.T) {
	for _, from := range []string{"contactIdentity.id", "contact.id"} {
		m := mustParse(t, strings.Replace(followingDeletions, "contactIdentity.id", from, 1))
		row, err := m.Row(about(5, "contact.deleted"))
		if !errors.Is(err, mapping.ErrIgnored) || row.Key != "c1" || !m.KeyIsContactID() {
			t.Errorf("%s: %q %v", from, row.Key, err)
		}
	}
}

// The mark of a contact that is made is given where Loops may have none, and never where
// it has one.
func TestWhereAContactIsMarked(t *testing.T) {
	s := sender(t, followingDeletions)
	cells := values("loops_id", "c1", "email", "a@x.io", "plan", "pro")
	for name, c := range map[string]struct {
		row  Row
		want bool
	}{
		"unknown":     {Row{Key: "c1", Cells: cells}, true},
		"told":        {Row{Key: "c1", Cells: cells, Told: []mapping.Delivery{created(5, `{"email":"a@x.io","plan":"free"}`)}}, false},
		"sent before": {Row{Key: "c1", Cells: cells, Lines: []Line{{Kind: "upgraded", IdempotencyKey: "x", Status: Sent, SentAt: time.Unix(5, 0)}}}, false},
		"no email":    {Row{Key: "c1", Cells: values("plan", "pro", "user_id", "7")}, false},
	} {
		src := s
		if name == "no email" {
			src = sender(t, strings.Replace(followingDeletions, "    email: email\n", "    email: email\n    userId: user_id\n", 1))
		}
		list := src.Steps(c.row, Resend{})
		if list[0].Request == nil || (list[0].Request.Create != nil) != c.want {
			t.Errorf("%s: %+v", name, list)
		}
		if body := string(list[0].Request.Body); strings.Contains(body, "source") {
			t.Errorf("%s: an update sets the source: %s", name, body)
		}
	}
	// Events alone make contacts, too; and so do those whose contact's condition is not met.
	for _, src := range []string{
		strings.Replace(followingDeletions, "  contact:\n    email: email\n    properties: {plan: plan, subscribed: subscribed}\n", "", 1),
		strings.Replace(followingDeletions, "    email: email\n", "    email: email\n    only_run_if: plan == \"never\"\n", 1),
	} {
		src = strings.Replace(src, "{name: upgraded,", "{name: upgraded, email: email,", 1)
		s := sender(t, src)
		list := s.Steps(Row{Key: "c1", Cells: cells}, Resend{})
		st := list[len(list)-1]
		if st.Kind != "upgraded" || st.Request == nil || string(st.Request.Create) != `{"email":"a@x.io","source":"loopmap"}` {
			t.Errorf("%+v", st)
		}
		back, err := s.m.Row(created(6, `{"email":"a@x.io","source":"loopmap"}`))
		if err != nil || back.Action != mapping.Update {
			t.Errorf("its contact.created makes a row: %v %v", back.Action, err)
		}
	}
}

// After a refusal each try has another Idempotency-Key, so that 409 has one meaning.
func TestKeysAfterRefusals(t *testing.T) {
	s := sender(t, followingDeletions)
	row := Row{Key: "c1", Cells: values("loops_id", "c1", "email", "a@x.io", "plan", "pro")}
	first := s.Steps(row, Resend{})[1]
	row.Lines = []Line{{Kind: "upgraded", IdempotencyKey: first.Key, Status: Failed, Code: 400, Tried: "x", Refusals: 1, Attempts: 1}}
	again := s.Steps(row, Resend{})[1]
	if again.Key != first.Key || again.Request.IdempotencyKey == first.Request.IdempotencyKey || first.Key != first.Request.IdempotencyKey {
		t.Errorf("%q then %q", first.Request.IdempotencyKey, again.Request.IdempotencyKey)
	}
	row.Lines[0].Status, row.Lines[0].Body = Pending, []byte("{}") // begun with that, and killed
	if resumed := s.Steps(row, Resend{})[1]; resumed.Request.IdempotencyKey != again.Request.IdempotencyKey || !resumed.Resumes {
		t.Errorf("%+v", resumed)
	}
}

// An event waits for its contact while that is refused, and says so.
func TestAnEventWaitsForItsContact(t *testing.T) {
	s := sender(t, followingDeletions)
	row := Row{Key: "c1", Cells: values("loops_id", "c1", "email", "a@x.io", "plan", "pro")}
	tried := s.Steps(row, Resend{})[0].Request.Hash
	row.Lines = []Line{{Kind: mapping.ContactKind, Status: Failed, Code: 400, Message: "no", Tried: tried, Attempts: 1}}
	list := s.Judge(row, Resend{})
	if len(list) != 2 || list[0].Why != WhyRefused || !strings.Contains(list[0].Reason, "400") || list[1].Why != WhyContact || len(sends(list)) > 0 {
		t.Errorf("%v", list)
	}
	if kinds := sends(s.Judge(row, Resend{Failed: true})); len(kinds) != 2 {
		t.Errorf("tried again: %v", kinds)
	}
	row.Cells["plan"] = column.Of(strings.Repeat("x", 600))
	if list := s.Judge(row, Resend{}); list[0].Why != WhyWrong || len(sends(list)) > 0 {
		t.Errorf("%v", list)
	}
}

// Every row that sends nothing says why.
func TestWhyNothingIsSent(t *testing.T) {
	s := sender(t, strings.Replace(followingDeletions, "    email: email\n", "    email: email\n    only_run_if: plan != \"free\"\n", 1))
	full := func() map[string]column.Cell { return values("loops_id", "c1", "email", "a@x.io", "plan", "pro") }
	told := Row{Key: "c1", Cells: full(), Told: []mapping.Delivery{created(5, `{"email":"a@x.io","plan":"pro"}`)}}
	once := Row{Key: "c1", Cells: full()}
	once = delivered(once, 10, s.Steps(once, Resend{})...)
	free := Row{Key: "c1", Cells: values("loops_id", "c1", "email", "a@x.io", "plan", "free")}
	for _, c := range []struct {
		row             Row
		contact, event  Why
		says, saysEvent string
	}{
		{told, WhyCame, WhyCame, "came from Loops", "came from Loops"},
		{once, WhyHas, WhySent, "sent on 1970-01-01 00:00:10 UTC", "sent on 1970-01-01 00:00:10 UTC"},
		{free, WhyNotMet, "", `plan != "free" does not hold: plan is "free"`, ""},
	} {
		list := s.Judge(c.row, Resend{})
		if len(list) != 2 || list[0].Why != c.contact || list[1].Why != c.event || !strings.Contains(list[0].Reason, c.says) || !strings.Contains(list[1].Reason, c.saysEvent) {
			t.Errorf("%v\n%+v", list, list)
		}
	}
}

// What databases without booleans keep, what was typed around an email, and a date that
// Loops sets itself as a rule.
func TestSentValues(t *testing.T) {
	for _, c := range []struct {
		typ            column.Type
		text, as, want string
	}{
		{column.Integer, "1", "boolean", "true"}, {column.Integer, "0", "boolean", "false"}, {column.Number, "1.0", "boolean", "true"},
		{column.Integer, "2", "boolean", ""}, {column.Text, "true", "boolean", "true"}, {column.Text, "1", "boolean", ""}, {column.Boolean, "true", "", "true"},
	} {
		got, why := sent(c.typ, column.Of(c.text), c.as)
		if why == "" && got != c.want || (c.want == "") != (why != "") {
			t.Errorf("%s %s as %s: %s %s", c.typ, c.text, c.as, got, why)
		}
	}
	src := strings.Replace(strings.Replace(pushing, "lists: {l1: vip}", "lists: {l1: seats}", 1), "seen: seen}", "createdAt: seen}", 1)
	s := sender(t, src)
	row := Row{Key: "c1", Cells: values("email", " \ta@x.io\n", "plan", " pro ", "seats", "1", "seen", "2026-11-23T08:00:00Z")}
	steps := s.Steps(row, Resend{})
	if got, want := string(steps[0].Request.Body), `{"email":"a@x.io","plan":" pro ","seats":1,"createdAt":"2026-11-23T08:00:00Z","mailingLists":{"l1":true}}`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	misfits, _ := s.m.PushMisfits(mapping.Team{Properties: []mapping.Property{{Key: "plan", Type: "string"}, {Key: "seats", Type: "number"}}, Lists: []mapping.List{{ID: "l1", Name: "L"}}}, s.fields)
	if len(misfits) > 0 || !strings.Contains(strings.Join(s.m.PushWarnings(), ";"), "createdAt") {
		t.Errorf("%q %q", misfits, s.m.PushWarnings())
	}
	row.Cells["email"] = column.Of(" \u200b ")
	if list := s.Steps(row, Resend{}); !strings.Contains(list[0].Reason, "has no value") {
		t.Errorf("%v", list)
	}
}

// For seconds after a contact.unsubscribed, which a deletion brings, too, a rule alone
// sends no event; what a person has changed is sent.
func TestAMomentAfterUnsubscribing(t *testing.T) {
	src := strings.Replace(followingDeletions, "- {name: upgraded, once_per: [email], properties: {plan: plan}}", "- {name: left, only_run_if: not subscribed, once_per: [email]}", 1)
	row := Row{Key: "c1", Cells: values("loops_id", "c1", "email", "a@x.io", "plan", "pro", "subscribed", "true")}
	s := sender(t, src)
	row = delivered(row, 10, s.Steps(row, Resend{})...)
	row.Told = []mapping.Delivery{about(100, "contact.unsubscribed")}
	row.Cells["subscribed"] = column.Of("false")
	for at, want := range map[int]int{101: 0, 109: 0, 111: 1} {
		list := s.At(time.Unix(int64(at), 0)).Judge(row, Resend{})
		if len(sends(list)) != want || want == 0 && (list[1].Why != WhyCalm || !list[1].Quiet) {
			t.Errorf("%d s after: %v", at-100, list)
		}
	}
	row.Cells["plan"] = column.Of("max")
	if kinds := sends(s.At(time.Unix(101, 0)).Judge(row, Resend{})); len(kinds) != 2 {
		t.Errorf("changed by a person: %v", kinds)
	}
}
