//go:build unix

package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"loopmap/tui/sshd"
)

// person is somebody with a key of their own.
type person struct {
	name   string
	signer ssh.Signer
	file   string // of the private key, as ssh wants it
}

func newPerson(t testing.TB, name string) person {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, name)
	if err != nil {
		t.Fatal(err)
	}
	p := person{name, signer, filepath.Join(t.TempDir(), "id_"+name)}
	if err := os.WriteFile(p.file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p person) fingerprint() string { return ssh.FingerprintSHA256(p.signer.PublicKey()) }

// line is the person's line of an authorized_keys file.
func (p person) line() string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(p.signer.PublicKey()))) + " " + p.name + "\n"
}

func writeFile(t testing.TB, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const sshMapping = `version: 1
database: sqlite:contacts.db
table: contacts
key: loops_id
receive:
  events: [contact.created]
  columns:
    - {name: loops_id, type: text, from: contactIdentity.id}
`

// lockedBuffer is a log that is written and read at once.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// served is a `loopmap ssh` in this process, with limits of the test's own.
type served struct {
	t    testing.TB
	dir  string
	addr string
	keys string // the authorized_keys file
	log  *lockedBuffer
	host *sshHost
	stop func()
}

func startSSHD(t testing.TB, limits func(*sshd.Limits), keys string) *served {
	t.Helper()
	dir := t.TempDir()
	x := &served{t: t, dir: dir, keys: filepath.Join(dir, "keys"), log: &lockedBuffer{}}
	writeFile(t, x.keys, keys)
	file := filepath.Join(dir, "loopmap.yaml")
	writeFile(t, file, sshMapping)
	a := &app{stdin: strings.NewReader(""), stdout: io.Discard, stderr: x.log, lookup: func(string) (string, bool) { return "", false }, now: time.Now, debug: true}
	l := sshd.DefaultLimits()
	h, err := a.sshHost(file, sshFlags{listen: "127.0.0.1:0", authorizedKeys: x.keys, sessions: l.Sessions, perKey: l.PerKey}, a.logger())
	if err != nil {
		t.Fatal(err)
	}
	if limits != nil {
		limits(&h.server.Limits)
	}
	h.listen.Problem = "nothing is received here"
	x.host, x.addr = h, h.listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { h.run(ctx) })
	done.Go(func() { h.watchFile(ctx) })
	x.stop = func() {
		cancel()
		done.Wait()
	}
	t.Cleanup(x.stop)
	return x
}

// logged waits for a line of the log that holds all these texts.
func (x *served) logged(texts ...string) {
	x.t.Helper()
	eventually(x.t, func() (bool, string) {
		all := x.log.String()
		for line := range strings.Lines(all) {
			found := true
			for _, s := range texts {
				found = found && strings.Contains(line, s)
			}
			if found {
				return true, ""
			}
		}
		return false, fmt.Sprintf("the log has no line with %q:\n%s", texts, all)
	})
}

// eventually waits until a state is reached.
func eventually(t testing.TB, reached func() (bool, string)) {
	t.Helper()
	why := ""
	for range 1500 {
		var ok bool
		if ok, why = reached(); ok {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal(why)
}

// dial logs in with a Go client.
func (x *served) dial(auth ...ssh.AuthMethod) (*ssh.Client, error) { return dialSSH(x.addr, auth...) }

func dialSSH(addr string, auth ...ssh.AuthMethod) (*ssh.Client, error) {
	return ssh.Dial("tcp", addr, &ssh.ClientConfig{User: "x", Auth: auth, HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: 30 * time.Second})
}

// shell is a session of a Go client with a terminal.
type shell struct {
	t       testing.TB
	client  *ssh.Client
	session *ssh.Session
	in      io.WriteCloser
	out     lockedBuffer
	ended   chan error
}

func (x *served) shell(p person, term string, w, h int) *shell {
	x.t.Helper()
	return openShell(x.t, x.addr, p, term, w, h)
}

func openShell(t testing.TB, addr string, p person, term string, w, h int) *shell {
	t.Helper()
	client, err := dialSSH(addr, ssh.PublicKeys(p.signer))
	if err != nil {
		t.Fatalf("%s cannot log in: %v", p.name, err)
	}
	t.Cleanup(func() { client.Close() })
	s := &shell{t: t, client: client, ended: make(chan error, 1)}
	if s.session, err = client.NewSession(); err != nil {
		t.Fatal(err)
	}
	s.session.Stdout, s.session.Stderr = &s.out, &s.out
	if s.in, err = s.session.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if term != "" {
		if err := s.session.RequestPty(term, h, w, ssh.TerminalModes{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.session.Shell(); err != nil {
		t.Fatal(err)
	}
	go func() { s.ended <- s.session.Wait() }()
	return s
}

// wait until all that was written holds a text.
func (s *shell) wait(text string) *shell {
	s.t.Helper()
	eventually(s.t, func() (bool, string) {
		out := s.out.String()
		return strings.Contains(out, text), fmt.Sprintf("%q was never written: %q", text, out[max(0, len(out)-3000):])
	})
	return s
}

func (s *shell) press(keys string) *shell {
	s.t.Helper()
	if _, err := io.WriteString(s.in, keys); err != nil {
		s.t.Fatal(err)
	}
	return s
}

// status waits for the session's end and returns its exit status; -1 without one.
func (s *shell) status() int {
	s.t.Helper()
	select {
	case err := <-s.ended:
		var exit *ssh.ExitError
		switch {
		case err == nil:
			return 0
		case errors.As(err, &exit):
			return exit.ExitStatus()
		}
		return -1
	case <-time.After(30 * time.Second):
		s.t.Fatalf("the session does not end: %q", s.out.String())
		return -1
	}
}

// sshClient is OpenSSH's client on its way to a server of the test.
func sshClient(t testing.TB, addr string, p person, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.Command("ssh", append(sshArgs(t, addr, p), append(args, "x@127.0.0.1")...)...)
	return c
}

// sshArgs are the options that keep OpenSSH's client to the test's own keys.
func sshArgs(t testing.TB, addr string, p person) []string {
	t.Helper()
	needOpenSSH(t, "ssh", "ssh-keygen")
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return []string{"-F", "/dev/null", "-p", port, "-i", p.file, "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "BatchMode=yes",
		"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=" + filepath.Join(t.TempDir(), "known"), "-o", "GlobalKnownHostsFile=/dev/null"}
}

// needOpenSSH skips a test where OpenSSH is not installed, unless nothing may be.
func needOpenSSH(t testing.TB, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			if os.Getenv("LOOPMAP_TEST_ALL") != "" {
				t.Fatalf("%s is needed: install openssh-client and openssh-server", p)
			}
			t.Skipf("skipped: there is no %s (openssh-client, openssh-server)", p)
		}
	}
}
