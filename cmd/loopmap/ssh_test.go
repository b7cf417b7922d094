//go:build unix

package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
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

// sshd is a `loopmap ssh` in this process, with limits of the test's own.
type sshd struct {
	t    testing.TB
	dir  string
	addr string
	keys string // the authorized_keys file
	log  *lockedBuffer
	host *sshHost
	stop func()
}

func startSSHD(t testing.TB, limits func(*sshLimits), keys string) *sshd {
	t.Helper()
	dir := t.TempDir()
	x := &sshd{t: t, dir: dir, keys: filepath.Join(dir, "keys"), log: &lockedBuffer{}}
	writeFile(t, x.keys, keys)
	file := filepath.Join(dir, "loopmap.yaml")
	writeFile(t, file, sshMapping)
	a := &app{stdin: strings.NewReader(""), stdout: io.Discard, stderr: x.log, lookup: func(string) (string, bool) { return "", false }, now: time.Now, debug: true}
	l := defaultLimits()
	h, err := a.sshHost(file, sshFlags{listen: "127.0.0.1:0", authorizedKeys: x.keys, sessions: l.sessions, perKey: l.perKey}, a.logger())
	if err != nil {
		t.Fatal(err)
	}
	if limits != nil {
		limits(&h.server.limits)
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
func (x *sshd) logged(texts ...string) {
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
func (x *sshd) dial(auth ...ssh.AuthMethod) (*ssh.Client, error) { return dialSSH(x.addr, auth...) }

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

func (x *sshd) shell(p person, term string, w, h int) *shell {
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

// Nobody is let in by anything but a key of the file, and who tries is logged.
func TestSSHPublicKeysOnly(t *testing.T) {
	ada, eve := newPerson(t, "ada"), newPerson(t, "eve")
	x := startSSHD(t, nil, ada.line())
	certificate := func() ssh.Signer {
		c := &ssh.Certificate{Key: ada.signer.PublicKey(), CertType: ssh.UserCert, ValidPrincipals: []string{"x"}, ValidBefore: ssh.CertTimeInfinity}
		if err := c.SignCert(rand.Reader, eve.signer); err != nil {
			t.Fatal(err)
		}
		s, err := ssh.NewCertSigner(c, ada.signer)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for name, auth := range map[string][]ssh.AuthMethod{
		"none":                 nil,
		"password":             {ssh.Password("")},
		"keyboard-interactive": {ssh.KeyboardInteractive(func(_, _ string, q []string, _ []bool) ([]string, error) { return make([]string, len(q)), nil })},
		"an unknown key":       {ssh.PublicKeys(eve.signer)},
		"a certificate":        {ssh.PublicKeys(certificate())},
	} {
		if c, err := x.dial(auth...); err == nil {
			c.Close()
			t.Errorf("%s lets in", name)
		}
	}
	x.logged("login refused", eve.fingerprint(), "not in the authorized_keys file")
	c, err := x.dial(ssh.PublicKeys(eve.signer, ada.signer))
	if err != nil {
		t.Fatalf("a known key after an unknown one: %v", err)
	}
	c.Close()
	if x.shell(ada, "xterm", 80, 24).wait("capture").press("q").status() != 0 {
		t.Error("who has left has an exit status")
	}
	for _, method := range []string{"password", "keyboard-interactive"} {
		out, err := sshClient(t, x.addr, ada, "-o", "PubkeyAuthentication=no", "-o", "PreferredAuthentications="+method).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "Permission denied (publickey)") {
			t.Errorf("ssh with %s: %v\n%s", method, err, out)
		}
	}
}

// chameleon offers one key and signs with another.
type chameleon struct {
	ssh.Signer
	offered ssh.PublicKey
}

func (c *chameleon) PublicKey() ssh.PublicKey { return &twoKeys{c.Signer.PublicKey(), c.offered, 0} }

// twoKeys is the offered key for as long as x/crypto's client asks whether it would
// do, and the other one in what is signed.
type twoKeys struct {
	ssh.PublicKey
	offered ssh.PublicKey
	asked   int
}

func (k *twoKeys) Marshal() []byte {
	if k.asked++; k.asked <= 2 {
		return k.offered.Marshal()
	}
	return k.PublicKey.Marshal()
}

// forger cannot sign with the key that it has.
type forger struct{ ssh.Signer }

func (f forger) Sign(io.Reader, []byte) (*ssh.Signature, error) {
	return &ssh.Signature{Format: f.PublicKey().Type(), Blob: make([]byte, 64)}, nil
}

// Who has signed is who is logged in, whoever's key was offered before.
func TestSSHIdentityIsOfTheSigner(t *testing.T) {
	ada, bob, eve := newPerson(t, "ada"), newPerson(t, "bob"), newPerson(t, "eve")
	x := startSSHD(t, nil, ada.line()+"read-only "+bob.line())
	if c, err := x.dial(ssh.PublicKeys(forger{ada.signer})); err == nil {
		c.Close()
		t.Error("a key without its signature lets in")
	}
	if c, err := x.dial(ssh.PublicKeys(&chameleon{eve.signer, ada.signer.PublicKey()})); err == nil {
		c.Close()
		t.Error("who offers a known key and signs with an unknown one is let in")
	}
	x.logged("login refused", eve.fingerprint()) // so that the offer was one
	x.shell(person{"bob", &chameleon{bob.signer, ada.signer.PublicKey()}, ""}, "xterm", 120, 24).wait("(read-only)")
	x.logged("session begins", bob.fingerprint(), `"comment":"bob"`, `"read_only":true`)

	// OpenSSH offers a key that it has not unlocked, is told that it would do, cannot
	// unlock it, and goes on to the next.
	locked := newPerson(t, "locked")
	writeFile(t, x.keys, locked.line()+"read-only "+bob.line())
	if out, err := exec.Command("ssh-keygen", "-q", "-p", "-N", "a passphrase", "-f", locked.file).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	writeFile(t, locked.file+".pub", locked.line())
	out, err := sshClient(t, x.addr, locked, "-v", "-i", bob.file, "-T").CombinedOutput()
	if !strings.Contains(string(out), "Server accepts key: "+locked.file) {
		t.Fatalf("ssh did not offer the locked key first: %v\n%s", err, out)
	}
	x.logged("session begins", bob.fingerprint(), `"read_only":true`)
	for _, p := range []person{ada, locked} {
		if log := x.log.String(); strings.Contains(log, p.fingerprint()) && strings.Contains(log, `"comment":"`+p.name) {
			t.Errorf("%s, who never signed, stands in the log:\n%s", p.name, log)
		}
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

// All that SSH can do beside the mapper is refused.
func TestSSHRefusesAllElse(t *testing.T) {
	ada := newPerson(t, "ada")
	x := startSSHD(t, nil, ada.line())
	client, err := x.dial(ssh.PublicKeys(ada.signer))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, kind := range []string{"direct-tcpip", "direct-streamlocal@openssh.com", "x11", "auth-agent@openssh.com", "tun@openssh.com", "nonsense"} {
		if c, _, err := client.OpenChannel(kind, nil); err == nil {
			c.Close()
			t.Errorf("a channel of %s is opened", kind)
		}
	}
	for _, kind := range []string{"tcpip-forward", "streamlocal-forward@openssh.com", "nonsense"} {
		if ok, _, err := client.SendRequest(kind, true, ssh.Marshal(struct {
			Addr string
			Port uint32
		}{"127.0.0.1", 0})); ok || err != nil {
			t.Errorf("%s: %v %v", kind, ok, err)
		}
	}
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	text := func(s string) []byte { return ssh.Marshal(struct{ S string }{s}) }
	for kind, payload := range map[string][]byte{
		"exec": text("ls"), "subsystem": text("sftp"), "auth-agent-req@openssh.com": nil, "signal": text("KILL"), "break": nil, "nonsense": nil,
		"env": ssh.Marshal(struct{ K, V string }{"LOOPS_SIGNING_SECRET", "x"}),
		"x11-req": ssh.Marshal(struct {
			Single      bool
			Proto, Auth string
			Screen      uint32
		}{false, "MIT-MAGIC-COOKIE-1", "00", 0}),
	} {
		if ok, err := session.SendRequest(kind, true, payload); ok || err != nil {
			t.Errorf("%s: %v %v", kind, ok, err)
		}
	}
	if _, err := client.NewSession(); err == nil {
		t.Error("a connection has two sessions")
	}
	// The same by OpenSSH's own client.
	for name, args := range map[string][]string{
		"a command":          {},
		"a subsystem":        {"-s"},
		"forwarding from":    {"-N", "-o", "ExitOnForwardFailure=yes", "-R", "127.0.0.1:0:127.0.0.1:1"},
		"forwarding to":      {"-W", "127.0.0.1:1"},
		"forwarding a shell": {"-A", "-X"},
	} {
		cmd := sshClient(t, x.addr, ada, args...)
		if name != "forwarding from" && name != "forwarding to" {
			cmd.Args = append(cmd.Args, "ls")
		}
		if out, err := cmd.CombinedOutput(); err == nil {
			t.Errorf("ssh, %s: exit status 0\n%s", name, out)
		}
	}
	x.logged("ssh: listening")
	if strings.Contains(x.log.String(), "session begins") {
		t.Error("something else than a shell has begun a session")
	}
}

// Sessions are few, in all and for each key; who finds no seat is told.
func TestSSHSeats(t *testing.T) {
	ada, bob := newPerson(t, "ada"), newPerson(t, "bob")
	x := startSSHD(t, func(l *sshLimits) { l.sessions, l.perKey = 3, 2 }, ada.line()+bob.line())
	first := x.shell(ada, "xterm", 80, 24).wait("capture")
	x.shell(ada, "xterm", 80, 24).wait("capture")
	third := x.shell(ada, "xterm", 80, 24).wait("this key has all the sessions that one may have")
	if code := third.status(); code != 1 {
		t.Errorf("exit status %d", code)
	}
	x.shell(bob, "xterm", 80, 24).wait("capture")
	x.shell(bob, "xterm", 80, 24).wait("all sessions are taken").status()
	x.logged("session refused", bob.fingerprint())
	first.press("q").status()
	x.logged("session ends", ada.fingerprint(), `"why":"left"`)
	x.shell(bob, "xterm", 80, 24).wait("capture")
}

// Time ends what people do not: a handshake that stays silent, a session without a
// key, a session that is too long. What was not saved is kept.
func TestSSHTimes(t *testing.T) {
	ada := newPerson(t, "ada")
	t.Run("handshake", func(t *testing.T) {
		x := startSSHD(t, func(l *sshLimits) { l.handshake = 300 * time.Millisecond }, ada.line())
		conn, err := net.Dial("tcp", x.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.Copy(io.Discard, conn); err != nil && !errors.Is(err, io.EOF) {
			t.Logf("closed: %v", err)
		}
		client, err := x.dial(ssh.PublicKeys(ada.signer)) // logged in, and no session begun
		if err == nil {
			_ = client.Wait()
		}
	})
	t.Run("idle", func(t *testing.T) {
		x := startSSHD(t, func(l *sshLimits) { l.idle = 4 * time.Second }, ada.line())
		s := x.shell(ada, "xterm", 80, 24).wait("capture").press("b").wait("firstName").press("a").wait("columns added")
		stop := make(chan struct{})
		defer close(stop)
		go func() { // signs of life of the client are no keys
			for {
				select {
				case <-stop:
					return
				case <-time.After(100 * time.Millisecond):
					_, _, _ = s.client.SendRequest("keepalive@openssh.com", true, nil)
				}
			}
		}()
		s.wait("no key was pressed for 4s; the mapping was not saved, a draft of it is kept").wait("\x1b[?1049l")
		if code := s.status(); code != 1 {
			t.Errorf("exit status %d", code)
		}
		x.shell(ada, "xterm", 80, 24).wait("ended unsaved")
	})
	t.Run("longest", func(t *testing.T) {
		x := startSSHD(t, func(l *sshLimits) { l.longest = time.Second }, ada.line())
		s := x.shell(ada, "xterm", 80, 24)
		go func() {
			for {
				if _, err := io.WriteString(s.in, "j"); err != nil {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
		}()
		s.wait("a session lasts 1s at most; everything was saved").status()
	})
}

// A key that is taken out of the file ends its sessions, and lets nobody in.
func TestSSHRemovedKey(t *testing.T) {
	ada, bob := newPerson(t, "ada"), newPerson(t, "bob")
	x := startSSHD(t, nil, ada.line()+bob.line())
	a, b := x.shell(ada, "xterm", 80, 24).wait("capture"), x.shell(bob, "xterm", 80, 24).wait("capture")
	writeFile(t, x.keys, bob.line())
	a.wait("the key may not log in any more").status()
	if c, err := x.dial(ssh.PublicKeys(ada.signer)); err == nil {
		c.Close()
		t.Error("it still lets in")
	}
	b.press("?").wait("keys")
	writeFile(t, x.keys, "read-only "+bob.line()) // who may do less now has to come again
	b.wait("the key may not log in any more").status()
	x.shell(bob, "xterm", 120, 24).wait("(read-only)")
	if err := os.Remove(x.keys); err != nil {
		t.Fatal(err)
	}
	if c, err := x.dial(ssh.PublicKeys(bob.signer)); err == nil {
		c.Close()
		t.Error("without the file it lets in")
	}
}

// Whatever size or name a terminal claims, the session and the server live.
func TestSSHStrangeTerminals(t *testing.T) {
	ada := newPerson(t, "ada")
	x := startSSHD(t, func(l *sshLimits) { l.sessions, l.perKey = 100, 100 }, ada.line())
	for _, size := range [][2]int{{0, 0}, {0, 24}, {1, 1}, {65535, 65535}, {1 << 31, 1 << 31}} {
		s := x.shell(ada, "xterm-256color", size[0], size[1])
		if size[0] == 1 {
			s.wait("\x1b[?1049h")
		} else {
			s.wait("capture")
		}
		if code := s.press("q").status(); code != 0 {
			t.Errorf("%v: exit status %d", size, code)
		}
	}
	for _, term := range []string{"\x1b]0;pwned\x07", "xterm\n\x1b[31m", strings.Repeat("x", 70000), "../../etc/passwd", ""} {
		client, err := x.dial(ssh.PublicKeys(ada.signer))
		if err != nil {
			t.Fatal(err)
		}
		session, err := client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		var out lockedBuffer
		session.Stdout = &out
		if _, err := session.StdinPipe(); err != nil { // without one its end is sent at once
			t.Fatal(err)
		}
		if err := session.RequestPty(term, 24, 80, nil); err != nil {
			t.Fatal(err)
		}
		if err := session.Shell(); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() (bool, string) {
			return strings.Contains(out.String(), "capture"), fmt.Sprintf("TERM %.20q shows %q", term, out.String())
		})
		if strings.Contains(out.String()+x.log.String(), "pwned") {
			t.Errorf("TERM %.20q comes back", term)
		}
		client.Close()
	}
	// A storm of sizes: the last one counts.
	s := x.shell(ada, "xterm", 80, 24).wait("capture")
	for i := range 5000 {
		if err := s.session.WindowChange(i%100, i%300); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.session.WindowChange(30, 90); err != nil {
		t.Fatal(err)
	}
	s.press("b").wait("firstName").press("A").press("q").status()
	if log := x.log.String(); strings.Contains(log, "panic") {
		t.Error(log)
	}
	if code := x.shell(ada, "dumb", 80, 24).wait("ssh -T").status(); code != 1 {
		t.Errorf("a dumb terminal: exit status %d", code)
	}
}

// A session that is lost leaves a draft for its key, and one for nobody else.
func TestSSHDraftOfALostLink(t *testing.T) {
	ada, bob := newPerson(t, "ada"), newPerson(t, "bob")
	x := startSSHD(t, nil, ada.line()+bob.line())
	s := x.shell(ada, "xterm", 80, 24).wait("capture").press("b").wait("firstName").press("a").wait("columns added")
	s.client.Close()
	x.logged("draft kept", ada.fingerprint())
	x.logged("session ends", "the link is gone")
	x.shell(bob, "xterm", 80, 24).wait("capture").press("q").status()
	x.shell(ada, "xterm", 80, 24).wait("ended unsaved").press("x").wait("thrown away").press("q").status()
	if left, _ := filepath.Glob(filepath.Join(x.dir, ".*draft")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	// The server's end is no loss either.
	s = x.shell(ada, "xterm", 80, 24).wait("capture").press("b").wait("firstName").press("a").wait("columns added")
	x.stop()
	s.wait("the server stops; the mapping was not saved, a draft of it is kept").status()
}

// Whoever comes and goes, nothing stays behind in the process.
func TestSSHLeavesNothing(t *testing.T) {
	ada := newPerson(t, "ada")
	x := startSSHD(t, nil, ada.line())
	before := runtime.NumGoroutine()
	for i := range 12 {
		term := "xterm"
		if i%3 == 2 {
			term = ""
		}
		s := x.shell(ada, term, 80, 24)
		switch s.wait("nothing is received here"); {
		case i%2 == 0:
			s.client.Close() // as a link that is lost
		case term == "":
			s.press("q\n").status()
		default:
			s.press("D").wait("nothing has come in yet").press("q").status()
		}
		s.client.Close()
	}
	eventually(t, func() (bool, string) {
		n := runtime.NumGoroutine()
		return n < before+6, fmt.Sprintf("%d goroutines, %d before", n, before) // the server has some of its own
	})
}

// Without a terminal the mapper asks line by line.
func TestSSHLineByLine(t *testing.T) {
	ada, bob := newPerson(t, "ada"), newPerson(t, "bob")
	x := startSSHD(t, nil, ada.line()+"read-only "+bob.line())
	a := x.shell(ada, "", 0, 0).wait("line by line").press("b\n").wait("contact.email, text").press("file /etc/passwd\n").wait("files of the server are not read")
	a.press("8\n").wait("Picked").press("s\n").wait("Write it?")
	// Somebody else is quicker: what they did is shown, and merged.
	file := filepath.Join(x.dir, "loopmap.yaml")
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, file, string(src)+"    - {name: plan, type: text, from: contact.plan}\n")
	a.press("y\n").wait("changed by someone else").press("s\n").wait("THEIRS").wait("What now?").press("merge\n").wait("Write it?").press("y\n").wait("saved loopmap.yaml")
	if code := a.press("q\n").status(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	now, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(now), "name: plan") || strings.Count(string(now), "name:") != 3 {
		t.Errorf("%v\n%s", err, now)
	}
	b := x.shell(bob, "", 0, 0).wait("line by line").press("b\n").wait("contact.email, text").press("7\n").wait("Picked").press("s\n").wait("read-only: it may look, and not save")
	b.press("q\n").wait("Quit all the same?").press("y\n").status()
	x.logged("mapping saved", ada.fingerprint(), `"comment":"ada"`)
	var saved int
	for line := range strings.Lines(x.log.String()) {
		var l struct{ Msg string }
		if json.Unmarshal([]byte(line), &l) == nil && l.Msg == "mapping saved" {
			saved++
		}
	}
	if saved != 1 {
		t.Errorf("%d saves are logged", saved)
	}
}
