//go:build unix

package main

import (
	"net"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// A client that has nothing better than what rests on SHA-1 does not get in.
func TestSSHAlgorithms(t *testing.T) {
	ada := newPerson(t, "ada")
	x := startSSHD(t, nil, ada.line())
	for what, weak := range map[string]func(*ssh.Config){
		"key exchange": func(c *ssh.Config) { c.KeyExchanges = []string{"diffie-hellman-group14-sha1"} },
		"hmac-sha1":    func(c *ssh.Config) { c.MACs, c.Ciphers = []string{"hmac-sha1", "hmac-sha1-96"}, []string{"aes128-ctr"} },
	} {
		conn, err := net.Dial("tcp", x.addr)
		if err != nil {
			t.Fatal(err)
		}
		config := &ssh.ClientConfig{User: "x", Auth: []ssh.AuthMethod{ssh.PublicKeys(ada.signer)}, HostKeyCallback: ssh.InsecureIgnoreHostKey()}
		weak(&config.Config)
		if _, _, _, err := ssh.NewClientConn(conn, x.addr, config); err == nil || !strings.Contains(err.Error(), "no common algorithm") {
			t.Errorf("%s: %v", what, err)
		}
		conn.Close()
	}
}
