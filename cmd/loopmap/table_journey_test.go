//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const pushesContacts = mapsContacts + "push:\n  contact: {email: email, properties: {firstName: first_name}}\n"

// From a saved mapping to a first 200: four keys, though the row came from Loops. Then why a
// cell holds what it holds: two more.
func TestFirstSendJourney(t *testing.T) {
	t.Parallel()
	dir, addr, server, env := pushFolder(t)
	writeFile(t, filepath.Join(dir, "loopmap.yaml"), pushesContacts)
	comesOnce(t, dir)
	execSQL(t, filepath.Join(dir, "contacts.db"), "DELETE FROM contacts WHERE loops_id LIKE 'own-%'")
	x := openTerminal(t, dir, 112, 30, env, "--listen", addr)
	x.wait("Columns ─").press("3").wait("came from Loops", "R asks, and sends it all the same")
	x.press("R").wait("send: this", "enter asks first: it came").press("enter").wait("send: this again")
	x.press("enter").wait("1 sent", "sent 200")
	if len(server.Contacts()) != 1 {
		t.Errorf("Loops has %v", server.Contacts())
	}
	x.press("2").wait("200", "applied").press("enter").wait("Story of", "contact.firstName", "applied: made the row", "→ contact", "sent 200")
	x.press("esc").press("ctrl+c")
	x.exit()
}

// A row that failed among many is found and sent again: four keys, and one row's own five.
func TestFindFailedJourney(t *testing.T) {
	t.Parallel()
	dir, addr, server, env := pushFolder(t)
	writeFile(t, filepath.Join(dir, "loopmap.yaml"), pushesContacts)
	db := filepath.Join(dir, "contacts.db")
	execSQL(t, db, `INSERT INTO contacts (loops_id, email, first_name) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
		SELECT printf('row-%06d', i), printf('p%06d@example.com', i), 'Ada' FROM n`)
	comesOnce(t, dir)
	execSQL(t, db, `INSERT INTO loopmap_pushes (table_name, row_key, kind, idempotency_key, status, code, message, attempts, updated_at) VALUES
		('contacts', 'row-060606', 'contact', '', 'failed', 400, 'Invalid email address', 1, '2026-11-26T10:00:00.000Z')`)
	x := openTerminal(t, dir, 112, 30, env, "--listen", addr)
	x.wait("Columns ─").press("2").wait("p000001@example.com", "1!")
	x.press("!").wait("failed: 1 row", "p060606@example.com", "400 Invalid email address")
	x.press("R").wait("send: failed").press("down").wait("p060606@example.com: contact").press("enter").wait("1 sent")
	if list := server.Contacts(); len(list) != 1 {
		t.Errorf("Loops has %v", list)
	}
	x.press("esc").wait("p000001@example.com").press("G").wait("row-100000").press("ctrl+c")
	x.exit()
}

// comesOnce has one delivery in the journal, and its row in the table.
func comesOnce(t *testing.T, dir string) {
	t.Helper()
	body, err := os.ReadFile("../../mapping/loops/samples/contact.created.json")
	if err != nil {
		t.Fatal(err)
	}
	line := `{"id":"msg_1","timestamp":"1795421000","body":` + strings.ReplaceAll(string(body), "\n", "") + "}\n"
	writeFile(t, filepath.Join(dir, "came.ndjson"), line)
	runLoopmap(t, dir, "replay", "--from", "came.ndjson")
}
