package tui

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping"
	"loopmap/mapping/body"
)

// hasty sends text as a terminal without bracketed paste does: each character a key,
// no time between them. What a key wants done happens at once, as on a quick machine,
// but for the look whether more keys come; that comes last.
func (d *driver) hasty(text string) *driver {
	d.t.Helper()
	d.m.rhythm.now = func() time.Time { return time.Unix(0, 0) }
	d.m.rhythm.last = time.Unix(-10, 0)
	pending := false
	var done func(tea.Msg)
	run := func(cmd tea.Cmd) {
		if cmd != nil {
			done(cmd())
		}
	}
	done = func(msg tea.Msg) {
		switch msg := msg.(type) {
		case nil, tea.QuitMsg:
		case beatMsg:
			pending = true
		case tea.BatchMsg:
			results := make(chan tea.Msg, len(msg))
			for _, cmd := range msg {
				go func() { results <- cmd() }()
			}
			for range msg {
				done(<-results)
			}
		default:
			_, cmd := d.m.Update(msg)
			run(cmd)
		}
	}
	for _, r := range text {
		key := tea.KeyPressMsg{Code: r, Text: string(r)}
		switch r {
		case '\r':
			key = tea.KeyPressMsg{Code: tea.KeyEnter}
		case '\n':
			key = tea.KeyPressMsg{Code: 'j', Mod: tea.ModCtrl}
		case '\t':
			key = tea.KeyPressMsg{Code: tea.KeyTab}
		}
		_, cmd := d.m.Update(key)
		run(cmd)
	}
	for pending {
		pending = false
		_, cmd := d.m.Update(beatMsg{})
		run(cmd)
	}
	return d
}

// spots are all screens, panes and fields that keys go to.
var spots = map[string][]string{
	"capture": {"r"}, "tree": nil, "columns": {"tab"}, "preview": {"tab", "tab"}, "help": {"?"}, "save": {"space", "s"}, "value": {"v"},
	"deliveries": {"4"}, "delivery": {"4", "enter"}, "requests": {"3"}, "rows": {"3", "tab"}, "body": {"3", "tab", "tab"},
	"search": {"/"}, "rename": {"tab", "enter"}, "quit?": {"space", "q"}, "search of deliveries": {"4", "/"}, "condition": {"3", "down", "down", "down", "enter"},
	"count": {"3", "down", "space", "s", "enter", "R"}, "file": {"r", "f"}, "column of a slot": {"3", "down", "enter"}, "make": {"3", "i", "more", "enter", "plan", "enter", "c"},
	"find a property": {"3", "/"}, "add a property": {"3", "i"}, "table": {"2"}, "tables": {"D"}, "a table's key": {"D", "enter"},
}

// Whatever is pasted as keys wherever: nothing is written, sent, made or thrown away, and
// the program stays.
func TestPastedAsKeys(t *testing.T) {
	sample, err := os.ReadFile("../mapping/loops/samples/contact.created.json")
	if err != nil {
		t.Fatal(err)
	}
	json := string(sample)
	texts := map[string]string{
		"JSON":           json,
		"JSON, CR":       strings.ReplaceAll(json, "\n", "\r"),
		"JSON, CR LF":    strings.ReplaceAll(json, "\n", "\r\r"),
		"JSON and Enter": json + "\r",
		"a list":         "[" + json + "]",
		"half":           json[len(json)/2:],
		"half, CR":       strings.ReplaceAll(json[len(json)/2:], "\n", "\r"),
		"words":          "see the boss\rR5\rxcc\ryes, quit\ry\rq",
		"words at end":   "boss\r",
		"rows":           "5\r",
		"Enter":          "q\r",
		"only writes":    "s\r\rR9\rccxyqy\r",
		"ends in s":      "ss\r",
	}
	for where, keys := range spots {
		for what, text := range texts {
			d := withTable(start(t, 120, 40, func(c *Config) {
				withSample(c)
				c.Arrivals = nil
			}))
			d.fake.came = []Delivery{{ID: "msg_1", Event: "contact.created", Body: sampleBody(t, "contact.created")}}
			d.keys(keys...)
			saved, sent, made := len(d.fake.saved), d.fake.sent, len(d.fake.made)
			d.m.review.read = true // the worst case: it has stood there
			d.hasty(text)
			switch {
			case len(d.fake.saved) > saved:
				t.Errorf("%s on %s is saved", what, where)
			case d.fake.sent != sent && (where != "count" || what != "rows"): // which is what the field asks for
				t.Errorf("%s on %s sends rows", what, where)
			case len(d.fake.made) > made:
				t.Errorf("%s on %s makes a property", what, where)
			case d.fake.dropped:
				t.Errorf("%s on %s drops the draft", what, where)
			case d.m.quit && (what != "words" || d.m.Unsaved()): // which ends with q
				t.Errorf("%s on %s quits", what, where)
			}
		}
	}
}

// A draft that waits is not thrown away by a paste.
func TestPasteOnDraft(t *testing.T) {
	d := start(t, 80, 24, func(c *Config) {
		withSample(c)
		c.Draft = c.Mapping.Add(&body.Attribute{Path: body.MakePath(body.Step{Key: "contact"}, body.Step{Key: "email"}), Kinds: body.KindText})
	})
	for _, text := range []string{"x marks it", "fax", "{\"x\":1}"} {
		if d.hasty(text); d.fake.dropped {
			t.Errorf("%q drops the draft", text)
		}
	}
}

// On the capture screen it is a sample, in a field its text; one brace alone does no harm.
func TestPasteIsTaken(t *testing.T) {
	json := string(sampleBody(t, "contact.created"))
	d := start(t, 80, 24, nil)
	d.hasty(strings.ReplaceAll(json, "\n", "\r\r")).has("the sample comes from the clipboard", "firstName")
	if n := len(d.m.draft.Receive.Columns); n != 1 {
		t.Errorf("%d columns are picked", n)
	}
	d = start(t, 80, 24, nil)
	d.hasty("\ufeff[" + json + "," + strings.Replace(json, "Dana", "Ada", 1) + "]").has("2 samples")
	d = start(t, 80, 24, nil)
	d.hasty("{").has("A sample ─").hasty("b").has("Contact ─")
	d.hasty("/").hasty("{a").has("/{a")
	d = start(t, 80, 24, withSample)
	d.hasty(json).has("a sample is pasted where one is awaited: r")
}

// What writes waits for the reader: not before the change has stood there, and enter
// alone counts.
func TestWritesAlone(t *testing.T) {
	d := start(t, 80, 24, withSample)
	d.keys("space", "s").has("enter write").hasty("\rj").has("came together with others")
	d.hasty("j\r").has("came together with others")
	if len(d.fake.saved) > 0 {
		t.Fatal("it is written")
	}
	d.hasty("\r").has("saved loopmap.yaml")
	if len(d.fake.saved) != 1 {
		t.Error("it is not written")
	}
	d = start(t, 80, 24, withSample)
	d.keys("space")
	d.m.rhythm.beat = time.Hour
	d.m.Update(tea.KeyPressMsg{Code: 's', Text: "s"})
	d.m.Update(reviewMsg{d.m.turn, d.fake.review, nil})
	d.lacks("enter write")
}

// A number and enter may come together in a field that has stood there, not with the key
// that opens it.
func TestCountAndEnter(t *testing.T) {
	d := withTable(start(t, 120, 40, withSample))
	d.keys("3", "down", "space", "s", "enter")
	if d.hasty("R5\r"); d.fake.sent != 0 {
		t.Error("it is sent with the key that opens the field")
	}
	if d.keys("esc", "R").hasty("3\r"); d.fake.sent != 3 {
		t.Errorf("%d are sent", d.fake.sent)
	}
}

// ctrl+c of other layouts, with the keyboard protocol and without the key of the base
// layout; a key that is ASCII stays what it is, wherever it stands.
func TestLayouts(t *testing.T) {
	for _, c := range []struct {
		code, base rune
		want       string
	}{
		{'с', 0, "ctrl+c"}, {'с', 'c', "ctrl+c"}, {'ψ', 0, "ctrl+c"}, {'ב', 0, "ctrl+c"}, {'ؤ', 0, "ctrl+c"}, {'к', 0, "ctrl+r"},
		{'c', 'i', "ctrl+c"}, {'c', 0, "ctrl+c"}, {'я', 0, "ctrl+z"}, {'ß', 0, "ctrl+ß"},
	} {
		if got := latin(tea.KeyPressMsg{Code: c.code, BaseCode: c.base, Mod: tea.ModCtrl}).String(); got != c.want {
			t.Errorf("%c %c: %s, want %s", c.code, c.base, got, c.want)
		}
	}
	d := start(t, 80, 24, withSample)
	if d.send(tea.KeyPressMsg{Code: 'с', Mod: tea.ModCtrl}); !d.m.quit {
		t.Error("ctrl+с does not quit")
	}
}

// y says how far what it copies goes.
func TestCopyWithin(t *testing.T) {
	for within, want := range map[string]string{"tmux": "set-clipboard on", "screen": "past screen", "": "sent to the terminal's clipboard: contact"} {
		d := start(t, 120, 24, func(c *Config) { withSample(c); c.Multiplexer = within })
		d.keys("y").has(want).lacks("copied")
		if got := fmt.Sprintf("%T", d.m.clip("x", "x")()); within == "screen" && got != "tea.RawMsg" {
			t.Errorf("to screen goes %s", got)
		}
	}
}

// Line by line a paste is a sample, too, whatever its lines would mean as commands.
func TestPasteLineByLine(t *testing.T) {
	json := strings.Replace(string(sampleBody(t, "contact.created")), "{", "{\n\"x\":\ns\n", 1)
	for text, want := range map[string]string{
		string(sampleBody(t, "contact.created")) + "\n":                                              "the sample comes from the clipboard",
		"[" + string(body.Compact(sampleBody(t, "contact.created"))) + ",\n{\"eventName\":\"x\"}]\n": "2 samples",
		json + "\n": "the body is not JSON", "{\nsave\ny\n\n\n": "the body is not JSON",
		`{"eventName":"contact.created","contact":{"long":"` + strings.Repeat("x", 200_000) + `"}}` + "\n": "contact.long",
	} {
		f := &fake{}
		var out strings.Builder
		if _, err := Lines(context.Background(), Config{File: "loopmap.yaml", Mapping: mapping.New("sqlite:contacts.db"), Backend: f}, strings.NewReader(text+"row\n"), &out); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); !strings.Contains(got, want) || strings.Contains(got, "neither a command") || strings.Contains(got, "Write it") || len(f.saved) > 0 {
			t.Errorf("%.80q:\n%.2000s", text, got)
		}
	}
}
