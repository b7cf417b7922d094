//go:build unix

package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"loopmap/mapping/body"
	"loopmap/mapping/loops"
)

// evil is what nobody may send to a terminal: sequences of ESC and of C1, DEL, marks of
// direction, what has no width, bytes that are no UTF-8.
const evil = "\x1b]0;evil\x07\u009b31m\x7f\u202e\u2066\u200b\u200f\ufeff\U000e0041evil"

// harmless makes sure that text may stand on a terminal, and is JSON where it is to be.
func harmless(t *testing.T, what string, text []byte, isJSON bool) {
	t.Helper()
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSuffix(line, []byte("\n")); body.Printable(string(line)) != string(line) {
			t.Errorf("%s: not fit for a terminal: %q", what, line)
			return
		}
	}
	for d := json.NewDecoder(bytes.NewReader(text)); isJSON; {
		var v any
		if err := d.Decode(&v); err == io.EOF {
			return
		} else if err != nil {
			t.Errorf("%s: no JSON: %v\n%s", what, err, text)
			return
		}
	}
}

// hostileLoops is an API that says nothing but what is hostile, with a status.
func hostileLoops(t *testing.T, status int) string {
	t.Helper()
	quoted, _ := json.Marshal(evil)
	raw := []byte("\"\u009b31m\x7f\u202e\u200b evil\"")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("X-Ratelimit-Limit", "10")
		text := `{"success":true,"teamName":Q,"message":R,"id":Q,"data":[{"name":R,"key":R}]}`
		switch {
		case strings.Contains(q.URL.Path, "properties") && q.Method == http.MethodGet:
			text = `[{"key":"plan","label":R,"type":Q},{"key":Q,"label":R,"type":R}]`
		case strings.Contains(q.URL.Path, "lists"):
			text = `[{"id":Q,"name":R,"description":R,"isPublic":true}]`
		}
		code := http.StatusOK
		if status != 0 && q.Method != http.MethodGet {
			code = status
			text = `{"success":false,"message":R,"error":Q}`
		}
		w.WriteHeader(code)
		_, _ = w.Write(bytes.ReplaceAll(bytes.ReplaceAll([]byte(text), []byte("Q"), quoted), []byte("R"), raw))
	}))
	t.Cleanup(s.Close)
	return s.URL + "/api"
}

// Whatever comes from outside, by whatever way, is printed by no command as it is.
func TestNothingHostileIsPrinted(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "evil\u202e\x1b[31m.yaml")
	quoted, _ := json.Marshal(evil)
	text := `version: 1
database: sqlite:contacts.db
table: contacts
key: loops_id
receive:
  events: [contact.created]
  columns:
    - {name: loops_id, type: text, from: contactIdentity.id}
    - {name: email, type: text, from: contactIdentity.email}
    - {name: note, type: text, from: contact.note}
    - {name: n, type: integer, from: contact.n}
push:
  contact:
    email: email
    properties: {plan: note}
  events:
    - {name: up, only_run_if: n > 1, properties: {note: note}}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	body := func(more string) string {
		return `{"eventName":"contact.created","contactIdentity":{"id":` + string(quoted) + `,"email":` + string(quoted) + `},"contact":{"note":` + string(quoted) + more + `}}`
	}
	lines := filepath.Join(dir, "lines\u202e.ndjson")
	if err := os.WriteFile(lines, []byte(body("")+"\n"+body(`,"n":"\u009bx"`)+"\n"+evil+"\n"+`{"id":`+string(quoted)+`,"body":{}}`+"\n"+`{"eventName":`+string(quoted)+`}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sample := filepath.Join(dir, "sample\x1b.json")
	if err := os.WriteFile(sample, []byte(body("")), 0o600); err != nil {
		t.Fatal(err)
	}
	wrong := filepath.Join(dir, "wrong.yaml")
	if err := os.WriteFile(wrong, []byte(strings.Replace(text, "type: integer", "type: \""+strings.Trim(string(quoted), `"`)+"\"", 1)+"evil\u202e: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, evil) }))
	defer receiver.Close()
	runs := 0
	try := func(api string, args ...string) {
		t.Helper()
		for _, output := range []string{"text", "json"} {
			runs++
			var out, said bytes.Buffer
			env := map[string]string{"LOOPS_API_KEY": "0123456789abcdef0123456789abcdef", "LOOPS_ENDPOINT_URL": api, "LOOPS_SIGNING_SECRET": testSecret}
			a := &app{stdin: strings.NewReader(body("") + "\n"), stdout: &out, stderr: &said, now: time.Now, lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			code := run(ctx, a, append(args, "-o", output))
			cancel()
			what := fmt.Sprintf("%q -o %s (exit status %d)", args, output, code)
			harmless(t, what, out.Bytes(), output == "json")
			harmless(t, what+", standard error", said.Bytes(), false)
			if out.Len()+said.Len() == 0 {
				t.Errorf("%s says nothing", what)
			}
		}
	}
	api := hostileLoops(t, 0)
	for _, args := range [][]string{
		{"check", file, "--sample", sample}, {"check", wrong}, {"check", evil}, {evil}, {"--" + evil}, {"check", "-o", evil}, {"replay", file, "--from", lines}, {"replay", file, "--from", "-"}, {"replay", file, "--from", evil},
		{"replay", file, "--since", evil}, {"replay", file, "--diff"}, {"replay", file}, {"deliveries", file}, {"deliveries", file, "--event", evil}, {"deliveries", file, "--status", evil}, {"deliveries", "show", evil, file},
		{"deliveries", "--limit", evil}, {"add", "contact[" + string(quoted) + "]", file, "--yes", "--dry-run"}, {"add", evil, file}, {"add", "contact.x", file, "--as", evil}, {"add", "contact.x", file, "--type", evil}, {"drop", evil, file},
		{"push", file, "--dry-run"}, {"push", file, "--row", evil}, {"push", file}, {"trigger", evil}, {"trigger", "contact.created", "--to", receiver.URL}, {"trigger", "contact.created", "--to", evil}, {"trigger", "contact.created", "--set", evil},
		{"sync", file, "--public-url", evil}, {"sync", file, "--listen", evil}, {"completion", evil}, {"help", evil}, {"ssh", file, "--authorized-keys", evil}, {"rehearse", evil}, {"check", file, "--sample", evil},
		{"doctor", evil, "--offline"}, {"doctor", wrong, "--offline"}, {"doctor", file, "--listen", evil}, {"doctor", file, "--public-url", evil}, {"doctor", file, "--public-url", receiver.URL}, {"why", "x", evil, file},
	} {
		try(api, args...)
	}
	for _, status := range []int{400, 404, 409} {
		db, err := sql.Open("sqlite", filepath.Join(dir, "contacts.db")+"?_pragma=busy_timeout(60000)")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(`UPDATE contacts SET note = note || 'x', n = 5`); err != nil {
			t.Fatal(err)
		}
		db.Close()
		try(hostileLoops(t, status), "push", file, "--rows", "5")
	}
	execSQL(t, filepath.Join(dir, "contacts.db"), `UPDATE loopmap_deliveries SET event = '`+evil+`', reason = '`+evil+`', row_key = '`+evil+`', mapping = '`+evil+`'`)
	execSQL(t, filepath.Join(dir, "contacts.db"), `UPDATE loopmap_deliveries SET id = '`+evil+`' WHERE id = (SELECT min(id) FROM loopmap_deliveries)`)
	execSQL(t, filepath.Join(dir, "contacts.db"), `UPDATE loopmap_pushes SET message = '`+evil+`'`)
	execSQL(t, filepath.Join(dir, "contacts.db"), `CREATE TRIGGER evil BEFORE UPDATE ON contacts BEGIN SELECT RAISE(ABORT, '`+evil+`'); END`)
	for _, args := range [][]string{{"deliveries", file}, {"doctor", file}, {"deliveries", "show", evil, file}, {"replay", file}, {"replay", file, "--from", lines}, {"push", file, "--failed"}, {"push", file}} {
		try(api, args...)
	}
	if runs < 80 {
		t.Errorf("only %d runs", runs)
	}
}

// Nor does a running sync log it, be the log JSON or text: not even what comes with
// requests that nobody has signed.
func TestNothingHostileIsLogged(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "loopmap.yaml")
	writeMapping(t, file, "    - {name: n, type: integer, from: contact.n}\n")
	listen, err := freeAddress()
	if err != nil {
		t.Fatal(err)
	}
	said := &lockedBuffer{}
	env := map[string]string{"LOOPS_SIGNING_SECRET": testSecret}
	a := &app{stdin: strings.NewReader(""), stdout: io.Discard, stderr: said, now: time.Now, lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, a, []string{"sync", file, "--listen", listen, "--debug"}) }()
	eventually(t, func() (bool, string) { return strings.Contains(said.String(), `"listening"`), said.String() })
	quoted, _ := json.Marshal(evil)
	ids := []string{"msg_1", "msg_\u009b\u202e", "msg_3"}
	for i, body := range []string{`{"eventName":` + string(quoted) + `,"contactIdentity":{"id":"x"}}`, evil, `{"eventName":"contact.created","contactIdentity":{"id":` + string(quoted) + `},"contact":{"n":` + string(quoted) + `}}`} {
		for _, sign := range []bool{true, false} {
			for _, path := range []string{"/webhooks/loops", "/%c2%9b%e2%80%ae%7f%1b"} {
				at := time.Now()
				signature, err := loops.Sign(testSecret, ids[i], at, []byte(body))
				if err != nil {
					t.Fatal(err)
				}
				if !sign {
					signature = "v1,\u009b\u202e"
				}
				conn, err := net.Dial("tcp", listen)
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUser-Agent: \u009b31m\u202e\u200b\r\nWebhook-Id: %s\r\nWebhook-Timestamp: %d\r\nWebhook-Signature: %s\r\nContent-Length: %d\r\n\r\n%s",
					path, ids[i], at.Unix(), signature, len(body), body)
				_, _ = io.Copy(io.Discard, conn)
				conn.Close()
			}
		}
	}
	stop()
	<-ended
	log := said.String()
	if strings.Count(log, "\n") < 12 || !strings.Contains(log, `\u009b31m\u202e\u200b`) {
		t.Errorf("the requests are not logged:\n%s", log)
	}
	harmless(t, "the log", []byte(log), true)

	var text bytes.Buffer
	bare := &dress{blank: func(b []byte) []byte { return b }} // of no colours, whose codes are no text
	l := slog.New(&dressed{emit: func(l logged) { text.WriteString(bare.line(l, 80)) }})
	l.Error(evil, evil, evil, "\u2800", "\u2800")
	harmless(t, "the log as text", text.Bytes(), false)
}
