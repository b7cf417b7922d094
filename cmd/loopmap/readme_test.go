package main

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What the README and the topic of the mapping file show of commands is what these print
// today.
func TestTextsShowOutputs(t *testing.T) {
	t.Parallel()
	readme, file := repositoryFile(t, "README.md"), texts(t)["file"]
	dir := t.TempDir()
	mapping := filepath.Join(dir, "loopmap.yaml")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := time.Date(2026, 11, 26, 4, 34, 21, 0, time.UTC)
	prints := func(args ...string) string {
		var b bytes.Buffer
		a := &app{stdout: &b, stderr: &b, now: func() time.Time { return at }, lookup: func(string) (string, bool) { return "", false }}
		run(t.Context(), a, args)
		return strings.ReplaceAll(b.String(), dir+string(filepath.Separator), "")
	}
	check := func(text, line string, args ...string) {
		t.Helper()
		want := printed(text, line)
		if got := prints(args...); want == "" || strings.Join(strings.Fields(got), " ") != want {
			t.Errorf("loopmap %s prints\n%s, and not\n%s", line, got, want)
		}
	}

	write("loopmap.yaml", mappingBlocks(readme)[0])
	write("in.ndjson", `{"id":"trial_siihvxfvioydfnu1031","body":{"eventName":"contact.created","eventTime":1795667661,`+
		`"contactIdentity":{"id":"cmng188mx2om7b4mq7hvo2og7","email":"dana@northwind.example","userId":null},"contact":{`+
		`"email":"dana@northwind.example","companyName":"Fabrikam","teamSize":120,"mailingLists":{"cml41product000123456789a":true}}}}`)
	prints("replay", mapping, "--from", filepath.Join(dir, "in.ndjson"))
	check(readme, "rows", "rows", mapping)
	db, err := sql.Open("sqlite", filepath.Join(dir, "contacts.db")+"?_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "UPDATE contacts SET team_size = 80"); err != nil {
		t.Fatal(err)
	}
	check(readme, "push --dry-run", "push", mapping, "--dry-run")
	check(readme, "why dana@northwind.example team_size", "why", "dana@northwind.example", "team_size", mapping)

	whole := mappingBlocks(file)[0]
	write("loopmap.yaml", strings.NewReplacer("\ntable:", "\ntabel:", "email,      type: text", "email,      type: txet").Replace(whole))
	check(file, "check", "check", mapping)
	write("loopmap.yaml", strings.Replace(whole, "sqlite:contacts.db", "sqlite:other.db", 1))
	prints("replay", mapping, "--from", filepath.Join(dir, "in.ndjson"))
	check(file, "add contact.firstName --dry-run", "add", "contact.firstName", mapping, "--yes", "--dry-run")
}

// printed is what a text shows of a command's output, its words with a blank between them.
func printed(text, line string) string {
	_, rest, _ := strings.Cut(text, "\n    $ loopmap "+line+"\n")
	var shown []string
	for l := range strings.Lines(rest) {
		if l != "\n" && (!strings.HasPrefix(l, "    ") || strings.HasPrefix(l, "    $ ")) {
			break
		}
		shown = append(shown, strings.Fields(l)...)
	}
	return strings.Join(shown, " ")
}
