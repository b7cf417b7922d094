//go:build linux

package main

import (
	"strings"
	"testing"

	"loopmap/mapping/loops/loopstest"
)

// On a terminal the key is asked for and not shown, also when it is refused; ctrl+c keeps
// nothing and leaves the terminal as it was.
func TestConnectTerminal(t *testing.T) {
	t.Parallel()
	dir, _, _, env := pushFolder(t)
	env = append(env, "LOOPS_API_KEY=", "HOME="+dir, "DBUS_SESSION_BUS_ADDRESS=unix:path="+dir+"/no-bus")
	const question, wrong = "API key (Loops, Settings, API; it is not shown):", "another-key-that-is-not-right"
	open := func(args ...string) *terminal {
		return openTerminal(t, dir, 200, 24, env, append([]string{"connect"}, args...)...)
	}
	for _, c := range []struct {
		key, words string
		code       int
	}{
		{wrong, "does not know this API key, and it is not kept", 2},
		{loopstest.DefaultKey, "connection analytical-engines: team Analytical Engines, kept in file", 0},
	} {
		x := open().wait(question).press(c.key, "enter").wait(c.words)
		if code := x.exit(); code != c.code || strings.Contains(string(x.raw), c.key) {
			t.Errorf("%d %q", code, x.raw)
		}
	}
	x := open("other").wait(question).press("half", "ctrl+c").wait("stopped; nothing is changed")
	if code := x.exit(); code != 1 || strings.Contains(string(x.raw), "half") {
		t.Errorf("%d %q", code, x.raw)
	}
	// A question is answered there, too.
	if code := open("--remove", "analytical-engines").wait("forget the API key", "y or N").press("n", "enter").wait("nothing is changed").exit(); code != 1 {
		t.Errorf("exit status %d", code)
	}
	if code := open("--remove", "analytical-engines").wait("y or N").press("y", "enter").wait("is forgotten").exit(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if x := open("--list").wait("no API key is kept here"); x.exit() != 0 {
		t.Error(x.text())
	}
}

// The terminal shows again what is typed once the question was left.
func TestConnectTerminalEcho(t *testing.T) {
	t.Parallel()
	dir, _, _, env := pushFolder(t)
	env = append(env, "HOME="+dir, "DBUS_SESSION_BUS_ADDRESS=unix:path="+dir+"/no-bus")
	x := openCommand(t, dir, 200, 24, env, "sh", "-c", "trap : INT; loopmap connect; echo again; cat")
	x.wait("it is not shown").press("ctrl+c").wait("again").press("typed", "enter")
	x.wait("typed\ntyped")
}
