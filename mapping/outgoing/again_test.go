package outgoing

import (
	"strings"
	"testing"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

var again = Resend{Known: true}

// What came from Loops is sent all the same where that is asked for, and where it is not its
// reason says how.
func TestAgainSendsWhatCame(t *testing.T) {
	s := sender(t, pushing)
	d := created(100, `{"email":"a@x.io","plan":"free","seats":5,"mailingLists":{"l1":true}}`)
	row := Row{Key: "c1", Told: []mapping.Delivery{d}, Cells: values("loops_id", "c1", "email", "a@x.io", "plan", "free", "vip", "true", "seats", "5")}
	for _, st := range s.Judge(row, Resend{Failed: true, Unknown: true}) {
		if st.Request != nil || !st.Why.Again() || !strings.Contains(st.Reason, "--again sends it all the same") {
			t.Errorf("without: %+v", st)
		}
	}
	steps := s.Judge(row, again)
	if len(steps) != 3 || steps[0].Request == nil || !steps[0].Again || steps[1].Status != NotMet || steps[2].Request == nil {
		t.Fatalf("got %v", steps)
	}
	// Once it was sent, the contact goes again, and no event does.
	row = delivered(row, 110, steps...)
	steps = s.Judge(row, again)
	if steps[0].Request == nil || steps[2].Request != nil || steps[2].Why != WhySent || !strings.HasPrefix(steps[2].Reason, "sent on 1970-01-01 00:01:50 UTC: ") {
		t.Errorf("got %v", steps)
	}
	row.Cells["plan"] = column.Of("pro") // another event, which is no double
	if steps = s.Judge(row, again); steps[0].Again || steps[1].Request == nil || steps[2].Request == nil {
		t.Errorf("got %v", steps)
	}
	row = delivered(row, 120, steps...)
	if steps = s.Judge(row, again); steps[1].Request != nil || !strings.HasSuffix(steps[1].Reason, "would be a double") {
		t.Errorf("once_per: %v", steps[1])
	}
}

// What was refused, what may have arrived, and what cannot be sent is no other thing for
// being asked for again.
func TestAgainLeavesOutcomes(t *testing.T) {
	s := sender(t, pushing)
	row := Row{Key: "c1", Cells: values("email", "a@x.io", "plan", "pro")}
	for i, st := range s.Steps(row, Resend{}) {
		l := Line{Kind: st.Kind, IdempotencyKey: st.Request.IdempotencyKey, Status: Failed, Code: 400, Tried: st.Request.Hash}
		if i == 1 {
			l.FirstAt = time.Unix(5, 0)
		}
		row.Lines = append(row.Lines, l)
	}
	var whys []Why
	for _, st := range s.Judge(row, again) {
		whys = append(whys, st.Why)
	}
	if len(whys) != 3 || whys[0] != WhyRefused || whys[1] != WhyContact || whys[2] != WhyContact {
		t.Errorf("got %q", whys)
	}
	delete(row.Cells, "email")
	if st := s.Judge(row, again)[0]; st.Why != WhyWrong {
		t.Errorf("got %+v", st)
	}
}

// A contact that was deleted stays deleted, also in the seconds before that is told.
func TestAgainMakesNoDeletedContact(t *testing.T) {
	s := sender(t, pushing).At(time.Unix(205, 0))
	row := Row{Key: "c1", Told: []mapping.Delivery{created(100, `{"email":"a@x.io","plan":"pro"}`)}, Cells: values("loops_id", "c1", "email", "a@x.io", "plan", "pro")}
	row.Told = append(row.Told, mapping.Delivery{ID: "msg_u", Received: time.Unix(200, 0), Body: []byte(`{"eventName":"contact.unsubscribed","eventTime":200,"contactIdentity":{"id":"c1","email":"a@x.io","userId":null}}`)})
	for _, st := range s.Judge(row, again) {
		if st.Request != nil || st.Why != WhyCalm {
			t.Errorf("a moment after contact.unsubscribed: %v", st)
		}
	}
	if steps := s.At(time.Unix(300, 0)).Judge(row, again); steps[0].Request == nil {
		t.Errorf("later: %v", steps[0])
	}
	row.Deleted = &Deletion{ID: "msg_d", Received: time.Unix(201, 0)}
	for _, st := range s.At(time.Unix(300, 0)).Judge(row, again) {
		if st.Request != nil || st.Why != WhyDeleted || st.Why.Again() {
			t.Errorf("deleted: %v", st)
		}
	}
}

// A refusal that has become moot says what Loops has, and not the refusal.
func TestWhatWasRefusedAndTakenBack(t *testing.T) {
	s := sender(t, pushing)
	row := Row{Key: "c1", Cells: values("email", "a@x.io", "plan", "free")}
	row = delivered(row, 10, s.Steps(row, Resend{})...)
	l := row.Lines[0]
	l.Status, l.Code, l.Message, l.Tried = Failed, 400, "no", "another"
	row.Lines = with(row.Lines, l)
	if st := s.Judge(row, Resend{})[0]; st.Why != WhyHas || st.Status != Sent || st.Reason == "" || st.Line.Code != 200 {
		t.Errorf("got %+v", st)
	}
}
