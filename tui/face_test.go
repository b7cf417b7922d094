package tui

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
)

// A key does one thing, wherever it is pressed.
func TestKeysMeanOneThing(t *testing.T) {
	means := map[string]action{}
	for _, b := range bindings {
		for _, k := range b.Keys() {
			if other, ok := means[k]; ok && other != b.action && k != "q" { // which closes, and quits from a place
				t.Errorf("%s means %d and %d", k, other, b.action)
			}
			means[k] = b.action
		}
		if b.group == "" || !slices.Contains(groups, b.group) {
			t.Errorf("%s: the group %q is not shown", b.Help().Desc, b.group)
		}
	}
}

// Nowhere has a key two lines, and every part of a screen that keys are looked up in has
// some, the way out and all keys among them.
func TestKeysOfEachPlace(t *testing.T) {
	for w := onCapture; w <= onTables; w <<= 1 {
		seen := map[string]bool{}
		actions := map[action]bool{}
		for _, b := range keysAt(w) {
			actions[b.action] = true
			for _, k := range b.Keys() {
				if seen[k] {
					t.Errorf("%s has two lines at %d", k, w)
				}
				seen[k] = true
			}
		}
		if !actions[help] || !actions[back] && !actions[quit] {
			t.Errorf("at %d there is no way to all keys, or out", w)
		}
	}
}

// Each screen is registered, draws what it should where it is, and has keys of its own.
func TestScreensAreRegistered(t *testing.T) {
	seen := map[string]bool{}
	for name, view := range views {
		d := view(t, 120, 40, false)
		seen[fmt.Sprintf("%T", d.m.screen())] = true
		if len(keysAt(d.m.at())) == 0 && !d.m.shows(helpScreen{}) {
			t.Errorf("%s has no keys", name)
		}
	}
	var all []screen
	for _, p := range places {
		all = append(all, p.screen)
	}
	for _, s := range append(all, tops...) {
		if name := fmt.Sprintf("%T", s); !seen[name] {
			t.Errorf("%s is never looked at by TestViews", name)
		}
		if reflect.TypeOf(s).Size() != 0 {
			t.Errorf("%T has a state of its own", s)
		}
	}
}

// click clicks on the first place where a text stands, so many cells into it.
func (d *driver) click(text string, in int) *driver {
	d.t.Helper()
	for y, line := range strings.Split(d.screen(), "\n") {
		if i := strings.Index(line, text); i >= 0 {
			d.send(tea.MouseClickMsg{X: len([]rune(line[:i])) + in, Y: y, Button: tea.MouseLeft})
			return d
		}
	}
	d.t.Fatalf("%q is not on the screen:\n%s", text, d.screen())
	return d
}

// twice is a double click: the clock of the tests goes on by a second, but for these.
func (d *driver) twice(text string) *driver {
	d.t.Helper()
	now := d.m.rhythm.now
	at := now()
	d.m.rhythm.now = func() time.Time { return at }
	d.click(text, 4).click(text, 4)
	d.m.rhythm.now = now
	return d
}

// A first mapping by the mouse alone.
func TestByMouse(t *testing.T) {
	d := start(t, 120, 40, nil)
	d.click("b built-in", 0).has("firstName").lacks("A sample ─")
}

func TestMouse(t *testing.T) {
	d := picked(t, 120, 40, false)
	d.click("  lastName", 4).has(">     lastName").lacks("✓ lastName")
	d.click("  lastName", 1).has("✓ lastName", "last_name").click("✓ lastName", 0).lacks("last_name")
	d.click("▾ mailingLists", 0).has("▸ mailingLists").click("▸ mailingLists", 0).has("▾ mailingLists", "Product news")
	d.twice("  lastName").has("in 2 of 2 samples", "SAMPLE 1").keys("esc")
	d.click("company_name  ", 1).has("> company_name").twice("company_name  ").has("Rename company_name").keys("esc")
	d.click("2 Table", 1).has("[2 Table]").click("4 Deliveries", 1).has("[4 Deliveries]").click("1 Map", 1).has("[1 Map]")
	d.click("s save", 0).has("before anything is written").click("esc q back", 1).has("Contact ─")
	for range 3 {
		d.send(tea.MouseWheelMsg{X: 5, Y: 5, Button: tea.MouseWheelUp})
	}
	d.send(tea.MouseWheelMsg{X: 5, Y: 5, Button: tea.MouseWheelDown})
	d.has("> ")
	// Where something is asked, only the answers can be clicked.
	d.click("? all keys", 1).has("type to filter").click("esc back", 1)
	d.keys("q").has("the mapping is not saved").click("lastName", 2).has("the mapping is not saved").click("n stay", 0).lacks("the mapping is not saved")
	if v := d.m.View(); v.MouseMode != tea.MouseModeCellMotion {
		t.Error("the mouse is not asked for")
	}
	d.m.cfg.NoMouse = true
	if v := d.m.View(); v.MouseMode != tea.MouseModeNone {
		t.Error("the mouse is asked for all the same")
	}
}

// Clicks anywhere, on any screen, at any size, break nothing.
func TestClicksEverywhere(t *testing.T) {
	for name, view := range views {
		for _, size := range [][2]int{{80, 24}, {40, 12}} {
			d := view(t, size[0], size[1], false)
			for y := range size[1] {
				for x := 0; x < size[0]; x += 7 {
					d.send(tea.MouseClickMsg{X: x, Y: y, Button: tea.MouseLeft})
					d.send(tea.MouseWheelMsg{X: x, Y: y, Button: tea.MouseWheelDown})
					checkSize(t, d.m)
					if d.m.quit {
						d = view(t, size[0], size[1], false)
					}
				}
			}
			if len(d.fake.saved) > 1 { // the view itself may save once
				t.Errorf("%s: clicks have saved %d times", name, len(d.fake.saved))
			}
		}
	}
}

// Mailing lists go by their names as soon as Loops or a webhook has told them.
func TestMailingListsByName(t *testing.T) {
	d := picked(t, 120, 40, false)
	d.has("✓ Product news", "Investors", "product_news", "list Product news").lacks("cml41")
	if got := d.columns(); !strings.Contains(got, "product_news boolean contact.mailingLists.cml41product000123456789a") {
		t.Error(got)
	}
	d.keys("/", "investors", "enter").has("1 of 23").keys("esc")
	d.keys("/", "Product news", "enter", "esc", "enter").has("mailing list Product news", "contact.mailingLists.cml41product000123456789a")
	d = start(t, 120, 40, func(c *Config) {
		withSample(c)
		c.Samples = append(c.Samples, Sample{From: "x", Body: []byte(`{"eventName":"contact.mailingList.subscribed","mailingList":{"id":"cml42invest0000123456789a","name":"Investors \u001b[31m"}}`)})
	})
	d.has("Investors ␛[31m")
}

// The table and its key are chosen by looking.
func TestTables(t *testing.T) {
	d := withTables(start(t, 120, 40, withSample))
	d.keys("D").has("contacts", "invoices", "users", "2 columns", "key").keys("end").has("created_at", "TIMESTAMP")
	d.keys("enter").has("Which column tells rows apart?", "from contactIdentity.email").keys("down", "enter").has("rows go to users; email tells them apart")
	if got := d.columns(); got != "email text contactIdentity.email" || d.m.draft.Table != "users" || d.m.draft.Key != "email" || !d.m.Unsaved() {
		t.Errorf("%s, table %s, key %s", got, d.m.draft.Table, d.m.draft.Key)
	}
	d.keys("u")
	if d.m.draft.Table != "contacts" || d.m.draft.Key != "loops_id" {
		t.Error("u does not bring the table back")
	}
	d.keys("D", "/", "inv", "enter").has("invoices").lacks("users  ").keys("enter").has("has no column that tells its rows apart")
	d.keys("D", "e", "ctrl+u", "nonsense").has("a database is written sqlite:FILE").keys("enter").has("database: nonsense")
	d.keys("ctrl+u", "sqlite:other.db", "enter").has("sqlite:other.db").keys("enter")
	if d.m.draft.Database != "sqlite:other.db" {
		t.Error(d.m.draft.Database)
	}
	d.fake.err = errors.New("the file is not a database")
	d.keys("D").has("the file is not a database", "names another database").keys("esc").has("Contact ─")
}

// The page of all keys is grouped, filters as one types, and runs what is under the cursor.
func TestPalette(t *testing.T) {
	d := picked(t, 120, 40, false)
	d.keys("?").has("PICK AND CHANGE", "GO", "MOVE", "type to filter").keys("copy").has("copy the path").lacks("PICK AND CHANGE")
	d.keys("enter").has("clipboard: contact.firstName")
	d.keys("?", "nothing like it").has("no key does that here").keys("enter").has("no key does that here").keys("esc").has("PICK AND CHANGE").keys("esc").has("Contact ─")
	d.keys("?", "q").has("Contact ─").keys("?", "?").has("Contact ─")
}

// One goes from delivery to delivery, maps one again, and finds in a body.
func TestDeliveryByDelivery(t *testing.T) {
	d := cameView(t, 120, 40, false)
	d.keys("home").has("[4 Deliveries 1!]", "p replay", "m map by it").keys("enter").has("Delivery msg_2").keys(".").has("Delivery msg_1").keys(",", ",").has("that is the first")
	d.keys("/", "lee@", "enter").has("lee@fabrikam.example").keys("n", "N").keys("/", "nowhere").has("not there").keys("esc")
	d.keys("p").has("save the mapping first").keys("esc").m.saved = d.m.draft
	d.keys("p").has("mapped again: applied")
	if !slices.Equal(d.fake.replayed, []string{"msg_2"}) {
		t.Error(d.fake.replayed)
	}
}

// A click on a column's head orders by it, another turns it; the cursor stays on its line.
func TestOrder(t *testing.T) {
	d := cameView(t, 120, 40, false)
	at := func() string { return d.m.came.current().ID }
	d.keys("home")
	d.click("event  ", 1).has("event ↑").click("event ↑", 1).has("event ↓")
	if at() != "msg_2" || d.m.came.list[d.m.came.rows[0]].Event != "contact.deleted" {
		t.Errorf("%s, first %s", at(), d.m.came.list[d.m.came.rows[0]].Event)
	}
	d.keys("O").has("email ↑").keys("O", "O").lacks("↑", "↓")
	d = sending0(t, 120, 40, false).keys("2")
	first := func() string { return d.m.push.rows[0].Key }
	d.click("team_size", 1).has("team_size ↑")
	if d.click("team_size ↑", 1); first() != "own-1" {
		t.Errorf("by team_size, down: %s", first())
	}
	if d.click("email", 1).click("email ↑", 1); first() != "own-2" || d.m.push.row != 1 {
		t.Errorf("by email, down: %s, the cursor on %d", first(), d.m.push.row)
	}
	d.keys("r").has("email ↓")
}

// What wants a person stands on the strip, whatever is shown.
func TestStrip(t *testing.T) {
	d := start(t, 120, 40, withSample)
	d.has("● waiting", "loopmap.yaml (new)", "contacts in contacts.db").lacks("!")
	d.fake.counts = Counts{Quarantined: 2, Failed: 5}
	d.send(countsMsg{d.fake.counts, nil})
	d.has("4 Deliveries 2!", "3 Send 5!")
	d.send(arrivalMsg{Arrival{At: viewTime, Code: 401, Problem: "the signature is wrong"}})
	d.has("● signature wrong 09:14")
	d.send(tea.WindowSizeMsg{Width: 40, Height: 12})
	d.has("[1 Map]", "4 2!")
}

// Esc goes back to where one came from, and does no more than that.
func TestEscFromPlaces(t *testing.T) {
	d := picked(t, 120, 40, false)
	d.keys("4", "esc").has("[1 Map]").keys("3", "2", "esc").has("[3 Send]")
	for range 5 {
		d.keys("esc")
	}
	if d.m.quit {
		t.Error("esc quits")
	}
}

// What is typed is judged while it is typed.
func TestPromptsJudge(t *testing.T) {
	d := withTable(picked(t, 120, 40, false))
	d.keys("3").to("every").keys("enter", "5s").has("no: 5s is not a schedule: a minute is the least").keys("ctrl+u", "0 6 * * 1-5").has("ok: next at").keys("esc")
	d.to("plan").keys("space", "s", "enter", "R", "x").has("nor a number of rows").keys("ctrl+u", "3").has("3 rows at most").keys("ctrl+u", "failed").has("those that failed, again").keys("esc")
	d = start(t, 80, 24, nil)
	d.fake.err = errors.New("no such file")
	d.keys("f", "x.json").has("no such file")
	d.fake.err = nil
	d.keys("backspace").has("1 byte")
}

// More room shows more: the value takes what the names leave, and at 160 columns what is
// under the cursor stands whole beside.
func TestMoreRoomShowsMore(t *testing.T) {
	long := strings.Repeat("abcdefghij", 20)
	shown := func(w int) int {
		d := start(t, w, 40, func(c *Config) {
			c.Samples = []Sample{{From: "x", Body: []byte(`{"eventName":"contact.created","contact":{"long":"` + long + `"}}`)}}
		})
		d.keys("/", "contact.long", "enter", "esc")
		n := 0
		for i := 1; i <= len(long); i++ {
			if strings.Contains(d.screen(), long[:i]) {
				n = i
			}
		}
		return n
	}
	at80, at120, at200 := shown(80), shown(120), shown(200)
	if at80 < 40 || at120 < 30 || at200 < at120 {
		t.Errorf("of a value %d cells are shown at 80 columns, %d at 120, %d at 200", at80, at120, at200)
	}
	picked(t, 160, 50, false).has("under the cursor", "SAMPLE 1")
}

// A webhook that comes while nothing is unsaved is mapped at once, by the saved mapping.
func TestMapsAtOnceWhatIsSaved(t *testing.T) {
	a := arrivalMsg{Arrival{At: viewTime, Event: "contact.created", Signed: true, Code: 200, Body: sampleBody(t, "contact.created")}}
	d := start(t, 120, 40, func(c *Config) { withSample(c); c.New = false })
	d.send(a)
	if d.fake.mapped != 1 {
		t.Errorf("mapped %d times", d.fake.mapped)
	}
	d.keys("end", "space")
	d.send(a)
	d = start(t, 120, 40, withSample)
	if d.send(a); d.fake.mapped != 0 {
		t.Error("mapped by a mapping that is not saved")
	}
}

// Map by a delivery: its sample comes first, and the cursors stand on what does not fit.
func TestMapByGoesToTheMisfit(t *testing.T) {
	d := cameView(t, 120, 40, false)
	bad := strings.Replace(string(sampleBody(t, "contact.created")), `"teamSize": 120`, `"teamSize": 12.5`, 1)
	d.fake.came[0].Body = []byte(bad)
	d.keys("1").m.change(d.m.draft.Retype(5, "integer"))
	d.keys("4", "home", "m").has("sample 3, no row", "12.5 is not", "✓ teamSize")
	d.keys("4", "down", "m").has("this sample is shown first now").lacks("no row: column")
}

// A database that could not be looked at is not taken; one that was is named, wherever the
// change is shown.
func TestOtherDatabase(t *testing.T) {
	d := withTables(start(t, 120, 40, withSample))
	d.keys("D", "e", "ctrl+u", "sqlite:app.db", "enter", "end", "enter", "down", "enter").has("users in app.db").keys("s").has("TABLE users in sqlite:app.db")
	d.fake.err = errors.New("cannot be reached")
	d.keys("esc", "D").has("cannot be reached").keys("enter").has("there is no table to take").keys("esc").has("users in app.db")
}
