//go:build unix

package main

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// terminal runs the real program on a real pseudo-terminal, and is the terminal
// at its other end.
type terminal struct {
	t    testing.TB
	pty  *os.File
	cmd  *exec.Cmd
	done chan error

	mu     sync.Mutex // vt's own guard does not cover String
	screen *vt.Emulator
	raw    []byte // all that was written to the terminal
	last   time.Time
}

// quiet is how long nothing must be written for the screen to count as settled.
const settled = 60 * time.Millisecond

func openTerminal(t testing.TB, dir string, w, h int, env []string, args ...string) *terminal {
	t.Helper()
	return openCommand(t, dir, w, h, env, append([]string{"loopmap"}, args...)...)
}

func openCommand(t testing.TB, dir string, w, h int, env []string, args ...string) *terminal {
	t.Helper()
	x := &terminal{t: t, screen: vt.NewEmulator(w, h), done: make(chan error, 1)}
	x.cmd = exec.Command(args[0], args[1:]...)
	x.cmd.Dir = dir
	x.cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TERM=xterm-256color", "LANG=C.UTF-8", "TZ=UTC", "LOOPS_SIGNING_SECRET=" + testSecret,
	}, env...)
	var err error
	x.pty, err = pty.StartWithSize(x.cmd, &pty.Winsize{Cols: uint16(w), Rows: uint16(h)})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, x.screen) }() // its answers to queries; undrained they block
	go func() {
		buf := make([]byte, 32<<10)
		for {
			n, err := x.pty.Read(buf)
			x.mu.Lock()
			x.raw, x.last = append(x.raw, buf[:n]...), time.Now()
			_, _ = x.screen.Write(buf[:n])
			x.mu.Unlock()
			if err != nil {
				break
			}
		}
		x.done <- x.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = x.cmd.Process.Kill()
		x.pty.Close()
	})
	return x
}

func (x *terminal) text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	var lines []string
	for _, line := range strings.Split(x.screen.String(), "\n") {
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return strings.Join(lines, "\n")
}

// wait until all texts are shown and the screen has settled.
func (x *terminal) wait(texts ...string) *terminal {
	x.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		x.mu.Lock()
		still := time.Since(x.last) > settled
		x.mu.Unlock()
		if still {
			screen, all := x.text(), true
			for _, s := range texts {
				all = all && strings.Contains(screen, s)
			}
			if all {
				return x
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	x.t.Fatalf("the screen never showed %q:\n%s", texts, x.text())
	return x
}

// silent reports whether nothing is written for a time, before patience ends.
func (x *terminal) silent(quiet, patience time.Duration) bool {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		x.mu.Lock()
		still := time.Since(x.last) > quiet
		x.mu.Unlock()
		if still {
			return true
		}
	}
	return false
}

// press types keys, each once the screen has settled after the one before.
func (x *terminal) press(keys ...string) *terminal {
	x.t.Helper()
	names := map[string]string{"enter": "\r", "esc": "\x1b", "tab": "\t", "space": " ", "up": "\x1b[A", "down": "\x1b[B", "ctrl+c": "\x03", "ctrl+u": "\x15"}
	for _, k := range keys {
		if s, ok := names[k]; ok {
			k = s
		}
		if k == "\r" { // it counts alone: in time, too
			time.Sleep(settled)
		}
		x.mu.Lock()
		before := len(x.raw)
		x.mu.Unlock()
		if _, err := x.pty.WriteString(k); err != nil {
			x.t.Fatal(err)
		}
		if k == "\x1b" { // so that what follows does not make it alt
			time.Sleep(100 * time.Millisecond)
		}
		for range 60 { // until it has had an effect, if it has one
			time.Sleep(5 * time.Millisecond)
			x.mu.Lock()
			changed := len(x.raw) > before && time.Since(x.last) > settled/2
			x.mu.Unlock()
			if changed {
				break
			}
		}
	}
	return x
}

// exit waits for the program to end and returns its exit status.
func (x *terminal) exit() int {
	x.t.Helper()
	select {
	case <-x.done: //nolint:errcheck // the exit code says it
		return x.cmd.ProcessState.ExitCode()
	case <-time.After(30 * time.Second):
		x.t.Fatalf("the program does not end:\n%s", x.text())
		return -1
	}
}
