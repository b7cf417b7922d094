//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// hand does on the real program what a person wants, by the keys alone or by the mouse
// alone.
type hand struct {
	*terminal
	mouse bool
}

// click presses the button of the mouse on the first place where a text stands, so many
// cells into it (SGR mouse mode, xterm's control sequences, "Extended coordinates").
func (x *terminal) click(text string, in int) *terminal {
	x.t.Helper()
	x.wait(text)
	for began := time.Now(); !x.full() && time.Since(began) < 30*time.Second; time.Sleep(5 * time.Millisecond) {
		x.wait(text) // it was drawn before the size of the terminal was known
	}
	for y, line := range strings.Split(x.text(), "\n") {
		if i := strings.Index(line, text); i >= 0 {
			at := fmt.Sprintf("0;%d;%d", len([]rune(line[:i]))+in+1, y+1)
			return x.press("\x1b[<" + at + "M" + "\x1b[<" + at + "m")
		}
	}
	x.t.Fatalf("%q is not on the screen:\n%s", text, x.text())
	return x
}

// full reports whether the keys stand on the terminal's last line.
func (x *terminal) full() bool {
	lines := strings.Split(x.text(), "\n")
	return len(lines) == x.screen.Height() && lines[len(lines)-1] != ""
}

// key presses a key, or clicks on it where the last line shows it.
func (h hand) key(key, does string) hand {
	h.t.Helper()
	if !h.mouse {
		h.wait(key + " " + does).press(key)
		return h
	}
	h.click(key+" "+does, 0)
	return h
}

// place goes to one of the four.
func (h hand) place(number, name string) hand {
	h.t.Helper()
	if !h.mouse {
		h.press(number)
	} else {
		h.click(number+" "+name, 1)
	}
	h.wait("[" + number + " " + name)
	return h
}

// pick picks an attribute that is on the screen.
func (h hand) pick(name string) hand {
	h.t.Helper()
	if !h.mouse {
		h.press("/", name, "enter", "space", "esc")
	} else {
		h.click("  "+name+" ", 0)
	}
	h.wait("✓ " + name)
	return h
}

// all runs a key of the page of all keys.
func (h hand) all(words string) hand {
	h.t.Helper()
	h.key("?", "all keys").wait("type to filter")
	if !h.mouse {
		h.press(words, "enter")
		return h
	}
	h.click(words, 2)
	h.click(words, 2) // twice: it opens
	return h
}

// line goes to the line that holds a text.
func (h hand) line(text string) hand {
	h.t.Helper()
	if h.mouse {
		h.click(text, 0)
		return h
	}
	h.press("g")
	for range 60 {
		for _, l := range strings.Split(h.text(), "\n") {
			if strings.Contains(l, "> "+text) {
				return h
			}
		}
		h.press("down")
	}
	h.t.Fatalf("the cursor does not come to %q:\n%s", text, h.text())
	return h
}

// save writes what the review shows.
func (h hand) save() hand {
	h.t.Helper()
	h.key("s", "save").key("enter", "write").wait("saved loopmap.yaml")
	return h
}

// both runs a journey by the keys alone and by the mouse alone.
func both(t *testing.T, journey func(t *testing.T, h func(dir string, args ...string) hand)) {
	for name, mouse := range map[string]bool{"keys": false, "mouse": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			journey(t, func(dir string, args ...string) hand { return hand{openTerminal(t, dir, 120, 40, nil, args...), mouse} })
		})
	}
}

func TestFirstMapping(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, open func(string, ...string) hand) {
		dir, addr := newFolder(t)
		h := open(dir, "--listen", addr)
		h.key("b", "built-in").wait("firstName")
		h.pick("firstName").pick("companyName").pick("teamSize").save().key("q", "quit")
		if code := h.exit(); code != 0 {
			t.Errorf("exit status %d", code)
		}
		src, err := os.ReadFile(filepath.Join(dir, "loopmap.yaml"))
		if err != nil || !strings.Contains(string(src), "{name: team_size,    type: number,  from: contact.teamSize}") {
			t.Errorf("%v\n%s", err, src)
		}
	})
}

// Onto a table that is there, whose rows another column tells apart.
func TestMapOntoAnotherKey(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, open func(string, ...string) hand) {
		dir, addr := newFolder(t)
		db := filepath.Join(dir, "contacts.db")
		rowsOf(t, db, "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, name TEXT)")
		rowsOf(t, db, "INSERT INTO users (email, name) VALUES ('dana.okafor@northwind.example', 'D.')")
		h := open(dir, "--listen", addr)
		h.key("b", "built-in").wait("firstName")
		h.all("choose the database").wait("users")
		h.line("users").wait("3 columns").key("enter", "take").wait("Which column tells rows apart?")
		h.line("email").key("enter", "take").wait("rows go to users; email tells them apart")
		h.save().key("q", "quit")
		h.exit()
		writeFile(t, filepath.Join(dir, "in.ndjson"), `{"eventName":"contact.created","eventTime":1,"contactIdentity":{"id":"c1","email":"new@example.com"},"contact":{}}`)
		runLoopmap(t, dir, "replay", "--from", "in.ndjson")
		if got := strings.Join(rowsOf(t, db, "SELECT email FROM users ORDER BY id"), " "); got != "dana.okafor@northwind.example new@example.com" {
			t.Errorf("rows: %s", got)
		}
	})
}

// A delivery that did not fit is found, understood, and mapped after all.
func TestMendQuarantined(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, open func(string, ...string) hand) {
		dir, addr := newFolder(t)
		writeFile(t, filepath.Join(dir, "loopmap.yaml"), "version: 1\ndatabase: sqlite:contacts.db\ntable: contacts\nkey: loops_id\nreceive:\n  events: [contact.created]\n  columns:\n"+
			"    - {name: loops_id, type: text, from: contactIdentity.id}\n    - {name: size, type: integer, from: contact.teamSize}\n")
		startSync(t, dir, addr)
		runLoopmap(t, dir, "trigger", "contact.created", "--to", "http://"+addr+"/webhooks/loops", "--set", "contact.teamSize=12.5")
		h := open(dir, "--listen", addr)
		h.wait("4 Deliveries 1!")
		h.place("4", "Deliveries").wait("quarantined", "12.5 is not")
		h.key("m", "map by it").wait("integer !", "no row")
		if !h.mouse {
			h.press("tab")
		}
		h.line("size").key("t", "type").wait("[number]")
		h.save().key("q", "quit")
		h.exit()
		eventually(t, func() (bool, string) { // it is mapped here, or by the sync, who comes first
			got := strings.Join(rowsOf(t, filepath.Join(dir, "contacts.db"), "SELECT size FROM contacts"), " ")
			return got == "12.5", "rows: " + got
		})
	})
}

// A year later webhooks have something new: it is marked, and becomes a column.
func TestAddColumnLater(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, open func(string, ...string) hand) {
		dir, addr := newFolder(t)
		file := filepath.Join(dir, "loopmap.yaml")
		sync := func(set ...string) {
			s := startSync(t, dir, addr)
			runLoopmap(t, dir, append([]string{"trigger", "contact.created", "--to", "http://" + addr + "/webhooks/loops"}, set...)...)
			s.stop()
		}
		src := "version: 1\ndatabase: sqlite:contacts.db\ntable: contacts\nkey: loops_id\nreceive:\n  events: [contact.created]\n  columns:\n" +
			"    - {name: loops_id, type: text, from: contactIdentity.id} # mine\n"
		writeFile(t, file, src)
		sync()
		writeFile(t, file, src) // saved after the first delivery, before the next; a file system's own clock may be behind
		if err := os.Chtimes(file, time.Now(), time.Now()); err != nil {
			t.Fatal(err)
		}
		sync("--set", "contact.favoriteColor=blue")
		h := open(dir, "--listen", addr)
		h.wait("1 new attribute since the mapping was saved")
		h.key("+", "1 new").wait("favoriteColor", "esc show all").lacksText("firstName")
		if h.mouse {
			h.click("  favoriteColor ", 0)
		} else {
			h.press("a")
		}
		h.wait("favorite_color").key("s", "save").key("enter", "write").wait("saved loopmap.yaml").press("q")
		h.exit()
		now, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(now), "# mine") || !strings.Contains(string(now), "from: contact.favoriteColor}") {
			t.Errorf("%v\n%s", err, now)
		}
	})
}

func (h hand) wait(texts ...string) hand {
	h.t.Helper()
	h.terminal.wait(texts...)
	return h
}

func (h hand) lacksText(text string) hand {
	h.t.Helper()
	if strings.Contains(h.text(), text) {
		h.t.Errorf("the screen has %q:\n%s", text, h.text())
	}
	return h
}
