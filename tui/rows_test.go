package tui

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
)

// manyRows is Table over so many rows, every hundredth of which is pro.
func manyRows(t *testing.T, n int) *driver {
	d := withTable(start(t, 120, 40, withSample))
	d.fake.pushes.Rows = nil
	for i := range n {
		plan := "free"
		if i%100 == 99 {
			plan = "pro"
		}
		d.fake.pushes.Rows = append(d.fake.pushes.Rows, TableRow{Row: outgoing.Row{Key: fmt.Sprintf("k%06d", i),
			Cells: map[string]column.Cell{"email": text(fmt.Sprintf("p%06d@x.example", i)), "plan": text(plan)}}})
	}
	return d.keys("2")
}

func (d *driver) cursorRow() string {
	r, _ := d.m.push.shownRow()
	return r.Key
}

// However many rows there are, no more than some are held, each is reached in its order, and
// both ends are a key away.
func TestTableIsPaged(t *testing.T) {
	const n = 1000
	d := manyRows(t, n)
	if len(d.m.push.rows) > rowsHeld {
		t.Fatalf("%d rows are held", len(d.m.push.rows))
	}
	d.has("more than 200 rows")
	for i := 1; i < n; i++ {
		d.m.push.moveRow(1)
		d.send(nil)
		if d.cursorRow() != fmt.Sprintf("k%06d", i) || len(d.m.push.rows) > rowsHeld+rowsRead {
			t.Fatalf("on %s of %d rows after %d steps", d.cursorRow(), len(d.m.push.rows), i)
		}
	}
	d.has(fmt.Sprint(n, " rows"), fmt.Sprintf("%d/%d", n, n))
	for i := n - 2; i >= 0; i-- {
		d.m.push.moveRow(-1)
		d.send(nil)
		if d.cursorRow() != fmt.Sprintf("k%06d", i) || len(d.m.push.rows) > rowsHeld+rowsRead {
			t.Fatalf("on %s of %d rows going back to %d", d.cursorRow(), len(d.m.push.rows), i)
		}
	}
	if d.keys("G"); d.cursorRow() != "k000999" {
		t.Errorf("G leads to %s", d.cursorRow())
	}
	if d.keys("up", "up"); d.cursorRow() != "k000997" {
		t.Errorf("then up to %s", d.cursorRow())
	}
	if d.keys("g"); d.cursorRow() != "k000000" {
		t.Errorf("g leads to %s", d.cursorRow())
	}
	// Fetched anew, the cursor stays on its row.
	d.keys("G", "up", "r")
	if d.cursorRow() != "k000998" {
		t.Errorf("after r: %s", d.cursorRow())
	}
}

// A condition goes on looking by itself, says how far it is, and stops when it is told to.
func TestTableFilter(t *testing.T) {
	d := manyRows(t, 2500)
	d.fake.looks = 300
	d.keys("F", "plan ==").has("rows where:").keys("enter").has("rows where:") // it cannot be taken yet
	d.keys("esc", "F", `plan == "pro"`, "enter").has(`plan == "pro": 25 rows`, "p000099@x.example").lacks("p000000@x.example")
	if d.m.push.looked != 2500 {
		t.Errorf("%d rows were looked at", d.m.push.looked)
	}
	// What it has found stays when something comes, and r finds it again.
	n := len(d.fake.asked)
	d.fake.counts = Counts{Came: 1}
	d.send(countsMsg{d.fake.counts, nil})
	if len(d.fake.asked) != n {
		t.Error("a delivery begins the search anew")
	}
	d.keys("r").has(`plan == "pro": 25 rows`)
	d.keys("esc").has("p000000@x.example", "more than 200 rows")
	d.keys("F", "ctrl+u", `plan == "none"`, "enter").has("No row meets", "F changes the condition")
	d.keys("F", "ctrl+u", "enter").has("p000000@x.example").lacks("none")

	// x stops it.
	d.m.push.setFilter(`plan == "pro"`)
	msg := d.m.moreRows()().(rowsMsg)
	d.m.push.looking = true
	d.m.sawRows(msg)
	if d.m.push.stop = nil; !d.m.push.looking {
		t.Fatal("it does not look")
	}
	d.m.running(stop)
	if more := d.m.moreRows(); more != nil || d.m.push.looking {
		t.Error("it goes on")
	}
	d.has("stopped after 300")
}

// Trouble of the database is said once and not asked for again by itself.
func TestTableTrouble(t *testing.T) {
	d := manyRows(t, 2500)
	d.fake.err = errors.New("the database does not answer")
	n := len(d.fake.asked)
	d.keys("F", `plan == "pro"`, "enter").has("the database does not answer", "r reads it again")
	if len(d.fake.asked) != n+1 {
		t.Errorf("asked %d times", len(d.fake.asked)-n)
	}
	d.fake.err = nil
	d.keys("r").has("25 rows")
}

// R sends the row, the marked ones, or those of the filter; what a row sends, or why it
// sends nothing, is said before.
func TestSendFromTable(t *testing.T) {
	d := withTable(start(t, 120, 40, withSample))
	d.keys("3").to("teamSize").keys("space", "s", "enter")
	sent := func() string { return fmt.Sprintf("%+v", d.fake.sending) }
	d.keys("2", "R").has("send: this", "ada@example.com: contact").keys("enter").has("sent")
	if got := d.fake.sending; !slices.Equal(got.Keys, []string{"own-1"}) || got.Again || got.Rows != 0 {
		t.Error(sent())
	}
	d.keys("down", "space", "up", "up", "space").has("2 marked").keys("R").has("2 marked rows").keys("enter")
	if got := d.fake.sending; !slices.Equal(got.Keys, []string{"own-1", "own-2"}) {
		t.Error(sent())
	}
	d.lacks("marked").keys("space", "A").lacks("marked")
	d.keys("F", `plan == "pro"`, "enter", "R").has(`the 1 row of plan == "pro"`).keys("down").has("send: this").keys("up", "enter")
	if got := d.fake.sending; got.Where != `plan == "pro"` || got.Keys != nil {
		t.Error(sent())
	}
	d.keys("esc", "R", "7", "enter")
	if got := d.fake.sending; got.Rows != 7 {
		t.Error(sent())
	}
	d.keys("R", "failed", "enter")
	if got := d.fake.sending; !got.Failed || got.Rows != 0 {
		t.Error(sent())
	}

	d.keys("!").has("failed: 1 row", "bob@example.com").lacks("ada@example.com").keys("R").has("send: failed").keys("down").has("bob@example.com: contact").keys("enter")
	if got := d.fake.sending; !slices.Equal(got.Keys, []string{"own-2"}) || !got.Failed {
		t.Error(sent())
	}
	d.keys("esc").has("ada@example.com")

	// What Loops has already goes out after a question.
	d.fake.sending = Sending{}
	d.fake.pushes.Rows[0].Lines = []outgoing.Line{{Kind: "contact", Status: outgoing.Sent, Code: 200, Body: []byte(`{"email":"ada@example.com","teamSize":12}`)}}
	d.keys("r", "g", "R").has("enter asks first: Loops has all of this").lacks("--again").keys("enter")
	if d.fake.sending.Keys != nil {
		t.Errorf("it was sent without a question: %s", sent())
	}
	d.has("send: this again", "ada@example.com: contact").keys("enter")
	if got := d.fake.sending; !got.Again || !slices.Equal(got.Keys, []string{"own-1"}) {
		t.Error(sent())
	}
}

// Who may only look sends nothing.
func TestReadOnlyLooks(t *testing.T) {
	d := withTable(start(t, 120, 40, func(c *Config) { withSample(c); c.ReadOnly = true }))
	d.fake.story = Story{There: true, Cells: []StoryCell{{Column: "email", Value: "ada@example.com"}}}
	for _, k := range []string{"2", "3"} {
		d.keys(k, "R").has("you may look, and not send")
	}
	d.keys("2", "enter").has("Story of ada@example.com").keys("R").has("you may look, and not send")
	if d.fake.sending.Keys != nil {
		t.Error("it was sent")
	}
}

// The story of a row: each thing in it opens, and the next row's is a key away.
func TestStoryScreen(t *testing.T) {
	d := storyView(t, 120, 40, false)
	d.fake.came = []Delivery{{ID: "msg_1", Event: "contact.created", Status: "applied", RowKey: "own-1", Body: sampleBody(t, "contact.created")}}
	d.has("Story of ada@example.com", "contact.companyName", "somebody else; a delivery wrote", "applied: made the row", "4 cells, 5 events")
	d.keys("/", "gold", "enter", "enter").has("WHAT IT HAS HELD", "gold  somebody else: it holds this now").keys("esc")
	d.keys("g", "/", "msg_2", "enter", "n").has("> ")
	d.keys("end", "enter").has("upgraded of ada@example.com", `"eventName": "upgraded"`).keys("esc")
	d.keys("g").twice("applied: made the row").has("Delivery msg_1", `"eventName": "contact.created"`).keys("esc").has("Story of ada")
	d.keys(".").has("Story of bob@example.com").keys(".").has("that is the last row").keys(",").has("Story of ada@example.com")
	d.keys("esc").has("[2 Table]").lacks("Story of")
	if strings.Contains(d.screen(), "Story") {
		t.Error("it stays")
	}
}

// Columns are gone through, ordered by, hidden, widened and moved; that is kept for the
// next time.
func TestTableColumns(t *testing.T) {
	d := withTable(start(t, 120, 40, withSample))
	heads := func() string {
		return strings.Join(strings.Fields(strings.Trim(strings.Split(d.screen(), "\n")[2], "│ ")), " ")
	}
	if d.keys("2"); heads() != "email loops_id company team_size plan vip zip received" {
		t.Errorf("%s", heads())
	}
	d.has("email, column 1 of 7").keys("right", "right").has("company, column 3 of 7")
	wide := strings.Index(d.screen(), "team_size")
	if d.keys(">"); strings.Index(d.screen(), "team_size") != wide+4 {
		t.Error("the column is no wider")
	}
	d.keys("<", "-").has("company is hidden", "column 3 of 6, 1 hidden").keys("(")
	if heads() != "email team_size loops_id plan vip zip received" {
		t.Errorf("%s", heads())
	}
	d.keys("O").has("team_size ↑", "by team_size").keys("O").has("team_size ↓").keys("O").lacks("↓", "↑")
	kept := d.fake.look
	e := start(t, 120, 40, func(c *Config) { withSample(c); c.Backend = d.fake })
	e.fake = d.fake
	if e.keys("2"); !strings.Contains(strings.Join(strings.Fields(e.screen()), " "), "email team_size loops_id plan vip zip received") || len(kept.Hidden) != 1 {
		t.Errorf("%+v:\n%s", kept, e.screen())
	}
	if d.keys("="); heads() != "email loops_id company team_size plan vip zip received" || len(d.fake.look.Hidden) != 0 {
		t.Errorf("%s", heads())
	}
	for range 20 {
		d.keys("right")
	}
	d.has("zip, column 7 of 7").send(tea.WindowSizeMsg{Width: 60, Height: 20})
	d.has("zip, column 7 of 7")
	if !strings.Contains(heads(), "zip") {
		t.Errorf("the column under the cursor is not shown: %s", heads())
	}
}

// When something has come, the rows are read anew, the cursor on its row, unless somebody is
// in the middle of something; columns that are not saved yet are not shown.
func TestTableFollows(t *testing.T) {
	d := withTable(start(t, 120, 40, withSample))
	d.fake.pushes.Lacks = []string{"vip"}
	d.keys("2", "down").has("bob@example.com").lacks("vip")
	come := func(n int64) {
		d.fake.counts = Counts{Came: n}
		d.fake.pushes.Rows = append([]TableRow{{Row: outgoing.Row{Key: fmt.Sprint("new-", n), Cells: map[string]column.Cell{"email": text("new@example.com")}}}}, d.fake.pushes.Rows...)
		d.send(countsMsg{d.fake.counts, nil})
	}
	if come(1); d.cursorRow() != "own-2" {
		t.Errorf("the cursor is on %s", d.cursorRow())
	}
	d.has("new@example.com", "3 rows")
	n := len(d.fake.asked)
	if d.keys("F"); len(d.fake.asked) != n {
		t.Error("a prompt reads rows")
	}
	if come(2); len(d.fake.asked) != n {
		t.Error("rows are read while something is typed")
	}
	d.keys("esc", "1")
	if come(3); len(d.fake.asked) != n {
		t.Error("rows are read where they are not shown")
	}
}

// What a row sends nothing for is said first, and once.
func TestBodySaysWhyOnce(t *testing.T) {
	d := withTable(start(t, 120, 40, withSample))
	d.fake.pushes.Rows[0].Lines = []outgoing.Line{{Kind: "contact", Status: outgoing.NotMet, Message: `plan != "pro" does not hold (plan is "pro")`}}
	d.keys("3").to("teamSize").keys("space").to("only run if").keys("enter", `plan != "pro"`, "enter")
	d.has("contact: the condition is not met").lacks("EARLIER")
	if n := strings.Count(d.screen(), "condition is not met"); n != 1 {
		t.Errorf("it is said %d times", n)
	}
}
