package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// opener is what opens the mapping file, or a copy of a text, in the person's editor:
// VISUAL, EDITOR, or what the system has.
func (a *app) opener(file string) func(text []byte) (tea.ExecCommand, func() error, error) {
	words := a.editor()
	if len(words) == 0 {
		return nil
	}
	return func(text []byte) (tea.ExecCommand, func() error, error) {
		name, done := file, func() error { return nil }
		if text != nil {
			dir, err := os.MkdirTemp("", "loopmap")
			if err != nil {
				return nil, nil, err
			}
			name, done = filepath.Join(dir, "body.json"), func() error { return os.RemoveAll(dir) }
			if err := os.WriteFile(name, text, 0o600); err != nil {
				return nil, nil, fmt.Errorf("no copy for the editor: %w", err)
			}
		}
		c := exec.Command(words[0], append(words[1:], name)...)
		return &editing{c}, done, nil
	}
}

// editing is an editor on the terminal.
type editing struct{ *exec.Cmd }

// SetStdin is of [tea.ExecCommand].
func (e *editing) SetStdin(r io.Reader) { e.Stdin = r }

// SetStdout is of [tea.ExecCommand]. An editor needs the terminal itself, not what else
// passes what the screens write to it.
func (e *editing) SetStdout(io.Writer) { e.Stdout = os.Stdout }

// SetStderr is of [tea.ExecCommand].
func (e *editing) SetStderr(w io.Writer) { e.Stderr = w }

func (a *app) editor() []string {
	for _, name := range []string{"VISUAL", "EDITOR"} {
		if s, _ := a.lookup(name); strings.TrimSpace(s) != "" {
			return strings.Fields(s)
		}
	}
	usual := []string{"nano", "vi"}
	if runtime.GOOS == "windows" {
		usual = []string{"notepad"}
	}
	for _, name := range usual {
		if path, err := exec.LookPath(name); err == nil {
			return []string{path}
		}
	}
	return nil
}
