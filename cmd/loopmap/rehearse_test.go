//go:build unix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"loopmap/mapping"
	"loopmap/mapping/column"
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

// Columns that nobody has seen are what push makes of them.
func TestGuessedColumns(t *testing.T) {
	m, err := mapping.Parse("loopmap.yaml", []byte(`version: 1
database: sqlite:contacts.db
table: contacts
key: loops_id
receive:
  events: [contact.created]
  columns:
    - {name: loops_id, type: text, from: contactIdentity.id}
push:
  contact:
    userId: loops_id
    only_run_if: seats > 3 and score >= 1.5 and paid and plan in ["a", "b"]
    lists: {l1: vip}
  events:
    - {name: up, only_run_if: plan == "pro" and not gone, lists: {l2: also}, properties: {x: other}}
`))
	if err != nil {
		t.Fatal(err)
	}
	fields := []column.Field{{Name: "loops_id", Type: column.Text}}
	for _, name := range m.PushNames() {
		if name != "loops_id" {
			fields = append(fields, column.Field{Name: name, Type: column.Text})
		}
	}
	guess(m, "loopmap.yaml", fields, 1)
	got := map[string]column.Type{}
	for _, f := range fields {
		got[f.Name] = f.Type
	}
	for name, want := range map[string]column.Type{"seats": column.Number, "score": column.Number, "paid": column.Boolean, "plan": column.Text, "vip": column.Boolean, "also": column.Boolean, "gone": column.Boolean, "other": column.Text} {
		if got[name] != want {
			t.Errorf("%s is %s, want %s", name, got[name], want)
		}
	}
	if list := m.PushProblems("loopmap.yaml", fields); len(list) > 0 {
		t.Errorf("%v", list)
	}
}

// A scratch table has a name for each type.
func TestScratchTypes(t *testing.T) {
	for _, typ := range column.Types {
		if sqlTypes[typ] == "" {
			t.Errorf("%s has none", typ)
		}
	}
}
