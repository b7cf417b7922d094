//go:build unix

package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// Help fits a terminal of 80 columns.
func TestHelpFits(t *testing.T) {
	var look func(c *cobra.Command)
	look = func(c *cobra.Command) {
		var out bytes.Buffer
		a := &app{stdout: &out, stderr: &out}
		root := a.root()
		root.SetArgs(append(strings.Fields(c.CommandPath())[1:], "--help"))
		if err := root.Execute(); err != nil {
			t.Errorf("%s: %v", c.CommandPath(), err)
		}
		for line := range strings.Lines(out.String()) {
			if line = strings.TrimSuffix(line, "\n"); len(line) > 80 || strings.Contains(line, "\x1b") {
				t.Errorf("%s: %q", c.CommandPath(), line)
			}
		}
		if !strings.Contains(out.String(), "USAGE\n  "+c.CommandPath()) || !strings.Contains(out.String(), "--team TEAM") {
			t.Errorf("%s:\n%s", c.CommandPath(), &out)
		}
		for _, sub := range c.Commands() {
			look(sub)
		}
	}
	look((&app{}).root())
}

// Not every terminal answers what it is asked, and one that is gone never does: help and
// errors are printed at once.
func TestAsksTheTerminalNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args, term  string
		words, mode string // mode is how a heading begins
	}{
		{"--help", "xterm-256color", "lets you pick", "\x1b[1mUSAGE"},
		{"--help", "dumb", "lets you pick", "\nUSAGE"},
		{"sync --bogus", "xterm-256color", "unknown flag: --bogus", ""},
		{"sync --bogus", "dumb", "unknown flag: --bogus", ""},
	} {
		dir, _ := newFolder(t)
		x := openTerminal(t, dir, 80, 24, []string{"TERM=" + c.term}, strings.Fields(c.args)...)
		x.exit()
		raw := string(x.raw)
		if !strings.Contains(raw, c.words) || !strings.Contains(raw, c.mode) {
			t.Errorf("%s on %s: %q", c.args, c.term, raw)
		}
		if strings.Contains(raw, "\x1b]") || c.mode == "" && strings.Contains(raw, "\x1b") {
			t.Errorf("%s on %s asks the terminal: %q", c.args, c.term, raw)
		}
	}
}
