//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zalando/go-keyring"

	"loopmap/mapping/loops/loopstest"
)

// From Send without a key to rows that are sent: pasted, named, renamed and forgotten by the
// keys of the screen, and never shown.
func TestConnectJourney(t *testing.T) {
	t.Parallel()
	dir, addr, _, env := pushFolder(t)
	env = append(env, "LOOPS_API_KEY=", "HOME="+dir, "DBUS_SESSION_BUS_ADDRESS=unix:path="+dir+"/no-bus")
	const wrong = "another-key-that-is-not-right"
	x := openTerminal(t, dir, 112, 30, env, "--listen", addr)
	x.wait("Here will be").press("3").wait("no API key: L connects").press("L").wait("Add an API key")
	x.press(wrong).wait("•••••••").press("enter").wait("does not know this API key, and it is not kept")
	x.press("\x1b[200~"+loopstest.DefaultKey+"\n\x1b[201~").wait("enter tries it at Loops").press("enter").wait("Name the API key", "team Analytical Engines")
	x.press("enter").wait("connection analytical-engines: team Analytical Engines, kept in file", "only you can", "Loops: Analytical Engines")
	file := filepath.Join(dir, ".config", "loopmap", "connection-analytical-engines.json")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	x.press("L").wait("✓ analytical-engines").press("e").wait("Rename").press("acme").wait("push.connection: acme").press("enter").wait("is connection acme now", "✓ acme")
	x.press("esc", "down", "down", "down", "down", "space", "s").wait("enter write").press("enter").wait("saved loopmap.yaml")
	x.press("R", "1", "enter").wait("1 sent")
	x.press("L").wait("✓ acme").press("d").wait("d again forgets it").press("d").wait("connection acme is forgotten", "No API key is kept yet")
	x.press("esc").wait("no API key: L connects").press("ctrl+c")
	x.exit()
	for _, key := range []string{loopstest.DefaultKey, wrong} {
		if strings.Contains(x.written(), key) || holds(t, dir, key) {
			t.Errorf("%s is shown, or still there", key)
		}
	}
}

// Line by line it is asked for, and not shown either.
func TestConnectAccessible(t *testing.T) {
	t.Parallel()
	dir, addr, _, env := pushFolder(t)
	env = append(env, "LOOPS_API_KEY=", "HOME="+dir, "DBUS_SESSION_BUS_ADDRESS=unix:path="+dir+"/no-bus")
	x := openTerminal(t, dir, 200, 40, env, "--accessible", "--listen", addr)
	x.wait("Say help").press("push", "enter").wait("Say connect to add an API key").press("connect", "enter").wait("It is not shown")
	x.press(loopstest.DefaultKey, "enter").wait("It is of team Analytical Engines").press("acme", "enter").wait("connection acme: team Analytical Engines, kept in file")
	x.press("connect list", "enter").wait("connect list", "acme: team Analytical Engines").press("quit", "enter")
	x.exit()
	if strings.Contains(x.written(), loopstest.DefaultKey) {
		t.Error("the key is shown")
	}
}

// Over SSH the key is kept on the server, by those who may write; what is kept there stays,
// and the others look.
func TestConnectOverSSH(t *testing.T) {
	keyring.MockInit() // nobody's own, whatever others make of it meanwhile
	t.Parallel()
	teams := startTeams(t, map[string]string{keyOfA: "Acme", keyOfB: "Fabrikam"})
	env := home(t, teams)
	ada, bob := newPerson(t, "ada"), newPerson(t, "bob")
	x := startSSHD(t, nil, ada.line()+"read-only "+bob.line())
	x.host.app.lookup = func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	for name, key := range map[string]string{"acme": keyOfA, "other": keyOfA} {
		if _, _, err := x.host.app.connections().keep(name, "Acme", key); err != nil {
			t.Fatal(err)
		}
	}
	s := openSSH(t, x.addr, ada, 120, 40)
	s.wait("Here will be").press("3").wait("2 are kept, and none of them is picked").press("L").wait("acme", "other")
	s.press("i").wait("Add an API key").press(keyOfB, "enter").wait("Name the API key").press("acme").wait("the key of team Acme is kept under it")
	s.press("enter").wait("enter again puts").press("enter").wait("a key is kept under this name already")
	s.press("ctrl+u", "mine").wait("push.connection: mine").press("enter").wait("kept on the server", "Loops: Fabrikam")
	s.press("L").wait("✓ mine").press("d").wait("d again").press("d").wait("renames and removes it")
	x.logged("API key kept", ada.fingerprint(), `"connection":"mine"`, `"team":"Fabrikam"`)
	b := openSSH(t, x.addr, bob, 120, 40)
	b.wait("(read-only)").press("3").wait("are kept, and none of them is picked").press("L").wait("mine", "of the server").press("i").wait("this is read-only")
	if list, err := x.host.app.connections().list(); err != nil || len(list) != 3 || list[0].Team != "Acme" {
		t.Errorf("%+v, %v", list, err)
	}
	if said := s.written() + b.written() + x.log.String(); strings.Contains(said, keyOfB) || strings.Contains(said, env["HOME"]) {
		t.Errorf("the key, or a path of the server: %s", said)
	}
}

// written is all that the terminal has received.
func (x *terminal) written() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return string(x.raw)
}
