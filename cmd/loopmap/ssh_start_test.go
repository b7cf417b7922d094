//go:build unix

package main

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"loopmap/tui/sshd"
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
				args := append(slices.Clone(command), addr, "--authorized-keys", file)
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

// What is not said otherwise: this machine only, and the bounds that `loopmap help ssh` names.
func TestSSHDefaults(t *testing.T) {
	a := &app{}
	if got := a.sshCommand().Flags().Lookup("listen").DefValue; got != "127.0.0.1:8722" {
		t.Errorf("ssh listens on %s", got)
	}
	if got := a.syncCommand().Flags().Lookup("ssh").DefValue; got != "" {
		t.Errorf("sync listens for ssh on %s", got)
	}
	want := sshd.Limits{Handshake: 15 * time.Second, Idle: 10 * time.Minute, Longest: 8 * time.Hour, Sessions: 8, PerKey: 4, Arriving: 64, PerHost: 16}
	if got := sshd.DefaultLimits(); got != want {
		t.Errorf("the limits are %+v", got)
	}
}
