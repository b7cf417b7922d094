//go:build unix

package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // the driver "sqlite", another one than the program's

	"loopmap/mapping"
	"loopmap/mapping/loops"
	"loopmap/mapping/table/tabletest"
)

var kills = flag.Int("kills", 12, "how often a crash campaign kills the program, or breaks the way to its database")

const (
	campaignWorkers = 8
	// campaignPatience is for slow machines: nothing here is measured by it.
	campaignPatience = 3 * time.Minute
	campaignMapping  = `version: 1
database: %s
table: contacts
key: loops_id
receive:
  events: [contact.created]
  columns:
    - {name: loops_id, type: text,    from: contactIdentity.id}
    - {name: email,    type: text,    from: contact.email}
    - {name: version,  type: integer, from: contact.version}
    - {name: plan,     type: text,    from: contact.plan}
`
)

// campaignDB is a database that a campaign runs on.
type campaignDB struct {
	url  string   // as the mapping file has it
	env  []string // what the program needs to reach it
	each func(query string, row func(scan func(to ...any) error) error) error
	// sound asks the database whether it is damaged; nil where it has no such word.
	sound func() error
}

// settled waits until nothing is pending: what met a locked row is answered, and applied
// soon after by the program that runs.
func (db campaignDB) settled(t testing.TB) {
	t.Helper()
	n := 0
	for deadline := time.Now().Add(campaignPatience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		err := db.each("SELECT count(*) FROM loopmap_deliveries WHERE status = 'pending'", func(scan func(to ...any) error) error { return scan(&n) })
		if err == nil && n == 0 {
			return
		}
	}
	t.Errorf("%d deliveries stay pending", n)
}

// sqliteCampaign is a database file in dir.
func sqliteCampaign(dir string) campaignDB {
	each := func(query string, row func(scan func(to ...any) error) error) error {
		db, err := sql.Open("sqlite", filepath.Join(dir, "contacts.db")+"?_pragma=busy_timeout(60000)")
		if err != nil {
			return err
		}
		defer db.Close()
		rows, err := db.Query(query)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := row(rows.Scan); err != nil {
				return err
			}
		}
		return rows.Err()
	}
	sound := func() error {
		return each("PRAGMA integrity_check", func(scan func(to ...any) error) error {
			var says string
			if err := scan(&says); err != nil || says == "ok" {
				return err
			}
			return errors.New("integrity_check: " + says)
		})
	}
	return campaignDB{url: "sqlite:contacts.db", each: each, sound: sound}
}

// postgresCampaign is a new database on the server at address, dropped when the
// test ends.
func postgresCampaign(t testing.TB, address string) campaignDB {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal("LOOPMAP_TEST_POSTGRES is not an address postgres://...") // it may hold a password
	}
	each := func(address, query string, row func(scan func(to ...any) error) error) error {
		ctx, cancel := context.WithTimeout(context.Background(), campaignPatience)
		defer cancel()
		conn, err := pgx.Connect(ctx, address)
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		rows, err := conn.Query(ctx, query, pgx.QueryExecModeSimpleProtocol)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := row(rows.Scan); err != nil {
				return err
			}
		}
		return rows.Err()
	}
	name := fmt.Sprintf("loopmap_test_%016x", rand.Uint64())
	if err := each(address, "CREATE DATABASE "+name, nil); err != nil {
		t.Fatalf("make a database to test in: %v", err)
	}
	t.Cleanup(func() {
		if err := each(address, "DROP DATABASE "+name+" WITH (FORCE)", nil); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	u.Path = "/" + name
	here := u.String()
	return campaignDB{url: "${DATABASE_URL}", env: []string{"DATABASE_URL=" + here},
		each: func(query string, row func(scan func(to ...any) error) error) error { return each(here, query, row) }}
}

// A 200 is kept whenever the process is killed: what a client was told is stored
// is in the journal, once, byte for byte, and its row is in the table.
func TestCrash(t *testing.T) {
	dir, addr := newFolder(t)
	crash(t, dir, addr, sqliteCampaign(dir))
}

// The same on PostgreSQL, which sees the end of its client at a moment of chance.
func TestCrashPostgres(t *testing.T) {
	db := postgresCampaign(t, tabletest.Server(t))
	dir, addr := newFolder(t)
	crash(t, dir, addr, db)
}

// crash delivers to a program that is killed and started again, and then compares.
func crash(t *testing.T, dir, addr string, db campaignDB) {
	p := startProgram(t, dir, addr, db)
	p.ready()
	c := newCampaign(t, addr)
	c.begin()
	var up time.Duration
	told := 0
	for n := range *kills {
		if n%6 == 5 { // within the start
			time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
		} else {
			p.ready()
			since, before := time.Now(), c.answered()
			time.Sleep(time.Duration(rand.IntN(300)) * time.Millisecond)
			up, told = up+time.Since(since), told+c.answered()-before
		}
		p.kill()
		p.start()
	}
	p.ready()
	c.finish()
	db.settled(t)
	p.stop()
	c.compare(db, fmt.Sprintf("kills %d", *kills), float64(told)/up.Seconds())
}

// program is `loopmap sync`, to be killed and started again.
type program struct {
	t         testing.TB
	dir, addr string
	env       []string
	log       string // its file
	cmd       *exec.Cmd
	ended     chan error
}

func startProgram(t testing.TB, dir, addr string, db campaignDB) *program {
	t.Helper()
	return startProgramOn(t, dir, addr, campaignMapping, db)
}

// startProgramOn starts it on a mapping whose database is %s.
func startProgramOn(t testing.TB, dir, addr, mapping string, db campaignDB, env ...string) *program {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "loopmap.yaml"), fmt.Appendf(nil, mapping, db.url), 0o644); err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, dir: dir, addr: addr, log: filepath.Join(t.TempDir(), "log"), env: append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TZ=UTC", "LOOPS_SIGNING_SECRET=" + testSecret,
	}, append(db.env, env...)...)}
	p.start()
	t.Cleanup(func() {
		if p.cmd != nil {
			p.kill()
		}
	})
	return p
}

func (p *program) start() {
	p.t.Helper()
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer out.Close()
	p.cmd = exec.Command("loopmap", "sync", "--listen", p.addr)
	p.cmd.Dir, p.cmd.Env, p.cmd.Stderr = p.dir, p.env, out
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.ended = make(chan error, 1)
	go func(c *exec.Cmd, ended chan<- error) { ended <- c.Wait() }(p.cmd, p.ended)
}

// kill is SIGKILL: no handler runs, nothing is flushed.
func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended //nolint:errcheck // it was killed
	p.cmd = nil
}

// stop ends it as systemd would.
func (p *program) stop() {
	p.t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-p.ended:
		if err != nil {
			p.t.Errorf("sync, stopped: %v", err)
		}
		p.cmd = nil
	case <-time.After(campaignPatience):
		p.t.Fatalf("it does not stop\n%s", p.tail())
	}
}

// ready waits until a delivery would be stored. It fails when the program ends by
// itself, but for a port that somebody else had for a moment.
func (p *program) ready() {
	p.t.Helper()
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for deadline := time.Now().Add(campaignPatience); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		select {
		case err := <-p.ended:
			if tail := p.tail(); !strings.Contains(tail, "address already in use") {
				p.cmd = nil
				p.t.Fatalf("sync ended by itself: %v\n%s", err, tail)
			}
			if err := os.Truncate(p.log, 0); err != nil {
				p.t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
			p.start()
		default:
		}
		if a, err := client.Get("http://" + p.addr + "/readyz"); err == nil {
			a.Body.Close()
			if a.StatusCode == http.StatusOK {
				return
			}
		}
	}
	p.t.Fatalf("it does not become ready\n%s", p.tail())
}

// tail is the end of the log.
func (p *program) tail() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-2000):])
}

// campaign is a client as Loops is one: over several connections, and sending
// again, with the same id and a fresh timestamp, what was not answered 200.
type campaign struct {
	t      testing.TB
	url    string
	client *http.Client
	done   sync.WaitGroup

	mu       sync.Mutex
	rand     *rand.Rand
	all      []*parcel
	told     int       // of them, answered 200
	fresh    []*parcel // to be sent, the last first
	later    []*parcel // to be sent, but not soon
	again    []*parcel // not answered 200 yet
	out      int       // in the workers' hands
	ending   bool      // nothing new any more
	deadline time.Time
	statuses map[int]int // answers other than 200
	faults   int
}

// parcel is a delivery and what the client knows of it.
type parcel struct {
	id        string
	body      []byte
	status    mapping.Status // that it must get
	contact   string
	eventTime int64
	version   int64
	plan      string // "" when the body has none, which leaves the row's value alone
	twice     bool   // sent once more after its 200

	told  int // answers 200
	first int // of these, those that did not say duplicate
}

func newCampaign(t testing.TB, addr string) *campaign {
	c := &campaign{t: t, url: "http://" + addr + "/webhooks/loops", rand: rand.New(rand.NewPCG(rand.Uint64(), 0)), statuses: map[int]int{},
		client: &http.Client{Timeout: 45 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: campaignWorkers}}}
	return c
}

func (c *campaign) begin() {
	for range campaignWorkers {
		c.done.Go(func() {
			for p := c.next(); p != nil; p = c.next() {
				code, duplicate, err := c.post(p)
				c.note(p, code, duplicate, err)
			}
		})
	}
}

// finish sends what is left until all of it is answered 200.
func (c *campaign) finish() {
	c.t.Helper()
	c.mu.Lock()
	c.ending, c.deadline = true, time.Now().Add(campaignPatience)
	c.fresh, c.later = append(c.fresh, c.later...), nil
	c.mu.Unlock()
	c.done.Wait()
	c.client.CloseIdleConnections()
}

// next is the delivery to be sent now; nil when all is done.
func (c *campaign) next() *parcel {
	for {
		c.mu.Lock()
		var from *[]*parcel
		switch {
		case c.ending && time.Now().After(c.deadline):
			c.mu.Unlock()
			return nil
		case len(c.again) > 0 && (len(c.fresh) == 0 || c.rand.IntN(2) == 0):
			from = &c.again
		case len(c.fresh) > 0:
			from = &c.fresh
		case !c.ending:
			c.write()
			from = &c.fresh
		case c.out == 0:
			c.mu.Unlock()
			return nil
		}
		if from != nil {
			n := len(*from) - 1
			p := (*from)[n]
			*from = (*from)[:n]
			c.out++
			c.mu.Unlock()
			return p
		}
		c.mu.Unlock()
		time.Sleep(2 * time.Millisecond)
	}
}

// write makes the next deliveries, in an order of chance. c.mu is held.
func (c *campaign) write() {
	batch := c.later
	c.later = nil
	for range 10 {
		batch = append(batch, c.parcel(mapping.Applied, c.contact(), 1))
	}
	for range 2 {
		// Four events of one contact; one of them comes much later than the others.
		contact, late := c.contact(), c.rand.IntN(4)
		for v := range 4 {
			p := c.parcel(mapping.Applied, contact, int64(v+1))
			if v == late {
				c.later = append(c.later, p)
			} else {
				batch = append(batch, p)
			}
		}
	}
	batch = append(batch, c.parcel(mapping.Ignored, c.contact(), 1), c.parcel(mapping.Quarantined, c.contact(), 1))
	batch = append(batch, batch[c.rand.IntN(len(batch))]) // at the same time over two connections
	batch[c.rand.IntN(len(batch))].twice = true
	c.rand.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
	c.fresh = append(c.fresh, batch...)
}

func (c *campaign) contact() string { return fmt.Sprintf("cm%d", len(c.all)) }

func (c *campaign) parcel(status mapping.Status, contact string, version int64) *parcel {
	p := &parcel{id: fmt.Sprintf("msg_%d", len(c.all)), status: status, contact: contact, version: version, eventTime: 1790000000 + version}
	event, set := loops.ContactCreated, strconv.FormatInt(version, 10)
	switch {
	case status == mapping.Ignored:
		event = "contact.deleted"
	case status == mapping.Quarantined:
		set = `"many"`
	case c.rand.IntN(2) == 0:
		p.plan = fmt.Sprintf("plan %d", version)
	}
	b := fmt.Appendf(nil, `{"eventName":%q,"eventTime":%d,"contactIdentity":{"id":%q,"email":"%s@example.com"},"contact":{"email":"%s.%d@example.com","version":%s`,
		event, p.eventTime, contact, contact, contact, version, set)
	if p.plan != "" {
		b = fmt.Appendf(b, `,"plan":%q`, p.plan)
	}
	// Ends of all lengths, so that a body that was cut or mixed up is seen.
	p.body = fmt.Appendf(b, `,"rest":"%s%d"}}`, strings.Repeat("-", c.rand.IntN(1500)), len(c.all))
	c.all = append(c.all, p)
	return p
}

func (c *campaign) post(p *parcel) (code int, duplicate bool, err error) {
	now := time.Now()
	sig, err := loops.Sign(testSecret, p.id, now, p.body)
	if err != nil {
		return 0, false, err
	}
	q, err := http.NewRequest(http.MethodPost, c.url, bytes.NewReader(p.body))
	if err != nil {
		return 0, false, err
	}
	q.Header.Set("Webhook-Id", p.id)
	q.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	q.Header.Set("Webhook-Signature", sig)
	a, err := c.client.Do(q)
	if err != nil {
		return 0, false, err
	}
	defer a.Body.Close()
	// The status alone is what Loops goes by: a 200 whose body is cut off counts.
	text, err := io.ReadAll(a.Body)
	var reply struct {
		ID        string
		Duplicate bool
	}
	if err == nil {
		err = json.Unmarshal(text, &reply)
	}
	switch {
	case a.StatusCode != http.StatusOK:
		return a.StatusCode, false, nil
	case err != nil:
		return a.StatusCode, true, nil // it cannot be known what it said
	case reply.ID != p.id:
		c.t.Errorf("%s is answered as %s", p.id, text)
	}
	return a.StatusCode, reply.Duplicate, nil
}

// note takes an answer, or that there was none.
func (c *campaign) note(p *parcel, code int, duplicate bool, err error) {
	c.mu.Lock()
	defer func() {
		c.out--
		c.mu.Unlock()
		if code != http.StatusOK {
			time.Sleep(3 * time.Millisecond)
		}
	}()
	switch {
	case code == http.StatusOK:
		if p.told++; p.told == 1 {
			c.told++
		}
		if !duplicate {
			p.first++
		}
		if p.twice {
			p.twice = false
			c.later = append(c.later, p)
			if c.ending {
				c.fresh, c.later = append(c.fresh, c.later...), nil
			}
		}
		return
	case err == nil && code != http.StatusServiceUnavailable:
		c.t.Errorf("%s is answered %d", p.id, code)
	}
	c.statuses[code]++
	if p.told == 0 {
		c.again = append(c.again, p)
	}
}

// answered is how many deliveries have been answered 200.
func (c *campaign) answered() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.told
}

// wrong says what does not hold; no more of it than can be read.
func (c *campaign) wrong(format string, args ...any) {
	c.t.Helper()
	if c.faults++; c.faults <= 20 {
		c.t.Errorf(format, args...)
	}
}

// compare holds what the client was told against the database, and says it in one
// line.
func (c *campaign) compare(db campaignDB, what string, rate float64) {
	t := c.t
	t.Helper()
	var told, found, lost, doubled, unanswered int
	journal, status, body := map[string]int{}, map[string]string{}, map[string][]byte{}
	err := db.each("SELECT id, status, body FROM loopmap_deliveries", func(scan func(to ...any) error) error {
		var id, s string
		var b []byte
		err := scan(&id, &s, &b)
		journal[id]++
		status[id], body[id] = s, b
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, p := range c.all {
		seen[p.id] = true
		if p.told == 0 {
			c.wrong("%s was never answered 200", p.id)
			continue
		}
		told++
		// An id that was new twice had two effects, or was lost in between.
		if journal[p.id] > 1 || p.first > 1 {
			doubled++
			c.wrong("%s: %d lines in the journal, %d times taken as new", p.id, journal[p.id], p.first)
		}
		if journal[p.id] == 0 {
			lost++
			c.wrong("%s was answered 200 and is not in the journal", p.id)
			continue
		}
		found++
		if p.first == 0 {
			unanswered++
		}
		if !bytes.Equal(body[p.id], p.body) {
			c.wrong("%s: other bytes are kept:\n%.300q\n%.300q", p.id, body[p.id], p.body)
		}
		if status[p.id] != string(p.status) {
			c.wrong("%s is %s, want %s", p.id, status[p.id], p.status)
		}
	}
	for id := range journal {
		if !seen[id] {
			c.wrong("nobody sent %s", id)
		}
	}
	c.compareRows(db)
	if db.sound != nil {
		if err := db.sound(); err != nil {
			t.Error(err)
		}
	}
	t.Logf("acknowledged %d, found %d, lost %d, doubled %d, %s, %.0f deliveries/s over %d connections; %d were stored before their client was told, answers other than 200 (0: none): %v",
		told, found, lost, doubled, what, rate, campaignWorkers, unanswered, c.statuses)
	if c.faults > 0 {
		t.Logf("%d faults", c.faults)
	}
}

// compareRows expects one row for each contact, with what its newest event says;
// where that says nothing of a column, with what the newest one says that does.
func (c *campaign) compareRows(db campaignDB) {
	t := c.t
	t.Helper()
	slices.SortStableFunc(c.all, func(a, b *parcel) int { return int(a.eventTime - b.eventTime) })
	want := map[string]string{}
	plans := map[string]string{}
	for _, p := range c.all {
		if p.status != mapping.Applied {
			continue
		}
		if p.plan != "" {
			plans[p.contact] = p.plan
		}
		want[p.contact] = fmt.Sprintf("%s.%d@example.com, version %d, %q", p.contact, p.version, p.version, plans[p.contact])
	}
	rows := 0
	err := db.each("SELECT loops_id, email, version, plan FROM contacts", func(scan func(to ...any) error) error {
		var key, email string
		var version int64
		var plan sql.NullString
		if err := scan(&key, &email, &version, &plan); err != nil {
			return err
		}
		rows++
		if got := fmt.Sprintf("%s, version %d, %q", email, version, plan.String); got != want[key] {
			c.wrong("the row of %s: %s\nwant %s", key, got, want[key])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if rows != len(want) {
		c.wrong("%d rows, want %d", rows, len(want))
	}
}
