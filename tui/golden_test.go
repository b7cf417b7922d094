package tui

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"loopmap/mapping"
	"loopmap/mapping/outgoing"
)

// hold compares a text with its golden file, or writes that anew.
func hold(t testing.TB, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s\n(go test ./tui -update writes it anew)", file, got, want)
	}
}

// views are the places, their empty pages and their worst trouble, and what lies on top
// of them: each as a person comes there.
var views = map[string]func(t testing.TB, w, h int, ascii bool) *driver{
	"capture":         func(t testing.TB, w, h int, ascii bool) *driver { return begin0(t, w, h, ascii, nil) },
	"capture_arrived": arrivedView,
	"capture_trouble": func(t testing.TB, w, h int, ascii bool) *driver {
		return begin0(t, w, h, ascii, func(c *Config) {
			c.Listen = Listen{URL: "http://127.0.0.1:8787/webhooks/loops", Secrets: 1, Problem: "127.0.0.1:8787 is taken. If that is by `loopmap sync`: w takes samples from its journal; else give another --listen"}
		})
	},
	"map": picked,
	"map_empty": func(t testing.TB, w, h int, ascii bool) *driver {
		return begin0(t, w, h, ascii, func(c *Config) { c.New = false })
	},
	"map_columns": func(t testing.TB, w, h int, ascii bool) *driver { return picked(t, w, h, ascii).keys("tab") },
	"map_row":     func(t testing.TB, w, h int, ascii bool) *driver { return picked(t, w, h, ascii).keys("tab", "tab") },
	"map_trouble": func(t testing.TB, w, h int, ascii bool) *driver {
		return picked(t, w, h, ascii).keys("tab", "end", "t", "t", "t")
	},
	"map_search": func(t testing.TB, w, h int, ascii bool) *driver { return picked(t, w, h, ascii).keys("/", "mlis") },
	"map_drift":  driftView,
	"map_rename": func(t testing.TB, w, h int, ascii bool) *driver {
		return picked(t, w, h, ascii).keys("tab", "end", "enter")
	},
	"value":       func(t testing.TB, w, h int, ascii bool) *driver { return picked(t, w, h, ascii).keys("enter") },
	"keys":        func(t testing.TB, w, h int, ascii bool) *driver { return picked(t, w, h, ascii).keys("?") },
	"keys_filter": func(t testing.TB, w, h int, ascii bool) *driver { return picked(t, w, h, ascii).keys("?", "copy") },
	"quit":        func(t testing.TB, w, h int, ascii bool) *driver { return picked(t, w, h, ascii).keys("q") },
	"review":      func(t testing.TB, w, h int, ascii bool) *driver { return picked(t, w, h, ascii).keys("s") },
	"review_trouble": func(t testing.TB, w, h int, ascii bool) *driver {
		d := picked(t, w, h, ascii)
		d.fake.review.Refused = "the file was changed by someone else since it was read"
		d.fake.review.Theirs = "@@ -1 +1 @@\n-table: contacts\n+table: people\n"
		return d.keys("s")
	},
	"tables": func(t testing.TB, w, h int, ascii bool) *driver { return withTables(picked(t, w, h, ascii)).keys("D") },
	"tables_key": func(t testing.TB, w, h int, ascii bool) *driver {
		return withTables(picked(t, w, h, ascii)).keys("D", "end", "enter")
	},
	"table":       func(t testing.TB, w, h int, ascii bool) *driver { return sending0(t, w, h, ascii).keys("2") },
	"table_empty": func(t testing.TB, w, h int, ascii bool) *driver { return picked(t, w, h, ascii).keys("2") },
	"table_marked": func(t testing.TB, w, h int, ascii bool) *driver {
		return sending0(t, w, h, ascii).keys("2", "down", "space", "O", "O")
	},
	"table_filter": func(t testing.TB, w, h int, ascii bool) *driver {
		return sending0(t, w, h, ascii).keys("2", "F", `plan == "pro" and team`)
	},
	"table_filtered": func(t testing.TB, w, h int, ascii bool) *driver {
		return sending0(t, w, h, ascii).keys("2", "F", `plan == "pro"`, "enter")
	},
	"table_failed": func(t testing.TB, w, h int, ascii bool) *driver {
		return sending0(t, w, h, ascii).keys("2", "!")
	},
	"table_trouble": func(t testing.TB, w, h int, ascii bool) *driver {
		d := sending0(t, w, h, ascii)
		d.fake.err = errors.New("the database does not answer: connection refused")
		return d.keys("2", "F", `plan == "none"`, "enter")
	},
	"story": storyView,
	"story_cell": func(t testing.TB, w, h int, ascii bool) *driver {
		return storyView(t, w, h, ascii).keys("down", "down", "enter")
	},
	"story_push": func(t testing.TB, w, h int, ascii bool) *driver {
		return storyView(t, w, h, ascii).keys("end", "enter")
	},
	"send":       sending0,
	"send_empty": func(t testing.TB, w, h int, ascii bool) *driver { return picked(t, w, h, ascii).keys("3") },
	"send_rows":  func(t testing.TB, w, h int, ascii bool) *driver { return sending0(t, w, h, ascii).keys("tab", "down") },
	"send_body": func(t testing.TB, w, h int, ascii bool) *driver {
		return sending0(t, w, h, ascii).keys("tab", "down", "tab")
	},
	"send_trouble": func(t testing.TB, w, h int, ascii bool) *driver {
		d := sending0(t, w, h, ascii)
		d.fake.catalog = Catalog{Problem: "no LOOPS_API_KEY: Loops is not asked which properties it has"}
		d.fake.pushes.Keyless = 3
		return d.keys("r", "tab", "down")
	},
	"send_keyless": keyless,
	"connect":      func(t testing.TB, w, h int, ascii bool) *driver { return connected(t, w, h, ascii).keys("L") },
	"connect_empty": func(t testing.TB, w, h int, ascii bool) *driver {
		return keyless(t, w, h, ascii).keys("L", "esc")
	},
	"connect_key": func(t testing.TB, w, h int, ascii bool) *driver {
		return keyless(t, w, h, ascii).keys("L").paste(aKey)
	},
	"connect_name": func(t testing.TB, w, h int, ascii bool) *driver {
		return connected(t, w, h, ascii).keys("L", "i").paste(otherKey).keys("enter")
	},
	"connect_trouble": func(t testing.TB, w, h int, ascii bool) *driver {
		d := connected(t, w, h, ascii)
		d.fake.before, d.fake.list = "LOOPS_API_KEY", []Connection{{Name: "zeta", Wrong: "its file is open to others (0644): no API key is taken from there"}}
		return d.keys("L")
	},
	"send_condition": func(t testing.TB, w, h int, ascii bool) *driver {
		return sending0(t, w, h, ascii).to("only run if").keys("enter", "team_size > 5")
	},
	"send_column": func(t testing.TB, w, h int, ascii bool) *driver {
		return sending0(t, w, h, ascii).to("company").keys("enter")
	},
	"send_count": func(t testing.TB, w, h int, ascii bool) *driver {
		return sending0(t, w, h, ascii).keys("s", "enter", "R", "x")
	},
	"deliveries":         cameView,
	"deliveries_empty":   func(t testing.TB, w, h int, ascii bool) *driver { return picked(t, w, h, ascii).keys("4") },
	"deliveries_trouble": func(t testing.TB, w, h int, ascii bool) *driver { return cameView(t, w, h, ascii).keys("home") },
	"delivery": func(t testing.TB, w, h int, ascii bool) *driver {
		return cameView(t, w, h, ascii).keys("home", "enter")
	},
	"delivery_tree": func(t testing.TB, w, h int, ascii bool) *driver {
		return cameView(t, w, h, ascii).keys("home", "enter", "tab")
	},
}

func begin0(t testing.TB, w, h int, ascii bool, change func(*Config)) *driver {
	return start(t, w, h, func(c *Config) {
		if c.ASCII = ascii; change != nil {
			change(c)
		}
	})
}

var viewTime = time.Date(2026, 11, 23, 9, 14, 7, 0, time.UTC)

// picked is the map of two samples, with some columns.
func picked(t testing.TB, w, h int, ascii bool) *driver {
	d := begin0(t, w, h, ascii, func(c *Config) {
		c.Samples = []Sample{{From: "the journal", Body: sampleBody(t, "contact.created.minimal")}, c.Example}
	})
	d.send(arrivalMsg{Arrival{At: viewTime, Event: "contact.created", Signed: true, Code: 200, Body: sampleBody(t, "contact.created")}})
	d.send(catalogMsg{catalog: Catalog{Lists: []mapping.List{{ID: "cml41product000123456789a", Name: "Product news"}, {ID: "cml42invest0000123456789a", Name: "Investors"}}}})
	d.m.push.asked = false
	for _, find := range []string{"contact.email", "contact.firstName", "companyName", "trialEnds", "teamSize", "Product news"} {
		d.keys("/", "ctrl+u", find, "enter", "space", "esc")
	}
	d.keys("/", "contact.firstName", "enter", "esc")
	return d
}

func arrivedView(t testing.TB, w, h int, ascii bool) *driver {
	d := begin0(t, w, h, ascii, nil)
	for i, a := range []Arrival{
		{Event: mapping.TestEvent, Signed: true, Code: 200, Body: sampleBody(t, mapping.TestEvent)},
		{Code: 401, Problem: "webhook-timestamp is 412 s old"},
		{Event: "contact.created", Email: "dana.okafor@northwind.example", Signed: true, Code: 200, Body: sampleBody(t, "contact.created")},
	} {
		a.At = viewTime.Add(time.Duration(i) * time.Second)
		d.send(arrivalMsg{a})
	}
	return d
}

func driftView(t testing.TB, w, h int, ascii bool) *driver {
	saved := viewTime.Add(-time.Hour)
	return begin0(t, w, h, ascii, func(c *Config) {
		c.New, c.SavedAt = false, saved
		c.Samples = []Sample{
			{From: "x", Body: sampleBody(t, "contact.created.minimal"), At: saved.Add(-time.Hour)},
			{From: "x", Body: sampleBody(t, "contact.created.double-opt-in"), At: saved.Add(time.Hour)},
		}
	})
}

// sending0 is Send over a table with rows.
func sending0(t testing.TB, w, h int, ascii bool) *driver {
	d := withTable(picked(t, w, h, ascii))
	d.fake.counts = Counts{Quarantined: 2, Failed: 1}
	d.send(countsMsg{d.fake.counts, nil})
	return d.keys("3").to("teamSize").keys("space").to("plan").keys("space").to("list VIP").keys("space").to("teamSize")
}

func cameView(t testing.TB, w, h int, ascii bool) *driver {
	d := picked(t, w, h, ascii)
	at := viewTime
	d.fake.came = []Delivery{
		{At: at, ID: "msg_2", Event: "contact.created", Email: "lee@fabrikam.example", Status: "quarantined", RowKey: "cmc7x2rb1u002jm0123456789",
			Reason: "column team_size (integer) from contact.teamSize: 12.5 is not written as a whole number", Body: sampleBody(t, "contact.created.minimal")},
		{At: at.Add(-time.Minute), ID: "msg_1", Event: "contact.created", Email: "dana.okafor@northwind.example", Status: "applied", RowKey: "cmc7x2q9f4001ro0123456789", Body: sampleBody(t, "contact.created"),
			Pushes: []outgoing.Line{{Kind: "contact", Status: outgoing.Sent, Code: 200}, {Kind: "upgraded", Status: outgoing.NotMet, Message: "plan is NULL"}}},
		{At: at.Add(-2 * time.Minute), ID: "msg_0", Event: "contact.deleted", Email: "dana@x.example", Status: "ignored", Reason: "the mapping does not list contact.deleted", Body: sampleBody(t, "contact.deleted")},
	}
	d.fake.counts = Counts{Quarantined: 1}
	d.send(countsMsg{d.fake.counts, nil})
	return d.keys("4", "down")
}

// storyView is the story of a row that three deliveries, somebody else and two pushes have
// touched.
func storyView(t testing.TB, w, h int, ascii bool) *driver {
	d := sending0(t, w, h, ascii)
	d.fake.story = Story{There: true,
		Cells: []StoryCell{
			{Column: "email", Value: "ada@example.com", From: "contact.email", Written: "2026-11-23 09:01:00", Delivery: "msg_1", Mapping: "73d3e8c14704"},
			{Column: "company", Value: "Analytical Engines", From: "contact.companyName", Written: "2026-11-23 09:01:00", Delivery: "msg_1", Mapping: "73d3e8c14704"},
			{Column: "plan", Value: "gold", From: "somebody else; a delivery wrote", Written: "2026-11-23 09:08:00", Delivery: "msg_2", Mapping: "a3c373e3039c", Before: "pro",
				Held: []string{"free  contact.plan  2026-11-23 09:01:00  msg_1", "pro  contact.plan  2026-11-23 09:08:00  msg_2", "gold  somebody else: it holds this now"}},
			{Column: "vip", Value: "NULL", From: "-"},
		},
		Happened: []Happening{
			{At: "2026-11-23 09:01:00", What: "contact.created", Became: "applied: made the row", ID: "msg_1", Mapping: "73d3e8c14704", Status: "applied"},
			{At: "2026-11-23 09:08:00", What: "contact.created", Became: "applied: changed the row", ID: "msg_2", Mapping: "a3c373e3039c", Status: "applied"},
			{At: "2026-11-23 09:09:30", What: "contact.unsubscribed", Became: "ignored", ID: "msg_3", Status: "ignored"},
			{At: "2026-11-23 09:10:00", What: "contact", Became: "failed 400: Invalid email", Push: true, Status: "failed", Request: []byte(`{"email":"ada@example.com","plan":"gold"}`)},
			{At: "2026-11-23 09:12:00", What: "upgraded", Became: "sent 200", Push: true, Status: "sent", Request: []byte(`{"email":"ada@example.com","eventName":"upgraded"}`)},
		}}
	return d.keys("2", "enter")
}

func withTables(d *driver) *driver {
	d.fake.tables = []Table{
		{Name: "contacts", Columns: []TableColumn{{"loops_id", "TEXT"}, {"email", "TEXT"}}, Keys: []string{"loops_id"}},
		{Name: "invoices", Columns: []TableColumn{{"number", "INTEGER"}, {"amount", "NUMERIC"}}},
		{Name: "users", Columns: []TableColumn{{"id", "TEXT"}, {"email", "TEXT"}, {"name", "TEXT"}, {"created_at", "TIMESTAMP"}}, Keys: []string{"id", "email"}},
	}
	return d
}

var viewSizes = [][2]int{{80, 24}, {120, 40}, {160, 50}, {40, 12}}

// Every view at every size, in colours and in ASCII.
func TestViews(t *testing.T) {
	for name, view := range views {
		for _, size := range viewSizes {
			for _, ascii := range []bool{false, true} {
				d := view(t, size[0], size[1], ascii)
				file, got := fmt.Sprintf("%s_%dx%d", name, size[0], size[1]), d.m.Screen()
				if ascii {
					file, got = file+"_ascii", d.screen()
				}
				hold(t, file, got+"\n")
				checkSize(t, d.m)
				if i := strings.IndexFunc(got, func(r rune) bool { return twins[r] != 0 || r >= 0x2400 && r < 0x2600 }); ascii && i >= 0 {
					t.Errorf("%s: %q is not ASCII", file, got[i:min(len(got), i+10)])
				}
			}
		}
	}
}

// What colours say, the text says as well: without them nothing is drawn otherwise.
func TestColoursSayNothingAlone(t *testing.T) {
	for name, view := range views {
		d := view(t, 120, 40, false)
		dark := ansi.Strip(d.m.Screen())
		d.m.st = d.m.st.suited(false)
		if light := ansi.Strip(d.m.Screen()); light != dark {
			t.Errorf("%s: light and dark differ in more than colour", name)
		}
	}
}
