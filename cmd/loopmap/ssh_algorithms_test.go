//go:build unix

package main

import (
	"net"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// Nothing that rests on SHA-1 is offered, and a client that has nothing better does not
// get in; keys of all kinds that are sound do.
func TestSSHAlgorithms(t *testing.T) {
	ada := newPerson(t, "ada")
	x := startSSHD(t, nil, ada.line())
	c := x.host.server.config()
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
