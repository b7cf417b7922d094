package tui

import (
	"errors"
	"testing"

	"loopmap/mapping"
)

func withPushes(d *driver) *driver {
	d.fake.pushes = PushView{Rows: []PushedRow{
		{Key: "own-1", Steps: []mapping.PushStep{
			{Kind: "contact", Request: &mapping.Request{Kind: "contact", Method: "PUT", Path: "/v1/contacts/update", Body: []byte(`{"email":"ada@example.com","plan":"pro\u001b[31m"}`)}},
			{Kind: "upgraded", Status: mapping.PushNotMet, Reason: "plan is NULL"},
		}},
		{Key: "own-2", Lines: []mapping.PushLine{{Kind: "contact", Status: mapping.PushFailed, Code: 400, Message: "Invalid email"}}},
	}}
	return d
}

func TestPushScreen(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {120, 40}, {40, 10}} {
		d := withPushes(start(t, size[0], size[1], withSample))
		if d.keys("P"); size[0] == 40 {
			d.has("own-1")
			continue
		}
		d.has("loopmap > push", "> own-1", "PUT /v1/contacts/update", `"email": "ada@example.com"`, "upgraded: the condition is not met: plan is NULL", "2 rows")
		d.keys("down").has("> own-2", "contact failed 400", "contact  failed 400: Invalid email", "Loops has this row as it is")
		d.keys("esc").has("COLUMNS")
	}
}

func TestPushRun(t *testing.T) {
	d := withPushes(start(t, 80, 24, withSample))
	d.keys("P", "R").has("rows to send: 10")
	if d.keys("3", "enter"); d.fake.sent != 3 {
		t.Errorf("%d rows were sent", d.fake.sent)
	}
	d.has("3 sent")
	d.keys("R", "x", "enter").has("is no number of rows").keys("esc")
	d.fake.err = errors.New("there is no API key to send with")
	d.keys("R", "enter").has("no API key")
	// Unsaved changes are no part of what would be sent.
	d.fake.err = nil
	d.keys("esc", "down", "down", "space", "P", "R").has("save the mapping first").lacks("rows to send")
}

func TestPushScreenWithout(t *testing.T) {
	d := start(t, 80, 24, withSample)
	d.fake.pushes = PushView{Problem: "the mapping has no push part"}
	d.keys("P").has("the mapping has no push part").keys("R").has("there is nothing to send").keys("?").has("send some rows now")
}

func TestOutcomesBesideDeliveries(t *testing.T) {
	d := start(t, 80, 24, withSample)
	d.fake.came = []Delivery{{ID: "msg_1", Event: "contact.created", Status: "applied", RowKey: "a", Body: body(t, "contact.created"),
		Pushes: []mapping.PushLine{{Kind: "contact", Status: mapping.PushSent, Code: 200}, {Kind: "upgraded", Status: mapping.PushNotMet, Message: "plan is NULL"}}}}
	d.keys("D").has("sent back: contact sent 200, upgraded not met")
	d.keys("enter").has("SENT BACK from its row", "upgraded  not met: plan is NULL")
}
