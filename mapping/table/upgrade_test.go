package table

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

// versionOne lays a database that the version before migrations has made, with five
// deliveries, an outcome, two changes that nobody has looked at, and its triggers.
func (d *database) versionOne() {
	d.t.Helper()
	if d.d == column.Postgres {
		text, err := os.ReadFile("testdata/v1/postgres.sql")
		if err != nil {
			d.t.Fatal(err)
		}
		d.exec(string(text))
		return
	}
	file, err := os.ReadFile("testdata/v1/sqlite.db")
	if err == nil {
		err = os.WriteFile(filepath.Join(d.dir, "contacts.db"), file, 0o600)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// A database of the version before is taken over while others use it: nothing of journal,
// outcomes and changes is lost, and none of their statements fails.
func TestUpgrade(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		d.versionOne()
		m := d.mapping("email text contact.email", "plan text contact.plan", "seats integer contact.seats")
		m.Key, m.Receive.Columns[0].Name = "loops_id", "loops_id"
		ctx, done := context.Background(), make(chan struct{})
		var users sync.WaitGroup
		end := sync.OnceFunc(func() { close(done); users.Wait() })
		defer end()
		var written int
		users.Go(func() { // a sync of that version, and a program of the user
			for ; ; written++ {
				for _, text := range []string{
					fmt.Sprintf("INSERT INTO loopmap_deliveries (id, received_at, status) VALUES ('old_%d', '2026-11-23T08:00:00.000Z', 'ignored')", written),
					fmt.Sprintf("INSERT INTO contacts (loops_id, plan) VALUES ('u%d', 'x')", written),
				} {
					if _, err := d.look.Exec(text); err != nil {
						t.Errorf("%s: %v", text, err)
						return
					}
				}
				select {
				case <-done:
					return
				case <-time.After(time.Millisecond):
				}
			}
		})
		var starts sync.WaitGroup
		for range 2 {
			starts.Go(func() {
				s, err := Open(ctx, Options{URL: d.url, Dir: d.dir, Write: true})
				if err != nil {
					t.Error(err)
					return
				}
				s.Close()
			})
		}
		starts.Wait()
		s := d.open()
		install(t, s, m)
		end()
		if got := d.text("SELECT count(*) FROM loopmap_deliveries WHERE id LIKE 'msg%' AND body IS NOT NULL AND mapping IS NOT NULL"); got != "5" {
			t.Errorf("%s deliveries are left of 5", got)
		}
		if got := d.text("SELECT count(*) FROM loopmap_deliveries WHERE id LIKE 'old%'"); got != fmt.Sprint(written+1) {
			t.Errorf("%s of %d deliveries that came meanwhile", got, written+1)
		}
		if lines, err := s.Pushes(ctx, "contacts", []string{"c2"}); err != nil || len(lines["c2"]) != 1 || lines["c2"][0].Code != 200 || lines["c2"][0].Hash == "" {
			t.Errorf("outcomes: %+v %v", lines, err)
		}
		noted := map[string]bool{}
		list, err := s.Changes(ctx, m, 1_000_000)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			for _, key := range c.Keys {
				noted[key] = true
			}
		}
		want := []string{"c3", "c9"}
		for i := range written + 1 {
			want = append(want, fmt.Sprint("u", i))
		}
		for _, key := range want {
			if !noted[key] {
				t.Errorf("the change of %s is lost", key)
			}
		}
		if out := commit(t, s, m, created("msg_1", "c1", 0, ""), created("msg_6", "c6", 0, `,"plan":"new"`)); !out[0].Duplicate || out[1].Status != mapping.Applied {
			t.Errorf("%+v", out)
		}
	})
}
