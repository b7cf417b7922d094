package main

import (
	"bytes"
	"context"
	"database/sql"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/table"
)

// The keeper drops bodies when their time is over, and says when the table stops and
// begins to fit.
func TestKeeper(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	store, err := table.Open(ctx, table.Options{URL: "sqlite:contacts.db", Dir: dir, Write: true})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var log bytes.Buffer
	now := time.Unix(1795421000, 0)
	m := mapping.New("sqlite:contacts.db")
	m.Keep = 24 * time.Hour
	k := &keeper{store: store, mapping: func() *mapping.Mapping { return m }, now: func() time.Time { return now }, log: slog.New(slog.NewTextHandler(&log, nil))}
	if err := prepare(ctx, store, m, quiet()); err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"eventName":"contact.created","contactIdentity":{"id":"x"},"contact":{}}`)
	if _, err := store.Commit(ctx, []mapping.Entry{mapping.Enter(m, mapping.Delivery{ID: "old", Received: now, Body: body})}); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		after time.Duration
		sql   string
		says  string
		gone  bool
	}{
		{time.Hour, "", "", false},
		{48 * time.Hour, "", "bodies dropped", true},
		{time.Minute, "ALTER TABLE contacts RENAME TO others", "rows wait", true},
		{time.Minute, "ALTER TABLE others RENAME TO contacts", "the table fits again", true},
	} {
		now = now.Add(step.after)
		if step.sql != "" {
			execSQL(t, filepath.Join(dir, "contacts.db"), step.sql)
		}
		log.Reset()
		if err := k.round(ctx); err != nil {
			t.Fatal(err)
		}
		r, err := store.Delivery(ctx, "old")
		if err != nil || r.Forgotten != step.gone || step.says != "" && !strings.Contains(log.String(), step.says) {
			t.Errorf("after %v: %+v %v\n%s", step.after, r, err, &log)
		}
	}
}

func execSQL(t *testing.T, file, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", file+"?_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(text); err != nil {
		t.Fatal(err)
	}
}
