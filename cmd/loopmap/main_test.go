package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// testSecret signs the webhooks of all tests here.
const testSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

// mapsContacts is a mapping file that receives.
const mapsContacts = `version: 1
database: sqlite:contacts.db
table: contacts
key: loops_id

receive:
  events: [contact.created]
  columns:
    - {name: loops_id,   type: text, from: contactIdentity.id}
    - {name: email,      type: text, from: contact.email}
    - {name: first_name, type: text, from: contact.firstName}
`

// TestMain puts the program, built as it is for users, into PATH as loopmap.
func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "5") // they wait for programs more than they compute; -parallel N still counts
	testscript.Main(m, map[string]func(){"loopmap": main})
}

// The stories of testdata/script: each runs the real program on real files, real
// sockets and a real SQLite database.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			port, err := freePort()
			e.Setenv("PORT", port)
			e.Setenv("URL", "http://127.0.0.1:"+port+"/webhooks/loops")
			e.Setenv("LOOPS_SIGNING_SECRET", testSecret)
			e.Setenv("XDG_STATE_HOME", filepath.Join(e.WorkDir, "state"))
			e.Setenv("TZ", "UTC")
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "await": await, "send": send, "sql": query, "bytes": writeBytes, "printable": printable, "postgres": postgres, "row": row, "loops": loopsServer,
		},
		Condition: scriptCondition,
	})
}

// nextPort counts the ports given away. It starts anywhere, so that two runs of the
// tests at once are apart.
var nextPort atomic.Int64

func init() { nextPort.Store(rand.Int64N(12000)) }

// freePort gives a port that nobody listens on, and never the same one twice: what
// one test posts must not reach another's receiver. The range is below the one that
// systems take the ports of their clients and of ":0" from (RFC 6335, section 6; on
// Linux from 32768 on).
func freePort() (string, error) {
	for range 12000 {
		port := strconv.FormatInt(20000+nextPort.Add(1)%12000, 10)
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err == nil {
			return port, l.Close()
		}
	}
	return "", errors.New("no port from 20000 to 32000 is free")
}

// exits CODE PROGRAM ARGS: run it and hold its exit status against CODE.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		got = failed.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
}

// await: until the receiver on $PORT is ready.
func await(ts *testscript.TestScript, _ bool, _ []string) {
	for range 1500 {
		p, err := http.Get("http://127.0.0.1:" + ts.Getenv("PORT") + "/readyz")
		if err == nil {
			p.Body.Close()
			if p.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	ts.Fatalf("nothing is ready on port %s", ts.Getenv("PORT"))
}

// send FILE: post a file's bytes, unsigned, and print status and answer.
func send(ts *testscript.TestScript, _ bool, args []string) {
	p, err := http.Post(ts.Getenv("URL"), "application/json", strings.NewReader(ts.ReadFile(args[0])))
	ts.Check(err)
	defer p.Body.Close()
	body, err := io.ReadAll(p.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%d %s", p.StatusCode, body)
}

// sql FILE|postgres QUERY: print what it finds, a line a row.
func query(ts *testscript.TestScript, _ bool, args []string) {
	db, err := databaseOf(ts, args[0])
	ts.Check(err)
	defer db.Close()
	rows, err := db.QueryContext(context.Background(), args[1])
	ts.Check(err)
	defer rows.Close()
	columns, err := rows.Columns()
	ts.Check(err)
	for rows.Next() {
		cells, to := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range cells {
			to[i] = &cells[i]
		}
		ts.Check(rows.Scan(to...))
		var line []string
		for _, c := range cells {
			if !c.Valid {
				c.String = "NULL"
			}
			line = append(line, c.String)
		}
		fmt.Fprintln(ts.Stdout(), strings.Join(line, "|"))
	}
	ts.Check(rows.Err())
}

// row FILE|postgres QUERY: wait until it finds a row.
func row(ts *testscript.TestScript, _ bool, args []string) {
	db, err := databaseOf(ts, args[0])
	ts.Check(err)
	defer db.Close()
	for range 1500 {
		var found sql.NullString
		if db.QueryRowContext(context.Background(), args[1]).Scan(&found) == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	ts.Fatalf("there is never a row: %s", args[1])
}

// bytes FILE TEXT: write TEXT, a Go string without its quotes, to FILE.
func writeBytes(ts *testscript.TestScript, _ bool, args []string) {
	s, err := strconv.Unquote(`"` + args[1] + `"`)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(s), 0o600))
}

// printable FILE: no byte of it could be taken by a terminal as a command.
func printable(ts *testscript.TestScript, _ bool, args []string) {
	for i, r := range ts.ReadFile(args[0]) {
		if r < 0x20 && r != '\n' || r >= 0x7f && r < 0xa0 || r == '\u202e' || r == '\ufffd' {
			ts.Fatalf("%s: %+q at byte %d", args[0], r, i)
		}
	}
}

// The house's law of imports, so that parts stay apart without a linter.
func TestImports(t *testing.T) {
	impure := []string{"net/http", "database/sql", "charm.land/", "modernc.org/sqlite", "os/exec"}
	for pkg, never := range map[string][]string{
		"mapping/body":            append([]string{"loopmap/"}, impure...),
		"mapping/column":          append([]string{"loopmap/mapping"}, impure...),
		"mapping/yamledit":        append([]string{"loopmap/mapping", "loopmap/mapping/column", "loopmap/mapping/condition"}, impure...),
		"mapping/condition":       append([]string{"loopmap/mapping"}, impure...),
		"mapping":                 append([]string{"loopmap/mapping/loops", "loopmap/mapping/table", "loopmap/mapping/receive", "loopmap/mapping/push", "loopmap/mapping/outgoing", "loopmap/tui"}, impure...),
		"mapping/outgoing":        append([]string{"loopmap/mapping/loops", "loopmap/mapping/table", "loopmap/mapping/receive", "loopmap/mapping/push", "loopmap/tui"}, impure...),
		"mapping/loops":           {"loopmap/mapping/outgoing", "database/sql", "charm.land/", "loopmap/mapping/table", "loopmap/mapping/receive", "loopmap/tui"},
		"mapping/loops/loopstest": {"database/sql", "charm.land/", "github.com/spf13/cobra", "github.com/getkin/", "loopmap/mapping/table", "loopmap/mapping/receive", "loopmap/tui"},
		"mapping/table":           {"net/http", "charm.land/", "loopmap/mapping/loops", "loopmap/mapping/receive", "loopmap/tui"},
		"mapping/receive":         {"loopmap/mapping/outgoing", "database/sql", "charm.land/", "loopmap/mapping/table", "loopmap/mapping/loops", "loopmap/tui"},
		"mapping/push":            {"database/sql", "charm.land/", "loopmap/mapping/table", "loopmap/mapping/loops", "loopmap/mapping/receive", "loopmap/tui"},
		"tui/slots":               append([]string{"loopmap/mapping/loops", "loopmap/mapping/table", "loopmap/mapping/receive", "loopmap/mapping/push", "loopmap/tui"}, impure...),
		"tui/sshd":                {"net/http", "database/sql", "charm.land/", "github.com/spf13/cobra", "loopmap/mapping", "loopmap/tui"},
		"tui":                     {"net/http", "database/sql", "github.com/spf13/cobra", "loopmap/mapping/table", "loopmap/mapping/loops", "loopmap/mapping/receive"},
	} {
		out, err := exec.Command("go", "list", "-deps", "loopmap/"+pkg).Output()
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		for dep := range strings.FieldsSeq(string(out)) {
			for _, n := range never {
				if dep != "loopmap/"+pkg && (dep == n || strings.HasSuffix(n, "/") && strings.HasPrefix(dep, n)) {
					t.Errorf("%s reaches %s", pkg, dep)
				}
			}
		}
	}
}

// A save is whole or not at all, follows a link and keeps the permissions.
func TestWriteAtomic(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "m.yaml"), filepath.Join(dir, "link.yaml")
	if err := os.WriteFile(file, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("m.yaml", link); err != nil && runtime.GOOS != "windows" {
		t.Fatal(err)
	}
	if err := writeAtomic(link, []byte("new")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(link)
	if err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v %v", info, err)
	}
	if got, _ := os.ReadFile(file); string(got) != "new" {
		t.Errorf("the file holds %q", got)
	}
	if info, _ := os.Stat(file); info.Mode().Perm() != 0o640 {
		t.Errorf("the permissions are %v", info.Mode())
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".m.yaml*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := writeAtomic(filepath.Join(dir, "none", "m.yaml"), []byte("x")); err == nil {
		t.Error("a folder that is not there is no error")
	}
}

// A process killed while it saves leaves the old file or the new one.
func TestKilledWhileSaving(t *testing.T) {
	if os.Getenv("LOOPMAP_TEST_SAVE") != "" {
		signal.Ignore(syscall.SIGINT)
		for i := 0; ; i++ {
			if err := writeAtomic(os.Getenv("LOOPMAP_TEST_SAVE"), []byte(strings.Repeat(strconv.Itoa(i%10), 50000))); err != nil {
				os.Exit(1)
			}
		}
	}
	file := filepath.Join(t.TempDir(), "m.yaml")
	for round := range 15 {
		c := exec.Command(os.Args[0], "-test.run", "^TestKilledWhileSaving$")
		c.Env = append(os.Environ(), "LOOPMAP_TEST_SAVE="+file)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if _, err := os.Stat(file); err == nil {
				break
			}
		}
		time.Sleep(time.Duration(round) * 3 * time.Millisecond)
		_ = c.Process.Kill()
		_ = c.Wait()
		got, err := os.ReadFile(file)
		if err != nil || len(got) != 50000 || strings.Trim(string(got), string(got[:1])) != "" {
			t.Fatalf("round %d: %d bytes, %v", round, len(got), err)
		}
	}
}
