package sshd

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/crypto/ssh"
)

// HostKeyName is the file of the host key unless one is named: beside the mapping
// file, where the process may write in any case.
const HostKeyName = "ssh_host_ed25519_key"

// HostKey is the key by which clients know this server again. It is made when it is
// not there, and never again.
func HostKey(file string) (ssh.Signer, error) {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		if err := makeHostKey(file); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("make the host key: %w\nhint: --host-key names another place for it", err)
		}
	}
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the host key: %w", err)
	case !info.Mode().IsRegular():
		return nil, mistake("the host key %s is not a file", file)
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return nil, mistake("the host key %s can be read by others (%v), who could pass for this server\n"+
			"hint: chmod 600 %s, or remove it: then another one is made, and clients are told", file, info.Mode().Perm(), file)
	}
	if info.Size() > maxKeyFile {
		return nil, mistake("the host key %s is too large for a key", file)
	}
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the host key: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(src)
	if err != nil { // whose text may not quote the file
		return nil, mistake("%s is not a private key without a passphrase\n"+
			"hint: remove it, and another one is made; or name one with --host-key", file)
	}
	return signer, nil
}

// makeHostKey writes a new key, whole or not at all, and never over another one.
func makeHostKey(file string) (err error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	block, err := ssh.MarshalPrivateKey(key, "loopmap")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*") // 0600 from the start
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := errors.Join(pem.Encode(f, block), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Link(f.Name(), file)
}
