package receive

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/column"
	"loopmap/mapping/loops"
	"loopmap/mapping/table"
)

const secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

var now = time.Unix(1800000000, 0)

// harness is a receiver over a real SQLite file.
type harness struct {
	t       testing.TB
	store   *table.Store
	url     string
	logs    *bytes.Buffer
	receive *Receiver
}

func newMapping(t testing.TB, columns ...string) *mapping.Mapping {
	m := mapping.New("sqlite:contacts.db")
	for _, c := range columns {
		f := strings.SplitN(c, " ", 3)
		p, err := mapping.ParsePath(f[2])
		if err != nil {
			t.Fatal(err)
		}
		m.Receive.Columns = append(m.Receive.Columns, mapping.Column{Name: f[0], Type: column.Type(f[1]), From: p})
	}
	return m
}

type lockedBuffer struct {
	mu sync.Mutex
	*bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func start(t testing.TB, m *mapping.Mapping, change func(*Config)) *harness {
	t.Helper()
	ctx := context.Background()
	store, err := table.Open(ctx, table.Options{URL: "sqlite:contacts.db", Dir: t.TempDir(), Write: true})
	if err != nil {
		t.Fatal(err)
	}
	p, err := store.Plan(ctx, m)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Apply(ctx, p); err != nil {
		t.Fatal(err)
	}
	secrets, err := loops.ParseSecrets([]string{secret})
	if err != nil {
		t.Fatal(err)
	}
	logs := &lockedBuffer{Buffer: &bytes.Buffer{}}
	c := Config{Verify: secrets.Verify, Check: loops.CheckHeader, Mapping: func() *mapping.Mapping { return m }, Journal: store,
		Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(logs, nil))}
	if change != nil {
		change(&c)
	}
	r := New(c)
	server := httptest.NewServer(r)
	t.Cleanup(func() {
		server.Close()
		r.Close()
		store.Close()
	})
	return &harness{t, store, server.URL, logs.Buffer, r}
}

func signed(t testing.TB, url, id string, body []byte) *http.Request {
	t.Helper()
	q, err := http.NewRequest(http.MethodPost, url+Path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	sig, err := loops.Sign(secret, id, now, body)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Webhook-Id", id)
	q.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	q.Header.Set("Webhook-Signature", sig)
	return q
}

func do(t testing.TB, q *http.Request) (int, string) {
	t.Helper()
	p, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Body.Close()
	b, err := io.ReadAll(p.Body)
	if err != nil {
		t.Fatal(err)
	}
	return p.StatusCode, strings.TrimSpace(string(b))
}

func (h *harness) send(id string, body []byte) (int, string) {
	h.t.Helper()
	return do(h.t, signed(h.t, h.url, id, body))
}

func (h *harness) record(id string) table.Record {
	h.t.Helper()
	r, err := h.store.Delivery(context.Background(), id)
	if err != nil {
		h.t.Fatalf("%s: %v", id, err)
	}
	return r
}

func TestAnswers(t *testing.T) {
	h := start(t, newMapping(t, "email text contact.email", "size integer contact.teamSize"), nil)
	body, err := loops.Fresh(loops.ContactCreated, now)
	if err != nil {
		t.Fatal(err)
	}
	post := func(change func(*http.Request)) *http.Request {
		q := signed(t, h.url, "msg_other", body)
		change(q)
		return q
	}
	for _, c := range []struct {
		name string
		q    *http.Request
		code int
		want string
	}{
		{"stored", signed(t, h.url, "msg_1", body), 200, `{"ok":true,"id":"msg_1"}`},
		{"seen before", signed(t, h.url, "msg_1", body), 200, `{"ok":true,"id":"msg_1","duplicate":true}`},
		{"seen before, other bytes", signed(t, h.url, "msg_1", []byte("{}")), 200, `{"ok":true,"id":"msg_1","duplicate":true}`},
		{"cannot be mapped", signed(t, h.url, "msg_2", []byte(`{"eventName":"contact.created","contactIdentity":{"id":"x"},"contact":{"teamSize":"many"}}`)), 200,
			`{"ok":true,"id":"msg_2","quarantined":"column size (integer) from contact.teamSize: \"many\" is not a whole number"}`},
		{"no JSON", signed(t, h.url, "msg_3", []byte("hello")), 200, `{"ok":true,"id":"msg_3","quarantined":"the body is not JSON: \"h\" instead of a value at byte 0"}`},
		{"empty", signed(t, h.url, "msg_4", nil), 200, `"quarantined":"the body is not JSON: the end instead of a value at byte 0"`},
		{"not listed", signed(t, h.url, "msg_5", []byte(`{"eventName":"contact.deleted","contactIdentity":{"id":"x"}}`)), 200, `{"ok":true,"id":"msg_5"}`},
		{"signature", post(func(q *http.Request) { q.Header.Set("Webhook-Signature", "v1,"+strings.Repeat("A", 43)+"=") }), 401, `"ok":false,"error":"the signature is wrong`},
		{"no headers", post(func(q *http.Request) { q.Header = http.Header{} }), 401, "webhook-id is missing"},
		{"encoded", post(func(q *http.Request) { q.Header.Set("Content-Encoding", "gzip") }), 415, "encoded"},
		{"method", post(func(q *http.Request) { q.Method = "PUT" }), 405, "POST"},
		{"path", post(func(q *http.Request) { q.URL.Path = "/webhooks" }), 404, "/webhooks/loops"},
		{"too large", signed(t, h.url, "msg_6", bytes.Repeat([]byte(" "), MaxBody+1)), 413, "larger than 1048576 bytes"},
		{"as large as can be", signed(t, h.url, "msg_7", append(bytes.Repeat([]byte(" "), MaxBody-2), "{}"...)), 200, "no eventName"},
	} {
		code, got := do(t, c.q)
		if code != c.code || !strings.Contains(got, c.want) || c.want[0] == '{' && got != c.want {
			t.Errorf("%s: %d %s\nwant %d %s", c.name, code, got, c.code, c.want)
		}
		if !json.Valid([]byte(got)) {
			t.Errorf("%s: no JSON: %s", c.name, got)
		}
	}
	if r := h.record("msg_1"); r.Status != mapping.Applied || !bytes.Equal(r.Body, body) {
		t.Errorf("the journal: %+v", r)
	}
	if r := h.record("msg_5"); r.Status != mapping.Ignored || !strings.Contains(r.Reason, "contact.deleted") {
		t.Errorf("the journal: %+v", r)
	}
	for _, id := range []string{"msg_other", "msg_6"} {
		if _, err := h.store.Delivery(context.Background(), id); !errors.Is(err, table.ErrNoDelivery) {
			t.Errorf("%s was refused, and is stored: %v", id, err)
		}
	}
	for _, private := range []string{"many", "example", "whsec", secret[6:20]} {
		if strings.Contains(h.logs.String(), private) {
			t.Errorf("the log holds %q:\n%s", private, h.logs)
		}
	}
	for path, want := range map[string]string{"/healthz": `"ok":true`, "/readyz": `"ok":true`, "/metrics": `loopmap_deliveries_total{outcome="applied"} 1`} {
		q, _ := http.NewRequest(http.MethodGet, h.url+path, nil)
		if code, got := do(t, q); code != 200 || !strings.Contains(got, want) {
			t.Errorf("%s: %d %s", path, code, got)
		}
	}
}

// Every file of the public JSON test suite, as a whole body and as the value of
// an attribute: kept byte for byte, answered 200, never a crash. What the suite
// calls valid (y_) is taken, what it calls invalid (n_) is quarantined.
func TestJSONTestSuite(t *testing.T) {
	files, err := filepath.Glob("testdata/jsontestsuite/*.json")
	if err != nil || len(files) < 300 {
		t.Fatalf("the suite is not there: %d files, %v", len(files), err)
	}
	h := start(t, newMapping(t, "v json contact.v", "w text contact.v"), nil)
	for i, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		inner := append(append([]byte(`{"eventName":"contact.created","contactIdentity":{"id":"x"},"contact":{"v":`), raw...), "}}"...)
		for k, text := range [][]byte{raw, inner} {
			id := fmt.Sprintf("msg_%d_%d", i, k)
			code, got := h.send(id, text)
			if code != 200 {
				t.Errorf("%s: %d %s", name, code, got)
				continue
			}
			r := h.record(id)
			if !bytes.Equal(r.Body, text) {
				t.Errorf("%s: other bytes are kept", name)
			}
			notJSON := strings.Contains(r.Reason, "not JSON")
			// Some of what is invalid as a text is valid, or harmless, within another.
			if k == 0 && (name[0] == 'y' && notJSON || name[0] == 'n' && !notJSON) {
				t.Errorf("%s: %s, %s", name, r.Status, r.Reason)
			}
			if r.Reason != body.Printable(r.Reason) {
				t.Errorf("%s: the reason is not printable: %q", name, r.Reason)
			}
		}
	}
}

func TestHostileBodies(t *testing.T) {
	h := start(t, newMapping(t, "email text contact.email", "all json contact", "n number contact.n", "at time contact.at", "ok boolean contact.ok"), nil)
	wrap := func(s string) string {
		return `{"eventName":"contact.created","contactIdentity":{"id":"x"},"contact":{` + s + `}}`
	}
	var keys strings.Builder
	for i := range 10000 {
		fmt.Fprintf(&keys, `"k%d":%d,`, i, i)
	}
	for name, c := range map[string]struct {
		body   string
		status mapping.Status
		reason string
	}{
		"10,000 keys":           {wrap(keys.String() + `"email":"a"`), mapping.Applied, ""},
		"200,000 levels":        {wrap(`"email":` + strings.Repeat("[", 200000) + strings.Repeat("]", 200000)), mapping.Quarantined, "nesting deeper than 1000"},
		"200,000 open":          {strings.Repeat(`{"a":`, 200000), mapping.Quarantined, "nesting deeper than 1000"},
		"invalid UTF-8":         {wrap("\"email\":\"\xff\""), mapping.Quarantined, "invalid UTF-8 at byte"},
		"NUL byte":              {wrap("\"email\":\"\x00\""), mapping.Quarantined, "control character (0x00)"},
		"NUL escaped":           {wrap(`"email":"a\u0000b"`), mapping.Quarantined, "NUL character"},
		"NUL not mapped":        {`{"eventName":"contact.created","contactIdentity":{"id":"x"},"contact":{},"other":"\u0000"}`, mapping.Applied, ""},
		"backslash, no NUL":     {wrap(`"email":"a\\u0000b"`), mapping.Applied, ""},
		"lone surrogate":        {wrap(`"email":"\ud83d"`), mapping.Quarantined, `lone surrogate \ud83d`},
		"surrogate pair":        {wrap(`"email":"\ud83d\ude00"`), mapping.Applied, ""},
		"no contact":            {`{"eventName":"contact.created","contactIdentity":{"id":"x"}}`, mapping.Quarantined, "without a contact object"},
		"contact is a text":     {`{"eventName":"contact.created","contactIdentity":{"id":"x"},"contact":"y"}`, mapping.Quarantined, "without a contact object"},
		"contact is null":       {`{"eventName":"contact.created","contactIdentity":{"id":"x"},"contact":null}`, mapping.Quarantined, "without a contact object"},
		"no identity":           {`{"eventName":"contact.created","contact":{}}`, mapping.Quarantined, "key column loops_id has no value: contactIdentity.id is missing"},
		"key is null":           {`{"eventName":"contact.created","contactIdentity":{"id":null},"contact":{}}`, mapping.Quarantined, "key column"},
		"key is empty":          {`{"eventName":"contact.created","contactIdentity":{"id":""},"contact":{}}`, mapping.Quarantined, "key column"},
		"a list":                {`[]`, mapping.Quarantined, "the body is list, not an object"},
		"a text":                {`"x"`, mapping.Quarantined, "not an object"},
		"event is a number":     {`{"eventName":1}`, mapping.Quarantined, "no eventName"},
		"unknown event":         {`{"eventName":"contact.updated"}`, mapping.Ignored, "does not list contact.updated"},
		"number too big":        {wrap(`"n":1e400`), mapping.Quarantined, "column n (number) from contact.n: 1e400"},
		"time":                  {wrap(`"at":"tomorrow"`), mapping.Quarantined, "is not a time"},
		"boolean":               {wrap(`"ok":"yes"`), mapping.Quarantined, "is not true or false"},
		"doubled key":           {wrap(`"email":"first","email":"last"`), mapping.Applied, ""},
		"escapes in the reason": {wrap("\"n\":\"\\u001b[31m\u202e\""), mapping.Quarantined, "is not a number"},
		"byte order mark":       {"\ufeff{}", mapping.Quarantined, "a byte order mark"},
		"trailing":              {wrap("") + "x", mapping.Quarantined, `"x" after the end`},
	} {
		id := "msg_" + strings.Map(func(r rune) rune {
			if r == ' ' || r == ',' {
				return '_'
			}
			return r
		}, name)
		code, got := h.send(id, []byte(c.body))
		r := h.record(id)
		if code != 200 || r.Status != c.status || !strings.Contains(r.Reason, c.reason) || string(r.Body) != c.body {
			t.Errorf("%s: %d %.200s: %s, %.200s; want %s, %s", name, code, got, r.Status, r.Reason, c.status, c.reason)
		}
		if r.Reason != body.Printable(r.Reason) || len(r.Reason) > 1000 {
			t.Errorf("%s: the reason is not fit to be read: %.300q", name, r.Reason)
		}
	}
}

// 100 times the same delivery at once: one line, one effect.
func TestParallelRepeats(t *testing.T) {
	h := start(t, newMapping(t, "email text contact.email"), nil)
	body, _ := loops.Example(loops.ContactCreated)
	var duplicates atomic.Int64
	var wait sync.WaitGroup
	for range 100 {
		wait.Go(func() {
			code, got := h.send("msg_same", body)
			if code != 200 {
				t.Errorf("%d %s", code, got)
			}
			if strings.Contains(got, `"duplicate":true`) {
				duplicates.Add(1)
			}
		})
	}
	wait.Wait()
	list, err := h.store.Deliveries(context.Background(), table.Filter{})
	if err != nil || len(list) != 1 || duplicates.Load() != 99 {
		t.Errorf("%d lines, %d duplicates, %v", len(list), duplicates.Load(), err)
	}
}

// faulty is a journal that fails when it is told to.
type faulty struct {
	Journal
	fails func(entries []mapping.Entry) bool
	sizes []int
	mu    sync.Mutex
}

func (f *faulty) Commit(ctx context.Context, entries []mapping.Entry) ([]mapping.Outcome, error) {
	f.mu.Lock()
	f.sizes = append(f.sizes, len(entries))
	f.mu.Unlock()
	if f.fails(entries) {
		return nil, errors.New("disk full")
	}
	return f.Journal.Commit(ctx, entries)
}

func TestCannotBeStored(t *testing.T) {
	broken := atomic.Bool{}
	h := start(t, newMapping(t), func(c *Config) {
		c.Journal = &faulty{Journal: c.Journal, fails: func([]mapping.Entry) bool { return broken.Load() }}
	})
	body, _ := loops.Example(loops.ContactCreated)
	broken.Store(true)
	q := signed(t, h.url, "msg_1", body)
	p, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	p.Body.Close()
	if p.StatusCode != 503 || p.Header.Get("Retry-After") == "" {
		t.Errorf("%d, Retry-After %q", p.StatusCode, p.Header.Get("Retry-After"))
	}
	broken.Store(false)
	if code, got := h.send("msg_1", body); code != 200 || strings.Contains(got, "duplicate") {
		t.Errorf("the retry: %d %s", code, got)
	}
}

// One entry that cannot be stored fails alone, whatever it was grouped with.
func TestPoisonFailsAlone(t *testing.T) {
	h := start(t, newMapping(t), nil)
	f := &faulty{Journal: h.store, fails: func(entries []mapping.Entry) bool {
		for _, e := range entries {
			if e.ID == "poison" {
				return true
			}
		}
		return false
	}}
	c := &committer{metrics: &metrics{}, journal: f}
	var group []*waiting
	var entries []mapping.Entry
	for _, id := range []string{"a", "poison", "b"} {
		e := mapping.Enter(nil, mapping.Delivery{ID: id})
		group, entries = append(group, &waiting{entry: e, ready: make(chan struct{}), until: time.Now().Add(patience)}), append(entries, e)
	}
	c.commitGroup(group, entries)
	for _, w := range group {
		<-w.ready
		if (w.err != nil) != (w.entry.ID == "poison") {
			t.Errorf("%s: %v", w.entry.ID, w.err)
		}
	}
	if len(f.sizes) != 4 || f.sizes[0] != 3 {
		t.Errorf("commits of %v", f.sizes)
	}
}

// A group is what has arrived, and waits for nobody.
func TestGather(t *testing.T) {
	c := &committer{queue: make(chan *waiting, 2*maxGroup)}
	group := func(n int) []*waiting { return make([]*waiting, n) }
	if got := c.gather(group(1)); len(got) != 1 {
		t.Errorf("one alone became a group of %d", len(got))
	}
	for range maxGroup {
		c.queue <- nil
	}
	if got := c.gather(group(1)); len(got) != maxGroup || len(c.queue) != 1 {
		t.Errorf("a group of %d, and %d are left", len(got), len(c.queue))
	}
	close(c.queue)
	if got := c.gather(group(1)); len(got) != 2 {
		t.Errorf("two at the end became a group of %d", len(got))
	}
}

// What waits while a commit runs shares the next one.
func TestGroupCommit(t *testing.T) {
	var first sync.Once
	begun, release := make(chan struct{}), make(chan struct{})
	var f *faulty
	h := start(t, newMapping(t), func(c *Config) {
		f = &faulty{Journal: c.Journal, fails: func([]mapping.Entry) bool {
			first.Do(func() { close(begun); <-release })
			return false
		}}
		c.Journal = f
	})
	body, _ := loops.Example(loops.ContactCreated)
	var wait sync.WaitGroup
	send := func(i int) {
		wait.Go(func() {
			if code, got := h.send(fmt.Sprintf("msg_%d", i), body); code != 200 {
				t.Errorf("%d %s", code, got)
			}
		})
	}
	send(0)
	<-begun
	for i := 1; i <= 20; i++ {
		send(i)
	}
	for len(h.receive.commits.queue) < 20 {
		time.Sleep(time.Millisecond)
	}
	close(release)
	wait.Wait()
	if fmt.Sprint(f.sizes) != "[1 20]" {
		t.Errorf("commits of %v", f.sizes)
	}
}

func TestUnsigned(t *testing.T) {
	h := start(t, newMapping(t), func(c *Config) { c.Verify = nil })
	body, _ := loops.Example(loops.ContactCreated)
	post := func() (int, string) {
		q, _ := http.NewRequest(http.MethodPost, h.url+Path, bytes.NewReader(body))
		return do(t, q)
	}
	if code, got := post(); code != 200 || !strings.Contains(got, "unsigned_") {
		t.Errorf("%d %s", code, got)
	}
	if _, got := post(); !strings.Contains(got, "duplicate") {
		t.Errorf("the same bytes again: %s", got)
	}
}

// Clients that send less or more than they announce, or two lengths.
func TestLyingClients(t *testing.T) {
	h := start(t, newMapping(t), nil)
	body, _ := loops.Example(loops.ContactCreated)
	q := signed(t, h.url, "msg_1", body)
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nWebhook-Id: msg_1\r\nWebhook-Timestamp: %s\r\nWebhook-Signature: %s\r\n",
		Path, q.Header.Get("Webhook-Timestamp"), q.Header.Get("Webhook-Signature"))
	n := len(body)
	for name, c := range map[string]struct {
		rest string
		want string
	}{
		"short":        {fmt.Sprintf("Content-Length: %d\r\n\r\n%s", n+1, body), " 400 "},
		"two lengths":  {fmt.Sprintf("Content-Length: %d\r\nContent-Length: %d\r\n\r\n%s", n, n+1, body), " 400 "},
		"both":         {fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", n), " 40"},
		"chunked":      {fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", n, body), " 200 "},
		"large stream": {"Content-Length: 1073741824\r\n\r\n", " 413 "},
		"obsolete":     {"Transfer-Encoding: gzip, chunked\r\n\r\n", " 501 "},
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, head+c.rest)
		_ = conn.(*net.TCPConn).CloseWrite()
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !strings.Contains(line, c.want) {
			t.Errorf("%s: %q %v", name, line, err)
		}
		conn.Close()
	}
	list, err := h.store.Deliveries(context.Background(), table.Filter{})
	if err != nil || len(list) != 1 {
		t.Errorf("%d stored, %v; the chunked one alone was whole", len(list), err)
	}
}

// A stop finishes what has begun, and what was answered is there.
func TestStop(t *testing.T) {
	h := start(t, newMapping(t), nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, l, h.receive, slog.New(slog.DiscardHandler)) }()
	body, _ := loops.Example(loops.ContactCreated)
	var acked sync.Map
	var wait sync.WaitGroup
	for c := range 4 {
		wait.Go(func() {
			for i := range 200 {
				id := fmt.Sprintf("msg_%d_%d", c, i)
				p, err := http.DefaultClient.Do(signed(t, "http://"+l.Addr().String(), id, body))
				if err != nil {
					return // stopped
				}
				p.Body.Close()
				if p.StatusCode == 200 {
					acked.Store(id, true)
				}
				if c == 0 && i == 50 {
					stop()
				}
			}
		})
	}
	wait.Wait()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	n := 0
	acked.Range(func(id, _ any) bool {
		n++
		h.record(id.(string))
		return true
	})
	if n < 50 {
		t.Errorf("only %d were answered", n)
	}
}

func BenchmarkReceive(b *testing.B) {
	h := start(b, newMapping(b, "email text contact.email", "first text contact.firstName", "last text contact.lastName", "source text contact.source",
		"subscribed boolean contact.subscribed", "grp text contact.userGroup", "at time contact.trialEndsAt"), func(c *Config) { c.Log = slog.New(slog.DiscardHandler) })
	body, _ := loops.Example(loops.ContactCreated)
	var n atomic.Int64
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			w := httptest.NewRecorder()
			h.receive.ServeHTTP(w, signed(b, h.url, "msg_"+strconv.FormatInt(n.Add(1), 10), body))
			if w.Code != 200 {
				b.Errorf("%d %s", w.Code, w.Body)
			}
		}
	})
}

// With a secret of this machine alone only its own programs are heard, whatever they have
// signed; and where samples are wanted, what is not signed is one, and never stored.
func TestTrial(t *testing.T) {
	body, _ := loops.Example(loops.ContactCreated)
	arrivals := make(chan Arrival, 1)
	for _, samples := range []bool{false, true} {
		h := start(t, newMapping(t), func(c *Config) {
			c.Trial, c.Samples, c.Public.Host = true, samples, ""
			c.Seen = func(a Arrival) { arrivals <- a }
		})
		do := func(q *http.Request) (int, string, Arrival) {
			code, got := do(t, q)
			return code, got, <-arrivals
		}
		if code, got, seen := do(signed(t, h.url, "trial_1", body)); code != 200 || !strings.Contains(got, "trial_1") || !seen.Trial || !seen.Signed {
			t.Errorf("samples %v: %d %s %+v", samples, code, got, seen)
		}
		q := signed(t, h.url, "trial_2", body)
		q.Host = "hooks.example.com"
		if code, got, _ := do(q); code != 403 {
			t.Errorf("samples %v, by another name: %d %s", samples, code, got)
		}
		q = signed(t, h.url, "trial_3", body)
		q.Header.Set("Origin", "https://evil.example")
		if code, got, _ := do(q); code != 403 {
			t.Errorf("samples %v, from a page: %d %s", samples, code, got)
		}
		unsigned, _ := http.NewRequest(http.MethodPost, h.url+Path, bytes.NewReader(body))
		wrong := signed(t, h.url, "trial_4", body)
		wrong.Header.Set("Webhook-Id", "trial_5")
		for _, q := range []*http.Request{unsigned, wrong} {
			want := 401
			if samples {
				want = 503
			}
			if code, got, seen := do(q); code != want || seen.Trial || seen.Signed || (seen.Delivery.Body != nil) != samples {
				t.Errorf("samples %v: %d %s %+v", samples, code, got, seen)
			}
		}
		list, err := h.store.Deliveries(t.Context(), table.Filter{})
		if err != nil || len(list) != 1 || list[0].ID != "trial_1" {
			t.Errorf("samples %v: stored %v, %v", samples, list, err)
		}
	}
}
