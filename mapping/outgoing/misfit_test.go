package outgoing

import (
	"strings"
	"testing"

	"loopmap/mapping"
)

// A delivery that another mapping has applied may not map by this one. What it says in the
// columns that it fits Loops has told: a row that only it has written is not sent back. What
// somebody has changed goes out, and what may have been changed does, too.
func TestToldByAnotherMapping(t *testing.T) {
	skips := strings.Replace(pushing, "{column: seats, on_null: clear}", "seats", 1)
	other := strings.Replace(skips, "events: [contact.created]", "events: [contact.unsubscribed]", 1)
	told := func(at int, seats string) mapping.Delivery {
		return created(at, `{"email":"a@x.io","plan":"free","seats":`+seats+`,"mailingLists":{"l1":true}}`)
	}
	many := told(100, `"many"`)
	row := func(list []mapping.Delivery, pairs ...string) Row {
		return Row{Key: "c1", Told: list, Cells: values(append([]string{"loops_id", "c1", "email", "a@x.io", "vip", "true"}, pairs...)...)}
	}
	only := []mapping.Delivery{many}
	sent := delivered(row(only, "plan", "free", "seats", "5"), 110, sender(t, skips).Steps(row(nil, "plan", "free", "seats", "5"), Resend{})...)
	sent.Told = []mapping.Delivery{told(100, "7"), told(120, `"many"`)}
	for name, c := range map[string]struct {
		src  string
		row  Row
		want string // is sent; "" for nothing
	}{
		"as it came":                   {skips, row(only, "plan", "free"), ""},
		"an event that is not listed":  {other, row([]mapping.Delivery{told(100, "5")}, "plan", "free", "seats", "5"), ""},
		"changed":                      {skips, row(only, "plan", "pro"), `"plan":"pro"`},
		"set what did not fit":         {skips, row(only, "plan", "free", "seats", "5"), `"seats":5`},
		"NULL, which is sent":          {pushing, row(only, "plan", "free"), `"seats":null`},
		"it had a value before":        {skips, row([]mapping.Delivery{told(90, "5"), many}, "plan", "free", "seats", "5"), `"seats":5`},
		"and has been told it since":   {skips, row([]mapping.Delivery{many, told(110, "5")}, "plan", "free", "seats", "5"), ""},
		"sent, and other in Loops now": {skips, sent, `"seats":5`},
	} {
		st := sender(t, c.src).Judge(c.row, Resend{})[0]
		switch {
		case c.want == "" && (st.Request != nil || st.Why != WhyCame):
			t.Errorf("%s: %v %s", name, st, st.Why)
		case c.want != "" && (st.Request == nil || !strings.Contains(string(st.Request.Body), c.want)):
			t.Errorf("%s: %v, want %s", name, st, c.want)
		}
	}
}
