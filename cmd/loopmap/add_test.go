//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// At a terminal what no webhook has is asked after, and only yes adds it.
func TestAddAsks(t *testing.T) {
	for answer, code := range map[string]int{"n": 1, "": 1, "y": 0} {
		dir := t.TempDir()
		x := openTerminal(t, dir, 130, 24, nil, "add", "contct.emial")
		x.wait("did you mean contact.email?", "Write it all the same, and change table contacts?").press(answer, "enter")
		if got := x.exit(); got != code {
			t.Errorf("%q: exit status %d, want %d", answer, got, code)
		}
		src, _ := os.ReadFile(filepath.Join(dir, "loopmap.yaml"))
		if got := strings.Contains(string(src), "emial"); got != (code == 0) {
			t.Errorf("%q: added is %v", answer, got)
		}
	}
}
