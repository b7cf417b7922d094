//go:build unix

package main

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

func runLoopmap(t testing.TB, dir string, args ...string) string {
	t.Helper()
	c := exec.Command("loopmap", args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "LOOPS_SIGNING_SECRET="+testSecret, "TZ=UTC")
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("loopmap %v: %v\n%s%s", args, err, out, &stderr)
	}
	return string(out)
}

func rowsOf(t testing.TB, file, query string) (list []string) {
	t.Helper()
	db, err := sql.Open("sqlite", file+"?_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// syncing is a running `loopmap sync`.
type syncing struct {
	t   testing.TB
	cmd *exec.Cmd
	log string // its file
}

// startSync runs sync in dir and waits until it listens.
func startSync(t testing.TB, dir, addr string, args ...string) *syncing {
	t.Helper()
	s := &syncing{t, exec.Command("loopmap", append([]string{"sync", "--listen", addr}, args...)...), filepath.Join(t.TempDir(), "log")}
	out, err := os.Create(s.log)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	s.cmd.Dir, s.cmd.Env, s.cmd.Stderr = dir, append(os.Environ(), "LOOPS_SIGNING_SECRET="+testSecret), out
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	s.logged(`"listening"`)
	return s
}

// logged waits until the log holds a text.
func (s *syncing) logged(text string) {
	s.t.Helper()
	var b []byte
	for range 1500 {
		if b, _ = os.ReadFile(s.log); strings.Contains(string(b), text) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.t.Fatalf("the log lacks %q:\n%s", text, b)
}

// stop ends it as systemd would.
func (s *syncing) stop() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("sync, stopped: %v", err)
	}
}

// newFolder is an empty folder and an address that is free.
func newFolder(t testing.TB) (dir, addr string) {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	return t.TempDir(), "127.0.0.1:" + port
}

// The whole way on real parts: capture a signed webhook, pick, save, reopen, sync.
func TestJourney(t *testing.T) {
	t.Parallel()
	dir, addr := newFolder(t)
	url := "http://" + addr + "/webhooks/loops"
	x := openTerminal(t, dir, 80, 24, nil, "--listen", addr)
	x.wait("waiting for the first webhook", url)

	// Loops' test event, a forgery, and a contact.
	runLoopmap(t, dir, "trigger", "testing.testEvent", "--to", url)
	x.wait("test event received, signature verified")
	forged := exec.Command("loopmap", "trigger", "contact.created", "--to", url)
	forged.Env = append(os.Environ(), "LOOPS_SIGNING_SECRET=whsec_eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg=")
	if err := forged.Run(); err == nil {
		t.Error("a forged webhook is taken")
	}
	x.wait("received, but the signature is wrong")
	runLoopmap(t, dir, "trigger", "contact.created", "--to", url, "--set", "contact.plan=pro")
	x.wait("contact.created received and verified, kept in the journal")

	// Pick by search, rename, see the row, save.
	x.press("enter").wait("Contact ─", "firstName", "Columns ─", "Row ─")
	x.press("/", "contact.em", "enter").wait("> ", "─ contact.email ─")
	x.press("y").wait("clipboard: contact.email")
	if !bytes.Contains(x.raw, []byte("\x1b]52;c;"+base64.StdEncoding.EncodeToString([]byte("contact.email")))) {
		t.Error("the path did not go to the terminal's clipboard (OSC 52)")
	}
	x.press("space", "esc", "/", "plan", "enter", "space", "esc").wait("email", "plan", "pro", "3 columns ─", " •")
	x.press("tab", "enter").wait("Rename plan")
	x.press("ctrl+u", "tariff").wait("ok: a new column")
	x.press("enter", "s").wait("FILE loopmap.yaml, new", `CREATE TABLE "contacts"`, "more lines below", "enter write").press("G").wait(`"tariff" TEXT`)
	if _, err := os.Stat(filepath.Join(dir, "loopmap.yaml")); err == nil {
		t.Error("the file was written before enter")
	}
	x.press("enter").wait("saved loopmap.yaml and table contacts; 1 waiting delivery mapped")
	x.press("q")
	if code := x.exit(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if !bytes.Contains(x.raw, []byte("\x1b[?1049l")) || x.screen.IsAltScreen() {
		t.Error("the terminal is not left as it was found")
	}
	db := filepath.Join(dir, "contacts.db")
	if got := rowsOf(t, db, "SELECT tariff FROM contacts"); strings.Join(got, " ") != "pro" {
		t.Errorf("rows: %q", got)
	}

	// A file that was edited by hand keeps its comments when it is saved again.
	file := filepath.Join(dir, "loopmap.yaml")
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	edited := strings.Replace(string(src), "    - {name: tariff,", "\n    # what they pay for\n    - {name: tariff,", 1)
	if err := os.WriteFile(file, []byte(edited), 0o644); err != nil {
		t.Fatal(err)
	}
	x = openTerminal(t, dir, 120, 40, nil, "--listen", addr)
	x.wait("Columns ─", "tariff", "contact.plan", "pro") // the sample comes from the journal
	x.press("/", "firstName", "enter", "space", "s").wait("+    - {name: first_name, type: text,", `ADD COLUMN "first_name" TEXT`, "enter write")
	x.press("enter").wait("saved loopmap.yaml and table contacts")
	x.press("q")
	x.exit()
	now, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if rest := regexp.MustCompile(`(?m)^.*first_name.*\n`).ReplaceAllString(string(now), ""); rest != edited {
		t.Errorf("more than one line changed:\n%s", now)
	}

	// Headless from then on.
	sync := startSync(t, dir, addr)
	runLoopmap(t, dir, "trigger", "contact.created", "--to", url, "--count", "5")
	if got := rowsOf(t, db, "SELECT count(*) || ' ' || count(first_name) FROM contacts"); got[0] != "6 5" {
		t.Errorf("rows and first names: %s", got)
	}
	sync.stop()
	if got := strings.Count(runLoopmap(t, dir, "deliveries"), " applied "); got != 6 {
		t.Errorf("%d applied deliveries are listed", got)
	}
}

// Without Loops and without a secret: the built-in sample, a file, a paste.
func TestJourneyWithoutLoops(t *testing.T) {
	dir, addr := newFolder(t)
	x := openTerminal(t, dir, 80, 24, []string{"LOOPS_SIGNING_SECRET=", "NO_COLOR=1"}, "--listen", addr)
	x.wait("set, but empty").press("b").wait("firstName").press("q")
	x.exit()

	body := `{"eventName":"contact.created","contactIdentity":{"id":"x"},"contact":{"evil":"\u001b]0;pwned\u0007"}}`
	file := filepath.Join(dir, "body.json")
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	x = openTerminal(t, dir, 80, 24, []string{"TERM=vt100"}, "--listen", addr, "--sample", "body.json")
	x.wait("evil", "?]0;pwned?").press("q")
	x.exit()
	if bytes.Contains(x.raw, []byte("\x1b]0;pwned")) {
		t.Error("a value reached the terminal as a command")
	}

	x = openCommand(t, dir, 80, 24, nil, "sh", "-c", "loopmap --sample - --listen "+addr+" < body.json")
	x.wait("evil", "␛]0;pwned␇").press("q")
	x.exit()

	x = openTerminal(t, dir, 80, 24, nil, "--listen", addr)
	x.wait("waiting").press("\x1b[200~"+body+"\x1b[201~").wait("evil", "the clipboard").press("q")
	x.exit()
}

// On a dumb terminal the mapper asks line by line.
func TestDumbTerminal(t *testing.T) {
	dir, addr := newFolder(t)
	x := openTerminal(t, dir, 80, 40, []string{"TERM=dumb"}, "--listen", addr)
	x.wait("line by line", "waiting for the first webhook")
	runLoopmap(t, dir, "trigger", "contact.created", "--to", "http://"+addr+"/webhooks/loops")
	x.wait("contact.created received and verified, kept in the journal. Say map to map it")
	x.press("map", "enter").wait("9. contact.firstName, text").press("9", "enter").wait("Picked contact.firstName")
	x.press("s", "enter").wait("Write it? y or n").press("y", "enter").wait("saved loopmap.yaml and table contacts; 1 waiting delivery mapped")
	x.press("q", "enter")
	if code := x.exit(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if bytes.Contains(x.raw, []byte("\x1b")) {
		t.Error("an escape sequence was sent to a dumb terminal")
	}
}

// A save never goes over a change made outside since the file was read.
func TestChangedOutside(t *testing.T) {
	dir, addr := newFolder(t)
	x := openTerminal(t, dir, 100, 30, nil, "--listen", addr)
	x.wait("waiting").press("b").wait("firstName").press("/", "contact.em", "enter", "space", "s").wait("enter write")
	file := filepath.Join(dir, "loopmap.yaml")
	if err := os.WriteFile(file, []byte("# somebody was quicker\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	x.press("enter").wait("CANNOT BE SAVED", "changed by someone else", "THEIRS", "+# somebody was quicker", "YOURS")
	if got, _ := os.ReadFile(file); string(got) != "# somebody was quicker\n" {
		t.Errorf("the file was overwritten:\n%s", got)
	}
	x.press("ctrl+c", "ctrl+c")
	x.exit()
}

// A link that is lost takes nothing with it: the draft is offered on the next start.
func TestDraftSurvivesHangup(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM} {
		dir, addr := newFolder(t)
		args := []string{"--listen", addr}
		x := openTerminal(t, dir, 80, 24, nil, args...)
		x.wait("waiting").press("b").wait("firstName").press("/", "firstName", "enter", "space", "esc").wait("2 columns ─", " •")
		if err := x.cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if code := x.exit(); code != 1 {
			t.Errorf("%v: exit status %d", sig, code)
		}
		if !strings.Contains(x.text(), "a draft of it is kept") {
			t.Errorf("%v: the screen says\n%s", sig, x.text())
		}
		x = openTerminal(t, dir, 80, 24, nil, args...)
		x.wait("ended unsaved (2 columns)").press("enter").wait("first_name").press("s").wait("enter write").press("enter").wait("saved loopmap.yaml").press("q")
		if code := x.exit(); code != 0 {
			t.Errorf("%v: exit status %d", sig, code)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, ".*draft")); len(left) > 0 {
			t.Errorf("%v: the draft is still there", sig)
		}
	}
}

// A delivery that did not fit is found, understood, and mapped after all.
func TestFixQuarantined(t *testing.T) {
	t.Parallel()
	dir, addr := newFolder(t)
	mappingFile := `version: 1
database: sqlite:contacts.db
table: contacts
key: loops_id
receive:
  events: [contact.created]
  columns:
    - {name: loops_id, type: text,    from: contactIdentity.id}
    - {name: size,     type: integer, from: contact.teamSize} # how many
`
	if err := os.WriteFile(filepath.Join(dir, "loopmap.yaml"), []byte(mappingFile), 0o644); err != nil {
		t.Fatal(err)
	}
	startSync(t, dir, addr)
	// The list of deliveries is live while sync runs in another process.
	x := openTerminal(t, dir, 80, 24, nil, "--listen", addr)
	x.wait("Here will be").press("4").wait("what Loops sends")
	runLoopmap(t, dir, "trigger", "contact.created", "--to", "http://"+addr+"/webhooks/loops", "--set", "contact.teamSize=12.5")
	x.wait("1 delivery", "quarantined", "column size (integer) from contact.teamSize: 12.5 is not written as a whole")
	x.press("enter").wait("status    quarantined", "no row:")
	x.press("m").wait("Contact ─", "integer !", "no row")
	x.press("tab", "down", "t").wait("number")
	if strings.Contains(x.text(), "no row") {
		t.Errorf("it should fit now:\n%s", x.text())
	}
	// The table has the column as INTEGER, which holds 12.5 as it is.
	x.press("s").wait("type: number", "# how many", "stays as it is", "enter write").press("enter").wait("saved loopmap.yaml and table contacts")
	x.press("q")
	x.exit()
	eventually(t, func() (bool, string) { // it is mapped here, or by the sync, who comes first
		got := strings.Join(rowsOf(t, filepath.Join(dir, "contacts.db"), "SELECT size FROM contacts"), " ")
		return got == "12.5", "rows: " + got
	})
}

// A running sync takes up a mapping file that has changed, and keeps the last
// good one when it is broken.
func TestReload(t *testing.T) {
	t.Parallel()
	dir, addr := newFolder(t)
	url := "http://" + addr + "/webhooks/loops"
	write := func(columns string) {
		t.Helper()
		src := "version: 1\ndatabase: sqlite:contacts.db\ntable: contacts\nkey: loops_id\nreceive:\n  events: [contact.created]\n  columns:\n" +
			"    - {name: loops_id, type: text, from: contactIdentity.id}\n" + columns
		if err := os.WriteFile(filepath.Join(dir, "loopmap.yaml"), []byte(src), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("    - {name: size, type: integer, from: contact.teamSize}\n")
	sync := startSync(t, dir, addr)
	runLoopmap(t, dir, "trigger", "contact.created", "--to", url, "--set", "contact.teamSize=1.5")
	db := filepath.Join(dir, "contacts.db")
	if got := rowsOf(t, db, "SELECT count(*) FROM contacts"); got[0] != "0" {
		t.Fatalf("1.5 became an integer: %q", got)
	}
	// The type is mended, a column added: the one that waited is mapped, and the next.
	write("    - {name: size, type: number, from: contact.teamSize}\n    - {name: first, type: text, from: contact.firstName}\n")
	sync.logged("mapping reloaded")
	sync.logged("mapped from the journal")
	runLoopmap(t, dir, "trigger", "contact.created", "--to", url)
	if got := rowsOf(t, db, "SELECT count(size) || count(first) FROM contacts"); got[0] != "22" {
		t.Errorf("got %q", got)
	}
	// Broken: the last good one stays.
	write("    - {name: size, tpye: number\n")
	sync.logged("the mapping is not reloaded: the one before stays")
	runLoopmap(t, dir, "trigger", "contact.created", "--to", url)
	if got := rowsOf(t, db, "SELECT count(first) FROM contacts"); got[0] != "3" {
		t.Errorf("got %q", got)
	}
}
