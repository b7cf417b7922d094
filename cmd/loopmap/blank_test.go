package main

import (
	"bytes"
	"context"
	"errors"
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

	"github.com/jackc/pgx/v5/pgproto3"
)

// said runs a command line and returns all that it writes, and its exit status.
func said(t *testing.T, env map[string]string, args ...string) (string, int) {
	t.Helper()
	var out heard
	a := &app{stdin: strings.NewReader(""), stdout: &out, stderr: &out, now: time.Now,
		lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	code := run(ctx, a, args)
	return out.said(), code
}

func written(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const pushingMapping = `version: 1
database: %s
table: contacts
key: id
receive:
  events: [contact.created]
  columns:
    - {name: id, type: text, from: contactIdentity.id}
    - {name: email, type: text, from: contact.email}
push:
  contact:
    email: email
`

// What answers may repeat the key, wherever it likes: it is blanked.
func TestAPIKeyRepeated(t *testing.T) {
	const key = "0123456789abcdef0123456789abcdef"
	named := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		escaped := ""
		for _, c := range key {
			escaped += fmt.Sprintf(`\u%04x`, c)
		}
		fmt.Fprintf(w, `{"success":true,"teamName":"%s %s","message":"%[1]s"}`, key, escaped)
	}))
	defer named.Close()
	refused := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		w.WriteHeader(401)
		fmt.Fprintf(w, `{"message":"unknown: %s"}`, q.Header.Get("Authorization"))
	}))
	defer refused.Close()
	malformed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nnot a header "+key+"\r\n\r\n")
			_ = conn.Close()
		}
	}))
	defer malformed.Close()
	file := written(t, "m.yaml", fmt.Sprintf(pushingMapping, "sqlite:c.db"))
	for name, endpoint := range map[string]string{"team": named.URL, "refused": refused.URL, "malformed": malformed.URL} {
		for _, output := range []string{"text", "json"} {
			env := map[string]string{"LOOPS_API_KEY": key, "LOOPS_ENDPOINT_URL": endpoint}
			text, _ := said(t, env, "check", "-o", output, file)
			if strings.Contains(text, key) || !strings.Contains(text, "**") {
				t.Errorf("%s: %s", name, text)
			}
		}
	}
}

// A server that repeats the password.
func TestDatabasePasswordRepeated(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go repeatPassword(conn)
		}
	}()
	for password, written := range map[string]string{"hunter2 secret": "hunter2%20secret", `pa"ss<w0rd`: "pa%22ss%3Cw0rd", "correct-horse": "correct-horse"} {
		for _, output := range []string{"text", "json"} {
			file := writtenMapping(t)
			env := map[string]string{"DATABASE_URL": "postgres://ada:" + written + "@" + l.Addr().String() + "/crm?sslmode=disable"}
			text, code := said(t, env, "check", "-o", output, file)
			if code != 1 || strings.Contains(text, password) || strings.Contains(text, written) || strings.Contains(text, `pa\"ss`) || !strings.Contains(text, "***") {
				t.Errorf("%s: %d %s", password, code, text)
			}
		}
	}
}

func writtenMapping(t *testing.T) string {
	return written(t, "m.yaml", fmt.Sprintf(pushingMapping, "${DATABASE_URL}"))
}

// repeatPassword speaks PostgreSQL's protocol as far as it has to.
func repeatPassword(conn net.Conn) {
	defer conn.Close()
	b := pgproto3.NewBackend(conn, conn)
	if _, err := b.ReceiveStartupMessage(); err != nil {
		return
	}
	b.Send(&pgproto3.AuthenticationCleartextPassword{})
	if b.Flush() != nil || b.SetAuthType(pgproto3.AuthTypeCleartextPassword) != nil {
		return
	}
	m, err := b.Receive()
	if p, ok := m.(*pgproto3.PasswordMessage); ok && err == nil {
		b.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "28P01", Message: "no user has the password " + p.Password})
		_ = b.Flush()
	}
}

// What holds two lines is two things: neither is tried, and none is written.
func TestSecretOfTwoLines(t *testing.T) {
	file := writtenMapping(t)
	two := written(t, "url", "postgres://ada:first-secret@127.0.0.1:1/crm\npostgres://ada:second-secret@127.0.0.1:1/crm\n")
	one := written(t, "url", "sqlite:c.db\n")
	for name, env := range map[string]map[string]string{
		"file":        {"DATABASE_URL_FILE": two},
		"environment": {"DATABASE_URL": "postgres://ada:first-secret@127.0.0.1:1/crm\n# second-secret"},
		"key":         {"DATABASE_URL_FILE": one, "LOOPS_API_KEY_FILE": written(t, "key", "first-secret\r\nsecond-secret")},
	} {
		text, code := said(t, env, "check", file)
		if code != 2 || strings.Contains(text, "-secret") || !strings.Contains(text, "more than one line") {
			t.Errorf("%s: %d %s", name, code, text)
		}
	}
	if text, code := said(t, map[string]string{"DATABASE_URL_FILE": one}, "check", file); code != 0 {
		t.Errorf("a line's end alone: %d %s", code, text)
	}
}

// Only the database's own variables are expanded.
func TestNoOtherVariable(t *testing.T) {
	env := map[string]string{"LOOPS_API_KEY": "the-key-of-loops", "GITHUB_TOKEN": "the-token"}
	for _, database := range []string{"${LOOPS_API_KEY}", "sqlite:${LOOPS_API_KEY}.db", "sqlite:${GITHUB_TOKEN}", "postgres://h/${GITHUB_TOKEN}"} {
		file := written(t, "m.yaml", fmt.Sprintf(pushingMapping, database))
		for _, command := range []string{"check", "sync", "deliveries"} {
			args := []string{command, file}
			text, code := said(t, env, args...)
			if code != 2 || strings.Contains(text, "the-key") || strings.Contains(text, "the-token") {
				t.Errorf("%s %s: %d %s", command, database, code, text)
			}
		}
	}
}

// trigger's address may hold a token: neither the error, nor --debug, nor the receiver that
// repeats it shows one.
func TestTriggerAddress(t *testing.T) {
	repeats := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		w.WriteHeader(404)
		fmt.Fprintf(w, "nothing at %s", q.URL)
	}))
	defer repeats.Close()
	for _, to := range []string{"http://127.0.0.1:1/hook?token=s3cr3t-token", repeats.URL + "/hook?token=s3cr3t-token",
		"http://user:s3cr3t-token@127.0.0.1:1/", "http://127.0.0.1:1/%zz?token=s3cr3t-token", "ftp://h/?token=s3cr3t-token", "s3cr3t-token"} {
		for _, more := range [][]string{nil, {"--debug"}, {"-o", "json"}} {
			text, code := said(t, nil, append([]string{"trigger", "contact.created", "--unsigned", "--to", to}, more...)...)
			if code == 0 || strings.Contains(text, "s3cr3t") {
				t.Errorf("%s: %d %s", to, code, text)
			}
		}
	}
}

type quotingError struct{}

func (quotingError) Error() string        { return "row (ada@example.com)" }
func (quotingError) LogValue() slog.Value { return slog.StringValue("SQLSTATE 53200") }

// The log has of an error what that wants to be logged as, also where it is wrapped.
func TestDiscreetLog(t *testing.T) {
	var b bytes.Buffer
	a := &app{stderr: &b}
	log := a.logger().With("x", 1).WithGroup("g")
	log.Error("failed", "error", fmt.Errorf("look after it: %w", quotingError{}))
	log.Error("failed", "error", errors.New("as it is"))
	if text := b.String(); strings.Contains(text, "ada@") || !strings.Contains(text, "look after it: SQLSTATE 53200") || !strings.Contains(text, "as it is") {
		t.Error(text)
	}
}

// What is short, or is said openly beside, is no secret; the longer one goes first.
func TestBlanks(t *testing.T) {
	var b blanks
	b.add("abc", "secret-longer", "secret")
	b.addURL("postgres://postgres:postgres@db.example.com/crm")
	b.addURL("postgres://ada:%zz-not-a-url@h/d")
	got := string(b.blank([]byte("abc secret secret-longer postgres://h %zz-not-a-url")))
	if want := "abc ****** ************* postgres://h *************"; got != want {
		t.Errorf("%s", got)
	}
}
