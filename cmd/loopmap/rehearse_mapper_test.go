//go:build unix

package main

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"loopmap/mapping"
	"loopmap/mapping/table/tabletest"
)

// sendKey is the key of the screen that shows rows and what they send.
const sendKey = "3"

// rehearsable is a folder with a mapping and a table of twelve rows, in SQLite or at a
// PostgreSQL's URL; state is all that stands in both.
func rehearsable(t *testing.T, url string) (dir string, state func() string) {
	t.Helper()
	dir = t.TempDir()
	driver, at := "sqlite", filepath.Join(dir, "contacts.db")
	if url != "" {
		driver, at = "pgx", url
	}
	text := mapsContacts + "push:\n  auto: true\n  contact: {email: email, only_run_if: 'team_size >= 10 and plan == \"pro\"', properties: {plan: plan}}\n"
	if url != "" {
		text = strings.Replace(text, "sqlite:contacts.db", "${DATABASE_URL}", 1)
	}
	if err := os.WriteFile(filepath.Join(dir, "loopmap.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open(driver, at)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`CREATE TABLE contacts (loops_id TEXT PRIMARY KEY, email TEXT, first_name TEXT, plan TEXT, team_size INTEGER, vip BOOLEAN)`); err != nil {
		t.Fatal(err)
	}
	for i := range 12 {
		plan := [...]any{"pro", "free", nil}[i%3]
		if _, err := db.Exec(`INSERT INTO contacts VALUES ($1, $2, 'O''Neil', $3, $4, TRUE)`, fmt.Sprintf("a-own-%02d", i), fmt.Sprintf("p%02d@own.example", i), plan, i*7); err != nil {
			t.Fatal(err)
		}
	}
	if url == "" {
		db.Close()
		return dir, func() string { return fileHashes(t, dir) }
	}
	t.Cleanup(func() { db.Close() })
	return dir, func() string {
		var rows, tables string
		if err := db.QueryRow(`SELECT string_agg(xmin::text || contacts::text, ' ' ORDER BY loops_id) FROM contacts`).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		if err := db.QueryRow(`SELECT string_agg(tablename, ' ') FROM pg_tables WHERE schemaname = current_schema()`).Scan(&tables); err != nil {
			t.Fatal(err)
		}
		return fileHashes(t, dir) + rows + tables
	}
}

// fileHashes are the files of a folder, and what is in them.
func fileHashes(t *testing.T, dir string) string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range list {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %x\n", e.Name(), sha256.Sum256(text))
	}
	return b.String()
}

// A mapper that was stopped leaves a draft, and that is kept, too.
func TestRehearsedDraft(t *testing.T) {
	scratch := filepath.Join(t.TempDir(), "loopmap.yaml")
	if err := os.WriteFile(scratch, []byte(mapsContacts), 0o600); err != nil {
		t.Fatal(err)
	}
	if file, unsaved := rehearsedIn(scratch); file != scratch || unsaved {
		t.Errorf("%s %v", file, unsaved)
	}
	m, err := mapping.Parse(scratch, []byte(mapsContacts))
	if err != nil {
		t.Fatal(err)
	}
	b := &backend{file: scratch, read: []byte(mapsContacts)}
	m = m.Clone()
	m.Receive.Columns = m.Receive.Columns[:2]
	if err := b.stopped(m); err == nil {
		t.Error("a mapper that was stopped says nothing")
	}
	made, unsaved := rehearsedIn(scratch)
	if !unsaved {
		t.Fatal("the draft is lost")
	}
	dir := t.TempDir()
	a := &app{stderr: &strings.Builder{}}
	if err := a.keepRehearsed(filepath.Join(dir, "loopmap.yaml"), "sqlite:own.db", made, []byte(mapsContacts)); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(filepath.Join(dir, "loopmap.rehearsed.yaml"))
	if err != nil || strings.Contains(string(kept), "first_name") || !strings.Contains(string(kept), "sqlite:own.db") {
		t.Errorf("%v\n%s", err, kept)
	}
}

// The mapper opens in the rehearsal, with ten rows of the user's own in it, masked where
// that is asked for; the rehearsal goes on behind it and ends with it; and what is the
// user's own stays as it was.
func TestRehearseInTheMapper(t *testing.T) {
	for name, args := range map[string][]string{"own": {"rehearse"}, "masked": {"rehearse", "--mask"}, "postgres": {"rehearse"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := ""
			if name == "postgres" {
				url = tabletest.Schema(t)
			}
			dir, state := rehearsable(t, url)
			before := state()
			x := openTerminal(t, dir, 140, 40, []string{"LANG=C.UTF-8", "DATABASE_URL=" + url}, args...)
			x.wait("contactIdentity").press(sendKey).wait("3/12 met", "ada@example.com")
			text := x.text()
			if own := strings.Count(text, "@own.ex"); name != "masked" && own < 10 || name == "masked" && own != 0 {
				t.Errorf("%d own rows are shown:\n%s", own, text)
			}
			x.mu.Lock()
			raw := string(x.raw)
			x.mu.Unlock()
			for _, own := range []string{"own.example", "O'Neil", "a-own-"} {
				if name == "masked" && strings.Contains(raw, own) {
					t.Errorf("%q is not masked", own)
				}
			}
			scratch := regexp.MustCompile(`sqlite:(/\S+rehearsal\.db)`).FindStringSubmatch(raw)
			if scratch == nil {
				t.Fatalf("where its database is is not said: %q", raw)
			}
			if got := rowsOf(t, scratch[1], `SELECT count(*) FROM contacts WHERE vip = 1 AND typeof(team_size) = 'integer' AND (plan IS NULL OR plan IN ('pro', 'free') OR length(plan) = 4)`); got[0] != "10" {
				t.Errorf("own rows in the copy: %v", got)
			}
			// A row that changes while the mapper is open is sent.
			if got := rowsOf(t, scratch[1], `SELECT count(*) FROM loopmap_pushes WHERE status = 'sent'`); got[0] != "0" {
				t.Errorf("sent before: %v", got)
			}
			execSQL(t, scratch[1], `UPDATE contacts SET plan = 'pro', team_size = 50 WHERE email = 'ada@example.com'`)
			eventually(t, func() (bool, string) {
				got := rowsOf(t, scratch[1], `SELECT count(*) FROM loopmap_pushes WHERE status = 'sent'`)
				return got[0] == "1", fmt.Sprint(got)
			})
			x.press("ctrl+c")
			if code := x.exit(); code != 0 {
				t.Errorf("exit status %d:\n%s", code, x.text())
			}
			if after := state(); after != before {
				t.Errorf("what is the user's own was\n%s\nand is\n%s", before, after)
			}
			if _, err := os.Stat(filepath.Dir(scratch[1])); !os.IsNotExist(err) {
				t.Errorf("the copy is left behind: %v", err)
			}
		})
	}
}
