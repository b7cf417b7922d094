package table

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"loopmap/mapping/column"
)

// Several processes that start at once make the tables once.
func TestMigrateTogether(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				s, err := Open(context.Background(), Options{URL: d.url, Dir: d.dir, Write: true})
				if err != nil {
					t.Error(err)
					return
				}
				s.Close()
			})
		}
		all.Wait()
		list, err := migrationsOf(d.d)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.text("SELECT count(*) FROM loopmap_migrations"); got != fmt.Sprint(len(list)) {
			t.Errorf("%s migrations are recorded", got)
		}
		d.exec("DELETE FROM loopmap_outbox") // it is there
	})
}

// A database that a newer loopmap has changed is refused, by name of the version that is
// needed, also by who only reads.
func TestMigrateRefusesNewer(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		d.open().Close()
		d.exec("INSERT INTO loopmap_migrations (number, name, made_by) VALUES (9999, '9999_later', 'v7.1.0')")
		for _, write := range []bool{true, false} {
			_, err := Open(context.Background(), Options{URL: d.url, Dir: d.dir, Write: write})
			if err == nil || !strings.Contains(err.Error(), "v7.1.0") || !errors.As(err, new(*newerError)) {
				t.Errorf("write %t: %v", write, err)
			}
		}
	})
}

func TestMigrationsHaveBothDatabases(t *testing.T) {
	var names [2][]string
	for i, d := range []column.Dialect{column.SQLite, column.Postgres} {
		list, err := migrationsOf(d)
		if err != nil {
			t.Fatal(err)
		}
		for j, m := range list {
			if names[i] = append(names[i], m.name); j > 0 && m.number <= list[j-1].number {
				t.Errorf("%s does not come after %s", m.name, list[j-1].name)
			}
		}
	}
	if a, b := strings.Join(names[0], " "), strings.Join(names[1], " "); a != b {
		t.Errorf("SQLite has %s, PostgreSQL %s", a, b)
	}
}
