package tui

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping"
)

const (
	aKey     = "aaaa1111aaaa1111aaaa1111aaaa1111"
	otherKey = "bbbb2222bbbb2222bbbb2222bbbb2222"
)

// keyless is Send of a table with rows, where no API key is known.
func keyless(t testing.TB, w, h int, ascii bool) *driver {
	d := withTable(picked(t, w, h, ascii))
	d.fake.catalog = Catalog{Keyless: true, Connects: true, Problem: "no API key: Loops is not asked what it has"}
	d.fake.known = map[string]string{aKey: "Analytical Engines", otherKey: "Fabrikam"}
	return d.keys("3", "r")
}

// connected is the same with kept keys, of which the mapping takes the first.
func connected(t testing.TB, w, h int, ascii bool) *driver {
	d := withTable(picked(t, w, h, ascii))
	d.fake.known = map[string]string{aKey: "Analytical Engines", otherKey: "Fabrikam"}
	d.fake.list = []Connection{
		{Name: "acme", Team: "Analytical Engines", Place: "the system's keyring (service loopmap, account connection:acme)", At: viewTime},
		{Name: "fabrikam", Team: "Fabrikam", Place: "file /home/ada/.config/loopmap/connection-fabrikam.json", At: viewTime},
	}
	n := d.m.draft.EditPush(func(p *mapping.Push) { p.Connection = "acme" })
	d.m.draft, d.m.saved = n, n
	return d.keys("3", "r")
}

// secret makes sure that a key stands in none of the texts that leave the mapper.
func (d *driver) secret(keys ...string) *driver {
	d.t.Helper()
	draft, err := json.Marshal(d.m.draft)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, key := range keys {
		for what, text := range map[string]string{"screen": d.m.Screen(), "note": d.m.note, "draft": string(draft), "undo": fmt.Sprint(d.m.done, d.m.undone)} {
			if strings.Contains(text, key[:8]) {
				d.t.Errorf("the %s has the key: %s", what, text)
			}
		}
	}
	return d
}

func (d *driver) paste(text string) *driver {
	d.t.Helper()
	d.send(tea.PasteMsg{Content: text})
	return d.secret(aKey, otherKey)
}

// From Send without a key to what Loops has: paste, enter, enter.
func TestConnectOnSend(t *testing.T) {
	d := keyless(t, 120, 40, false)
	d.has("no API key: L connects", "L connect", "L connects to Loops: paste")
	d.keys("L").has("Add an API key", "it is not shown", "enter try it")
	d.paste(aKey+"\r\n").has(strings.Repeat("•", 32), "32 characters: enter tries it at Loops")
	d.fake.catalog = Catalog{Team: "Analytical Engines", Properties: []mapping.Property{{Key: "plan", Type: "string"}}}
	d.keys("enter").secret(aKey).has("Name the API key", "team Analytical Engines", "analytical-engines")
	d.keys("enter").secret(aKey).has("connection analytical-engines: team Analytical Engines, kept in the system's keyring", "Loops: Analytical Engines", "Requests ─").
		lacks("L connect")
	if d.fake.keys["analytical-engines"] != aKey || d.m.connection() != "" {
		t.Errorf("%v, the mapping names %q", d.fake.keys, d.m.connection())
	}
	// A second one is named, which the mapping then needs, and u takes back.
	d.fake.teams = map[string]Catalog{"eu": {Team: "Fabrikam"}}
	d.keys("L").has("✓ analytical-engines", "by this mapping, which names none").keys("i").paste("  " + otherKey + "  ")
	d.keys("enter").has("fabrikam").keys("eu", "enter").has("The mapping takes it: s saves that", "Loops: Fabrikam")
	if d.m.connection() != "eu" || !d.m.Unsaved() {
		t.Errorf("the mapping names %q", d.m.connection())
	}
	d.keys("u").has("Loops: Analytical Engines")
	if d.m.connection() != "" {
		t.Errorf("u leaves %q", d.m.connection())
	}
	d.keys("ctrl+r").has("Loops: Fabrikam").secret(aKey, otherKey)
}

// What Loops refuses is asked for again, in Loops' words; what is left keeps nothing.
func TestConnectRefused(t *testing.T) {
	d := keyless(t, 80, 24, true)
	d.keys("L").has("Add an API key").keys("enter").has("paste it, from Loops").keys("a b", "enter").has("there are blanks within", "[3 Send]")
	d.keys("ctrl+u", "cccc3333", "enter").has("does not know this API key, and it is not kept: 401 Invalid API", "Add an API key").lacks("cccc3333", "*******")
	d.paste(aKey).has(strings.Repeat("*", 32)).keys("esc").has("No API key is kept yet").lacks("***")
	d.paste(aKey).keys("enter").has("Name the API key").keys("Acme!").has("a connection is named by small letters").keys("enter").has("Name the API key")
	d.keys("ctrl+u", aKey).has("that looks like an API key") // typed in the open, by whoever does
	d.keys("ctrl+u", "enter").has("a name is needed").keys("ctrl+u", "acme")
	d.fake.keeping = errors.New("the folder is open to others")
	d.keys("enter").has("the folder is open to others", "Name the API key", "acme")
	d.fake.keeping = nil
	d.keys("esc")
	if len(d.fake.keys) > 0 {
		t.Errorf("kept: %v", d.fake.keys)
	}
	d.secret(aKey).keys("esc").has("Requests -")
	// Text that comes as keys, with a line more, is not taken.
	d.keys("L", aKey)
	d.m.Update(tea.KeyPressMsg{Code: tea.KeyEnter})
	d.keys("q").has("Add an API key", strings.Repeat("*", 33)).secret(aKey)
}

// A key of another team takes the place of one only when that was said twice.
func TestConnectReplaces(t *testing.T) {
	d := connected(t, 120, 40, false)
	d.keys("L", "i").paste(otherKey).keys("enter").has("it takes the place of the key").keys("acme").has("the key of team Analytical Engines is kept under it")
	d.keys("enter").has("enter again puts that of team Fabrikam in its place")
	d.keys("x", "backspace", "enter").has("enter again puts").keys("enter")
	if d.fake.keys["acme"] != otherKey || d.m.connection() != "acme" {
		t.Errorf("%v, the mapping names %q", d.fake.keys, d.m.connection())
	}
}

// A kept key is chosen by its name, renamed and forgotten.
func TestConnections(t *testing.T) {
	d := connected(t, 120, 40, false)
	d.fake.teams = map[string]Catalog{"fabrikam": {Team: "Fabrikam"}}
	d.keys("L").has("✓ acme", "by this mapping (push.connection: acme)", "account connection:acme").keys("down").has("not by this mapping")
	d.keys("enter").has("rows are sent to team Fabrikam", "s saves that", "Loops: Fabrikam").keys("u").has("Loops: Analytical Engines")
	d.keys("L", "e", "fabrikam").has("another one has this name").keys("enter").has("Rename acme").keys("ctrl+u", "main", "enter")
	d.has("connection acme is connection main now; the mapping names it so", "✓ main")
	if d.m.connection() != "main" {
		t.Errorf("the mapping names %q", d.m.connection())
	}
	d.keys("up", "d").has("forget the API key of connection fabrikam", "d again forgets it").keys("down", "d").has("connection main").keys("r", "d")
	if len(d.fake.list) != 2 {
		t.Fatalf("forgotten unasked: %v", d.fake.list)
	}
	d.keys("d").has("connection main is forgotten", "! no key is kept under this name here")
	d.keys("enter").has("main cannot be taken").keys("up", "enter")
	if d.m.connection() != "" { // the only one is taken unnamed
		t.Errorf("the mapping names %q", d.m.connection())
	}
	// What the mapping names and is not kept here is what a new key is called.
	d.keys("u", "L", "i").paste(aKey).keys("enter").has("Name the API key", "push.connection: main")
}

// What gives the key whatever is kept is said in the place of an offer.
func TestConnectBefore(t *testing.T) {
	d := connected(t, 120, 40, false)
	d.fake.before = "LOOPS_API_KEY"
	d.keys("L").has("LOOPS_API_KEY goes before them", "LOOPS_API_KEY gives the API key here").lacks("✓ acme")
	d.keys("end", "enter").has("but here LOOPS_API_KEY goes before it")
	d.fake.list = nil
	d.keys("L").has("API keys of Loops").lacks("Add an API key")
	d = keyless(t, 120, 40, false)
	d.fake.catalog.Connects = false
	d.keys("r").lacks("L connect")
}

// Who may only look changes nothing, and chooses no other team.
func TestConnectReadOnly(t *testing.T) {
	d := connected(t, 120, 40, false)
	d.m.cfg.ReadOnly = true
	d.keys("L").has("fabrikam").lacks("i add", "enter take")
	for _, k := range []string{"i", "e", "d", "enter"} {
		d.keys("down", k).has("this is read-only")
	}
	d.paste(aKey).lacks("•", "Add an API key")
	if d.m.connection() != "acme" {
		t.Errorf("the mapping names %q", d.m.connection())
	}
	d.fake.list, d.m.cfg.ReadOnly = nil, true
	d.keys("esc", "L").lacks("Add an API key")
}

// A click takes a connection, too.
func TestConnectByMouse(t *testing.T) {
	d := connected(t, 120, 40, false)
	d.keys("L").click("fabrikam  ", 1).has(">   fabrikam").twice("fabrikam     Fab").has("rows are sent to team Fabrikam")
	if d.m.connection() != "fabrikam" {
		t.Errorf("the mapping names %q", d.m.connection())
	}
}

// Line by line keys are added, chosen, renamed and forgotten, too.
func TestConnectLineByLine(t *testing.T) {
	f := &fake{catalog: Catalog{Keyless: true, Connects: true, Problem: "no API key"}}
	f.known = map[string]string{aKey: "Acme", otherKey: "Fabrikam"}
	hidden := 0
	say := func(lines ...string) string {
		t.Helper()
		var out strings.Builder
		unsaved, err := Lines(t.Context(), Config{File: "loopmap.yaml", Mapping: mapping.New("sqlite:contacts.db"), Backend: f,
			Hide: func() func() { hidden++; return func() { hidden-- } }}, strings.NewReader(strings.Join(lines, "\n")+"\n"), &out)
		if err != nil || hidden != 0 {
			t.Errorf("%v, hidden %d", err, hidden)
		}
		if unsaved != nil {
			fmt.Fprintf(&out, "left: %q", unsaved.Push.Connection)
		}
		if strings.Contains(out.String(), aKey) || strings.Contains(out.String(), otherKey) {
			t.Errorf("a key is said:\n%s", &out)
		}
		return out.String()
	}
	for _, step := range []struct {
		lines []string
		want  []string
	}{
		{[]string{"push", "connect list"}, []string{"no API key.\nSay connect to add an API key", "No API key is kept. Say connect to add one."}},
		{[]string{"connect", "wrong"}, []string{"It is not shown.", "No: app.loops.so does not know this API key"}},
		{[]string{"connect", "two words"}, []string{"No: the API key alone is wanted"}},
		{[]string{"connect", aKey, "Acme"}, []string{"It is of team Acme. Which name is it kept under? An empty line: acme", "connection acme: team Acme, kept in"}},
		{[]string{"connect", otherKey, "acme", "n"}, []string{"Put this one in its place? y or n"}},
		{[]string{"connect", otherKey, "no name"}, []string{"No: a connection is named by"}},
		{[]string{"connect", otherKey, ""}, []string{"connection fabrikam: team Fabrikam", "The mapping takes it", `left: "fabrikam"`}},
		{[]string{"connect use acme", "connect list"}, []string{"rows are sent to team Acme", "acme: team Acme, kept in the system's keyring. Used by this mapping", `left: "acme"`}},
		{[]string{"connect rename fabrikam eu", "connect remove acme", "n", "connect remove eu", "y", "connect list"},
			[]string{"connection fabrikam is connection eu now", "Forget the API key of connection acme, of team Acme?", "connection eu is forgotten", "acme: team Acme"}},
		{[]string{"connect use eu", "connect what"}, []string{`There is no connection "eu" here`, "connect rename OLD NEW"}},
	} {
		got := say(step.lines...)
		for _, want := range step.want {
			if !strings.Contains(got, want) {
				t.Errorf("%q: lacks %q:\n%s", step.lines, want, got)
			}
		}
	}
	if len(f.list) != 1 || f.keys["acme"] != aKey {
		t.Errorf("%v %v", f.list, f.keys)
	}
}
