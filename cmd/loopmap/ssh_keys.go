package main

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/crypto/ssh"
)

// loginKey is a key that may log in.
type loginKey struct {
	fingerprint string // SHA256:..., which stands for the key everywhere
	comment     string // as the file has it
	readOnly    bool   // may look, and not save
}

// name is the key for a person: its comment, or its fingerprint when it has none.
func (k loginKey) name() string {
	if k.comment != "" {
		return k.comment
	}
	return k.fingerprint
}

// keyFile is the authorized_keys file. It is read anew whenever somebody knocks, so
// that a key which is taken out is out.
type keyFile string

// maxKeyFile is more than any such file needs.
const maxKeyFile = 1 << 20

// read returns the keys of the file by their fingerprint, and what is wrong with
// lines that give none.
func (f keyFile) read() (keys map[string]loginKey, wrong []string, err error) {
	info, err := os.Stat(string(f))
	switch {
	case err != nil:
		return nil, nil, err
	case !info.Mode().IsRegular():
		return nil, nil, fmt.Errorf("%s is not a file", f)
	case info.Size() > maxKeyFile:
		return nil, nil, fmt.Errorf("%s is too large for a file of keys", f)
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0:
		return nil, nil, fmt.Errorf("%s can be written by others (%v), who could let themselves in: chmod go-w", f, info.Mode().Perm())
	}
	src, err := readSmall(string(f))
	if err != nil {
		return nil, nil, err
	}
	keys = map[string]loginKey{}
	number := 0
	for line := range bytes.Lines(src) {
		number++
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		k, err := parseKeyLine(line)
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("%s:%d: %v", f, number, err))
		} else if _, doubled := keys[k.fingerprint]; !doubled { // the first counts, as with sshd
			keys[k.fingerprint] = k
		}
	}
	return keys, wrong, nil
}

// parseKeyLine reads one line. An option that would narrow what the key may do, and
// that is not carried out here, makes the line void: a key never gets more than its
// line says.
func parseKeyLine(line []byte) (k loginKey, err error) {
	key, comment, options, _, err := ssh.ParseAuthorizedKey(line)
	if err != nil {
		return k, errors.New("this is no public key")
	}
	k = loginKey{fingerprint: ssh.FingerprintSHA256(key), comment: comment}
	for _, o := range options {
		switch name, _, _ := strings.Cut(strings.ToLower(o), "="); name {
		case "read-only":
			k.readOnly = true
		case "restrict", "pty", "no-agent-forwarding", "no-port-forwarding", "no-x11-forwarding", "no-user-rc":
			// nothing of that is done here in any case
		default:
			return k, fmt.Errorf("the option %s is not carried out here, so the key is not taken; read-only and restrict are known", name)
		}
	}
	if c, ok := key.(ssh.CryptoPublicKey); ok {
		if r, ok := c.CryptoPublicKey().(*rsa.PublicKey); ok && r.Size() < 2048/8 {
			return k, errors.New("an RSA key of less than 2048 bits is not taken")
		}
	}
	return k, nil
}

// check makes sure, before anything listens, that somebody may log in.
func (f keyFile) check() (n int, wrong []string, err error) {
	const hint = "\nhint: put the public keys of those who may map into it, one a line as in ~/.ssh/authorized_keys; read-only before a key lets it look and not save"
	if f == "" {
		return 0, nil, usage("nobody may log in: --authorized-keys names no file%s", hint)
	}
	keys, wrong, err := f.read()
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil, usage("nobody may log in: %s is not there%s", f, hint)
	} else if err != nil {
		return 0, nil, usage("nobody may log in: %v%s", err, hint)
	}
	if len(keys) == 0 {
		return 0, wrong, usage("nobody may log in: %s holds no key%s", f, strings.Join(append([]string{""}, wrong...), "\n")+hint)
	}
	return len(keys), wrong, nil
}
