//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creack/pty"

	"loopmap/mapping"
	"loopmap/mapping/loops"
	"loopmap/mapping/outgoing"
	"loopmap/mapping/push"
	"loopmap/mapping/receive"
)

// tailed is a mapping that takes deliveries and sends rows.
const tailed = mapsContacts + `    - {name: team_size,  type: integer, from: contact.teamSize}
push:
  auto: true
  contact:
    email: email
    properties: {plan: plan}
  events:
    - {name: upgraded, only_run_if: plan == "pro", properties: {plan: plan}}
`

// tailing is sync on a terminal, with a Loops beside it.
type tailing struct {
	*terminal
	*poster
	dir string
}

// poster posts webhooks to a sync.
type poster struct {
	tb     testing.TB
	addr   string
	client http.Client
}

func newPoster(t testing.TB, addr string) *poster {
	return &poster{t, addr, http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}}
}

func startTail(t *testing.T, w, h int, env []string, args ...string) *tailing {
	t.Helper()
	dir, addr, _, loopsEnv := pushFolder(t)
	if err := os.WriteFile(filepath.Join(dir, "loopmap.yaml"), []byte(tailed), 0o600); err != nil {
		t.Fatal(err)
	}
	x := &tailing{openTerminal(t, dir, w, h, append(loopsEnv, env...), append([]string{"sync", "--listen", addr}, args...)...), newPoster(t, addr), dir}
	x.wait("listening", "sending rows to Loops")
	return x
}

// post sends a webhook, signed with a secret, and wants a status.
func (x *poster) post(id, secret, event, email, size string, want int) {
	x.tb.Helper()
	name, _ := json.Marshal(email)
	kind, _ := json.Marshal(event)
	body := fmt.Appendf(nil, `{"eventName":%s,"eventTime":1795421060,"contactIdentity":{"id":%q,"email":%s,"userId":null},"contact":{"id":%q,"email":%s,"firstName":"Dana","teamSize":%s}}`,
		kind, id, name, id, name, size)
	at := time.Now()
	signature, err := loops.Sign(secret, id, at, body)
	if err != nil {
		x.tb.Fatal(err)
	}
	q, err := http.NewRequest(http.MethodPost, "http://"+x.addr+receive.Path, bytes.NewReader(body))
	if err != nil {
		x.tb.Fatal(err)
	}
	q.Header = http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {strconv.FormatInt(at.Unix(), 10)}, "Webhook-Signature": {signature}}
	p, err := x.client.Do(q)
	if err != nil {
		x.tb.Fatal(err)
	}
	p.Body.Close()
	if p.StatusCode != want {
		x.tb.Fatalf("%s is answered %d, want %d", id, p.StatusCode, want)
	}
}

const otherSecret = "whsec_AAEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

// What differs from run to run, in as many cells.
var (
	clockText = regexp.MustCompile(`\d\d:\d\d:\d\d`)
	tookText  = regexp.MustCompile(`[ 0-9.]{4} ms\b|[ 0-9.]{5} s\b`)
	portText  = regexp.MustCompile(`127\.0\.0\.1:\d{5}`)
	rateText  = regexp.MustCompile(`[0-9,]+/s`)
)

// shown is the screen with its colours, as it can be compared.
func (x *tailing) shown() string {
	x.mu.Lock()
	text := x.screen.Render()
	x.mu.Unlock()
	text = clockText.ReplaceAllString(text, "12:34:56")
	text = tookText.ReplaceAllString(text, "    ms ")
	text = portText.ReplaceAllString(text, "127.0.0.1:12345")
	var lines []string
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\x1b", "^"), "\n") {
		if strings.Contains(line, "listening") { // what was done to the table before is for other tests
			lines = nil
		}
		lines = append(lines, strings.TrimRight(strings.TrimSuffix(line, "\r"), " "))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

// await waits until the screen is as somebody wants it.
func (x *tailing) await(ready func(text string) bool) {
	x.t.Helper()
	eventually(x.t, func() (bool, string) { text := x.text(); return ready(text), text })
}

// How sync looks on terminals: as wide as they are, with the colours and characters that
// they have.
func TestTailOnTerminals(t *testing.T) {
	for name, env := range map[string][]string{
		"colour":   {"LANG=C.UTF-8"},
		"no_color": {"LC_ALL=en_US.utf8", "LANG=C", "NO_COLOR=yes"},
		"ascii":    {"LC_CTYPE=C", "LANG=C.UTF-8"},
	} {
		for _, width := range []int{80, 120} {
			name := fmt.Sprintf("%s_%d", name, width)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				x := startTail(t, width, 40, env)
				x.post("msg_1", testSecret, "contact.created", "dana.okafor@northwind.example", "12", http.StatusOK)
				x.post("msg_1", testSecret, "contact.created", "dana.okafor@northwind.example", "12", http.StatusOK)
				x.post("msg_2", testSecret, "contact.mailingList.unsubscribed", "a.rather.long.name@and-a-rather-long-domain.example", "1", http.StatusOK)
				x.post("msg_3", testSecret, "contact.created", "bo\u00eb@fabrikam.example", `"many"`, http.StatusOK)
				x.post("msg_4", otherSecret, "contact.created", "eve@example.com", "1", http.StatusUnauthorized)
				x.wait("seen before", "refused 401")
				execSQL(t, filepath.Join(x.dir, "contacts.db"), `UPDATE contacts SET plan = 'team' WHERE loops_id = 'own-1'`)
				x.await(func(s string) bool { return strings.Contains(s, "sent 200") && strings.Contains(s, "not met") })
				execSQL(t, filepath.Join(x.dir, "contacts.db"), `UPDATE contacts SET plan = 'team' WHERE loops_id = 'own-3'`)
				x.await(func(s string) bool {
					return strings.Contains(s, "1 failed") && strings.Contains(s, "1 quarantined   1") && strings.Count(s, "not met") == 2 && !rateText.MatchString(s)
				})
				if !x.silent(4*tailEvery, 30*time.Second) {
					t.Error("it writes although nothing happens")
				}
				x.golden(name)
				if err := x.cmd.Process.Signal(syscall.SIGINT); err != nil {
					t.Fatal(err)
				}
				if code := x.exit(); code != 0 {
					t.Errorf("exit status %d", code)
				}
				if text := x.text(); strings.Contains(text, "4 deliveries") || !strings.HasSuffix(strings.TrimSpace(text), "stopped") {
					t.Errorf("what is left:\n%s", text)
				}
			})
		}
	}
}

func (x *tailing) golden(name string) {
	x.t.Helper()
	file, got := filepath.Join("testdata", "tail", name+".golden"), x.shown()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			x.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		x.t.Fatal(err)
	}
	if got != string(want) {
		x.t.Errorf("%s is another screen (go test ./cmd/loopmap -run Tail -update):\n%s", file, got)
	}
}

// Many at once break no line: each is whole, the one at the bottom stands there once, and
// all are shown or counted. A resize cuts it to the new width.
func TestTailBurst(t *testing.T) {
	t.Parallel()
	const many = 2000
	x := startTail(t, 80, 50, []string{"LANG=C.UTF-8", "NO_COLOR=1"})
	began := time.Now()
	var work sync.WaitGroup
	for worker := range 8 {
		work.Go(func() {
			for i := worker; i < many; i += 8 {
				x.post(fmt.Sprint("msg_", i), testSecret, "contact.created", fmt.Sprintf("contact%d@example.com", i), "12", http.StatusOK)
			}
		})
	}
	work.Wait()
	x.await(func(s string) bool { return strings.Contains(s, "2,000 deliveries") })
	took := time.Since(began)
	if err := pty.Setsize(x.pty, &pty.Winsize{Cols: 24, Rows: 50}); err != nil {
		t.Fatal(err)
	}
	x.mu.Lock()
	x.screen.Resize(24, 50)
	before := len(x.raw)
	x.mu.Unlock()
	eventually(t, func() (bool, string) {
		x.mu.Lock()
		defer x.mu.Unlock()
		return strings.HasSuffix(string(x.raw[before:]), "deliveries\x1b[m\r"), string(x.raw[before:])
	})
	x.mu.Lock()
	raw := string(x.raw)
	x.mu.Unlock()
	frames := strings.Split(raw, "\r\x1b[J")
	if most := int(took/tailEvery) + 20; len(frames) > most {
		t.Errorf("%d frames in %v, want %d at most", len(frames), took, most)
	}
	bottom := regexp.MustCompile(`^ \S.*(deliver|deliveries)\b.*\r$`)
	line := regexp.MustCompile(`^\d\d:\d\d:\d\d ← contact\.created  (\S+) +applied +[0-9.]+ m?s\r$`)
	over := regexp.MustCompile(`^\d\d:\d\d:\d\d ← \+([0-9,]+) deliveries  [0-9,]+ applied\r$`)
	style := regexp.MustCompile(`\x1b\[[0-9;]*m`)
	shown, counted, started := map[string]bool{}, 0, false
	for i, frame := range frames {
		lines := strings.Split(style.ReplaceAllString(frame, ""), "\n")
		for n, s := range lines {
			switch m, o := line.FindStringSubmatch(s), over.FindStringSubmatch(s); {
			case m != nil:
				shown[m[1]] = true
			case o != nil:
				k, _ := strconv.Atoi(strings.ReplaceAll(o[1], ",", ""))
				counted += k
			case n == len(lines)-1 && (bottom.MatchString(s) || strings.HasSuffix(s, "yet\r")):
			case started:
				t.Errorf("frame %d has a broken line: %q", i, s)
			}
		}
		started = started || strings.Contains(frame, "sending rows to Loops")
	}
	if len(shown)+counted != many {
		t.Errorf("%d are shown and %d counted, of %d", len(shown), counted, many)
	}
}

// Nothing that comes from outside is a command to the terminal.
func TestTailHostile(t *testing.T) {
	t.Parallel()
	for _, locale := range []string{"C.UTF-8", "C"} {
		x := startTail(t, 120, 40, []string{"LANG=" + locale})
		x.post("msg_1", testSecret, "contact.created", "\x1b]0;owned\x07\u009b31m\u202e@x", "1", http.StatusOK)
		x.post("msg_2", testSecret, "a\x1b[2J\u009b31m", "dana@example.com", "1", http.StatusOK)
		x.post("msg_3", testSecret, "contact.created", "dana@example.com", `"\u001b]0;owned\u0007"`, http.StatusOK)
		x.wait("applied", "ignored", "quarantined")
		x.mu.Lock()
		raw := string(x.raw)
		x.mu.Unlock()
		for _, never := range []string{"\x1b]", "\u009b", "\u202e", "\x1b[2J", "\x07"} {
			if strings.Contains(raw, never) {
				t.Errorf("%s: %q is written", locale, never)
			}
		}
		if want := map[string]string{"C.UTF-8": "␛]0;owned␇⟨U+009B⟩", "C": "<U+001B>]0;owned<U"}[locale]; !strings.Contains(raw, want) {
			t.Errorf("%s: it is not shown:\n%s", locale, x.text())
		}
		if i := strings.IndexFunc(raw, func(r rune) bool { return r > 0x7e }); locale == "C" && i >= 0 {
			t.Errorf("not only ASCII: %q", raw[i:min(len(raw), i+20)])
		}
	}
}

// With --no-data no form of the log has an email, a row's key, or what Loops says of one.
func TestTailWithoutData(t *testing.T) {
	t.Parallel()
	feed := func(x *tailing) {
		x.post("msg_1", testSecret, "contact.created", "dana@secret.example", "1", http.StatusOK)
		x.post("msg_2", testSecret, "contact.created", "dana@secret.example", `"secret"`, http.StatusOK)
		execSQL(t, filepath.Join(x.dir, "contacts.db"), `UPDATE contacts SET plan = 'team' WHERE loops_id = 'own-3'`)
	}
	for _, args := range [][]string{{"--no-data"}, {"--no-data", "-o", "json"}, {}} {
		x := startTail(t, 120, 40, nil, args...)
		feed(x)
		x.wait("applied", "quarantined", "failed", "msg_2")
		x.await(func(s string) bool { return strings.Contains(s, "failed 400") || strings.Contains(s, `"code":400`) })
		text := x.text()
		for _, data := range []string{"dana", "own-3", "secret", "not an email"} {
			if has := strings.Contains(text, data); has != (len(args) == 0) && (has || data != "not an email") {
				t.Errorf("sync %q: %q: %v:\n%s", args, data, has, text)
			}
		}
	}
}

// The log elsewhere than on a terminal is what it was, and with -o json on one, too.
func TestLogIsJSON(t *testing.T) {
	t.Parallel()
	want := strings.ReplaceAll(`{"time":T,"level":"INFO","msg":"listening","url":"http://ADDR/webhooks/loops","file":"loopmap.yaml","mapping":"HASH","database":"sqlite:contacts.db","table":"contacts","signed":true}
{"time":T,"level":"INFO","msg":"applied","code":200,"id":"msg_1","event":"contact.created","ms":N}
{"time":T,"level":"INFO","msg":"seen before","code":200,"id":"msg_1","event":"contact.created","ms":N}
{"time":T,"level":"WARN","msg":"quarantined","code":200,"id":"msg_2","event":"contact.created","ms":N,"hint":"loopmap deliveries show msg_2"}
{"time":T,"level":"WARN","msg":"refused","code":401,"id":"","event":"","ms":N,"why":"the signature is wrong: compare the signing secret with the one in Loops under Settings, Webhooks"}
{"time":T,"level":"WARN","msg":"a row was not sent","row":"own-3","kind":"contact","code":400,"reason":"REASON"}
{"time":T,"level":"INFO","msg":"pushed","why":"changed rows","rows":N,"sent":0,"not_met":1,"failed":1,"pending":0,"seconds":N}
`, "HASH", mapping.HashOf([]byte(tailed)))
	masks := []struct{ find, put string }{
		{`"time":"[^"]+"`, `"time":T`}, {`"ms":[0-9.]+`, `"ms":N`}, {`"rows":[0-9]+`, `"rows":N`}, {`"seconds":[0-9.]+`, `"seconds":N`}, {`"reason":"[^"]+"`, `"reason":"REASON"`}, {`127\.0\.0\.1:\d+`, "ADDR"},
	}
	for _, onTerminal := range []bool{true, false} {
		var x *poster
		var dir string
		var log func() string
		if onTerminal {
			y := startTail(t, 4000, 40, nil, "-o", "json")
			x, dir, log = y.poster, y.dir, y.text
		} else {
			var addr string
			var env []string
			dir, addr, _, env = pushFolder(t)
			if err := os.WriteFile(filepath.Join(dir, "loopmap.yaml"), []byte(tailed), 0o600); err != nil {
				t.Fatal(err)
			}
			c, said := exec.Command("loopmap", "sync", "--listen", addr), &lockedBuffer{}
			c.Dir, c.Env, c.Stderr = dir, append(append(os.Environ(), "LOOPS_SIGNING_SECRET="+testSecret), env...), said
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
			x, log = newPoster(t, addr), said.String
			eventually(t, func() (bool, string) { return strings.Contains(log(), "sending rows"), log() })
		}
		x.post("msg_1", testSecret, "contact.created", "dana@example.com", "1", http.StatusOK)
		x.post("msg_1", testSecret, "contact.created", "dana@example.com", "1", http.StatusOK)
		x.post("msg_2", testSecret, "contact.created", "dana@example.com", `"x"`, http.StatusOK)
		x.post("msg_3", otherSecret, "contact.created", "dana@example.com", "1", http.StatusUnauthorized)
		execSQL(t, filepath.Join(dir, "contacts.db"), `UPDATE contacts SET plan = 'team' WHERE loops_id = 'own-3'`)
		eventually(t, func() (bool, string) { s := log(); return strings.Contains(s, `"pushed"`), s })
		var got strings.Builder
		for line := range strings.Lines(strings.TrimSpace(log()) + "\n") {
			if line = strings.TrimRight(line, " \r\n") + "\n"; strings.Contains(line, "changing the table") || strings.Contains(line, "sending rows") {
				continue
			}
			for _, m := range masks {
				line = regexp.MustCompile(m.find).ReplaceAllString(line, m.put)
			}
			got.WriteString(line)
		}
		if got.String() != want {
			t.Errorf("on a terminal: %v\n%s\nwant\n%s", onTerminal, got.String(), want)
		}
	}
}

// stuck is a terminal that takes nothing until it is let go.
type stuck struct {
	free chan struct{}
	heard
}

func (s *stuck) Write(b []byte) (int, error) {
	<-s.free
	return s.heard.Write(b)
}

// A terminal that takes nothing holds nobody up, and what it missed is counted; nor does
// anything grow.
func TestTailBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := &stuck{free: make(chan struct{})}
		a := &app{now: time.Now, lookup: func(string) (string, bool) { return "", false }}
		x := a.newTail(to, true)
		const many = 50_000
		for i := range many {
			x.arrived(receive.Arrival{Code: 200, Event: "contact.created", Took: time.Millisecond,
				Delivery: mapping.Delivery{ID: fmt.Sprint("msg_", i), Received: time.Now()}, Outcome: mapping.Outcome{Status: mapping.Applied}})
			x.pushed(push.Outcome{Key: "row", Line: outgoing.Line{Kind: "contact", Status: outgoing.Sent, Code: 200}})
			x.log(logged{at: time.Now(), words: "something"})
			if i%100 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		x.mu.Lock()
		if n := len(x.lines); n > mostSights+mostLines {
			t.Errorf("%d lines are held", n)
		}
		x.mu.Unlock()
		close(to.free)
		time.Sleep(2 * tailEvery)
		x.stop()
		text := to.said()
		sum := func(line, over string) (n int) {
			n = strings.Count(text, line)
			for _, m := range regexp.MustCompile(`\+([0-9,]+) `+over).FindAllStringSubmatch(text, -1) {
				k, _ := strconv.Atoi(strings.ReplaceAll(m[1], ",", ""))
				n += k
			}
			return n
		}
		for _, c := range []struct{ line, over string }{{" msg_", "deliveries"}, {" row ", "pushes"}, {"something", "lines"}} {
			if n := sum(c.line, c.over); n != many {
				t.Errorf("%d %s are shown or counted, of %d", n, c.over, many)
			}
		}
	})
}

// A name is cut in its middle, and a narrow terminal has what matters most.
func TestTailColumns(t *testing.T) {
	for _, c := range []struct {
		width, longest, name, who int
		took                      bool
	}{
		{120, 0, 15, 40, true}, {120, 40, 32, 40, true}, {80, 0, 15, 29, true}, {80, 40, 22, 22, true}, {64, 40, 15, 13, true}, {60, 40, 15, 18, false}, {40, 40, 0, 15, false}, {10, 40, 0, 1, false},
	} {
		if name, who, took := columns(c.width, c.longest); name != c.name || who != c.who || took != c.took {
			t.Errorf("%d, %d: %d %d %v", c.width, c.longest, name, who, took)
		}
	}
	d := &dress{blank: func(b []byte) []byte { return b }}
	if got := d.cell("contact.mailingList.unsubscribed", 22); got != "contact.ma…nsubscribed" {
		t.Errorf("%q", got)
	}
	if got := d.cell("世界世界世界", 8); got != "世…世界 " {
		t.Errorf("%q", got)
	}
}
