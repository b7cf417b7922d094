//go:build unix

package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"loopmap/tui/sshd"
)

// Sessions are few, in all and for each key; who finds no seat is told.
func TestSSHSeats(t *testing.T) {
	ada, bob := newPerson(t, "ada"), newPerson(t, "bob")
	x := startSSHD(t, func(l *sshd.Limits) { l.Sessions, l.PerKey = 3, 2 }, ada.line()+bob.line())
	first := x.shell(ada, "xterm", 80, 24).wait("Here will be")
	x.shell(ada, "xterm", 80, 24).wait("Here will be")
	third := x.shell(ada, "xterm", 80, 24).wait("this key has all the sessions that one may have")
	if code := third.status(); code != 1 {
		t.Errorf("exit status %d", code)
	}
	x.shell(bob, "xterm", 80, 24).wait("Here will be")
	x.shell(bob, "xterm", 80, 24).wait("all sessions are taken").status()
	x.logged("session refused", bob.fingerprint())
	first.press("q").status()
	x.logged("session ends", ada.fingerprint(), `"why":"left"`)
	x.shell(bob, "xterm", 80, 24).wait("Here will be")
}

// Time ends what people do not: a handshake that stays silent, a session without a
// key, a session that is too long. What was not saved is kept.
func TestSSHTimes(t *testing.T) {
	t.Parallel()
	ada := newPerson(t, "ada")
	t.Run("handshake", func(t *testing.T) {
		x := startSSHD(t, func(l *sshd.Limits) { l.Handshake = 300 * time.Millisecond }, ada.line())
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
		x := startSSHD(t, func(l *sshd.Limits) { l.Idle = 4 * time.Second }, ada.line())
		s := x.shell(ada, "xterm", 80, 24).wait("Here will be").press("r").press("b").wait("firstName").press("a").wait("columns added")
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
		x := startSSHD(t, func(l *sshd.Limits) { l.Longest = time.Second }, ada.line())
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
	t.Parallel()
	ada, bob := newPerson(t, "ada"), newPerson(t, "bob")
	x := startSSHD(t, nil, ada.line()+bob.line())
	a, b := x.shell(ada, "xterm", 80, 24).wait("Here will be"), x.shell(bob, "xterm", 80, 24).wait("Here will be")
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
	t.Parallel()
	ada := newPerson(t, "ada")
	x := startSSHD(t, func(l *sshd.Limits) { l.Sessions, l.PerKey = 100, 100 }, ada.line())
	for _, size := range [][2]int{{0, 0}, {0, 24}, {1, 1}, {65535, 65535}, {1 << 31, 1 << 31}} {
		s := x.shell(ada, "xterm-256color", size[0], size[1])
		if size[0] == 1 {
			s.wait("\x1b[?1049h")
		} else {
			s.wait("Here will be")
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
			return strings.Contains(out.String(), "Here will be"), fmt.Sprintf("TERM %.20q shows %q", term, out.String())
		})
		if strings.Contains(out.String()+x.log.String(), "pwned") {
			t.Errorf("TERM %.20q comes back", term)
		}
		client.Close()
	}
	// A storm of sizes: the last one counts.
	s := x.shell(ada, "xterm", 80, 24).wait("Here will be")
	for i := range 5000 {
		if err := s.session.WindowChange(i%100, i%300); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.session.WindowChange(30, 90); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() (bool, string) { // a key that comes while the screen is too small does nothing
		s.press("r").press("b")
		return strings.Contains(s.out.String(), "firstName"), "it does not come back from the storm"
	})
	s.press("q").status()
	if log := x.log.String(); strings.Contains(log, "panic") {
		t.Error(log)
	}
	if code := x.shell(ada, "dumb", 80, 24).wait("ssh -T").status(); code != 1 {
		t.Errorf("a dumb terminal: exit status %d", code)
	}
}
