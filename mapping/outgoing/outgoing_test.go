package outgoing

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/column"
)

const pushing = `version: 1
database: sqlite:contacts.db
table: contacts
key: loops_id
receive:
  events: [contact.created]
  columns:
    - {name: loops_id, type: text, from: contactIdentity.id}
    - {name: email, type: text, from: contact.email}
    - {name: plan, type: text, from: contact.plan}
    - {name: vip, type: boolean, from: 'contact.mailingLists["l1"]'}
    - {name: seats, type: integer, from: contact.seats}
    - {name: seen, type: time, from: contact.seen}
push:
  contact:
    email: email
    userId: user_id
    properties: {plan: plan, seats: {column: seats, on_null: clear}, seen: seen}
    lists: {l1: vip}
  events:
    - name: upgraded
      only_run_if: plan == "pro"
      once_per: [email, plan]
      properties: {plan: plan, seats: seats}
    - name: changed
      properties: {plan: plan}
`

func sender(t *testing.T, src string, more ...column.Field) *Sender {
	t.Helper()
	m := mustParse(t, src)
	fields := append([]column.Field{{Name: "user_id", Type: column.Integer}, {Name: "company", Type: column.Text}}, more...)
	for _, c := range m.Columns() {
		fields = append(fields, column.Field{Name: c.Name, Type: c.Type})
	}
	s, err := NewSender(m, "f", fields)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func values(pairs ...string) map[string]column.Cell {
	row := map[string]column.Cell{}
	for i := 0; i < len(pairs); i += 2 {
		row[pairs[i]] = column.Of(pairs[i+1])
	}
	return row
}

func created(at int, contact string) mapping.Delivery {
	return mapping.Delivery{ID: fmt.Sprint("msg_", at), Received: time.Unix(int64(at), 0), Body: []byte(fmt.Sprintf(
		`{"eventName":"contact.created","eventTime":%d,"contactIdentity":{"id":"c1","email":"a@x.io","userId":null},"contact":%s}`, at, contact))}
}

// with puts a line in the place of the one of its kind and key.
func with(lines []Line, l Line) (list []Line) {
	for _, have := range lines {
		if have.Kind != l.Kind || have.IdempotencyKey != l.IdempotencyKey {
			list = append(list, have)
		}
	}
	return append(list, l)
}

// delivered applies what a step would leave behind when Loops takes it.
func delivered(row Row, at int, steps ...Step) Row {
	for _, st := range steps {
		if st.Request == nil {
			continue
		}
		l := Line{Kind: st.Kind, IdempotencyKey: st.Request.IdempotencyKey, Status: Sent, Hash: st.Request.Hash,
			Tried: st.Request.Hash, Body: st.Request.Body, SentAt: time.Unix(int64(at), 0)}
		row.Lines = with(row.Lines, l)
	}
	return row
}

func TestStepsOfANewRow(t *testing.T) {
	s := sender(t, pushing)
	row := Row{Key: "c1", Cells: values("loops_id", "c1", "email", "a@x.io", "user_id", "42", "plan", "pro", "vip", "true", "seats", "5", "seen", "2026-11-23T08:00:00.1234Z")}
	steps := s.Steps(row, Resend{})
	var got []string
	for _, st := range steps {
		got = append(got, st.String())
	}
	want := []string{
		`PUT /v1/contacts/update {"email":"a@x.io","userId":"42","plan":"pro","seats":5,"seen":"2026-11-23T08:00:00.123Z","mailingLists":{"l1":true}}`,
		`POST /v1/events/send {"email":"a@x.io","userId":"42","eventName":"upgraded","eventProperties":{"plan":"pro","seats":5}}`,
		`POST /v1/events/send {"email":"a@x.io","userId":"42","eventName":"changed","eventProperties":{"plan":"pro"}}`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if made := string(steps[0].Request.Create); made != strings.Replace(strings.Fields(want[0])[2], `"mailing`, `"source":"loopmap","mailing`, 1) || steps[1].Request.Create != nil {
		t.Errorf("made with %s", made)
	}
	for _, st := range steps[1:] {
		if n := len(st.Request.IdempotencyKey); n == 0 || n > 100 {
			t.Errorf("Idempotency-Key %q", st.Request.IdempotencyKey)
		}
	}
	row = delivered(row, 10, steps...)
	if steps := s.Steps(row, Resend{Failed: true, Unknown: true}); len(steps) != 0 {
		t.Errorf("what was sent is sent again: %v", steps)
	}
	// Another value and back again: each is sent, but once per email and plan.
	row.Cells["plan"] = column.Of("free")
	steps = s.Steps(row, Resend{})
	if len(steps) != 3 || steps[1].Status != NotMet || steps[2].Request == nil || strings.Contains(steps[0].String(), "source") {
		t.Fatalf("got %v", steps)
	}
	first := row.Lines[2].IdempotencyKey
	row = delivered(row, 20, steps...)
	row.Cells["plan"] = column.Of("pro")
	steps = s.Steps(row, Resend{})
	if len(steps) != 2 || steps[0].Kind != mapping.ContactKind || steps[1].Kind != "changed" || steps[1].Request.IdempotencyKey == first {
		t.Errorf("got %v", steps)
	}
}

func TestStepsOfWhatArrived(t *testing.T) {
	s := sender(t, pushing)
	d := created(100, `{"email":"a@x.io","plan":"pro","seats":5,"mailingLists":{"l1":true}}`)
	row := Row{Key: "c1", Told: []mapping.Delivery{d}, Cells: values("loops_id", "c1", "email", "a@x.io", "plan", "pro", "vip", "true", "seats", "5")}
	if steps := s.Steps(row, Resend{Failed: true}); len(steps) != 0 {
		t.Fatalf("a row that arrived is echoed: %v", steps)
	}
	row.Cells["seats"] = column.Of("6")
	steps := s.Steps(row, Resend{})
	if len(steps) != 3 || steps[0].String() != `PUT /v1/contacts/update {"email":"a@x.io","plan":"pro","seats":6,"mailingLists":{"l1":true}}` {
		t.Fatalf("got %v", steps)
	}
	row = delivered(row, 110, steps...)
	// Back to what arrived: Loops has 6 now.
	row.Cells["seats"] = column.Of("5")
	if steps = s.Steps(row, Resend{}); len(steps) != 1 || !strings.Contains(steps[0].String(), `"seats":5`) {
		t.Fatalf("got %v", steps)
	}
	// What Loops has told since is not sent back.
	row.Told = append(row.Told, created(120, `{"email":"a@x.io","plan":"pro","seats":5,"mailingLists":{"l1":true}}`))
	if steps = s.Steps(row, Resend{}); len(steps) != 0 {
		t.Errorf("an echo: %v", steps)
	}
	// NULL is left out, or clears where the mapping says so.
	delete(row.Cells, "seats")
	delete(row.Cells, "plan")
	if steps = s.Steps(row, Resend{}); !strings.Contains(steps[0].String(), `"seats":null`) || strings.Contains(steps[0].String(), "plan") {
		t.Errorf("got %v", steps)
	}
}

func TestStepsRefuse(t *testing.T) {
	s := sender(t, pushing)
	for _, c := range []struct{ name, column, value, want string }{
		{"too long", "plan", strings.Repeat("é", 499), "501 characters with its quotes; Loops takes 500"},
		{"escapes count", "plan", strings.Repeat(`"`, 250), "502 characters"},
		{"surrogates count twice", "plan", strings.Repeat("😀", 250), "502 characters"},
		{"beyond a float", "seats", "9007199254740993", "more digits than Loops' numbers hold"},
	} {
		row := Row{Key: "c1", Cells: values("email", "a@x.io", c.column, c.value)}
		if steps := s.Steps(row, Resend{}); steps[0].Status != Failed || !strings.Contains(steps[0].Reason, c.want) {
			t.Errorf("%s: got %v", c.name, steps[0])
		}
	}
	if steps := s.Steps(Row{Key: "c1", Cells: values("plan", strings.Repeat("é", 498), "email", "a@x.io")}, Resend{}); steps[0].Request == nil {
		t.Errorf("498 characters: %v", steps[0])
	}
	if steps := s.Steps(Row{Key: "c1", Cells: values("plan", "x")}, Resend{}); !strings.Contains(steps[0].Reason, "email and user_id has no value") {
		t.Errorf("no identity: %v", steps[0])
	}
	// An email that is another one now.
	row := Row{Key: "c1", Cells: values("email", "a@x.io", "plan", "x")}
	row = delivered(row, 10, s.Steps(row, Resend{})...)
	row.Cells["email"] = column.Of("b@x.io")
	if steps := s.Steps(row, Resend{}); steps[0].Status != Failed || !strings.Contains(steps[0].Reason, "second contact") {
		t.Errorf("email without userId: %v", steps)
	}
	row.Cells["user_id"] = column.Of("7")
	if steps := s.Steps(row, Resend{}); steps[0].Status != Failed || !strings.Contains(steps[0].Reason, "does not know its userId") {
		t.Errorf("email with an unknown userId: %v", steps)
	}
	row.Cells["email"] = column.Of("a@x.io")
	row = delivered(row, 20, s.Steps(row, Resend{})...)
	row.Cells["email"] = column.Of("b@x.io")
	if steps := s.Steps(row, Resend{}); steps[0].Request == nil {
		t.Errorf("email with a known userId: %v", steps)
	}
}

func TestStepsResume(t *testing.T) {
	s := sender(t, pushing)
	row := Row{Key: "c1", Cells: values("email", "a@x.io", "plan", "pro")}
	steps := s.Steps(row, Resend{})
	begun := steps[1].Request
	row.Lines = []Line{{Kind: "upgraded", IdempotencyKey: begun.IdempotencyKey, Status: Pending, Body: begun.Body, Attempts: 1, FirstAt: time.Unix(5, 0)}}
	row.Cells["seats"] = column.Of("9") // changed meanwhile
	steps = s.Steps(row, Resend{})
	if r := steps[1].Request; !steps[1].Resumes || r.IdempotencyKey != begun.IdempotencyKey || string(r.Body) != string(begun.Body) || r.Hash != begun.Hash {
		t.Errorf("the same request is not sent again: %v", steps[1])
	}
	row.Gone = true
	if steps = s.Steps(row, Resend{}); len(steps) != 1 || !steps[0].Resumes {
		t.Errorf("a row that is gone: %v", steps)
	}
	row.Gone = false
	row.Lines[0].Status = Failed // given up: whether it arrived is not known
	if steps = s.Steps(row, Resend{Failed: true}); len(steps) != 2 || steps[1].Kind != "changed" {
		t.Errorf("an event that may have arrived is sent again: %v", steps)
	}
	if steps = s.Steps(row, Resend{Unknown: true}); len(steps) != 3 {
		t.Errorf("not even when it is meant: %v", steps)
	}
}

// What is sent, and comes back as a webhook, gives the row that it was sent from.
func FuzzPushAndReceive(f *testing.F) {
	f.Add("pro", int64(5), true, int64(1763000000123))
	f.Add("\"\\\u2028😀\x01", int64(-9007199254740991), false, int64(-5))
	f.Add("", int64(0), true, int64(0))
	m, err := mapping.Parse("f", []byte(pushing))
	if err != nil {
		f.Fatal(err)
	}
	var fields []column.Field
	for _, c := range m.Columns() {
		fields = append(fields, column.Field{Name: c.Name, Type: c.Type})
	}
	s, err := NewSender(m, "f", append(fields, column.Field{Name: "user_id", Type: column.Integer}, column.Field{Name: "company", Type: column.Text}))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, plan string, seats int64, vip bool, millis int64) {
		at := time.UnixMilli(millis).UTC()
		if strings.ContainsRune(plan, 0) || at.Year() < 1 || at.Year() > 9999 {
			return
		}
		plan = strings.ToValidUTF8(plan, "?")
		cells := values("loops_id", "c1", "email", "a@x.io", "plan", plan, "seats", fmt.Sprint(seats), "vip", fmt.Sprint(vip), "seen", at.Format(time.RFC3339Nano))
		st := s.Steps(Row{Key: "c1", Cells: cells}, Resend{})[0]
		if st.Request == nil {
			return // refused, with a reason
		}
		st.Request.Body = st.Request.Create
		if !json.Valid(st.Request.Body) {
			t.Fatalf("not JSON: %s", st.Request.Body)
		}
		body, _ := body.MakePath(body.Step{Key: "contact"}).Set(created(1, "{}").Body, st.Request.Body)
		back, err := m.Row(mapping.Delivery{Body: body})
		if err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		for i, c := range m.Columns() {
			if back.Cells[i] != cells[c.Name] {
				t.Errorf("column %s: sent %v, received %v", c.Name, cells[c.Name], back.Cells[i])
			}
		}
		if back.Action != mapping.Update || gjson.GetBytes(body, "contact.source").Str != mapping.DefaultSource {
			t.Error("a contact that was made here is not recognised")
		}
	})
}

func mustParse(t testing.TB, src string) *mapping.Mapping {
	t.Helper()
	m, err := mapping.Parse("m.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return m
}
