package tui

import (
	"errors"
	"testing"

	"loopmap/mapping/column"
)

// What is wrong with a line that is typed is said, whichever it is.
func TestWrongLinesAreSaid(t *testing.T) {
	d := start(t, 80, 24, nil)
	d.fake.err = errors.New("open missing.json: no such file")
	d.keys("f", "missing.json", "enter").has("no such file", "missing.json")
	d.keys("backspace").has("no such file")
	d.fake.err = nil
	d.keys("enter").has("Contact ─")
	d = start(t, 80, 24, nil)
	d.keys("f", "enter").has("no file was named")
	d = withTable(start(t, 120, 40, withSample))
	d.keys("3").to("+ event").keys("enter", "enter").has("no event is added: it was given no name")
	d.keys("i").has("go to a request first").keys("g", "i", "enter").has("no property is added")
	d.to("+ event").keys("enter", "upgraded", "enter").to("event upgraded").keys("enter", "ctrl+u", "enter").has("the event keeps its name")
	d.keys("3").to("plan").keys("space", "s", "enter", "R", "backspace", "backspace", "enter").has("nor a number of rows")
}

// Pickers take what they have found, and say so; up takes what is typed.
func TestPickersTakeTheMatch(t *testing.T) {
	events := func() *driver {
		d := withTable(start(t, 120, 40, withSample))
		d.fake.catalog.Events = []string{"pre-upgraded", "upgraded", "churned"}
		d.keys("3").to("+ event")
		return d
	}
	for typed, want := range map[string]string{"upg": "pre-upgraded", "upgraded": "upgraded", "chu": "churned", "renewed": "renewed"} {
		if d := events(); len(d.keys("enter", typed, "enter").m.draft.Push.Events) != 1 || d.m.draft.Push.Events[0].Name != want {
			t.Errorf("%s: %+v", typed, d.m.draft.Push.Events)
		}
	}
	d := events().keys("enter", "upgr")
	d.has("as it is typed", "> pre-upgraded").keys("up").has("> upgr").keys("enter").has("event upgr")
	d = events().keys("enter", "upgraded", "enter").keys("enter", "enter")
	if d.m.draft.Push.Events[0].Name != "upgraded" {
		t.Error("enter alone changes a name")
	}
}

// q goes back from what is read, and does not quit from there.
func TestBackByQ(t *testing.T) {
	d := start(t, 80, 24, withSample)
	d.fake.came = []Delivery{{ID: "msg_1", Event: "contact.created", Body: sampleBody(t, "contact.created")}}
	d.keys("4", "enter").has("BODY").keys("q").has("1 delivery").keys("esc").has("Contact ─")
	d.keys("v").has("in 1 of 1 sample").keys("q").has("Contact ─")
	d.keys("?").has("All keys").keys("q").lacks("All keys").keys("space", "s").has("FILE loopmap.yaml").keys("q").has("Contact ─")
	if d.m.quit {
		t.Error("it quits")
	}
}

// A mapping that was saved opens without a sample.
func TestOpensWithoutSample(t *testing.T) {
	d := start(t, 80, 24, func(c *Config) { c.New = false; c.Mapping = c.Mapping.Retype(0, column.JSON) })
	d.has("loops_id key", "Identity.id", "Here will be what a webhook has", "Here will be the row").lacks("waiting for the first webhook")
	d.keys("r").has("waiting for the first webhook", "Enter opens the mapping as it is saved").keys("enter").has("this is the mapping as it is saved")
	for _, k := range []string{"t", "tab", "space", "v", "a", "o", "/", "esc", "left", "right", "y", "Y", "E", "n", "+", "tab", "right", "tab", "enter", "esc", "u", "3", "esc", "4", "esc"} {
		d.keys(k)
		checkSize(t, d.m)
	}
	d.keys("r").has("A sample ─").keys("esc").has("Columns ─")
	d = start(t, 80, 24, nil)
	d.keys("enter").has("nothing to map by yet")
}

// What came to a wrong path is said on the capture screen.
func TestWrongPathIsSaid(t *testing.T) {
	d := start(t, 120, 40, nil)
	d.send(arrivalMsg{Arrival{Code: 404, Problem: "it came to /hooks/webhooks/loops, where nothing is: webhooks are taken at /webhooks/loops"}})
	d.has("received, but it came to /hooks/webhooks/loops", "404")
	d.keys("enter").has("nothing to map by yet")
}
