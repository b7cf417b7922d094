//go:build unix

package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

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
	if x.shell(ada, "xterm", 80, 24).wait("Here will be").press("q").status() != 0 {
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

// A session that is lost leaves a draft for its key, and one for nobody else.
func TestSSHDraftOfALostLink(t *testing.T) {
	t.Parallel()
	ada, bob := newPerson(t, "ada"), newPerson(t, "bob")
	x := startSSHD(t, nil, ada.line()+bob.line())
	s := x.shell(ada, "xterm", 80, 24).wait("Here will be").press("r").press("b").wait("firstName").press("a").wait("columns added")
	s.client.Close()
	x.logged("draft kept", ada.fingerprint())
	x.logged("session ends", "the link is gone")
	x.shell(bob, "xterm", 80, 24).wait("Here will be").press("q").status()
	x.shell(ada, "xterm", 80, 24).wait("ended unsaved").press("x").wait("thrown away").press("q").status()
	if left, _ := filepath.Glob(filepath.Join(x.dir, ".*draft")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	// The server's end is no loss either, nor for two sessions of one key.
	s = x.shell(ada, "xterm", 80, 24).wait("Here will be").press("r").press("b").wait("firstName").press("a").wait("columns added")
	other := x.shell(ada, "xterm", 80, 24).wait("Here will be").press("r").press("b").wait("firstName").press("a").wait("columns added")
	x.stop()
	for _, s := range []*shell{s, other} {
		s.wait("the server stops; the mapping was not saved, a draft of it is kept").status()
	}
	if left, _ := filepath.Glob(filepath.Join(x.dir, ".*draft")); len(left) != 2 {
		t.Errorf("drafts: %v", left)
	}
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
		switch s.wait(map[bool]string{true: "Here will be", false: "nothing is received here"}[term != ""]); {
		case i%2 == 0:
			if term != "" { // which looks at the journal again and again
				s.press("4").wait("what Loops sends")
			}
			s.client.Close() // as a link that is lost
		case term == "":
			s.press("q\n").status()
		default:
			s.press("4").wait("what Loops sends").press("q").status()
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
