//go:build unix

package main

import (
	"database/sql"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"loopmap/mapping/loops/loopstest"
)

// Who may not log in any more sends nothing any more: what a session has begun ends with
// it.
func TestSSHRemovedKeyStopsSending(t *testing.T) {
	t.Parallel()
	const rows = 300 // half a minute at the pace that Loops allows
	ada, bob := newPerson(t, "ada"), newPerson(t, "bob")
	x := startSSHD(t, nil, ada.line()+bob.line())
	server := loopstest.New(loopstest.Options{})
	h := httptest.NewServer(server)
	t.Cleanup(h.Close)
	t.Cleanup(server.Close)
	x.host.app.lookup = func(name string) (string, bool) {
		v, ok := map[string]string{"LOOPS_API_KEY": loopstest.DefaultKey, "LOOPS_ENDPOINT_URL": h.URL + "/api"}[name]
		return v, ok
	}
	writeFile(t, filepath.Join(x.dir, "loopmap.yaml"), sshMapping+"    - {name: email, type: text, from: contact.email}\npush:\n  contact: {email: email}\n")
	db, err := sql.Open("sqlite", filepath.Join(x.dir, "contacts.db")+"?_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(fmt.Sprintf(`CREATE TABLE contacts (loops_id TEXT PRIMARY KEY, email TEXT);
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO contacts SELECT 'r' || i, 'r' || i || '@example.com' FROM n`, rows)); err != nil {
		t.Fatal(err)
	}
	db.Close()
	sent := func() (n int) { return len(server.Calls()) }
	s := x.shell(ada, "xterm", 120, 40).wait("Here will be").press("3").wait("r1@example.com").press("R").wait("send: ")
	s.press("\x15")
	time.Sleep(2 * handGapOfTests)
	s.press(fmt.Sprint(rows))
	time.Sleep(2 * handGapOfTests)
	s.press("\r").wait("sending ")
	s.wait("contact sent 200")
	if err := os.WriteFile(x.keys, []byte(bob.line()), 0o600); err != nil {
		t.Fatal(err)
	}
	x.logged("session ends", "may not log in any more")
	last := -1
	eventually(t, func() (bool, string) {
		before := last
		last = sent()
		time.Sleep(time.Second)
		return before == last && sent() == last, fmt.Sprintf("%d are sent, and more", last)
	})
	if last < 3 || last >= rows {
		t.Errorf("%d of %d rows were sent", last, rows)
	}
}

// handGapOfTests is longer than two keys of a hand are apart at the least.
const handGapOfTests = 50 * time.Millisecond
