package receive

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"loopmap/mapping/loops"
)

// What is wrong with the headers is said before any of the body has come.
func TestHeaderFirst(t *testing.T) {
	h := start(t, newMapping(t), nil)
	addr := h.listen()
	good := head(t, "HTTP/1.1", "msg_1", nil)
	line := func(name string) string {
		_, rest, _ := strings.Cut(good, name+": ")
		value, _, _ := strings.Cut(rest, "\r\n")
		return name + ": " + value + "\r\n"
	}
	for name, x := range map[string][2]string{
		"no id":         {line("Webhook-Id"), ""},
		"no timestamp":  {line("Webhook-Timestamp"), ""},
		"no signature":  {line("Webhook-Signature"), ""},
		"stale":         {line("Webhook-Timestamp"), fmt.Sprintf("Webhook-Timestamp: %d\r\n", now.Unix()-301)},
		"ahead":         {line("Webhook-Timestamp"), fmt.Sprintf("Webhook-Timestamp: %d\r\n", now.Unix()+301)},
		"no number":     {line("Webhook-Timestamp"), "Webhook-Timestamp: now\r\n"},
		"no v1":         {line("Webhook-Signature"), "Webhook-Signature: v2,AAAA\r\n"},
		"no base64":     {line("Webhook-Signature"), "Webhook-Signature: v1,%%%%\r\n"},
		"an id doubled": {line("Webhook-Id"), "Webhook-Id: a\r\nWebhook-Id: a\r\n"},
		"a dot":         {line("Webhook-Id"), "Webhook-Id: a.b\r\n"},
	} {
		for _, framing := range []string{"Content-Length: 1000\r\n\r\n", "Content-Length: 1000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n",
			"Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n"} {
			conn := dial(t, addr)
			begun := time.Now()
			_, _ = io.WriteString(conn, strings.Replace(good, x[0], x[1], 1)+framing)
			answer, err := bufio.NewReader(conn).ReadString('\n')
			if !strings.Contains(answer, " 401 ") {
				t.Errorf("%s, %q: %q %v", name, framing, answer, err)
			}
			if took := time.Since(begun); took > 10*time.Second { // after 15 s it would be for want of the body
				t.Errorf("%s: answered after %v", name, took)
			}
			conn.Close()
		}
	}
}

// 1,000 bodies that are announced with 1 MB, sent but for their last byte and never ended
// take little memory, and keep nobody out whose body is small.
func TestStalledBodies(t *testing.T) {
	h := start(t, newMapping(t), nil)
	addr := h.listen()
	const announced = 1 << 20
	for name, headers := range map[string]string{
		"unsigned":  "POST " + Path + " HTTP/1.1\r\nHost: x\r\n",
		"as signed": head(t, "HTTP/1.1", "msg_stalled", nil),
	} {
		t.Run(name, func(t *testing.T) {
			peak := watchMemory()
			text := append([]byte(fmt.Sprintf("%sContent-Length: %d\r\n\r\n", headers, announced)), bytes.Repeat([]byte("x"), announced-1)...)
			var sent sync.WaitGroup
			conns := make(chan net.Conn, 1000)
			for range 50 {
				sent.Go(func() {
					for range 20 {
						conn := dial(t, addr)
						_ = conn.SetWriteDeadline(time.Now().Add(3 * time.Second))
						_, _ = conn.Write(text) // it may be cut off
						conns <- conn
					}
				})
			}
			body, _ := loops.Example(loops.ContactCreated)
			client := &http.Client{Timeout: long, Transport: &http.Transport{DisableKeepAlives: true}}
			good := func(when string) {
				p, err := client.Do(signed(t, "http://"+addr, "msg_"+strings.ReplaceAll(name+when, " ", ""), body))
				if err != nil {
					t.Fatal(err)
				}
				p.Body.Close()
				if p.StatusCode != http.StatusOK {
					t.Errorf("%s: a good one is answered %d", when, p.StatusCode)
				}
			}
			good("meanwhile")
			sent.Wait()
			good("then")
			close(conns)
			for conn := range conns {
				conn.Close()
			}
			if most := peak(); most > 90<<20 {
				t.Errorf("%d MB of memory", most>>20)
			} else {
				t.Logf("%d MB of memory", most>>20)
			}
		})
	}
}

// watchMemory returns a function that ends the watch and says what heap and stacks had at
// most, that of the senders here included.
func watchMemory() func() uint64 {
	stop, done := make(chan struct{}), make(chan uint64)
	go func() {
		most := uint64(0)
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse+m.StackInuse)
			select {
			case <-stop:
				done <- most
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() uint64 {
		close(stop)
		return <-done
	}
}

// Connections that say nothing, or nothing whole, make room: those that have been so for
// longest. Who is being answered stays.
func TestSilentConnections(t *testing.T) {
	h := start(t, newMapping(t), nil)
	addr := h.listen()
	const many = mostSilent + 200
	var conns []*net.TCPConn
	for i := range many {
		conn := dial(t, addr)
		if i%2 == 0 {
			_, _ = io.WriteString(conn, head(t, "HTTP/1.1", "msg_x", nil)+"Content-Length: 5\r\n\r\nx")
		}
		conns = append(conns, conn)
	}
	body, _ := loops.Example(loops.ContactCreated)
	if code, got := h.send("msg_1", body); code != 200 {
		t.Errorf("%d %s", code, got)
	}
	for i, conn := range conns[:190] { // the oldest; of the others, which may stay, nothing is asked
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Errorf("connection %d gets an answer", i)
		} else if os.IsTimeout(err) {
			t.Fatalf("connection %d is open still", i)
		}
	}
}

// A body that finds no room is answered 503, and what it has taken is given back.
func TestNoRoom(t *testing.T) {
	h := start(t, newMapping(t), nil)
	h.receive.room.large.Store(smallBody)
	h.receive.room.small.Store(smallBody)
	large := []byte(`{"eventName":"contact.created","contactIdentity":{"id":"x"},"contact":{"a":"` + strings.Repeat("x", 100<<10) + `"}}`)
	if code, got := h.send("msg_1", large); code != 503 {
		t.Errorf("%d %s", code, got)
	}
	body, _ := loops.Example(loops.ContactCreated)
	for i := range 100 {
		if code, got := h.send(fmt.Sprint("msg_small_", i), body); code != 200 {
			t.Fatalf("%d %s", code, got)
		}
	}
	h.receive.room.large.Store(1 << 20)
	for i := range 30 {
		if code, got := h.send(fmt.Sprint("msg_large_", i), large); code != 200 {
			t.Fatalf("%d %s", code, got)
		}
	}
}
