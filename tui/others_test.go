package tui

import (
	"errors"
	"strings"
	"testing"

	"loopmap/mapping/column"
)

// Someone else has saved meanwhile: m brings mine into theirs, to be saved over it.
func TestMergeTheirs(t *testing.T) {
	d := start(t, 80, 40, withSample)
	d.keys("/", "email", "enter", "space", "esc")
	d.fake.theirs = d.m.saved.Retype(0, column.JSON)
	d.fake.review.Theirs = "@@ -1 +1 @@\n-old\n+theirs\n"
	d.keys("s").has("M merge", "T take theirs").keys("M")
	if got := d.columns(); !strings.Contains(got, "email text") || !strings.Contains(got, "loops_id json") || !d.m.Unsaved() {
		t.Errorf("got %s", got)
	}
	if d.m.saved != d.fake.theirs {
		t.Error("the next save is not based on theirs")
	}
	// Where both have changed the same, that is said until it is saved.
	d = start(t, 80, 40, withSample)
	d.keys("tab", "t")
	d.fake.theirs = d.m.saved.Retype(0, column.JSON)
	d.fake.review.Theirs = "+theirs\n"
	d.keys("s", "M").has("BOTH column loops_id: its type: they say json, you say integer; yours is")
	d.fake.review.Theirs = ""
	d.keys("esc", "s").has("BOTH").keys("enter").has("saved loopmap.yaml")
	d.keys("t", "s").lacks("BOTH")
	// What cannot be read is not merged.
	d.fake.err = nil
	d.fake.review.Theirs = "+theirs\n"
	d.keys("esc", "s")
	d.fake.err = errors.New("what is there now cannot be taken")
	before := d.columns()
	d.keys("M").has("what is there now cannot be taken")
	if d.columns() != before {
		t.Errorf("got %s", d.columns())
	}
}

// What others do is said; a screen with nothing unsaved follows the file.
func TestNews(t *testing.T) {
	d := start(t, 120, 40, withSample)
	d.fake.theirs = d.m.saved.Retype(0, column.JSON)
	d.send(newsMsg{News{Words: "ada \x1b[31mhas saved", Changed: true}})
	d.has("ada ␛[31mhas saved")
	if !strings.Contains(d.columns(), "loops_id json") || d.m.Unsaved() {
		t.Errorf("it does not follow: %s", d.columns())
	}
	// A delivery does not hide what was said; a key does.
	d.send(arrivalMsg{Arrival{Event: "contact.created", Code: 200, Signed: true, Body: sampleBody(t, "contact.created")}})
	d.has("has saved").keys("down").lacks("has saved")

	d.keys("tab", "t")
	mine := d.columns()
	d.fake.theirs = d.m.saved.Retype(0, column.Text)
	d.send(newsMsg{News{Words: "ada has saved", Changed: true}})
	d.has("ada has saved. Yours is unsaved: s shows both")
	if d.columns() != mine {
		t.Errorf("what is unsaved was changed: %s", d.columns())
	}
	d.send(newsMsg{News{Words: "not taken up", Bad: true}})
	d.has("not taken up")

	// What was typed while the file was being read is not lost.
	d = start(t, 120, 40, withSample)
	theirs := d.m.saved.Retype(0, column.JSON)
	d.keys("/", "email", "enter", "space", "esc")
	d.send(rereadMsg{followed, Opened{Mapping: theirs}, nil})
	if got := d.columns(); !strings.Contains(got, "loops_id json") || !strings.Contains(got, "email") || !d.m.Unsaved() {
		t.Errorf("got %s", got)
	}
	d = start(t, 120, 40, func(c *Config) { withSample(c); c.ReadOnly = true })
	d.has("(read-only)")
}
