//go:build unix

package main

import (
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"loopmap/mapping/loops/loopstest"
	"loopmap/mapping/table/tabletest"
)

const pushCampaignMapping = campaignMapping + `push:
  auto: true
  contact:
    email: email
    properties: {plan: plan}
  events:
    - name: upgraded
      once_per: [email]
`

// Killed at any moment, it goes on where it was: each contact is sent at least once, as
// the row is in the end, and each event once.
func TestCrashPush(t *testing.T) {
	t.Parallel() // it waits most of the time
	dir, addr := newFolder(t)
	crashPush(t, dir, addr, sqliteCampaign(dir))
}

// The same on PostgreSQL.
func TestCrashPushPostgres(t *testing.T) {
	t.Parallel()
	db := postgresCampaign(t, tabletest.Server(t))
	dir, addr := newFolder(t)
	crashPush(t, dir, addr, db)
}

func crashPush(t *testing.T, dir, addr string, db campaignDB) {
	server := loopstest.New(loopstest.Options{Latency: 50 * time.Millisecond})
	h := httptest.NewServer(server)
	t.Cleanup(h.Close)
	t.Cleanup(server.Close)
	for range *kills {
		server.Fail(loopstest.Failure{Kind: []loopstest.Kind{loopstest.CutAfter, loopstest.Cut, loopstest.HTML}[rand.IntN(3)],
			Match: func(loopstest.Call) bool { return rand.IntN(5) == 0 }})
	}
	p := startProgramOn(t, dir, addr, pushCampaignMapping, db, "LOOPS_ENDPOINT_URL="+h.URL+"/api", "LOOPS_API_KEY="+loopstest.DefaultKey)
	p.ready()
	do := func(text string) {
		t.Helper()
		err := db.each(text, func(func(to ...any) error) error { return nil })
		for try := 0; err != nil && strings.Contains(err.Error(), "locked") && try < 500; try++ { // recovered after a kill
			time.Sleep(10 * time.Millisecond)
			err = db.each(text, func(func(to ...any) error) error { return nil })
		}
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	rows := 0
	n := max(3, *kills/3)
	for range n {
		for range 4 {
			do(fmt.Sprintf("INSERT INTO contacts (loops_id, email, plan) VALUES ('r%d', 'r%d@example.com', 'v0')", rows, rows))
			rows++
		}
		do(fmt.Sprintf("UPDATE contacts SET plan = 'v%d' WHERE loops_id = 'r%d'", rand.IntN(1000), rand.IntN(rows)))
		p.ready()
		time.Sleep(time.Duration(900+rand.IntN(1200)) * time.Millisecond)
		p.kill()
		p.start()
	}
	p.ready()
	count := func(text string) (n int) {
		t.Helper()
		if err := db.each(text, func(scan func(to ...any) error) error { return scan(&n) }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for begun := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		open := count("SELECT count(*) FROM loopmap_changes") + count("SELECT count(*) FROM loopmap_pushes WHERE status <> 'sent'")
		if open == 0 && count("SELECT count(*) FROM loopmap_pushes") == 2*rows {
			break
		}
		if time.Since(begun) > campaignPatience {
			t.Fatalf("%d are open still\n%s", open, p.tail())
		}
	}
	p.stop()
	plans := map[string]string{}
	if err := db.each("SELECT email, plan FROM contacts", func(scan func(to ...any) error) error {
		var email, plan string
		err := scan(&email, &plan)
		plans[email] = plan
		return err
	}); err != nil {
		t.Fatal(err)
	}
	lost, doubled, wrong := 0, 0, 0
	events := map[string]int{}
	for _, e := range server.Sent() {
		if events[e.Email]++; events[e.Email] > 1 {
			doubled++
		}
	}
	for email, plan := range plans {
		c, ok := server.Contact(email)
		switch {
		case !ok || events[email] == 0:
			lost++
		case strings.Trim(string(c.Values["plan"]), `"`) != plan:
			wrong++
		}
	}
	t.Logf("kills %d, rows %d, requests %d, events lost %d, doubled %d, contacts wrong %d, at most %d requests in any second",
		n, rows, len(server.Calls()), lost, doubled, wrong, server.MaxPerSecond())
	// Ten, and one that came late to a server which shares its processors with all the
	// other tests; TestPushPace holds it against ten, with the machine for itself.
	if lost+doubled+wrong > 0 || len(plans) != rows || server.MaxPerSecond() > 11 {
		t.Error("that is not each contact as it is, and each event once")
	}
}
