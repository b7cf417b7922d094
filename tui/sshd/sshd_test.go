package sshd

import (
	"crypto/ed25519"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// newKey is a line of an authorized_keys file, and the key's fingerprint.
func newKey(t *testing.T, comment string) (line, fingerprint string) {
	t.Helper()
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) + " " + comment, ssh.FingerprintSHA256(key)
}

// Nothing that rests on SHA-1 is offered.
func TestAlgorithms(t *testing.T) {
	signer, err := HostKey(filepath.Join(t.TempDir(), HostKeyName))
	if err != nil {
		t.Fatal(err)
	}
	c := (&Server{Signer: signer}).config()
	for _, list := range [][]string{c.KeyExchanges, c.MACs, c.Ciphers, c.PublicKeyAuthAlgorithms} {
		if len(list) == 0 {
			t.Error("a list is empty: the defaults would be offered")
		}
		for _, name := range list {
			if strings.Contains(name, "sha1") || name == "ssh-rsa" || name == "ssh-dss" || strings.Contains(name, "cbc") {
				t.Errorf("%s is offered", name)
			}
		}
	}
}

// The lines of an authorized_keys file: a key gets what its line says, and never more.
func TestKeyLines(t *testing.T) {
	key, fingerprint := newKey(t, "ada laptop")
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
		if (err == nil) != want.taken || k.ReadOnly != want.readOnly && want.taken {
			t.Errorf("%.60s: %+v, %v", line, k, err)
		}
		if err == nil && (k.Fingerprint != fingerprint || k.Comment != "ada laptop") {
			t.Errorf("%.60s: %+v", line, k)
		}
	}
}

// The host key is made once, for its owner alone, and stays.
func TestHostKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), HostKeyName)
	first, err := HostKey(file)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	again, err := HostKey(file)
	if err != nil || ssh.FingerprintSHA256(again.PublicKey()) != ssh.FingerprintSHA256(first.PublicKey()) {
		t.Errorf("another key: %v", err)
	}
	if left, _ := os.ReadDir(filepath.Dir(file)); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := HostKey(file); err == nil || !strings.Contains(err.Error(), "can be read by others") {
		t.Errorf("a key that others can read: %v", err)
	}
	for _, text := range []string{"", "secret nonsense"} {
		other := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(other, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := HostKey(other); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q is a key, or is shown: %v", text, err)
		}
		if now, err := os.ReadFile(other); err != nil || string(now) != text {
			t.Error("the file was written over")
		}
	}
	if _, err := HostKey(filepath.Join(t.TempDir(), "none", "key")); err == nil {
		t.Error("a folder that is not there is no error")
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
func TestArrivals(t *testing.T) {
	p := arrivals{all: 6, perHost: 3}
	enter := func(host string) (*from, *arrival) {
		c := &from{host: host}
		return c, p.enter(c)
	}
	first, spoken := enter("10.0.0.1")
	spoken.spoke.Store(true)
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
