package table

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// TestGathered writes with two connections in turn, with so small a cache that pages go
// to the WAL before their commit, there are written again, and are taken back. After
// each commit the files, as a process killed at that moment would leave them, hold what
// was committed.
func TestGathered(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			file := filepath.Join(t.TempDir(), "a.db")
			conns := []*sqlite.Conn{gatheringConn(t, file), gatheringConn(t, file)}
			execAll(t, conns[0], "CREATE TABLE a (id INTEGER PRIMARY KEY, text TEXT)")
			rows := map[int64]string{}
			for range 60 {
				c, before := conns[r.IntN(8)/7], maps.Clone(rows)
				execAll(t, c, "BEGIN IMMEDIATE")
				var mark map[int64]string
				for range r.IntN(40) {
					switch k := int64(r.IntN(200)); r.IntN(8) {
					case 0:
						execAll(t, c, "DELETE FROM a WHERE id = ?", k)
						delete(rows, k)
					case 1:
						if mark == nil {
							execAll(t, c, "SAVEPOINT s")
							mark = maps.Clone(rows)
						} else {
							execAll(t, c, "ROLLBACK TO s")
							rows = maps.Clone(mark)
						}
					default:
						text := strings.Repeat(string(rune('a'+r.IntN(26))), 1+r.IntN(6000))
						execAll(t, c, "INSERT INTO a VALUES (?, ?) ON CONFLICT DO UPDATE SET text = excluded.text", k, text)
						rows[k] = text
					}
				}
				if r.IntN(6) == 0 {
					execAll(t, c, "ROLLBACK")
					rows = before
				} else {
					execAll(t, c, "COMMIT")
				}
				killed := filepath.Join(t.TempDir(), "a.db")
				copyFile(t, file, killed)
				copyFile(t, file+"-wal", killed+"-wal")
				k, err := sqlite.OpenConn(killed, sqlite.OpenReadWrite)
				if err != nil {
					t.Fatal(err)
				}
				wantRows(t, k, rows)
				k.Close()
				if r.IntN(20) == 0 {
					execAll(t, c, "PRAGMA wal_checkpoint("+[]string{"PASSIVE", "RESTART", "TRUNCATE"}[r.IntN(3)]+")")
				}
			}
			wantRows(t, conns[1], rows)
		})
	}
}

func gatheringConn(t *testing.T, file string) *sqlite.Conn {
	t.Helper()
	if err := gatherWAL(); err != nil {
		t.Fatal(err)
	}
	c, err := sqlite.OpenConn(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	for _, text := range []string{"journal_mode = WAL", "synchronous = NORMAL", "cache_size = 10", "wal_autocheckpoint = 100"} {
		execAll(t, c, "PRAGMA "+text)
	}
	return c
}

func execAll(t *testing.T, c *sqlite.Conn, text string, args ...any) {
	t.Helper()
	if err := sqlitex.ExecuteTransient(c, text, &sqlitex.ExecOptions{Args: args}); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func wantRows(t *testing.T, c *sqlite.Conn, want map[int64]string) {
	t.Helper()
	got := map[int64]string{}
	for text, each := range map[string]func(*sqlite.Stmt) error{
		"SELECT id, text FROM a": func(st *sqlite.Stmt) error { got[st.ColumnInt64(0)] = st.ColumnText(1); return nil },
		"PRAGMA integrity_check": func(st *sqlite.Stmt) error {
			if st.ColumnText(0) != "ok" {
				t.Fatal(st.ColumnText(0))
			}
			return nil
		},
	} {
		if err := sqlitex.ExecuteTransient(c, text, &sqlitex.ExecOptions{ResultFunc: each}); err != nil {
			t.Fatal(err)
		}
	}
	if !maps.Equal(got, want) {
		t.Fatalf("there are %d rows, and were to be %d: %v, %v", len(got), len(want), slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestGatheredWrites counts the calls that a commit takes: the least of a few, since
// Go's runtime writes now and then as well.
func TestGatheredWrites(t *testing.T) {
	calls := func() (n int) {
		b, err := os.ReadFile("/proc/self/io")
		if err != nil {
			t.Skip("only Linux counts them: ", err)
		}
		_, after, _ := strings.Cut(string(b), "syscw: ")
		if _, err := fmt.Sscan(after, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	file := filepath.Join(t.TempDir(), "a.db")
	c := gatheringConn(t, file)
	execAll(t, c, "CREATE TABLE a (text TEXT)")
	execAll(t, c, "PRAGMA cache_size = 1000")
	for _, pages := range []int{1, 60} {
		least := math.MaxInt
		for range 5 {
			before := calls()
			execAll(t, c, "INSERT INTO a VALUES (?)", strings.Repeat("x", pages*4096-2000))
			least = min(least, calls()-before)
		}
		if least < 1 || least > 1+pages/20 {
			t.Errorf("a commit of about %d pages took %d calls", pages, least)
		}
	}
}
