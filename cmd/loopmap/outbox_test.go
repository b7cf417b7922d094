package main

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"loopmap/mapping"
	"loopmap/mapping/table"
)

// Triggers that go while sync runs are put back, and it is said what may have been missed.
func TestOutboxKeeper(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	store, err := table.Open(ctx, table.Options{URL: "sqlite:contacts.db", Dir: dir, Write: true})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var log bytes.Buffer
	m := mapping.New("sqlite:contacts.db")
	m.Push = &mapping.Push{Auto: true}
	k := &outboxKeeper{store: store, mapping: func() *mapping.Mapping { return m }, log: slog.New(slog.NewTextHandler(&log, nil))}
	if err := prepare(ctx, store, m, quiet()); err != nil {
		t.Fatal(err)
	}
	k.round(ctx, m)
	for _, c := range []struct {
		sql  string
		says bool
	}{
		{"", false},
		{"DROP TRIGGER loopmap_update_contacts", true},
		{"CREATE TABLE n (loops_id TEXT NOT NULL PRIMARY KEY); INSERT INTO n SELECT * FROM contacts; DROP TABLE contacts; ALTER TABLE n RENAME TO contacts", true}, // as SQLite's documents change a table
		{"DROP TABLE contacts", false},
	} {
		log.Reset()
		if c.sql != "" {
			execSQL(t, filepath.Join(dir, "contacts.db"), c.sql)
		}
		k.round(ctx, m)
		if strings.Contains(log.String(), "put back") != c.says {
			t.Errorf("%s: %s", c.sql, &log)
		}
		if c.sql == "DROP TABLE contacts" {
			break
		}
		execSQL(t, filepath.Join(dir, "contacts.db"), "INSERT OR REPLACE INTO contacts (loops_id) VALUES ('a'); UPDATE contacts SET loops_id = 'a'")
		if list, err := store.Changes(ctx, m, 10); err != nil || len(list) != 2 {
			t.Errorf("%s: %+v %v", c.sql, list, err)
		} else {
			for i := range list {
				list[i].Keys = nil
			}
			if err := store.SettleChanges(ctx, list); err != nil {
				t.Error(err)
			}
		}
	}
}
