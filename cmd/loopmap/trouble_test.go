//go:build linux

package main

import (
	"bytes"
	"database/sql"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"loopmap/mapping/loops"
)

// troubled is a running sync on a mapping of two columns.
type troubled struct {
	*syncing
	addr string
}

func startTroubled(t *testing.T, dir string) *troubled {
	t.Helper()
	_, addr := newFolder(t)
	if err := os.WriteFile(filepath.Join(dir, "loopmap.yaml"), []byte(troubleMapping), 0o600); err != nil {
		t.Fatal(err)
	}
	return &troubled{startSync(t, dir, addr), addr}
}

// post delivers a contact.created, signed, and returns the answer's status and body.
func (s *troubled) post(t *testing.T, id string, pad int) (int, string) {
	t.Helper()
	body := []byte(`{"eventName":"contact.created","eventTime":` + strconv.FormatInt(time.Now().Unix(), 10) +
		`,"contactIdentity":{"id":"` + id + `"},"contact":{"email":"` + id + `@example.com","pad":"` + strings.Repeat("x", pad) + `"}}`)
	now := time.Now()
	sign, err := loops.Sign(testSecret, "msg_"+id, now, body)
	if err != nil {
		t.Fatal(err)
	}
	q, err := http.NewRequest(http.MethodPost, "http://"+s.addr+"/webhooks/loops", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("webhook-id", "msg_"+id)
	q.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	q.Header.Set("webhook-signature", sign)
	p, err := http.DefaultClient.Do(q)
	if err != nil {
		return 0, err.Error()
	}
	defer p.Body.Close()
	text, _ := io.ReadAll(p.Body)
	return p.StatusCode, string(text)
}

func (s *troubled) ready(t *testing.T) int {
	t.Helper()
	p, err := http.Get("http://" + s.addr + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	p.Body.Close()
	return p.StatusCode
}

const troubleMapping = `version: 1
database: sqlite:contacts.db
table: contacts
key: loops_id
receive:
  events: [contact.created]
  columns:
    - {name: loops_id, type: text, from: contactIdentity.id}
    - {name: email,    type: text, from: contact.email}
`

// A disk that is really full: what cannot be stored is answered 503 and readyz is red;
// what was answered 200 is there; and with space again it goes on without a restart.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := exec.Command("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", dir).Run(); err != nil {
		if os.Getenv("LOOPMAP_TEST_ALL") != "" {
			t.Fatalf("a small file system cannot be mounted: %v", err)
		}
		t.Skip("a small file system cannot be mounted, which takes root")
	}
	t.Cleanup(func() { _ = exec.Command("umount", "-l", dir).Run() })
	s := startTroubled(t, dir)
	for i := range 20 {
		if code, text := s.post(t, "before"+strconv.Itoa(i), 1000); code != http.StatusOK {
			t.Fatalf("%d %s", code, text)
		}
	}
	filler := filepath.Join(dir, "filler")
	f, err := os.Create(filler)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	f.Close()
	stored, refused := 20, 0
	for i := range 60 {
		switch code, text := s.post(t, "full"+strconv.Itoa(i), 100_000); code {
		case http.StatusOK:
			stored++
		case http.StatusServiceUnavailable:
			refused++
		default:
			t.Fatalf("%d %s", code, text)
		}
	}
	if refused < 50 {
		t.Errorf("a full disk refuses %d of 60", refused)
	}
	if code := s.ready(t); code != http.StatusServiceUnavailable {
		t.Errorf("a full disk is ready: %d", code)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if code := s.ready(t); code != http.StatusOK {
		t.Errorf("there is space again, and yet: %d", code)
	}
	if code, text := s.post(t, "after", 1000); code != http.StatusOK {
		t.Errorf("there is space again, and yet: %d %s", code, text)
	}
	s.logged("the disk is full")
	s.stop()
	db := filepath.Join(dir, "contacts.db")
	if got := rowsOf(t, db, "SELECT count(*) || ' ' || (SELECT count(*) FROM contacts) FROM loopmap_deliveries")[0]; got != strconv.Itoa(stored+1)+" "+strconv.Itoa(stored+1) {
		t.Errorf("stored are %s, answered 200 were %d", got, stored+1)
	}
	if got := rowsOf(t, db, "PRAGMA integrity_check")[0]; got != "ok" {
		t.Error(got)
	}
}

// SIGTERM under load: until then every delivery is answered 200; what was answered 200
// is stored, and the program ends with 0. Once it ends, a connection may be closed
// just as a client sends on it: Go's client has half a dozen words for that.
func TestStopUnderLoad(t *testing.T) {
	dir := t.TempDir()
	s := startTroubled(t, dir)
	var mu sync.Mutex
	acked := map[string]bool{}
	var stopping atomic.Bool
	var clients sync.WaitGroup
	for c := range 8 {
		clients.Go(func() {
			for i := 0; ; i++ {
				id := "c" + strconv.Itoa(c) + "n" + strconv.Itoa(i)
				code, text := s.post(t, id, 500)
				if code == http.StatusOK {
					mu.Lock()
					acked[id] = true
					mu.Unlock()
					continue
				}
				if code != 0 || !stopping.Load() {
					t.Errorf("%d %s", code, text)
				}
				return
			}
		})
	}
	time.Sleep(500 * time.Millisecond)
	stopping.Store(true)
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	clients.Wait()
	if len(acked) == 0 {
		t.Error("nothing was delivered")
	}
	for _, id := range rowsOf(t, filepath.Join(dir, "contacts.db"), "SELECT loops_id FROM contacts JOIN loopmap_deliveries ON row_key = loops_id") {
		delete(acked, id)
	}
	if len(acked) > 0 {
		t.Errorf("answered 200, and not there: %v", acked)
	}
}

// Another process holds the database: it is waited for; for too long, and the delivery
// is answered 503, to come again.
func TestHeldByAnother(t *testing.T) {
	t.Parallel() // it waits most of the time
	dir := t.TempDir()
	s := startTroubled(t, dir)
	for _, held := range []time.Duration{time.Second, 7 * time.Second} {
		release := hold(t, filepath.Join(dir, "contacts.db"))
		time.AfterFunc(held, release)
		began := time.Now()
		code, text := s.post(t, "held"+strconv.Itoa(int(held.Seconds())), 100)
		took := time.Since(began)
		if held < 5*time.Second && code != http.StatusOK || held > 5*time.Second && code != http.StatusServiceUnavailable {
			t.Errorf("held for %v: %d %s after %v", held, code, text, took)
		}
		if held > 5*time.Second {
			time.Sleep(held - took + 100*time.Millisecond)
		}
	}
	if code, text := s.post(t, "free", 100); code != http.StatusOK {
		t.Errorf("%d %s", code, text)
	}
	s.stop()
}

// hold takes SQLite's write lock, and returns what gives it back.
func hold(t *testing.T, file string) (release func()) {
	t.Helper()
	db, err := sql.Open("sqlite", file+"?_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	return func() {
		_, _ = db.Exec("ROLLBACK")
		db.Close()
	}
}
