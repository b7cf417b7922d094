package table

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

// An eventTime that no clock explains keeps nothing from its row: it counts as the time
// of its receipt, also where an older loopmap has journalled it as it was.
func TestEventTimeAhead(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.open(), d.mapping("plan text contact.plan", "at time eventTime")
		ready(t, s, m)
		received := time.Unix(start, 0)
		at := func(id, contact string, later time.Duration, eventTime int64, plan string) mapping.Delivery {
			body := fmt.Sprintf(`{"eventName":"contact.created","eventTime":%d,"contactIdentity":{"id":%q},"contact":{"plan":%q}}`, eventTime, contact, plan)
			return mapping.Delivery{ID: id, Received: received.Add(later), Body: []byte(body)}
		}
		for name, ahead := range map[string]int64{"hour": 3600, "century": 4102444800 - start, "sixminutes": 301} {
			commit(t, s, m, at(name+"1", name, 0, start+ahead, "ahead"))
			commit(t, s, m, at(name+"2", name, 20*time.Second, start+15, "later"))
			if got := d.text("SELECT plan FROM contacts WHERE id = ?", name); got != "later" {
				t.Errorf("%s: the row has %s", name, got)
			}
		}
		for i, want := range []int64{start, start + 300} { // what is journalled
			id := fmt.Sprint("journalled", i)
			commit(t, s, m, at(id, id, 0, start+301-int64(i), "x"))
			r, err := s.Delivery(context.Background(), id)
			if err != nil || r.EventTime.Unix() != want {
				t.Errorf("%s is journalled at %v, want %d (%v)", id, r.EventTime, want, err)
			}
		}
		// Within the tolerance the sender's order counts.
		commit(t, s, m, at("near1", "near", 0, start+290, "ahead"), at("near2", "near", time.Second, start, "older"))
		if got := d.text("SELECT plan FROM contacts WHERE id = 'near'"); got != "ahead" {
			t.Errorf("near: the row has %s", got)
		}
		// As an older version has left it.
		commit(t, s, m, at("old1", "old", 0, start, "ahead"))
		d.exec("UPDATE loopmap_deliveries SET event_time = '2100-01-01T00:00:00Z' WHERE id = 'old1'")
		commit(t, s, m, at("old2", "old", time.Minute, start+60, "later"))
		if got := d.text("SELECT plan FROM contacts WHERE id = 'old'"); got != "later" {
			t.Errorf("old: the row has %s", got)
		}
	})
}

// A clock beyond the year 9999, or before the year 1, leaves what can be read again.
func TestClockFarOff(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		s, m := d.open(), d.mapping()
		ready(t, s, m)
		for i, year := range []int{-3, 0, 9999, 10000, 292000} {
			one := created(fmt.Sprint("msg_", i), fmt.Sprint("c", i), 0, "")
			one.Received = time.Date(year, 12, 31, 23, 59, 59, 0, time.FixedZone("", -12*3600))
			commit(t, s, m, one)
		}
		far := []string{"20000-01-01T00:00:00.000Z", "-0004-01-01T00:00:00.000Z"} // as an older version has left it
		if d.d == column.Postgres {
			far = []string{"20000-01-01 00:00:00+00", "0004-01-01 00:00:00+00 BC"}
		}
		for i, text := range far {
			commit(t, s, m, created(fmt.Sprint("far_", i), "far", 0, ""))
			d.exec(fmt.Sprintf("UPDATE loopmap_deliveries SET received_at = '%s' WHERE id = 'far_%d'", text, i))
		}
		list, err := s.Deliveries(context.Background(), Filter{})
		if err != nil || len(list) != 7 {
			t.Fatalf("%d deliveries, %v", len(list), err)
		}
		for _, r := range list {
			if _, err := r.Received.MarshalJSON(); err != nil {
				t.Errorf("%s: %v", r.ID, err)
			}
		}
		if d.d == column.SQLite {
			d.exec("UPDATE loopmap_deliveries SET received_at = 'no time' WHERE id = 'far_0'")
			if _, err := s.Deliveries(context.Background(), Filter{}); err == nil || !strings.Contains(err.Error(), "no time") {
				t.Errorf("what is not a time: %v", err)
			}
		}
	})
}
