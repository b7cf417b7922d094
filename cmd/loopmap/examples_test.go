package main

import (
	"context"
	"database/sql"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/zalando/go-keyring"

	"loopmap/mapping/loops"
	"loopmap/mapping/loops/loopstest"
)

// What the examples of the help speak of.
const (
	exampleMapping = `version: 1
database: sqlite:contacts.db
table: contacts
key: loops_id

receive:
  events: [contact.created]
  columns:
    - {name: loops_id,   type: text, from: contactIdentity.id}
    - {name: email,      type: text, from: contact.email}
    - {name: first_name, type: text, from: contact.firstName}
    - {name: plan,       type: text, from: contact.plan}
    - {name: signed_up,  type: time, from: eventTime}

push:
  contact:
    email: email
`
	exampleDeliveries = `{"id":"msg_2f8q0zr41x7k","body":{"eventName":"contact.created","eventTime":1795667661,"contactIdentity":{"id":"cmc7x2rb1u002jm0123456789",` +
		`"email":"dana@northwind.example","userId":null},"contact":{"email":"dana@northwind.example","firstName":"Dana","lastName":"Okafor","plan":"pro","plan name":"Pro"}}}
{"id":"msg_2f8q0zr41x7l","body":{"eventName":"contact.created","eventTime":1795667662,"contactIdentity":{"id":"cm4x8k2r1000108l5d3fz9c2h",` +
		`"email":"bob@fabrikam.example","userId":null},"contact":{"email":"bob@fabrikam.example","firstName":"Bob","plan":"free"}}}
`
)

// exampleFolder has all that the examples name, and an environment with a Loops of its own.
func exampleFolder(t *testing.T, loopsURL string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	body, _ := loops.Example(loops.ContactCreated)
	for name, text := range map[string]string{"loopmap.yaml": exampleMapping, "export.ndjson": exampleDeliveries, "body.json": string(body),
		"key.txt": loopstest.DefaultKey, "secret": testSecret, "team_keys": teamKey} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "contacts.db")+"?_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE contacts (loops_id TEXT PRIMARY KEY, email TEXT, first_name TEXT, plan TEXT, signed_up TEXT, last_name TEXT, plan_name TEXT)"); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"HOME": dir, "AppData": dir, "LOOPS_ENDPOINT_URL": loopsURL, "LOOPS_API_KEY": loopstest.DefaultKey, "LOOPS_SIGNING_SECRET": testSecret}
	if text, code := said(t, env, "replay", "--from", "export.ndjson"); code != 0 {
		t.Fatalf("%d %s", code, text)
	}
	return env
}

const teamKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFbsRLHwDzV5kf0Ss8KlSOhhqhkf5DkoWcUTxvIpnLbp ada\n"

// wordsOf are the words of a line as a shell has them: with quotes, and without what a #
// begins.
func wordsOf(line string) (words []string) {
	var word strings.Builder
	begun, quote := false, rune(0)
	end := func() {
		if begun {
			words = append(words, word.String())
		}
		word.Reset()
		begun = false
	}
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, begun = r, true
		case quote == 0 && r == '#' && !begun:
			return words
		case quote == 0 && r == ' ':
			end()
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	end()
	return words
}

// exampleOf is a line as it is called: its environment, its words behind loopmap, and what stands on
// standard input. It is none where it calls another program.
func exampleOf(t *testing.T, line string, env map[string]string) (stdin string, args []string, ours bool) {
	t.Helper()
	words := wordsOf(line)
	for len(words) > 0 {
		name, value, set := strings.Cut(words[0], "=")
		if !set {
			break
		}
		env[name], words = value, words[1:]
		delete(env, strings.TrimSuffix(name, "_FILE"))
	}
	if len(words) == 0 || words[0] != "loopmap" {
		return "", nil, false
	}
	stdin = loopstest.DefaultKey
	for i := 1; i < len(words); i++ {
		switch words[i] {
		case ">":
			i++
		case "<":
			i++
			text, err := os.ReadFile(words[i])
			if err != nil {
				t.Error(err)
			}
			stdin = string(text)
		default:
			args = append(args, words[i])
		}
	}
	return stdin, args, true
}

// serving ends a command that serves as soon as it does.
type serving struct {
	heard
	end func()
}

// Write is io.Writer's.
func (s *serving) Write(b []byte) (int, error) {
	n, err := s.heard.Write(b)
	if said := s.said(); strings.Contains(said, `"msg":"listening"`) || strings.Contains(said, `"msg":"ssh: listening"`) || strings.Contains(said, "a rehearsal:") {
		s.end()
	}
	return n, err
}

// Every command has an example, and none of them is wrong usage: each line is carried out, one
// after the other, in a folder that has what they speak of.
func TestExamples(t *testing.T) {
	keyring.MockInit()
	server := loopstest.New(loopstest.Options{Team: "Acme", Rate: -1})
	defer server.Close()
	h := httptest.NewServer(server)
	defer h.Close()
	var list []*cobra.Command
	every(func(c *cobra.Command, _ []string) { list = append(list, c) })
	for _, c := range list {
		if strings.TrimSpace(c.Example) == "" {
			t.Errorf("%s has no example", c.CommandPath())
			continue
		}
		env, lines := exampleFolder(t, h.URL+"/api"), 0
		for line := range strings.Lines(c.Example) {
			stdin, args, ours := exampleOf(t, strings.TrimSpace(line), env)
			if !ours {
				continue
			}
			lines++
			if called, _, err := c.Root().Find(args); err != nil || called.CommandPath() != c.CommandPath() && c.HasParent() && c.Name() != "completion" {
				t.Errorf("%s: the example %q is of another command", c.CommandPath(), line)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			out := &serving{end: cancel}
			a := &app{stdin: strings.NewReader(stdin), stdout: out, stderr: out, now: time.Now,
				lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}
			code := run(ctx, a, args)
			cancel()
			if text := out.said(); code == 2 && !strings.HasPrefix(text, "loopmap: the mapper needs a terminal\n") {
				t.Errorf("%s: %q is wrong usage\n%s", c.CommandPath(), line, text)
			}
		}
		if lines == 0 {
			t.Errorf("%s has no example of its own", c.CommandPath())
		}
	}
}

// The words of a line are those of a shell.
func TestShellWords(t *testing.T) {
	for line, want := range map[string]string{
		`loopmap add 'contact["plan name"]' --as plan   # why`: `loopmap|add|contact["plan name"]|--as|plan`,
		`A=b loopmap x "" a#b`:                                 `A=b|loopmap|x||a#b`,
		`# all`:                                                ``,
	} {
		if got := strings.Join(wordsOf(line), "|"); got != want {
			t.Errorf("%s: %s", line, got)
		}
	}
}
