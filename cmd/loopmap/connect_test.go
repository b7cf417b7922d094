package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/zalando/go-keyring"

	"loopmap/mapping"
	"loopmap/mapping/loops/loopstest"
)

// teams are Loops to several teams, each with a key of its own.
type teams struct {
	url string
	by  map[string]*loopstest.Server // by their key
}

func startTeams(t *testing.T, names map[string]string) *teams {
	t.Helper()
	x := &teams{by: map[string]*loopstest.Server{}}
	for key, team := range names {
		server := loopstest.New(loopstest.Options{Team: team, Key: key})
		t.Cleanup(server.Close)
		x.by[key] = server
	}
	none := loopstest.New(loopstest.Options{Key: "nobody-has-this-key"})
	t.Cleanup(none.Close)
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		server := x.by[strings.TrimPrefix(q.Header.Get("Authorization"), "Bearer ")]
		if server == nil {
			server = none
		}
		server.ServeHTTP(w, q)
	}))
	t.Cleanup(h.Close)
	x.url = h.URL + "/api"
	return x
}

const (
	keyOfA = "aaaa1111aaaa1111aaaa1111aaaa1111"
	keyOfB = "bbbb2222bbbb2222bbbb2222bbbb2222"
)

// saidTo is said with something on standard input.
func saidTo(t *testing.T, env map[string]string, stdin string, args ...string) (string, int) {
	t.Helper()
	var out heard
	a := &app{stdin: strings.NewReader(stdin), stdout: &out, stderr: &out, now: time.Now,
		lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	code := run(ctx, a, args)
	return out.said(), code
}

// home is an environment with a folder of its own.
func home(t *testing.T, x *teams) map[string]string {
	dir := t.TempDir()
	return map[string]string{"HOME": dir, "AppData": dir, "LOOPS_ENDPOINT_URL": x.url}
}

// must runs a command line that succeeds and shows no key.
func must(t *testing.T, env map[string]string, stdin string, args ...string) string {
	t.Helper()
	text, code := saidTo(t, env, stdin, args...)
	if code != 0 || strings.Contains(text, keyOfA) || strings.Contains(text, keyOfB) {
		t.Fatalf("%v: exit status %d\n%s", args, code, text)
	}
	return text
}

// holds reports whether any file below a folder has a text.
func holds(t *testing.T, dir, text string) (found bool) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		src, err := os.ReadFile(path)
		found = found || strings.Contains(string(src), text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// A key is kept in the keyring, under the account that the help names, and no file has it.
func TestConnectKeyring(t *testing.T) {
	keyring.MockInit()
	x := startTeams(t, map[string]string{keyOfA: "Acme, Inc.", keyOfB: "Fabrikam"})
	env := home(t, x)
	inRing := func(name string) string {
		key, err := keyring.Get("loopmap", "connection:"+name)
		if err != nil && !errors.Is(err, keyring.ErrNotFound) {
			t.Fatal(err)
		}
		return key
	}
	got := must(t, env, "\ufeff "+keyOfA+" \r\n", "connect")
	if want := "connection acme-inc: team Acme, Inc., kept in the system's keyring (service loopmap, account connection:acme-inc)\n"; got != want {
		t.Errorf("%q", got)
	}
	if inRing("acme-inc") != keyOfA || holds(t, env["HOME"], keyOfA) {
		t.Error("the key is not in the keyring alone")
	}
	// Another team's key does not get in its place unasked.
	if text, code := saidTo(t, env, keyOfB, "connect", "acme-inc"); code != 2 || !strings.Contains(text, "is of team Acme, Inc.") || inRing("acme-inc") != keyOfA {
		t.Errorf("%d %s", code, text)
	}
	must(t, env, keyOfB, "connect", "acme-inc", "--yes")
	if inRing("acme-inc") != keyOfB || !strings.Contains(must(t, env, "", "connect", "--list"), "acme-inc  Fabrikam  ") {
		t.Error("the key is not replaced")
	}
	must(t, env, "", "connect", "--rename", "acme-inc", "fabrikam")
	if inRing("acme-inc") != "" || inRing("fabrikam") != keyOfB || !strings.Contains(must(t, env, "", "connect", "--list", "-o", "json"), `"where": "keyring"`) {
		t.Error("the key is not renamed")
	}
	file := written(t, "m.yaml", fmt.Sprintf(pushingMapping, "sqlite:c.db"))
	if text := must(t, env, "", "check", file); !strings.Contains(text, "the API key of connection fabrikam is of team Fabrikam") {
		t.Error(text)
	}
	// The keyring has lost it, and then cannot be asked.
	if err := keyring.Delete("loopmap", "connection:fabrikam"); err != nil {
		t.Fatal(err)
	}
	if text, code := saidTo(t, env, "", "check", file); code != 2 || !strings.Contains(text, "connection fabrikam is no longer in the keyring") {
		t.Errorf("%d %s", code, text)
	}
	must(t, env, keyOfB, "connect", "fabrikam")
	keyring.MockInitWithError(errors.New("locked"))
	if text, code := saidTo(t, env, "", "check", file); code != 2 || !strings.Contains(text, "cannot be asked: locked") {
		t.Errorf("%d %s", code, text)
	}
	// Kept again it is in a file, and taken out of there.
	if text := must(t, env, keyOfB, "connect", "fabrikam"); !strings.Contains(text, "(locked), so the key is in a file") {
		t.Error(text)
	}
	if text := must(t, env, "", "check", file); !strings.Contains(text, "of team Fabrikam") || !holds(t, env["HOME"], keyOfB) {
		t.Error(text)
	}
	must(t, env, "", "connect", "--remove", "fabrikam", "--yes")
	if holds(t, env["HOME"], keyOfB) {
		t.Error("the key is still there")
	}
	keyring.MockInit()
	must(t, env, keyOfA, "connect", "acme")
	must(t, env, "", "connect", "--remove", "acme", "--yes")
	if inRing("acme") != "" {
		t.Error("the keyring still has the key")
	}
}

// Which key is used: what this run was told, the environment, the mapping file, the only
// one.
func TestConnectOrder(t *testing.T) {
	keyring.MockInit()
	if err := keyring.Set(keyringService, "key:crew", "key-of-the-team"); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"HOME": t.TempDir()}
	env["AppData"] = env["HOME"]
	a := &app{stdout: &heard{}, stderr: &heard{}, now: time.Now, lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}
	named := mapping.New("sqlite:c.db").EditPush(func(p *mapping.Push) { p.Connection = "beta" })
	want := func(m *mapping.Mapping, key string) {
		t.Helper()
		if got, err := keyOf(a, m); err != nil || got != key {
			t.Errorf("%q, %v, want %q", got, err, key)
		}
	}
	refused := func(m *mapping.Mapping, words string) {
		t.Helper()
		got, err := keyOf(a, m)
		if got != "" || err == nil || exitCode(err) != 2 || !strings.Contains(err.Error(), words) {
			t.Errorf("%q, %v, want %q", got, err, words)
		}
	}
	want(nil, "")
	refused(named, "there is no connection beta here")
	c := a.connections()
	for _, name := range []string{"alpha", "beta"} {
		if _, _, err := c.keep(name, "Team", "key-of-"+name); err != nil {
			t.Fatal(err)
		}
		if name == "alpha" {
			want(nil, "key-of-alpha")
			want(mapping.New("sqlite:c.db"), "key-of-alpha")
			refused(named, "there is no connection beta here") // and not the one that there is
		}
	}
	want(nil, "")
	if err := a.noKey(); !strings.Contains(err.Error(), "2 are kept") || !strings.Contains(err.Error(), "alpha, beta") {
		t.Error(err)
	}
	want(named, "key-of-beta")
	env["LOOPS_API_KEY_FILE"] = written(t, "key", "\n")
	want(named, "") // it is being written: no other key gets in its place
	env["LOOPS_API_KEY_FILE"] = written(t, "key", "key-of-the-file\n")
	want(named, "key-of-the-file")
	env["LOOPS_API_KEY"] = "key-of-the-environment"
	want(named, "key-of-the-environment")
	a.team = "crew"
	want(named, "key-of-the-team")
	a.connection = "alpha"
	refused(named, "exclude each other")
	a.team = ""
	want(named, "key-of-alpha")
}

// The folder and the file are for their owner alone, and so they must stay.
func TestConnectFileIsPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("permissions are others there")
	}
	keyring.MockInitWithError(errors.New("there is none"))
	x := startTeams(t, map[string]string{keyOfA: "Acme"})
	env := home(t, x)
	env["XDG_CONFIG_HOME"] = filepath.Join(env["HOME"], "conf")
	dir := filepath.Join(env["XDG_CONFIG_HOME"], "loopmap")
	if runtime.GOOS == "darwin" {
		dir = filepath.Join(env["HOME"], "Library", "Application Support", "loopmap")
	}
	must(t, env, keyOfA, "connect")
	file := filepath.Join(dir, "connection-acme.json")
	for path, want := range map[string]os.FileMode{dir: 0o700, file: 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Fatalf("%s: %v, %v", path, info, err)
		}
		for _, wide := range []os.FileMode{want | 0o040, want | 0o004, want | 0o020} {
			if err := os.Chmod(path, wide); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{{"connect", "--list"}, {"connect", "acme"}, {"connect", "--rename", "acme", "other"}} {
				text, code := saidTo(t, env, keyOfA, args...)
				if code != 2 || !strings.Contains(text, path+" is open to others") || strings.Contains(text, keyOfA) {
					t.Errorf("%s as %o: %v: %d %s", path, wide, args, code, text)
				}
			}
		}
		if err := os.Chmod(path, want); err != nil {
			t.Fatal(err)
		}
	}
	must(t, env, keyOfA, "connect", "acme")
}

// Whatever answers may repeat the key, as a team's name, too: nothing that is said or kept
// besides the key has it.
func TestConnectHostile(t *testing.T) {
	keyring.MockInit()
	answers := map[string]func(w http.ResponseWriter){
		"named": func(w http.ResponseWriter) { fmt.Fprintf(w, `{"success":true,"teamName":"%s"}`, keyOfA) },
		"escaped": func(w http.ResponseWriter) {
			fmt.Fprintf(w, `{"success":true,"teamName":"x \u0061%s \u001b[31m\u202e\nred"}`, keyOfA[1:])
		},
		"refused": func(w http.ResponseWriter) {
			w.WriteHeader(401)
			fmt.Fprintf(w, `{"message":"unknown: %s"}`, keyOfA)
		},
		"broken":   func(w http.ResponseWriter) { fmt.Fprintf(w, `{"success":true,"teamName":%s`, keyOfA) },
		"no":       func(w http.ResponseWriter) { fmt.Fprintf(w, `{"success":false,"message":"%s"}`, keyOfA) },
		"redirect": func(w http.ResponseWriter) { w.Header().Set("Location", "/"+keyOfA); w.WriteHeader(302) },
	}
	for name, answer := range answers {
		h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w) }))
		for _, output := range []string{"text", "json"} {
			env := home(t, &teams{url: h.URL})
			text, code := saidTo(t, env, keyOfA, "connect", "-o", output, "--debug")
			list, _ := saidTo(t, env, "", "connect", "--list", "-o", output)
			keeps := name == "named" || name == "escaped"
			for _, said := range []string{text, list} {
				if strings.Contains(said, keyOfA) || strings.Contains(said, "\x1b") || strings.Contains(said, "\u202e") {
					t.Errorf("%s %s: %q", name, output, said)
				}
			}
			if (code == 0) != keeps || holds(t, env["HOME"], keyOfA) {
				t.Errorf("%s %s: %d %q", name, output, code, text)
			}
			if names, err := os.ReadDir(env["HOME"]); !keeps && (len(names) > 0 || err != nil) {
				t.Errorf("%s: something is kept: %v, %v", name, names, err)
			}
		}
		h.Close()
	}
}

// A sync that runs takes up a key that is kept again, stops when it is taken away, and goes
// on when there is one again.
func TestConnectRunningSync(t *testing.T) {
	keyring.MockInitWithError(errors.New("there is none"))
	x := startTeams(t, map[string]string{keyOfA: "Acme", keyOfB: "Fabrikam"})
	env := home(t, x)
	dir := t.TempDir()
	file := filepath.Join(dir, "loopmap.yaml")
	text := strings.Replace(fmt.Sprintf(pushingMapping, "sqlite:c.db"), "push:\n", "push:\n  auto: true\n  connection: acme\n", 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "c.db")+"?_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	var out heard
	a := &app{stdin: strings.NewReader(""), stdout: &out, stderr: &out, now: time.Now,
		lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan int, 1)
	go func() { done <- run(ctx, a, []string{"sync", file, "--unsigned", "--listen", "127.0.0.1:" + port}) }()
	defer func() {
		cancel()
		if code := <-done; code != 0 {
			t.Errorf("exit status %d", code)
		}
		if said := out.said(); strings.Contains(said, keyOfA) || strings.Contains(said, keyOfB) {
			t.Errorf("the log has a key:\n%s", said)
		}
	}()
	wait := func(what string, is func() bool) {
		t.Helper()
		for deadline := time.Now().Add(2 * time.Minute); !is(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("never: %s\n%s", what, out.said())
			}
		}
	}
	hears := func(words string) {
		t.Helper()
		wait(words, func() bool { return strings.Contains(out.said(), words) })
	}
	has := func(key, email string) bool { // the team of a key has the contact
		for _, c := range x.by[key].Contacts() {
			if c.Email == email {
				return true
			}
		}
		return false
	}
	insert := func(name string) {
		t.Helper()
		if _, err := db.Exec("INSERT INTO contacts (id, email) VALUES (?, ?)", name, name+"@example.com"); err != nil {
			t.Fatal(err)
		}
	}
	hears("there is no connection acme here")
	must(t, env, keyOfA, "connect", "acme")
	hears(`"connection":"acme"`)
	insert("one")
	wait("one is sent", func() bool { return has(keyOfA, "one@example.com") })

	must(t, env, keyOfB, "connect", "acme", "--yes")
	hears(`"team":"Fabrikam"`)
	insert("two")
	wait("two is sent", func() bool { return has(keyOfB, "two@example.com") })

	before := strings.Count(out.said(), "there is no connection acme here")
	must(t, env, "", "connect", "--remove", "acme", "--yes")
	wait("the key is gone", func() bool { return strings.Count(out.said(), "there is no connection acme here") > before })
	insert("three")
	must(t, env, keyOfA, "connect", "acme")
	wait("three is sent", func() bool { return has(keyOfA, "three@example.com") })
	if has(keyOfA, "two@example.com") || has(keyOfB, "three@example.com") {
		t.Error("a row went to the team of another key")
	}
}
