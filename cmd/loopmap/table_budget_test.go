//go:build linux && !race

package main

import (
	"database/sql"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"loopmap/mapping/table/tabletest"
)

var budgetRows = flag.Int("table.rows", 20_000, "rows of the table that TestTableBudget looks at")

// What the place of rows costs, at 120x40 over a table of many rows: bytes over the line,
// memory, and how soon the first and the last rows stand.
//
//	go test ./cmd/loopmap -run TableBudget -v -table.rows 1000000
func TestTableBudget(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"SQLite", "PostgreSQL"} {
		t.Run(kind, func(t *testing.T) {
			dir, addr := newFolder(t)
			driver, at, env := "sqlite", filepath.Join(dir, "contacts.db"), []string(nil)
			if kind == "PostgreSQL" {
				driver, at = "pgx", tabletest.Schema(t)
				env = []string{"DATABASE_URL=" + at}
			}
			text := pushesContacts
			if env != nil {
				text = strings.Replace(text, "sqlite:contacts.db", "${DATABASE_URL}", 1)
			}
			writeFile(t, filepath.Join(dir, "loopmap.yaml"), text)
			db, err := sql.Open(driver, at)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			for _, s := range []string{"CREATE TABLE contacts (loops_id text PRIMARY KEY, email text, first_name text, plan text, team_size integer)",
				fmt.Sprintf(`INSERT INTO contacts SELECT 'row-' || (10000000 + i), 'person.' || i || '@northwind.example', 'Ada', 'pro', i FROM
					(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) SELECT i FROM n) AS x`, *budgetRows)} {
				if _, err := db.Exec(s); err != nil {
					t.Fatal(err)
				}
			}
			tableBudget(t, openTerminal(t, dir, 120, 40, env, "--listen", addr), *budgetRows)
		})
	}
}

func tableBudget(t *testing.T, x *terminal, rows int) {
	x.wait("Columns ─")
	before := memoryOf(t, x.cmd.Process.Pid)
	till := func(key, text string) time.Duration {
		began := time.Now()
		if _, err := x.pty.WriteString(key); err != nil {
			t.Fatal(err)
		}
		for !strings.Contains(x.text(), text) && time.Since(began) < time.Minute {
			time.Sleep(time.Millisecond)
		}
		took := time.Since(began)
		x.wait(text)
		return took
	}
	sent := func() int {
		x.mu.Lock()
		defer x.mu.Unlock()
		return len(x.raw)
	}
	open := till("2", "person.1@northwind.example")
	x.press("\x1b[6~").wait()
	var list []int
	for range 20 {
		at := sent()
		x.press("down")
		x.wait()
		list = append(list, sent()-at)
	}
	slices.Sort(list)
	last := till("G", fmt.Sprintf("person.%d@northwind.example", rows))
	for range 20 {
		x.press("\x1b[5~").wait()
	}
	first := till("g", "person.1@northwind.example")
	more := memoryOf(t, x.cmd.Process.Pid) - before
	t.Logf("%d rows: the first stand after %d ms, the last after %d ms, the first again after %d ms; a Down that scrolls %d bytes; %.1f MiB more",
		rows, open.Milliseconds(), last.Milliseconds(), first.Milliseconds(), list[len(list)/2], mib(more))
	if n := list[len(list)/2]; n > 1000 {
		t.Errorf("a Down that scrolls sends %d bytes in the median, 1000 are allowed", n)
	}
	if more > 40<<20 {
		t.Errorf("it takes %.1f MiB more memory, 40 are allowed", mib(more))
	}
	x.press("ctrl+c", "ctrl+c")
	x.exit()
}
