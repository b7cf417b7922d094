package tui

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
)

func text(s string) column.Cell { return column.Cell{State: column.Present, Text: s} }

// withTable gives the push screen a table with rows, and a Loops.
func withTable(d *driver) *driver {
	d.fake.pushes = RowsView{Now: viewTime,
		Fields: []column.Field{{Name: "loops_id", Type: column.Text}, {Name: "email", Type: column.Text}, {Name: "company", Type: column.Text},
			{Name: "team_size", Type: column.Integer}, {Name: "plan", Type: column.Text}, {Name: "vip", Type: column.Boolean}, {Name: "zip", Type: column.Integer}},
		Rows: []TableRow{
			{Came: Came{"applied", viewTime.Add(-time.Hour)}, Row: outgoing.Row{Key: "own-1", Cells: map[string]column.Cell{"email": text("ada@example.com"), "company": text("Analytical \x1b[31mEngines"), "team_size": text("12"), "plan": text("pro"), "vip": text("true"), "zip": text("12345")}}},
			{Row: outgoing.Row{Key: "own-2", Cells: map[string]column.Cell{"email": text("bob@example.com"), "team_size": text("3"), "plan": {State: column.Null}},
				Lines: []outgoing.Line{{Kind: "contact", Status: outgoing.Failed, Code: 400, Message: "Invalid email", Tried: "x"}}}},
		},
	}
	d.fake.catalog = Catalog{Team: "Analytical Engines",
		Properties: []mapping.Property{{Key: "company", Type: "string"}, {Key: "teamSize", Type: "number"}, {Key: "plan", Type: "string"}, {Key: "zip", Type: "string"}, {Key: "createdAt", Type: "date"}},
		Lists:      []mapping.List{{ID: "l1", Name: "VIP"}}, Events: []string{"upgraded"},
		EventProperties: map[string][]mapping.Property{"upgraded": {{Key: "plan", Type: "string"}}}}
	return d
}

// to moves the cursor of the requests to the line that holds words.
func (d *driver) to(words string) *driver {
	d.t.Helper()
	for i, s := range d.m.push.slots {
		if strings.HasPrefix(s.Label, words) {
			d.keys("g")
			for range i {
				d.keys("down")
			}
			return d
		}
	}
	d.t.Fatalf("no slot %q:\n%s", words, d.screen())
	return d
}

// The whole job: both requests, without typing JSON.
func TestPushScreen(t *testing.T) {
	d := withTable(start(t, 120, 40, withSample))
	d.keys("3").has("Requests ─", "contact update", "PUT /v1/contacts/update", "  teamSize", "number", "nothing is sent to Loops yet", "bob@example.com", "contact failed 400")
	d.lacks("createdAt") // which Loops sets itself

	// A property brings what Loops finds the contact by.
	d.to("teamSize").has("space takes team_size").keys("space").has("✓ teamSize", `"teamSize": 12`, `"email": "ada@example.com"`, "goes out next")
	// What Loops has as another type is sent so.
	d.to("zip").keys("space").has("zip as string", `"zip": "12345"`)
	// / finds a column as it is typed.
	d.to("firstName").keys("enter", "comp").has("Column for firstName", "> company", "Analytical").lacks("> email").keys("enter").has(`"firstName": "Analytical `)
	d.keys("space").lacks(`"firstName"`).keys("enter", "xyz").has("no column holds that").keys("enter").has(`no column holds "xyz"`).keys("esc")
	// All that match, and one u takes them back.
	d.to("contact update").keys("a").has("✓ plan", "✓ company", "matched by name").keys("u").has("  plan", "✓ teamSize").keys("ctrl+r")
	// Long lists are gone through by name.
	d.keys("g", "/", "zi").has("> ✓ zip").keys("enter", "/", "company").has("> ✓ company").keys("esc")
	// NULL: left out, or cleared.
	d.to("plan").keys("0").has("NULL empties plan in Loops", "plan, NULL clears").keys(".").has("row 2 of 2", `"plan": null`).keys(",")
	// Loops takes a property as one type alone.
	d.keys("t").has("sent as string").keys("t").has("sent as its column's type").to("firstName").keys("enter", "plan", "enter", "t").has("Loops takes firstName as string").keys("space")
	// A list wants a boolean.
	d.to("list VIP").keys("enter").has("vip").lacks("> email", "zip        integer").keys("enter").has(`"l1": true`)

	// A condition, with its verdict while it is typed.
	d.to("only run if").keys("enter", "plan == ").has("no: ").keys(`"pro"`).has("ok: 1 of 2 rows met", "ada@example.com", "bob@example.com", "not met: plan is NULL")
	d.keys("enter").has(`plan == "pro"`, "1/2 met").keys(".").has("contact: the condition is not met: plan is NULL").keys(",")
	d.keys("enter", " and none > 1", "enter").has("the table has no column none").keys("esc")

	// An event, by the names that Loops has.
	d.to("+ event").keys("enter", "upg", "down", "enter").has("event upgraded", "POST /v1/events/send", `"eventName": "upgraded"`)
	d.keys("down", "down", "down", "down").has("once per").keys("enter", "plan", "enter").has("Idempotency-Key:", "loopmap-")
	d.keys("down", "space").has(`"eventProperties": {`, `"plan": "pro"`)
	d.keys("i").has("Property", "of the event upgraded", "company", "contact property", "VIP", "mailing list").keys("teamS", "down", "enter").has("Column for teamSize").keys("enter").has("contact teamSize")

	d.to("as rows change").keys("space").has("✓ as rows change").to("every").keys("enter", "5s", "enter").has("a minute is the least").keys("backspace", "backspace", "1h", "enter").has("1h")
	want := `auto=true every='1h'`
	p := d.m.draft.Push
	got := fmt.Sprintf("auto=%v every='%s'", p.Auto, p.Every)
	if got != want || len(p.Events) != 1 || len(p.Events[0].Contact) != 1 || len(p.Contact.Properties) != 4 || p.Contact.OnlyRunIf != `plan == "pro"` {
		t.Errorf("%+v %+v", p, p.Contact)
	}
	// It is saved into the same file, and the screen comes back.
	d.keys("s").has("before anything is written").keys("enter").has("Requests ─", "saved loopmap.yaml")
	if n := len(d.fake.saved); n != 1 || !d.fake.saved[0].Same(d.m.draft) {
		t.Error("not saved")
	}
	d.keys("esc").has("Columns ─")
}

// What could not be saved is not taken.
func TestPushRefuses(t *testing.T) {
	d := withTable(start(t, 120, 40, withSample))
	d.keys("3").to("plan").keys("space").to("email").keys("d").has("needs email, userId or both")
	if c := d.m.draft.Push.Contact; c.Email != "email" {
		t.Errorf("%+v", c)
	}
	d.keys("u").to("+ event").keys("enter", "contact", "enter").has("an event cannot be named contact").keys("esc")
	d.to("contact update").keys("i", "teamId", "enter").has("Loops reserves it").keys("esc")
	d.to("subscribed").keys("enter", "vip", "enter").has("true signs up again")
	if d.to("contact update").keys("d"); d.m.draft.Push != nil {
		t.Errorf("a push part that says nothing stays: %+v", d.m.draft.Push)
	}
}

// A property that Loops lacks is offered to be made there.
func TestPushCreates(t *testing.T) {
	d := withTable(start(t, 120, 40, withSample))
	d.keys("3", "i", "headCount", "enter").has("Column for headCount").keys("team", "enter")
	d.has("! none", "Loops has no property headCount: c makes it there").keys("c").has("c again makes headCount in Loops, as number", "> ✓ headCount").keys("down", "c", "up").lacks("Loops has headCount").keys("c", "c").has("Loops has headCount now, as number", "> ✓ headCount").lacks("! none")
	if len(d.fake.made) != 1 || d.fake.made[0] != (mapping.Property{Key: "headCount", Type: "number"}) {
		t.Errorf("%v", d.fake.made)
	}
	d.fake.err = errors.New("Property already exists")
	d.keys("i", "more", "enter", "plan", "enter", "c", "c").has("more is not made in Loops: Property already exists")
}

func TestPushRun(t *testing.T) {
	d := withTable(start(t, 120, 40, withSample))
	d.keys("3", "R").has("nothing to send yet").to("plan").keys("space", "R").has("save the mapping first").keys("s", "enter")
	d.keys("R").has("send: this").keys("3", "enter").has("3 sent")
	if d.fake.sent != 3 {
		t.Errorf("%d rows were sent", d.fake.sent)
	}
	d.has("contact sent 200") // as it was told while it went on
	d.keys("R", "x", "enter").has("nor a number of rows").keys("esc", "x").has("nothing is being sent")
	if d.keys("R", "failed", "enter"); !d.fake.again {
		t.Error("those that failed are not tried again")
	}
	d.fake.err = errors.New("there is no API key to send with\nhint: set one")
	d.keys("R", "enter").has("no API key to send with; hint: set one")
}

// While rows are being sent, leaving takes a second q, and stops them.
func TestPushLeaving(t *testing.T) {
	d := withTable(start(t, 80, 24, withSample))
	stopped := false
	d.keys("3").m.push.running, d.m.push.stop = true, func() { stopped = true }
	if d.keys("q").has("q again stops that and leaves"); d.m.quit || stopped {
		t.Error("one q has left")
	}
	d.keys("down", "q").has("q again stops that and leaves")
	if d.keys("q"); !d.m.quit || !stopped {
		t.Error("two have not")
	}
}

// Without an API key, properties are those of the samples; without rows, the samples
// show what would be sent.
func TestPushWithoutLoops(t *testing.T) {
	d := start(t, 120, 40, withSample)
	d.fake.catalog.Problem = "no LOOPS_API_KEY: Loops is not asked which properties it has"
	d.fake.pushes = RowsView{Now: viewTime, Fields: []column.Field{{Name: "loops_id", Type: column.Text}, {Name: "email", Type: column.Text}}, Problem: "the table is not there yet"}
	d.keys("down", "down", "space") // some column
	d.keys("3").has("Loops was not asked", "no LOOPS_API_KEY", "companyName", "of the samples")
	d.to("email").keys("space").has("as a sample's row would send it")
	d.keys("R").has("save the mapping first")
}

// Rows that send nothing say why; those without a key are counted.
func TestWhyRowsSendNothing(t *testing.T) {
	d := start(t, 120, 40, withSample)
	row := func(key, email string, lines ...outgoing.Line) outgoing.Row {
		cells := map[string]column.Cell{"loops_id": {State: column.Present, Text: key}, "email": {State: column.Present, Text: email}}
		return outgoing.Row{Key: key, Cells: cells, Lines: lines}
	}
	gone := row("b", "b@example.com", outgoing.Line{Kind: "contact", Status: outgoing.Sent, Body: []byte(`{"email":"b@example.com"}`), SentAt: time.Unix(5, 0)})
	gone.Deleted = &outgoing.Deletion{ID: "msg_1", At: time.Unix(9, 0), Received: time.Unix(9, 0)}
	d.fake.pushes = RowsView{Now: viewTime, Keyless: 3, Fields: []column.Field{{Name: "loops_id", Type: column.Text}, {Name: "email", Type: column.Text}}, Rows: []TableRow{
		{Row: row("a", "a@example.com", outgoing.Line{Kind: "contact", Status: outgoing.Sent, Body: []byte(`{"email":"a@example.com"}`), SentAt: time.Unix(5, 0)})}, {Row: gone}}}
	d.keys("3").to("email").keys("space").has("3 without loops_id not sent",
		"sent, last sent 1970-01-01")
	d.keys("tab", "down").has("not sent: the contact was", "sent until the row is changed")
}

func TestOutcomesBesideDeliveries(t *testing.T) {
	d := start(t, 80, 24, withSample)
	d.fake.came = []Delivery{{ID: "msg_1", Event: "contact.created", Status: "applied", RowKey: "a", Body: sampleBody(t, "contact.created"),
		Pushes: []outgoing.Line{{Kind: "contact", Status: outgoing.Sent, Code: 200}, {Kind: "upgraded", Status: outgoing.NotMet, Message: "plan is NULL"}}}}
	d.keys("4").has("sent back: contact sent 200, upgraded not met")
	d.keys("enter").has("SENT BACK from its row", "upgraded  not met: plan is NULL")
}

// Nothing of a row's values reaches the terminal as it is.
func TestPushIsHarmless(t *testing.T) {
	d := withTable(start(t, 120, 40, withSample))
	d.keys("3").to("company").keys("space", "/")
	if s := d.m.Screen(); strings.Contains(s, "\x1b[31mEngines") {
		t.Errorf("%q", s)
	}
	d.send(tea.WindowSizeMsg{Width: 0, Height: 0}) // and a terminal that has no size does no harm
}
