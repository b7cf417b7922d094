package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// The widest columns give way first, and those that have no room at all are left out.
func TestFitWidths(t *testing.T) {
	for _, c := range []struct {
		natural []int
		room    int
		want    []int
	}{
		{[]int{3, 5}, 80, []int{3, 5}},
		{[]int{3, 60, 60}, 47, []int{3, 20, 20}},
		{[]int{30, 10}, 40, []int{28, 10}},
		{[]int{8, 8, 8}, 20, []int{8, 8}},
		{[]int{50}, 20, []int{20}},
		{[]int{50, 50}, 4, []int{8}},
	} {
		if got := fitWidths(c.natural, c.room); !slices.Equal(got, c.want) {
			t.Errorf("%v in %d: %v, want %v", c.natural, c.room, got, c.want)
		}
	}
}

// On a terminal rows are a table that fits it, in which NULL is not a text that reads NULL.
func TestRowsTerminal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env    string
		colour bool
		cut    string
	}{{"TERM=xterm-256color", true, "…"}, {"NO_COLOR=1", false, "…"}, {"TERM=vt100", false, ".."}} {
		dir, _ := newFolder(t)
		seedRows(t, dir, "CREATE TABLE contacts (loops_id TEXT PRIMARY KEY, n INTEGER, plan TEXT)",
			"INSERT INTO contacts VALUES ('a', 7, 'NULL'), ('b', 1234, NULL), ('c', 5, 'begins "+strings.Repeat("x", 200)+" ends'), ('d', NULL, '')",
			"INSERT INTO contacts VALUES ('e', 1, 'b' || char(27) || ']0;t' || char(7))")
		x := openTerminal(t, dir, 60, 20, []string{c.env}, "rows")
		if code := x.exit(); code != 0 {
			t.Fatalf("exit status %d:\n%s", code, x.text())
		}
		screen, raw := x.text(), string(x.raw)
		for _, want := range []string{"loops_id  n     plan\n", "a            7  \"NULL\"\n", "b         1234  NULL\n", c.cut, " ends\n", "d         NULL  \"\"\n"} {
			if !strings.Contains(screen, want) {
				t.Errorf("%s: %q is missing:\n%s", c.env, want, screen)
			}
		}
		if strings.Contains(raw, "\x1b[36m") != c.colour || strings.Contains(raw, "\x1b]") {
			t.Errorf("%s: %q", c.env, raw)
		}
	}
}

// seedRows makes a mapping of loops_id, n and plan, and its database.
func seedRows(t *testing.T, dir string, statements ...string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "loopmap.yaml"), []byte(`version: 1
database: sqlite:contacts.db
table: contacts
key: loops_id
receive:
  events: [contact.created]
  columns:
    - {name: loops_id, type: text, from: contactIdentity.id}
    - {name: n, type: integer, from: contact.n}
    - {name: plan, type: text, from: contact.plan}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "contacts.db")+"?_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, text := range statements {
		if _, err := db.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
}

// Rows that no condition takes are many: they are gone through in little memory, and
// ctrl+c stops it, with what was shown.
func TestRowsMany(t *testing.T) {
	dir, _ := newFolder(t)
	const n = 80000
	seedRows(t, dir, "CREATE TABLE contacts (loops_id TEXT PRIMARY KEY, n INTEGER, plan TEXT)", fmt.Sprintf(
		"INSERT INTO contacts WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < %d) SELECT 'k' || i, i, hex(zeroblob(200)) FROM g", n))
	out := &heapWriter{}
	a := &app{stdout: out, stderr: io.Discard, output: "text", now: time.Now, lookup: func(string) (string, bool) { return "", false }}
	before := heapNow()
	if err := a.rows(t.Context(), filepath.Join(dir, "loopmap.yaml"), "n > 0", 0); err != nil || out.lines != n+1 {
		t.Fatalf("%d lines: %v", out.lines, err)
	}
	if grown := int64(out.most) - int64(before); grown > 16<<20 { // of 32 MiB
		t.Errorf("%d MiB are held", grown>>20)
	}
	ctx, stop := context.WithCancel(t.Context())
	few := &heapWriter{then: stop}
	a.stdout = few
	err := a.rows(ctx, filepath.Join(dir, "loopmap.yaml"), "n > 0", 0)
	if err == nil || !strings.Contains(err.Error(), "stopped after ") || few.lines == 0 || few.lines >= n {
		t.Errorf("%d lines: %v", few.lines, err)
	}
}

// heapWriter counts lines, and now and then what is held.
type heapWriter struct {
	lines, writes int
	most          uint64
	then          func() // once something was written; may be nil
}

// Write is io.Writer's.
func (w *heapWriter) Write(b []byte) (int, error) {
	w.lines += bytes.Count(b, []byte("\n"))
	if w.writes++; w.writes%2000 == 0 {
		w.most = max(w.most, heapNow())
	}
	if w.then != nil {
		w.then()
	}
	return len(b), nil
}

func heapNow() uint64 {
	var mem runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&mem)
	return mem.HeapAlloc
}
