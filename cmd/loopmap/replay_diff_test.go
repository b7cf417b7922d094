package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What --diff shows reads as rows shows it, and as the README says: a person's cell is what
// replay overwrites.
func TestReplayDiffReadsAsRows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mapping, in := filepath.Join(dir, "m.yaml"), filepath.Join(dir, "in.ndjson")
	for name, text := range map[string]string{mapping: mapsContacts + "    - {name: news, type: boolean, from: contact.news}\n",
		in: `{"id":"msg_1","body":{"eventName":"contact.created","eventTime":1795667661,"contactIdentity":{"id":"a"},"contact":{"email":"1","news":true}}}`} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if text, code := said(t, nil, "replay", mapping, "--from", in); code != 0 {
		t.Fatal(text)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "contacts.db")+"?_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "UPDATE contacts SET news = 0, email = '0'"); err != nil {
		t.Fatal(err)
	}
	if text, _ := said(t, nil, "replay", mapping, "--diff"); !strings.Contains(text, "    email  0 -> 1\n    news   false -> true\n") {
		t.Error(text)
	}
	if text, _ := said(t, nil, "replay", mapping, "--diff", "-o", "json"); !strings.Contains(text, `"news": "false"`) {
		t.Error(text)
	}
	if text, code := said(t, nil, "replay", mapping); code != 0 {
		t.Error(text)
	}
	if text, _ := said(t, nil, "rows", mapping); !strings.Contains(text, "a\t1\t\\N\ttrue\n") {
		t.Error(text)
	}
}
