package sshd

import (
	"errors"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// config is how one connection logs in: by a public key, or not at all. NoClientAuth
// stays false and no other method has a callback.
func (s *Server) config() *ssh.ServerConfig {
	c := &ssh.ServerConfig{MaxAuthTries: 6, ServerVersion: "SSH-2.0-loopmap"}
	c.PublicKeyCallback = func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		k, err := s.admit(ssh.FingerprintSHA256(key))
		if err != nil {
			s.Log.Warn("ssh: login refused", "key", ssh.FingerprintSHA256(key), "address", meta.RemoteAddr().String(), "why", err)
			return nil, err
		}
		// This key was offered; whether it signs is not known yet. So nothing is noted
		// here but in what x/crypto keeps with the key, and returns of the one that signed.
		return &ssh.Permissions{Extensions: map[string]string{fingerprintOfSigner: k.Fingerprint}}, nil
	}
	c.AddHostKey(s.Signer)
	a := ssh.SupportedAlgorithms() // the defaults offer more, for old clients
	c.KeyExchanges, c.Ciphers = sound(a.KeyExchanges), sound(a.Ciphers)
	c.MACs, c.PublicKeyAuthAlgorithms = sound(a.MACs), sound(a.PublicKeyAuths)
	return c
}

// sound are algorithms without those that rest on SHA-1.
func sound(names []string) []string {
	return slices.DeleteFunc(names, func(name string) bool {
		return strings.Contains(name, "sha1") || name == ssh.KeyAlgoRSA || name == ssh.CertAlgoRSAv01
	})
}

const fingerprintOfSigner = "fingerprint@loopmap"

var errUnknownKey = errors.New("the key is not in the authorized_keys file")

// admit looks a key up in the file as it is now.
func (s *Server) admit(fingerprint string) (Key, error) {
	keys, _, err := s.Keys.Read()
	if err != nil {
		return Key{}, err
	}
	k, ok := keys[fingerprint]
	if !ok {
		return k, errUnknownKey
	}
	return k, nil
}
