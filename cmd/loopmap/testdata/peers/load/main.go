// Command load sends webhooks as Loops does, each about a new contact and freshly
// signed with LOOPS_SIGNING_SECRET, over so many connections, one request at a time on
// each. It prints one JSON object of what came back. With -lines it sends nothing and
// prints that many deliveries, one a line, the same ones each time.
//
// It speaks HTTP over plain sockets, so as to leave the processor to the receiver,
// which shares the machine.
package main

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

func main() {
	addr := flag.String("addr", "", "host:port to send to")
	path := flag.String("path", "/webhooks/loops", "path to send to")
	connections := flag.Int("c", 1, "connections")
	requests := flag.Int("n", math.MaxInt, "requests on each connection at most")
	limit := flag.Duration("time", time.Minute, "send for so long at most")
	lines := flag.Int("lines", 0, "print so many deliveries instead")
	flag.Parse()
	if *lines > 0 {
		if err := printLines(*lines); err != nil {
			log.Fatal(err)
		}
		return
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(os.Getenv("LOOPS_SIGNING_SECRET"), "whsec_"))
	if err != nil || len(key) == 0 {
		log.Fatal("LOOPS_SIGNING_SECRET is not a whsec_ secret")
	}
	began := time.Now()
	var wg sync.WaitGroup
	senders := make([]sender, *connections)
	for i := range senders {
		s := &senders[i]
		s.host, s.path, s.key, s.until = *addr, *path, key, began.Add(*limit)
		s.made = maker{rand.New(rand.NewPCG(uint64(began.UnixNano()), uint64(i)))}
		wg.Go(func() { s.send(*requests) })
	}
	wg.Wait()
	seconds := time.Since(began).Seconds()
	var took []time.Duration
	refused, failed := 0, ""
	for _, s := range senders {
		took = append(took, s.took...)
		refused += s.refused
		if s.err != nil {
			failed = s.err.Error()
		}
	}
	slices.Sort(took)
	at := func(q float64) float64 {
		if len(took) == 0 {
			return 0
		}
		return float64(took[int(q*float64(len(took)-1))]) / float64(time.Millisecond)
	}
	out := map[string]any{"acked": len(took), "rate": float64(len(took)) / seconds, "p50": at(0.5), "p99": at(0.99), "refused": refused,
		"error": failed}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		log.Fatal(err)
	}
}

// sender is one connection, and what came back on it.
type sender struct {
	host, path string
	key        []byte
	until      time.Time
	made       maker

	took    []time.Duration // of each request that was acknowledged
	refused int             // answers other than 2xx
	err     error           // which ended the connection
}

func (s *sender) send(n int) {
	conn, err := net.Dial("tcp", s.host)
	if err != nil {
		s.err = err
		return
	}
	defer conn.Close()
	in, mac := bufio.NewReader(conn), hmac.New(sha256.New, s.key)
	var body, signed, out []byte
	for ; n > 0 && time.Now().Before(s.until); n-- {
		now := time.Now()
		id, stamp := s.made.id("msg_", now), strconv.FormatInt(now.Unix(), 10)
		body = s.made.contact(body[:0], now)
		signed = fmt.Appendf(signed[:0], "%s.%s.%s", id, stamp, body)
		mac.Reset()
		mac.Write(signed)
		out = fmt.Appendf(out[:0], "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"+
			"webhook-id: %s\r\nwebhook-timestamp: %s\r\nwebhook-signature: v1,%s\r\n\r\n%s",
			s.path, s.host, len(body), id, stamp, base64.StdEncoding.EncodeToString(mac.Sum(nil)), body)
		sent := time.Now()
		if _, s.err = conn.Write(out); s.err != nil {
			return
		}
		code, err := answer(in)
		if err != nil {
			s.err = err
			return
		}
		if code/100 != 2 {
			s.refused++
			continue
		}
		s.took = append(s.took, time.Since(sent))
	}
}

// answer reads one HTTP response, which must say its length, and returns its status.
func answer(in *bufio.Reader) (code int, err error) {
	length := -1
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimSpace(line)
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case first:
			fields := bytes.Fields(line)
			if len(fields) < 2 {
				return 0, errors.New("no HTTP response")
			}
			if code, err = strconv.Atoi(string(fields[1])); err != nil {
				return 0, err
			}
		case len(line) == 0:
			if length < 0 {
				return 0, errors.New("a response without Content-Length")
			}
			_, err = in.Discard(length)
			return code, err
		case bytes.EqualFold(name, []byte("content-length")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, err
			}
		}
	}
}

// printLines prints n deliveries, one a line.
func printLines(n int) error {
	w := bufio.NewWriterSize(os.Stdout, 1<<20)
	made := maker{rand.New(rand.NewPCG(1, 2))}
	var body []byte
	for i := range n {
		at := time.UnixMilli(1795421000000 + int64(i)*100)
		body = made.contact(body[:0], at)
		if _, err := fmt.Fprintf(w, `{"id":"%s","timestamp":"%d","body":%s}`+"\n", made.id("msg_", at), at.Unix(), body); err != nil {
			return err
		}
	}
	return w.Flush()
}

// maker makes contacts up.
type maker struct{ *rand.Rand }

// id is a new identifier: the time, and then 16 letters by chance, so that ids ascend
// as those of Loops do.
func (m maker) id(prefix string, at time.Time) string {
	const letters = "abcdefghijklmnopqrstuvwxyz012345"
	b := strconv.AppendInt(append(make([]byte, 0, 32), prefix...), at.UnixMilli(), 36)
	n, more := m.Uint64(), m.Uint64()
	for range 8 {
		b = append(b, letters[n%32], letters[more%32])
		n, more = n/32, more/32
	}
	return string(b)
}

var (
	firstNames = []string{"Ada", "Dana", "Inès", "Jürgen", "Lee", "Mei", "Noor", "Oluwaseun", "Priya", "Tomás"}
	lastNames  = []string{"Byron", "Okafor", "Lindqvist", "Müller", "O'Neill", "Park", "Rossi", "Sørensen", "Tanaka", "van Dijk"}
	companies  = []string{"Northwind Traders", "Fabrikam", "Tailspin Toys", "Contoso Pharmaceuticals", "Adventure Works",
		"Wide World Importers"}
	sources = []string{"Signup page", "API", "Form", "CSV import", "Referral"}
	groups  = []string{"trial", "beta testers", "paying", "newsletter"}
)

func (m maker) of(list []string) string { return list[m.IntN(len(list))] }

// contact appends the body of a contact.created event, about 1 KB.
func (m maker) contact(b []byte, at time.Time) []byte {
	id, first, last := m.id("cm", at), m.of(firstNames), m.of(lastNames)
	email := id[10:20] + "@northwind-traders.example"
	return fmt.Appendf(b, `{"eventName":"contact.created","eventTime":%d,"webhookSchemaVersion":"1.0.0",`+
		`"contactIdentity":{"id":"%s","email":"%s","userId":"usr_%s"},`+
		`"contact":{"id":"%[2]s","email":"%[3]s","firstName":"%[5]s","lastName":"%[6]s","source":"%[7]s","subscribed":true,`+
		`"userGroup":"%[8]s","userId":"usr_%[4]s","notes":null,`+
		`"mailingLists":{"cml41product000123456789a":true,"cml42invest0000123456789a":true},"optInStatus":null,`+
		`"companyName":"%[9]s","teamSize":%[10]d,"isAdmin":%[11]t,"trialEndsAt":"2026-12-07T00:00:00.000Z","lifetimeValue":%[12]d.5,`+
		`"jobTitle":"Head of Customer Operations","country":"GB","city":"London","phone":"+44 20 7946 0958","locale":"en-GB","plan":"growth",`+
		`"referrer":"https://www.example.com/blog/how-we-cut-onboarding-time?utm_source=newsletter&utm_medium=email&utm_campaign=autumn",`+
		`"interest":"Asked for a demo of the reporting module; prefers to be written to in the morning, London time."}}`,
		at.Unix(), id, email, id[18:], first, last, m.of(sources), m.of(groups), m.of(companies), m.IntN(500), m.IntN(2) == 0, m.IntN(3000))
}
