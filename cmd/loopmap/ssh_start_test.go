//go:build unix

package main

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// Without keys that could log in nothing listens, and it is said why.
func TestSSHNeedsKeys(t *testing.T) {
	ada := newPerson(t, "ada")
	for name, keys := range map[string]string{
		"none":           "",
		"comments":       "# nobody yet\n\n",
		"no key":         "ssh-ed25519 nonsense\n",
		"options":        `command="sh" ` + ada.line() + "cert-authority " + ada.line(),
		"a private key":  readFile(t, ada.file),
		"not named":      "",
		"not there":      "",
		"a folder":       "",
		"others' to add": ada.line(),
	} {
		for _, command := range [][]string{{"ssh", "--listen"}, {"sync", "--unsigned", "--ssh"}} {
			t.Run(name+" "+command[0], func(t *testing.T) {
				dir, addr := newFolder(t)
				writeFile(t, filepath.Join(dir, "loopmap.yaml"), sshMapping)
				file := filepath.Join(dir, "keys")
				args := append(command, addr, "--authorized-keys", file)
				switch name {
				case "not named":
					args = args[:len(args)-2]
				case "not there":
				case "a folder":
					args[len(args)-1] = dir
				default:
					writeFile(t, file, keys)
				}
				if name == "others' to add" {
					if err := os.Chmod(file, 0o666); err != nil {
						t.Fatal(err)
					}
				}
				if command[0] == "sync" {
					port, err := freePort()
					if err != nil {
						t.Fatal(err)
					}
					args = append(args, "--listen", "127.0.0.1:"+port)
				}
				c := exec.Command("loopmap", args...)
				c.Dir = dir
				out, err := c.CombinedOutput()
				var exit *exec.ExitError
				if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(out), "nobody may log in") || !strings.Contains(string(out), "\nhint: ") {
					t.Errorf("%v\n%s", err, out)
				}
				if bytes.Contains(out, []byte("PRIVATE")) {
					t.Errorf("a private key is shown:\n%s", out)
				}
				if conn, err := net.Dial("tcp", addr); err == nil {
					conn.Close()
					t.Error("it listens")
				}
			})
		}
	}
}

func readFile(t testing.TB, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The lines of an authorized_keys file: a key gets what its line says, and never more.
func TestSSHKeyLines(t *testing.T) {
	ada := newPerson(t, "ada laptop")
	key := strings.TrimSpace(ada.line())
	weak := "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7gSP4YvUQ4Z8pM7mLf2D2tUwVZ0pTqfQ3oW3yZ2Pz0n2m8M9j2p3q4r5s6t7u8v9w0xAyBzC1D2E3F4G5H6I7J8K9L0M1N2O3P4Q5R6S7T8U9V0W1X2Y3Z4a5b6c7d8e9f0g1h2i3j4k5l6m7n8o9p0q1r2s3t4u5v6w7Q== weak"
	for line, want := range map[string]struct {
		taken, readOnly bool
	}{
		key:                                    {true, false},
		"read-only " + key:                     {true, true},
		"restrict,pty,READ-ONLY " + key:        {true, true},
		"restrict,pty " + key:                  {true, false},
		"no-port-forwarding,no-pty " + key:     {false, false},
		`from="10.0.0.0/8" ` + key:             {false, false},
		`command="loopmap" ` + key:             {false, false},
		`expiry-time="20300101" ` + key:        {false, false},
		"cert-authority " + key:                {false, false},
		"readonly " + key:                      {false, false},
		weak:                                   {false, false},
		"AAAAC3NzaC1lZDI1NTE5AAAAI nonsense x": {false, false},
	} {
		k, err := parseKeyLine([]byte(line))
		if (err == nil) != want.taken || k.readOnly != want.readOnly && want.taken {
			t.Errorf("%.60s: %+v, %v", line, k, err)
		}
		if err == nil && (k.fingerprint != ada.fingerprint() || k.comment != "ada laptop") {
			t.Errorf("%.60s: %+v", line, k)
		}
	}
}

// The host key is made once, for its owner alone, and stays.
func TestSSHHostKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), hostKeyName)
	first, err := hostKey(file)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	again, err := hostKey(file)
	if err != nil || ssh.FingerprintSHA256(again.PublicKey()) != ssh.FingerprintSHA256(first.PublicKey()) {
		t.Errorf("another key: %v", err)
	}
	if left, _ := os.ReadDir(filepath.Dir(file)); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := hostKey(file); err == nil || !strings.Contains(err.Error(), "can be read by others") {
		t.Errorf("a key that others can read: %v", err)
	}
	for _, text := range []string{"", "secret nonsense"} {
		other := filepath.Join(t.TempDir(), "key")
		writeFile(t, other, text)
		if _, err := hostKey(other); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q is a key, or is shown: %v", text, err)
		}
		if readFile(t, other) != text {
			t.Error("the file was written over")
		}
	}
	if _, err := hostKey(filepath.Join(t.TempDir(), "none", "key")); err == nil {
		t.Error("a folder that is not there is no error")
	}
}

// What is not said otherwise: this machine only, and the bounds that the README names.
func TestSSHDefaults(t *testing.T) {
	a := &app{}
	if got := a.sshCommand().Flags().Lookup("listen").DefValue; got != "127.0.0.1:8722" {
		t.Errorf("ssh listens on %s", got)
	}
	if got := a.syncCommand().Flags().Lookup("ssh").DefValue; got != "" {
		t.Errorf("sync listens for ssh on %s", got)
	}
	want := sshLimits{handshake: 15 * time.Second, idle: 10 * time.Minute, longest: 8 * time.Hour, sessions: 8, perKey: 4, knocking: 64, perHost: 16}
	if got := defaultLimits(); got != want {
		t.Errorf("the limits are %+v", got)
	}
}

// from is a connection from an address.
type from struct {
	net.Conn
	host   string
	closed bool
}

func (f *from) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(f.host), Port: 1} }
func (f *from) Close() error         { f.closed = true; return nil }

// Who has not logged in is counted by address; the newcomer gets the place of the
// oldest that is silent, of the address that has most.
func TestSSHPorch(t *testing.T) {
	p := porch{all: 6, perHost: 3}
	enter := func(host string) (*from, *knock) {
		c := &from{host: host}
		return c, p.enter(c)
	}
	first, k := enter("10.0.0.1")
	k.spoke.Store(true)
	second, _ := enter("10.0.0.1")
	third, _ := enter("10.0.0.1")
	if first.closed || second.closed || third.closed {
		t.Fatal("three of an address are too many")
	}
	fourth, _ := enter("10.0.0.1")
	if first.closed || !second.closed || third.closed || fourth.closed {
		t.Error("not the oldest silent one has made room")
	}
	a, left := enter("2001:db8::1")
	b, _ := enter("2001:db8::2:0:0:2") // the same 64 bits
	c, _ := enter("2001:db9::1")
	if third.closed || a.closed || b.closed || c.closed {
		t.Error("six are too many")
	}
	d, _ := enter("10.9.9.9")
	if !third.closed || a.closed || d.closed {
		t.Error("the address that has most has not made room")
	}
	p.leave(left)
	enter("10.9.9.8")
	if len(p.waiting) != 6 || fourth.closed {
		t.Errorf("%d wait", len(p.waiting))
	}
}
