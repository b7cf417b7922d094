//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

// On a terminal no id breaks at its edge, nor a word of what doctor says is to be done.
func TestPrintingKeepsToTheTerminal(t *testing.T) {
	t.Parallel()
	dir, addr := newFolder(t)
	seedRows(t, dir)
	id := "trial_07sfdfwxma9x8xq9sbg_and_more"
	in := `{"id":"` + id + `","body":{"eventName":"contact.created","eventTime":1795667661,"contactIdentity":{"id":"cmng188mx2om7b4mq7hvo2og7"},` +
		`"contact":{"email":"dana.with.a.long.name@northwind.example","n":"many","plan":"` + strings.Repeat("pro ", 30) + `"}}}`
	file := filepath.Join(dir, "in.ndjson")
	if err := os.WriteFile(file, []byte(in+"\n"+strings.NewReplacer(id, id+"2", `"many"`, "7").Replace(in)), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, code := said(t, nil, "replay", filepath.Join(dir, "loopmap.yaml"), "--from", file); code != 3 {
		t.Fatal(text)
	}
	for _, width := range []int{80, 110} {
		for _, c := range []struct {
			args string
			want []string
		}{
			{"deliveries", []string{" " + id + "2\n", "column n (integer)"}},
			{"why cmng188mx2om7b4mq7hvo2og7", []string{id + "2", "BEFORE"}},
			{"doctor --offline --listen " + addr, []string{"-> loopmap deliveries --status quarantined says why; ", "\n                        "}},
		} {
			x := openTerminal(t, dir, width, 60, []string{"NO_COLOR=1"}, strings.Fields(c.args)...)
			x.exit()
			for _, want := range c.want {
				if !strings.Contains(x.text(), want) {
					t.Errorf("%s in %d: %q is missing\n%s", c.args, width, want, x.text())
				}
			}
			for line := range strings.Lines(string(x.raw)) {
				if n := ansi.StringWidth(strings.TrimRight(line, "\r\n")); n > width {
					t.Errorf("%s in %d: a line of %d: %q", c.args, width, n, line)
				}
			}
		}
	}
}
