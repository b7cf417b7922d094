//go:build unix

package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"loopmap/tui/sshd"
)

// startSSHSync runs a `loopmap sync --ssh` in a folder with a mapping.
func startSSHSync(t testing.TB, keys string, args ...string) (s *syncing, dir, addr, ssh string) {
	t.Helper()
	dir, addr = newFolder(t)
	_, ssh = newFolder(t)
	writeFile(t, filepath.Join(dir, "loopmap.yaml"), sshMapping)
	writeFile(t, filepath.Join(dir, "keys"), keys)
	return startSync(t, dir, addr, append([]string{"--ssh", ssh, "--authorized-keys", "keys"}, args...)...), dir, addr, ssh
}

// openSSH logs in with OpenSSH's client on a terminal.
func openSSH(t testing.TB, addr string, p person, w, h int, args ...string) *terminal {
	t.Helper()
	command := append([]string{"ssh"}, sshArgs(t, addr, p)...)
	return openCommand(t, t.TempDir(), w, h, nil, append(append(command, "-o", "LogLevel=ERROR"), append(args, "x@127.0.0.1")...)...)
}

// The running process serves its own mapper: two people and one who may only look, on
// one mapping, while deliveries come.
func TestSSHJourney(t *testing.T) {
	t.Parallel()
	ada, bob, eve := newPerson(t, "ada"), newPerson(t, "bob"), newPerson(t, "eve")
	sync, dir, addr, sshAddr := startSSHSync(t, ada.line()+bob.line()+"read-only "+eve.line())
	url := "http://" + addr + "/webhooks/loops"
	a := openSSH(t, sshAddr, ada, 120, 40)
	a.wait("Here will be").press("r").wait("waiting for the first webhook", url)
	runLoopmap(t, dir, "trigger", "contact.created", "--to", url, "--set", "contact.plan=pro")
	a.wait("contact.created received and verified").press("enter").wait("Contact ─", "plan", "Row ─")
	a.press("/", "contact.em", "enter", "y").wait("contact.email", "clipboard")
	if !bytes.Contains(a.raw, []byte("\x1b]52;c;"+base64.StdEncoding.EncodeToString([]byte("contact.email")))) {
		t.Error("the path did not go to the terminal's clipboard (OSC 52)")
	}
	b, e := openSSH(t, sshAddr, bob, 80, 24), openSSH(t, sshAddr, eve, 120, 40)
	b.wait("firstName").press("/", "plan", "enter", "space", "esc").wait("2 columns ─", " •") // its sample is the journal's
	e.wait("(read-only)", "plan")

	// The first to save: every screen says it, and follows where nothing is unsaved.
	a.press("space", "esc", "s").wait(`ADD COLUMN "email"`, "enter write").press("enter").wait("saved loopmap.yaml")
	sync.logged("mapping reloaded")
	a.wait("ada has saved the mapping; sync works by it now")
	e.wait("ada has saved the mapping; sync works by it now", "contact.email")
	b.wait("Yours is unsaved")

	// The second sees the other's change, and merges.
	b.press("s").wait("CANNOT BE SAVED", "changed by someone else", "THEIRS", "+", "name: email", "YOURS", "name: plan")
	b.press("M").wait("enter write", "name: email", `ADD COLUMN "plan"`).press("enter").wait("plan")
	a.wait("bob has saved the mapping; sync works by it now", "contact.plan")
	file := readFile(t, filepath.Join(dir, "loopmap.yaml"))
	for _, column := range []string{"loops_id", "email", "plan"} {
		if strings.Count(file, "name: "+column) != 1 {
			t.Errorf("%s:\n%s", column, file)
		}
	}

	// One who may only look sees the table, and a row's story, and sends nothing.
	e.press("2").wait("[2 Table", "email", "applied ").press("enter").wait("Story of", "contactIdentity.id", "applied: made the row").press("R").wait("you may look, and not send")
	e.press("q", "1").wait("Contact ─")

	// One who may only look cannot save; and where both changed the same, that is said.
	e.press("/", "plan", "enter", "space", "esc", "s").wait("CANNOT BE SAVED", "this key is read-only")
	e.press("enter").wait("nothing is written").press("esc", "q", "y")
	if code := e.exit(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if e.screen.IsAltScreen() {
		t.Error("the terminal is not left as it was found")
	}
	a.press("tab", "enter", "ctrl+u", "mail_a", "enter")
	b.press("esc", "tab", "enter", "ctrl+u", "mail_b", "enter")
	a.press("s").wait("enter write").press("enter").wait("saved")
	b.wait("ada has saved the mapping").press("s").wait("THEIRS", "mail_a").press("M").wait("BOTH", "they say mail_a, you say mail_b; yours is taken")
	b.press("esc", "q", "y")
	b.exit()

	// Deliveries of now follow the mapping of now, and stand on the screen.
	a.press("4").wait("1 delivery")
	runLoopmap(t, dir, "trigger", "contact.created", "--to", url, "--set", "contact.plan=max")
	a.wait("2 deliveries")
	if got := rowsOf(t, filepath.Join(dir, "contacts.db"), "SELECT coalesce(plan, '-') FROM contacts ORDER BY plan"); strings.Join(got, " ") != "- max" {
		t.Errorf("rows: %q", got)
	}
	a.press("esc", "q")
	if code := a.exit(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	sync.logged("session ends")
	log := readFile(t, sync.log)
	for _, p := range []person{ada, bob} {
		if !slices.ContainsFunc(strings.Split(log, "\n"), func(line string) bool {
			return strings.Contains(line, `"mapping saved"`) && strings.Contains(line, p.fingerprint()) && strings.Contains(line, `"comment":"`+p.name+`"`)
		}) {
			t.Errorf("%s has saved, and the log does not say so:\n%s", p.name, log)
		}
	}
	sync.stop()
	if strings.Contains(log, testSecret) || strings.Contains(log, "PRIVATE") {
		t.Error("a secret stands in the log")
	}
}

// A client that is killed leaves a draft and a clean process behind.
func TestSSHKilledClient(t *testing.T) {
	t.Parallel()
	ada := newPerson(t, "ada")
	sync, _, _, sshAddr := startSSHSync(t, ada.line())
	x := openSSH(t, sshAddr, ada, 80, 24)
	x.wait("Here will be").press("r").press("b").wait("firstName").press("a").wait("columns added")
	if err := x.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	sync.logged("draft kept")
	x = openSSH(t, sshAddr, ada, 80, 24)
	x.wait("ended unsaved").press("enter").wait("the draft is taken").press("s").wait("enter write").press("enter").wait("saved loopmap.yaml").press("q")
	if code := x.exit(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	sync.stop()
}

// 500 connections that say nothing keep neither a login nor a webhook out.
func TestSSHSilentSockets(t *testing.T) {
	t.Parallel()
	ada := newPerson(t, "ada")
	sync, dir, addr, sshAddr := startSSHSync(t, ada.line())
	for range 500 {
		conn, err := net.Dial("tcp", sshAddr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	openShell(t, sshAddr, ada, "xterm", 80, 24).wait("Here will be").press("q").status()
	runLoopmap(t, dir, "trigger", "contact.created", "--to", "http://"+addr+"/webhooks/loops")
	resp, err := http.Get("http://" + addr + "/readyz")
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("%v %v", resp, err)
	} else {
		resp.Body.Close()
	}
	if fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", sync.cmd.Process.Pid)); err == nil && len(fds) > 100 {
		t.Errorf("%d files are open", len(fds))
	}
	sync.stop()
}

// startSystemSSHD runs the system's own sshd, for this user, with these keys.
func startSystemSSHD(t testing.TB, keys string) (addr string) {
	t.Helper()
	daemon := "/usr/sbin/sshd" // which wants its whole path
	if p, err := exec.LookPath("sshd"); err == nil {
		daemon = p
	}
	needOpenSSH(t, daemon, "ssh", "ssh-keygen")
	if os.Getuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			t.Fatal(err)
		}
	}
	dir, addr := newFolder(t)
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sshd.HostKey(filepath.Join(dir, "host")); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "keys"), keys)
	writeFile(t, filepath.Join(dir, "config"), fmt.Sprintf("ListenAddress %s:%s\nHostKey %s/host\nAuthorizedKeysFile %s/keys\n"+
		"StrictModes no\nPidFile none\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n", host, port, dir, dir))
	cmd := exec.Command(daemon, "-D", "-e", "-f", filepath.Join(dir, "config"))
	var log lockedBuffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("sshd says:\n%s", log.String())
		}
	})
	eventually(t, func() (bool, string) {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err == nil, "sshd does not listen:\n" + log.String()
	})
	return addr
}

// Under the system's sshd: a forced command in authorized_keys, as `loopmap help ssh` has it.
func TestUnderSystemSSHD(t *testing.T) {
	t.Parallel()
	ada, bob := newPerson(t, "ada"), newPerson(t, "bob")
	program, err := exec.LookPath("loopmap")
	if err != nil {
		t.Fatal(err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	dir, addr := newFolder(t)
	command := fmt.Sprintf("cd %s && TZ=UTC LANG=C.UTF-8 LOOPS_SIGNING_SECRET=%s exec %s --listen %s", dir, testSecret, program, addr)
	sshAddr := startSystemSSHD(t, fmt.Sprintf(`restrict,pty,command="%s" %s`, command, ada.line())+bob.line())
	open := func(w, h int, args ...string) *terminal {
		t.Helper()
		all := append(append([]string{"ssh"}, sshArgs(t, sshAddr, ada)...), "-tt", "-o", "LogLevel=ERROR")
		return openCommand(t, t.TempDir(), w, h, nil, append(append(all, args...), me.Username+"@127.0.0.1", "sh")...) // sh is not what it gets
	}
	x := open(120, 40)
	x.wait("waiting for the first webhook")
	runLoopmap(t, dir, "trigger", "contact.created", "--to", "http://"+addr+"/webhooks/loops")
	x.wait("received and verified").press("enter").wait("Contact ─", "firstName", "Row ─")

	// The line carries what it carries without SSH: the bounds of TestByteBudget.
	sent := func() int {
		x.mu.Lock()
		defer x.mu.Unlock()
		return len(x.raw)
	}
	var down []int
	for range 11 {
		before := sent()
		x.press("down").wait()
		down = append(down, sent()-before)
	}
	slices.Sort(down)
	if down[5] > 300 {
		t.Errorf("a Down sends %d bytes in the median, 300 are allowed", down[5])
	}
	if !x.silent(1500*time.Millisecond, 20*time.Second) {
		t.Error("something is sent while nothing happens")
	}

	x.press("/", "contact.em", "enter", "y").wait("contact.email", "clipboard")
	if !bytes.Contains(x.raw, []byte("\x1b]52;c;"+base64.StdEncoding.EncodeToString([]byte("contact.email")))) {
		t.Error("the path did not go to the terminal's clipboard (OSC 52)")
	}
	x.press("space", "esc").wait("2 columns ─", " •")

	// The link drops; what was not saved is offered again.
	if err := x.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() (bool, string) {
		_, err := os.Stat(filepath.Join(dir, ".loopmap.yaml.draft"))
		return err == nil, "no draft is kept"
	})
	eventually(t, func() (bool, string) {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err != nil, "the mapper still runs"
	})
	x = open(80, 24)
	x.wait("ended unsaved (2 columns)").press("enter").wait("email").press("s").wait("enter write").press("enter").wait("saved loopmap.yaml").press("q")
	if code := x.exit(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if !bytes.Contains(x.raw, []byte("\x1b[?1049l")) || x.screen.IsAltScreen() {
		t.Error("the terminal is not left as it was found")
	}
	// Who has a shell there needs no line of the kind: ssh -t host loopmap.
	args := append(append([]string{"ssh"}, sshArgs(t, sshAddr, bob)...), "-t", "-o", "LogLevel=ERROR", me.Username+"@127.0.0.1", "cd "+dir+" && LANG=C.UTF-8 "+program+" --listen "+addr)
	x = openCommand(t, t.TempDir(), 80, 24, nil, args...)
	x.wait("email", "Columns ─").press("q")
	if code := x.exit(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	// restrict: no forwarding.
	cmd := exec.Command("ssh", append(sshArgs(t, sshAddr, ada), "-N", "-o", "ExitOnForwardFailure=yes", "-R", "127.0.0.1:0:127.0.0.1:1", me.Username+"@127.0.0.1")...)
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "remote port forwarding failed") {
		t.Errorf("a port is forwarded: %v\n%s", err, out)
	}
}
