//go:build unix

package main

import (
	"database/sql"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"loopmap/mapping/loops/loopstest"
)

const fewRows = 60

var paceRows = flag.Int("pace.rows", fewRows, "rows that TestPushPace sends")

// The pace on the real clock and over real connections: ten requests a second are
// nearly reached although each answer takes 300 ms, and never passed.
//
//	go test ./cmd/loopmap -run PushPace -v -pace.rows 1000
func TestPushPace(t *testing.T) {
	dir, _ := newFolder(t)
	if err := os.WriteFile(filepath.Join(dir, "loopmap.yaml"), []byte(mapsContacts+"push:\n  contact: {email: email, properties: {firstName: first_name}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "contacts.db")+"?_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(fmt.Sprintf(`CREATE TABLE contacts (loops_id TEXT PRIMARY KEY, email TEXT, first_name TEXT);
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO contacts SELECT 'r' || i, 'r' || i || '@example.com', 'Ada' FROM n`, *paceRows)); err != nil {
		t.Fatal(err)
	}
	server := loopstest.New(loopstest.Options{Latency: 300 * time.Millisecond})
	h := httptest.NewServer(server)
	t.Cleanup(h.Close)
	t.Cleanup(server.Close)
	t.Setenv("LOOPS_ENDPOINT_URL", h.URL+"/api")
	t.Setenv("LOOPS_API_KEY", loopstest.DefaultKey)
	t.Log(runLoopmap(t, dir, "push"))

	var first, last time.Time
	puts, throttled := 0, 0
	for _, c := range server.Calls() {
		if c.Status == http.StatusTooManyRequests {
			throttled++
		}
		if c.Path != "/v1/contacts/create" { // which is all that contacts need that Loops has not
			continue
		}
		if puts++; puts == 1 {
			first = c.Time
		}
		last = c.Time
	}
	least := 9.0
	if *paceRows == fewRows { // beside other tests the machine may be busy
		least = 5
	}
	rate := float64(puts-1) / last.Sub(first).Seconds()
	t.Logf("%d rows in %.1f s: %.2f/s, at most %d in any second, %d answers 429", puts, last.Sub(first).Seconds(), rate, server.MaxPerSecond(), throttled)
	if puts != *paceRows || len(server.Contacts()) != puts || throttled > 0 || server.MaxPerSecond() > 10 || rate < least {
		t.Error("the pace is off")
	}
}
