//go:build unix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What was saved in a rehearsal is kept beside the mapping, as it would be for its own
// database, and no earlier one is lost.
func TestRehearsedIsKept(t *testing.T) {
	dir := t.TempDir()
	file, scratch := filepath.Join(dir, "loopmap.yaml"), filepath.Join(t.TempDir(), "loopmap.yaml")
	before := []byte(strings.Replace(mapsContacts, "sqlite:contacts.db", "sqlite:rehearsal.db", 1))
	var said bytes.Buffer
	a := &app{stderr: &said}
	keep := func(text string) {
		t.Helper()
		if err := os.WriteFile(scratch, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := a.keepRehearsed(file, "sqlite:contacts.db", scratch, before); err != nil {
			t.Fatal(err)
		}
	}
	keep(string(before))
	if list, _ := filepath.Glob(filepath.Join(dir, "*")); len(list) != 0 {
		t.Errorf("nothing was saved, and there is %v", list)
	}
	push := "\npush:\n  contact: {email: email} # by hand\n"
	keep(string(before) + push)
	keep(string(before) + push)
	for _, name := range []string{"loopmap.rehearsed.yaml", "loopmap.rehearsed-2.yaml"} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || string(got) != mapsContacts+push {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
	}
	if !strings.Contains(said.String(), "loopmap.rehearsed-2.yaml") {
		t.Error(said.String())
	}
}
