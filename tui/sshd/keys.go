package sshd

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

// Key is a key that may log in.
type Key struct {
	Fingerprint string // SHA256:..., which stands for the key everywhere
	Comment     string // as the file has it
	ReadOnly    bool   // may look, and not save
}

// Name is the key for a person: its comment, or its fingerprint when it has none.
func (k Key) Name() string {
	if k.Comment != "" {
		return k.Comment
	}
	return k.Fingerprint
}

// KeyFile is the authorized_keys file. It is read anew whenever somebody comes, so
// that a key which is taken out is out.
type KeyFile string

// maxKeyFile is more than any such file needs.
const maxKeyFile = 1 << 20

// Read returns the keys of the file by their fingerprint, and what is wrong with
// lines that give none.
func (f KeyFile) Read() (keys map[string]Key, wrong []string, err error) {
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
	src, err := os.ReadFile(string(f))
	if err != nil {
		return nil, nil, err
	}
	keys = map[string]Key{}
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
		} else if _, doubled := keys[k.Fingerprint]; !doubled { // the first counts, as with sshd
			keys[k.Fingerprint] = k
		}
	}
	return keys, wrong, nil
}

// parseKeyLine reads one line. An option that would narrow what the key may do, and
// that is not carried out here, makes the line void: a key never gets more than its
// line says.
func parseKeyLine(line []byte) (k Key, err error) {
	key, comment, options, _, err := ssh.ParseAuthorizedKey(line)
	if err != nil {
		return k, errors.New("this is not a public key")
	}
	k = Key{Fingerprint: ssh.FingerprintSHA256(key), Comment: comment}
	for _, o := range options {
		switch name, _, _ := strings.Cut(strings.ToLower(o), "="); name {
		case "read-only":
			k.ReadOnly = true
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

// Check makes sure, before anything listens, that somebody may log in.
func (f KeyFile) Check() (n int, wrong []string, err error) {
	const hint = "\nhint: put the public keys of those who may map into it, one a line as in ~/.ssh/authorized_keys; read-only before a " +
		"key lets it look and not save"
	if f == "" {
		return 0, nil, mistake("nobody may log in: --authorized-keys names no file%s", hint)
	}
	keys, wrong, err := f.Read()
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil, mistake("nobody may log in: %s is not there%s", f, hint)
	} else if err != nil {
		return 0, nil, mistake("nobody may log in: %v%s", err, hint)
	}
	if len(keys) == 0 {
		return 0, wrong, mistake("nobody may log in: %s holds no key%s", f, strings.Join(append([]string{""}, wrong...), "\n")+hint)
	}
	return len(keys), wrong, nil
}
