package receive

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/loops"
	"loopmap/mapping/table"
)

// long is for slow machines: nothing here is measured by it.
const long = time.Minute

// listen serves h as sync does, with its limits of time.
func (h *harness) listen() string {
	h.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, l, h.receive, slog.New(slog.DiscardHandler)) }()
	h.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			h.t.Error(err)
		}
	})
	return l.Addr().String()
}

func dial(t testing.TB, addr string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if errors.Is(err, syscall.EMFILE) {
		t.Skipf("this machine does not let a process open so many sockets: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(long)); err != nil {
		t.Fatal(err)
	}
	return conn.(*net.TCPConn)
}

// head is a request line and headers, signed for body, but for what frames it.
func head(t testing.TB, version, id string, body []byte) string {
	q := signed(t, "http://x", id, body)
	return fmt.Sprintf("POST %s %s\r\nHost: x\r\nWebhook-Id: %s\r\nWebhook-Timestamp: %s\r\nWebhook-Signature: %s\r\n",
		Path, version, id, q.Header.Get("Webhook-Timestamp"), q.Header.Get("Webhook-Signature"))
}

// whole is a request of a well-behaved client.
func whole(t testing.TB, id string, body []byte) string {
	return head(t, "HTTP/1.1", id, body) + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
}

// exchange sends bytes as they are, and returns the status of every answer that
// comes, 100 Continue too, until the server closes the connection.
func exchange(t testing.TB, addr, text string) (codes []int) {
	t.Helper()
	conn := dial(t, addr)
	_, _ = io.WriteString(conn, text)
	_ = conn.CloseWrite()
	r := bufio.NewReader(conn)
	for {
		p, err := http.ReadResponse(r, nil)
		if err != nil {
			var late net.Error
			if errors.As(err, &late) && late.Timeout() {
				t.Errorf("the connection is left open after %v", codes)
			}
			return codes
		}
		codes = append(codes, p.StatusCode)
		_, _ = io.Copy(io.Discard, p.Body)
	}
}

func (h *harness) stored() (ids []string) {
	h.t.Helper()
	list, err := h.store.Deliveries(context.Background(), table.Filter{Oldest: true})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, r := range list {
		ids = append(ids, r.ID)
	}
	return ids
}

// What stands on the wire, byte for byte: each case has a server of its own, and
// stores what it names and nothing else.
func TestWire(t *testing.T) {
	raw, _ := loops.Example(loops.ContactCreated)
	raw = body.Compact(raw)
	n := len(raw)
	one := whole(t, "msg_1", raw)
	smuggled := whole(t, "msg_2", raw)
	h1 := head(t, "HTTP/1.1", "msg_1", raw)
	chunked := func(body []byte) string { return fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body) }
	for _, c := range []struct {
		name   string
		text   string
		codes  []int
		stored []string
	}{
		{"pipelined", one + smuggled + strings.Replace(one, Path, "/nothing", 1) + whole(t, "msg_3", raw), []int{200, 200, 404, 200}, []string{"msg_1", "msg_2", "msg_3"}},
		{"pipelined, the same", one + one, []int{200, 200}, []string{"msg_1"}},
		{"behind a refused one", strings.Replace(one, "v1,", "v1,"+strings.Repeat("A", 43)+"= v0,", 1) + smuggled, []int{401, 200}, []string{"msg_2"}},
		{"behind one with wrong headers", strings.Replace(one, "v1,", "v1,AAAA", 1) + smuggled, []int{401}, nil},
		{"HTTP/1.0", head(t, "HTTP/1.0", "msg_1", raw) + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", n, raw), []int{200}, []string{"msg_1"}},
		{"HTTP/1.0 is not kept alive", strings.Replace(one, "HTTP/1.1", "HTTP/1.0", 1) + smuggled, []int{200}, []string{"msg_1"}},
		{"HTTP/1.0 without a length", head(t, "HTTP/1.0", "msg_1", raw) + "\r\n" + string(raw), []int{401}, nil},
		{"HTTP/2 without being asked", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{400}, nil},
		{"HTTP/9", strings.Replace(one, "HTTP/1.1", "HTTP/9.0", 1), []int{505}, nil},
		{"no HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", []int{400}, nil},
		{"100-continue", h1 + fmt.Sprintf("Expect: 100-continue\r\nContent-Length: %d\r\n\r\n%s", n, raw), []int{100, 200}, []string{"msg_1"}},
		{"100-continue, announced too large", h1 + "Expect: 100-continue\r\nContent-Length: 1073741824\r\n\r\n", []int{413}, nil},
		{"100-continue, encoded", h1 + "Expect: 100-continue\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\n", []int{415}, nil},
		{"another expectation", h1 + "Expect: tea\r\nContent-Length: 1\r\n\r\n", []int{417}, nil},
		{"chunked", h1 + "Transfer-Encoding: chunked\r\n\r\n" + chunked(raw) + smuggled, []int{200, 200}, []string{"msg_1", "msg_2"}},
		{"chunked, then trailers", h1 + "Transfer-Encoding: chunked\r\nTrailer: Webhook-Id\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\nWebhook-Id: msg_9\r\n\r\n", n, raw), []int{200}, []string{"msg_1"}},
		{"chunked and cut short", h1 + "Transfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n", n, raw), []int{400}, nil},
		{"a chunk shorter than announced", h1 + "Transfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", n+9, raw), []int{400}, nil},
		{"a chunk longer than announced", h1 + "Transfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", n-9, raw), []int{400}, nil},
		{"a chunk of -1", h1 + "Transfer-Encoding: chunked\r\n\r\n-1\r\n", []int{400}, nil},
		{"a chunk of 2^64", h1 + "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n", []int{400}, nil},
		{"chunks twice", h1 + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(raw), []int{501}, nil},
		{"chunks in disguise", h1 + fmt.Sprintf("Transfer-Encoding: xchunked\r\nContent-Length: %d\r\n\r\n%s", n, raw), []int{501}, nil},
		// The chunks count alone. Read by the length, the second request would be a body.
		{"a length beside chunks", h1 + fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n", 5+len(smuggled)) + "0\r\n\r\n" + smuggled, []int{401, 200}, []string{"msg_2"}},
		// And read by the chunks it is a body, which the signature does not fit.
		{"a short length beside chunks", h1 + fmt.Sprintf("Transfer-Encoding: chunked\r\nContent-Length: %d\r\n\r\n", 5) + chunked([]byte(smuggled)), []int{401}, nil},
		{"two lengths", h1 + fmt.Sprintf("Content-Length: %d\r\nContent-Length: %d\r\n\r\n%s", n, n+len(smuggled), raw) + smuggled, []int{400}, nil},
		{"two lengths in one line", h1 + fmt.Sprintf("Content-Length: %d, %d\r\n\r\n%s", n, n, raw), []int{400}, nil},
		{"a length of -1", h1 + "Content-Length: -1\r\n\r\n" + string(raw), []int{400}, nil},
		{"a length with a sign", h1 + fmt.Sprintf("Content-Length: +%d\r\n\r\n%s", n, raw), []int{400}, nil},
		{"a length beyond 2^63", h1 + "Content-Length: 9223372036854775808\r\n\r\n", []int{400}, nil},
		{"a length before a blank", h1 + fmt.Sprintf("Content-Length : %d\r\n\r\n%s", n, raw), []int{400}, nil},
		{"shorter than announced", h1 + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", n+1, raw), []int{400}, nil},
		{"longer than announced", h1 + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", n, raw) + strings.Repeat("}", 100) + "\r\n\r\n", []int{200, 400}, []string{"msg_1"}},
		{"cut by its length", h1 + fmt.Sprintf("Content-Length: %d\r\n\r\n%s\r\n\r\n", n-1, raw), []int{401, 400}, nil},
		{"no length", h1 + "\r\n" + string(raw) + "\r\n\r\n", []int{401, 400}, nil},
		{"no host", strings.Replace(one, "Host: x\r\n", "", 1), []int{400}, nil},
		{"two hosts", strings.Replace(one, "Host: x\r\n", "Host: x\r\nHost: y\r\n", 1), []int{400}, nil},
		{"two ids", strings.Replace(one, "Host: x\r\n", "Host: x\r\nWebhook-Id: msg_2\r\n", 1), []int{401}, nil},
		{"a header with NUL", strings.Replace(one, "Host: x\r\n", "Host: x\r\nX: \x00\r\n", 1), []int{400}, nil},
		{"headers without end", "POST " + Path + " HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: "+strings.Repeat("x", 1000)+"\r\n", 100), []int{431}, nil},
		{"a path without end", "POST /" + strings.Repeat("x", 100_000) + " HTTP/1.1\r\nHost: x\r\n\r\n", []int{431}, nil},
		{"lines ended by LF alone", strings.ReplaceAll(one, "\r\n", "\n"), []int{200}, []string{"msg_1"}},
		{"an absolute address", strings.Replace(one, Path, "http://x"+Path, 1), []int{200}, []string{"msg_1"}},
		{"CONNECT", "CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n", []int{404}, nil},
		{"TRACE", "TRACE " + Path + " HTTP/1.1\r\nHost: x\r\nWebhook-Id: secret\r\n\r\n", []int{405}, nil},
		{"a small method", strings.Replace(one, "POST", "post", 1), []int{405}, nil},
		{"the path and more", strings.Replace(one, Path, Path+"/", 1), []int{404}, nil},
		{"the path in capitals", strings.Replace(one, Path, strings.ToUpper(Path), 1), []int{404}, nil},
		{"an upgrade", strings.Replace(one, "Host: x\r\n", "Host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n", 1), []int{200}, []string{"msg_1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := start(t, newMapping(t), nil)
			addr := h.listen()
			if codes := exchange(t, addr, c.text); !slices.Equal(codes, c.codes) {
				t.Errorf("answered %v, want %v", codes, c.codes)
			}
			if ids := h.stored(); !slices.Equal(ids, c.stored) {
				t.Errorf("stored %v, want %v", ids, c.stored)
			}
			for _, id := range c.stored {
				if !bytes.Equal(h.record(id).Body, raw) {
					t.Errorf("%s: other bytes are kept", id)
				}
			}
			if codes := exchange(t, addr, whole(t, "msg_after", raw)); !slices.Equal(codes, []int{200}) {
				t.Errorf("a good delivery after it is answered %v", codes)
			}
		})
	}
}

// An encoded body is refused before it is read: nothing here unpacks anything.
func TestEncoded(t *testing.T) {
	h := start(t, newMapping(t), nil)
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	if _, err := z.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	z.Close()
	for _, encoding := range [][]string{{"gzip"}, {"GZIP"}, {"br"}, {"x"}, {"identity, gzip"}, {"identity", "gzip"}} {
		q := signed(t, h.url, "msg_1", bomb.Bytes())
		q.Header["Content-Encoding"] = encoding
		if code, got := do(t, q); code != http.StatusUnsupportedMediaType {
			t.Errorf("%q: %d %s", encoding, code, got)
		}
	}
	q := signed(t, h.url, "msg_2", []byte("{}"))
	q.Header.Set("Content-Encoding", "identity")
	if code, got := do(t, q); code != http.StatusOK {
		t.Errorf("identity: %d %s", code, got)
	}
	if ids := h.stored(); !slices.Equal(ids, []string{"msg_2"}) {
		t.Errorf("stored: %v", ids)
	}
}

// A body of 1 GiB is refused early, and costs no more memory than one that is
// just too large.
func TestEndlessBody(t *testing.T) {
	const gib = 1 << 30
	h := start(t, newMapping(t), nil)
	addr := h.listen()
	block := bytes.Repeat([]byte("x"), 1<<16)
	for _, c := range []struct{ name, framing, before, after string }{
		{"announced", fmt.Sprintf("Content-Length: %d\r\n\r\n", gib), "", ""},
		{"chunked", "Transfer-Encoding: chunked\r\n\r\n", fmt.Sprintf("%x\r\n", len(block)), "\r\n"},
	} {
		piece := append(append([]byte(c.before), block...), c.after...)
		opening := head(t, "HTTP/1.1", "msg_1", nil) + c.framing
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		// A client that goes on sending may see the connection reset before it sees the
		// answer; most often it does not.
		got, sent := "", 0
		for try := 0; try < 5 && !strings.Contains(got, " 413 "); try++ {
			conn := dial(t, addr)
			if _, err := io.WriteString(conn, opening); err != nil {
				t.Fatal(err)
			}
			answer := make(chan string, 1)
			go func() {
				line, err := bufio.NewReader(conn).ReadString('\n')
				answer <- fmt.Sprint(strings.TrimSpace(line), " ", err)
			}()
			for sent = 0; sent < gib; {
				n, err := conn.Write(piece)
				if sent += n; err != nil {
					break
				}
			}
			got = <-answer
			conn.Close()
		}
		runtime.ReadMemStats(&after)
		if !strings.Contains(got, " 413 ") {
			t.Errorf("%s: %s", c.name, got)
		}
		if sent > 64<<20 {
			t.Errorf("%s: %d bytes of it were taken", c.name, sent)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 32<<20 {
			t.Errorf("%s: %d bytes of memory for it", c.name, grown)
		}
	}
	if ids := h.stored(); len(ids) > 0 {
		t.Errorf("stored: %v", ids)
	}
}

// 2,000 sockets that trickle, half of them in their headers, half in the body:
// a good delivery is answered as if they were not there.
func TestTricklingSockets(t *testing.T) {
	h := start(t, newMapping(t), nil)
	addr := h.listen()
	body, _ := loops.Example(loops.ContactCreated)
	var conns []*net.TCPConn
	for i := range 2000 {
		conn := dial(t, addr)
		text := "POST " + Path + " HTTP/1.1\r\nHost: x\r\nX: "
		if i%2 == 1 {
			text = head(t, "HTTP/1.1", fmt.Sprintf("msg_slow_%d", i), body) + "Content-Length: 100000\r\n\r\n"
		}
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
	}
	ctx, stop := context.WithCancel(context.Background())
	var trickle sync.WaitGroup
	defer trickle.Wait()
	defer stop()
	trickle.Go(func() {
		for {
			for _, conn := range conns {
				_, _ = conn.Write([]byte("x")) // the server may have cut it off
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Second):
			}
		}
	})
	client := &http.Client{Timeout: long, Transport: &http.Transport{DisableKeepAlives: true}}
	var took []time.Duration
	for i := range 21 {
		begun := time.Now()
		p, err := client.Do(signed(t, "http://"+addr, fmt.Sprintf("msg_%d", i), body))
		if err != nil {
			t.Fatal(err)
		}
		p.Body.Close()
		took = append(took, time.Since(begun))
		if p.StatusCode != http.StatusOK {
			t.Errorf("answered %d", p.StatusCode)
		}
		time.Sleep(100 * time.Millisecond)
	}
	slices.Sort(took)
	t.Logf("answered within %v, half of them within %v", took[20], took[10])
	if took[10] > time.Second { // one alone may be late on a machine with other things to do
		t.Errorf("a good delivery takes %v", took[10])
	}
	if ids := h.stored(); len(ids) != 21 {
		t.Errorf("stored: %v", ids)
	}
}

// pipes is a listener without a network, for tests on a fake clock.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial() net.Conn {
	here, there := net.Pipe()
	p.conns <- there
	return here
}

// kept is a journal in memory.
type kept struct {
	mu  sync.Mutex
	ids []string
}

func (k *kept) Commit(_ context.Context, entries []mapping.Entry) (out []mapping.Outcome, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range entries {
		k.ids = append(k.ids, e.ID)
		out = append(out, mapping.Outcome{Status: e.Status})
	}
	return out, nil
}

func (k *kept) Ready(context.Context, *mapping.Entry) error { return nil }

func (k *kept) Waiting(context.Context) (int64, int64, error) { return 0, 0, nil }

// Clients that are slow are cut off, each at its time, by a clock that is made up.
func TestSlowClients(t *testing.T) {
	body, _ := loops.Example(loops.ContactCreated)
	secrets, err := loops.ParseSecrets([]string{secret})
	if err != nil {
		t.Fatal(err)
	}
	m := newMapping(t)
	for _, c := range []struct {
		name    string
		at      string // what is sent at once
		then    string // what follows, a byte a second, over and over
		unread  bool   // the answer is not read
		cut     time.Duration
		answers string // what has come by then
		stored  int
	}{
		{"silence", "", "", false, 5 * time.Second, "", 0},
		{"slow headers", "POST " + Path + " HTTP/1.1\r\nHost: x\r\nX: ", "x", false, 5 * time.Second, "", 0},
		{"slow body", head(t, "HTTP/1.1", "msg_1", body) + "Content-Length: 100000\r\n\r\n", "x", false, 15 * time.Second, "400", 0},
		{"slow chunks", head(t, "HTTP/1.1", "msg_1", body) + "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", false, 15 * time.Second, "400", 0},
		{"slow, but well within time", head(t, "HTTP/1.1", "msg_1", []byte("xxx")) + "Content-Length: 3\r\n\r\n", "xxx", false, 122 * time.Second, "200", 1},
		{"idle after its answer", whole(t, "msg_1", body), "", false, 2 * time.Minute, "200", 1},
		{"the answer is not read", whole(t, "msg_1", body), "", true, 30 * time.Second, "", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				journal := &kept{}
				r := New(Config{Verify: secrets.Verify, Check: loops.CheckHeader, Mapping: func() *mapping.Mapping { return m }, Journal: journal,
					Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)})
				l := newPipes()
				ctx, stop := context.WithCancel(context.Background())
				ended := make(chan error, 1)
				go func() { ended <- Serve(ctx, l, r, slog.New(slog.DiscardHandler)) }()

				conn, begun := l.dial(), time.Now()
				closed := make(chan struct{})
				var answers []string
				go func() {
					defer close(closed)
					if c.unread {
						<-time.After(c.cut + time.Second)
						if _, err := conn.Write([]byte("x")); err == nil {
							t.Error("the connection is open still")
						}
						begun = begun.Add(time.Second)
						return
					}
					for r := bufio.NewReader(conn); ; {
						p, err := http.ReadResponse(r, nil)
						if err != nil {
							return
						}
						answers = append(answers, fmt.Sprint(p.StatusCode))
						_, _ = io.Copy(io.Discard, p.Body)
					}
				}()
				var writing sync.WaitGroup
				writing.Go(func() {
					_, err := io.WriteString(conn, c.at)
					for i := 0; err == nil && c.then != "" && (c.answers != "200" || i < len(c.then)); i++ {
						time.Sleep(time.Second)
						_, err = io.WriteString(conn, c.then[i%len(c.then):i%len(c.then)+1])
					}
				})
				<-closed
				if took := time.Since(begun); took < c.cut || took > c.cut+2*time.Second {
					t.Errorf("cut off after %v, want %v", took, c.cut)
				}
				if got := strings.Join(answers, " "); got != c.answers {
					t.Errorf("answered %q, want %q", got, c.answers)
				}
				conn.Close()
				writing.Wait()
				stop()
				if err := <-ended; err != nil {
					t.Error(err)
				}
				r.Close()
				if len(journal.ids) != c.stored {
					t.Errorf("stored: %v", journal.ids)
				}
			})
		})
	}
}

// A body that has arrived whole is stored also when its sender is gone by then.
func TestGoneBeforeTheAnswer(t *testing.T) {
	h := start(t, newMapping(t), nil)
	addr := h.listen()
	body, _ := loops.Example(loops.ContactCreated)
	for i := range 20 {
		conn := dial(t, addr)
		if _, err := io.WriteString(conn, whole(t, fmt.Sprintf("msg_%d", i), body)); err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	for deadline := time.Now().Add(long); len(h.stored()) < 20; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("stored: %v", h.stored())
		}
	}
}

// A defect takes one request with it, not the process: 500, nothing stored, and
// the next one is served.
func TestPanic(t *testing.T) {
	body, _ := loops.Example(loops.ContactCreated)
	for name, change := range map[string]func(*Config, func()){
		"in the check": func(c *Config, defect func()) {
			verify := c.Verify
			c.Verify = func(h http.Header, body []byte, now time.Time) (string, error) {
				defect()
				return verify(h, body, now)
			}
		},
		"in the mapping": func(c *Config, defect func()) {
			read := c.Mapping
			c.Mapping = func() *mapping.Mapping { defect(); return read() }
		},
	} {
		t.Run(name, func(t *testing.T) {
			var once sync.Once
			h := start(t, newMapping(t), func(c *Config) {
				change(c, func() { once.Do(func() { panic("a defect, with " + secret) }) })
			})
			addr := h.listen()
			if codes := exchange(t, addr, whole(t, "msg_bad", body)); !slices.Equal(codes, []int{http.StatusInternalServerError}) {
				t.Errorf("answered %v, want 500", codes)
			}
			if codes := exchange(t, addr, whole(t, "msg_1", body)); !slices.Equal(codes, []int{http.StatusOK}) {
				t.Errorf("the next one: %v", codes)
			}
			if ids := h.stored(); !slices.Equal(ids, []string{"msg_1"}) {
				t.Errorf("stored: %v", ids)
			}
			if log := h.logs.String(); strings.Contains(log, secret) || strings.Contains(log, "@") {
				t.Errorf("the log holds what is private:\n%s", log)
			}
		})
	}
}

// A clock that is a minute off is named before it is five, when webhooks are refused.
func TestClockOff(t *testing.T) {
	now := time.Unix(1795421000, 0)
	for stamp, want := range map[string]time.Duration{"1795421000": 0, "1795420900": 100 * time.Second, "1795421100": -100 * time.Second, "": 0, "x": 0} {
		if got := clockOff(http.Header{"Webhook-Timestamp": {stamp}}, now); got != want {
			t.Errorf("%q: %v, want %v", stamp, got, want)
		}
	}
}
