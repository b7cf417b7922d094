package table

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
)

// movedFile is a database with a row, open, and a copy of it in another file.
func movedFile(t *testing.T) (s *Store, m *mapping.Mapping, file, copied string) {
	d := sqliteDatabase(t)
	s, m = d.open(), d.mapping("a text contact.a")
	ready(t, s, m)
	commit(t, s, m, created("1", "x", 0, `,"a":"A"`))
	file, copied = filepath.Join(d.dir, "contacts.db"), filepath.Join(d.dir, "copy.db")
	d.exec("VACUUM INTO '" + copied + "'")
	d.look.Close()
	return s, m, file, copied
}

func mustMove(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// refusesAll makes sure that nothing is acknowledged.
func refusesAll(t *testing.T, s *Store, m *mapping.Mapping, what string) {
	t.Helper()
	ctx := context.Background()
	_, err := s.Commit(ctx, []mapping.Entry{mapping.Enter(m, created("2", "y", 0, `,"a":"B"`))})
	if !errors.As(err, new(*movedError)) {
		t.Errorf("%s: a delivery is acknowledged: %v", what, err)
	}
	if err := s.Ready(ctx, nil); !errors.As(err, new(*movedError)) {
		t.Errorf("%s: it is ready: %v", what, err)
	}
	if _, _, err := s.Waiting(ctx); !errors.As(err, new(*movedError)) {
		t.Errorf("%s: it is read: %v", what, err)
	}
	if err := s.SavePushes(ctx, "contacts", []outgoing.Save{{RowKey: "x", Kind: "contact", Line: outgoing.Line{Kind: "contact", Status: outgoing.Sent}}}); err == nil {
		t.Errorf("%s: an outcome is acknowledged", what)
	}
}

// A file that is moved, removed or replaced takes nothing more; the one that was open has
// all that was acknowledged, and the one that is there now is whole.
func TestFileMoved(t *testing.T) {
	for name, away := range map[string]func(t *testing.T, file, copied string){
		"removed":  func(t *testing.T, file, _ string) { mustMove(t, file, file+".away") },
		"replaced": func(t *testing.T, file, copied string) { mustMove(t, file, file+".away"); mustMove(t, copied, file) },
		"restored over": func(t *testing.T, file, copied string) {
			if err := os.Link(file, file+".away"); err != nil {
				t.Fatal(err)
			}
			mustMove(t, copied, file)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, m, file, copied := movedFile(t)
			away(t, file, copied)
			refusesAll(t, s, m, name)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if name != "removed" {
				if got := rowsOf(t, file); got != "1" {
					t.Errorf("what is there now holds %s rows", got)
				}
			}
			if got := rowsOf(t, file+".away"); got != "1" {
				t.Errorf("what was open holds %s rows", got)
			}
		})
	}
}

// rowsOf counts the rows of a database that must be sound.
func rowsOf(t *testing.T, file string) string {
	t.Helper()
	s, err := Open(context.Background(), Options{URL: "sqlite:" + file, Write: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if sound := sqliteText(t, s, "PRAGMA integrity_check"); sound != "ok" {
		t.Errorf("%s: %s", file, sound)
	}
	return sqliteText(t, s, "SELECT count(*) FROM contacts")
}

// A WAL that is taken away holds what is not yet in the database.
func TestWALRemoved(t *testing.T) {
	s, m, file, _ := movedFile(t)
	if err := os.Remove(file + "-wal"); err != nil {
		t.Fatal(err)
	}
	_, err := s.Commit(context.Background(), []mapping.Entry{mapping.Enter(m, created("2", "y", 0, ""))})
	if !errors.As(err, new(*movedError)) {
		t.Errorf("a delivery is acknowledged: %v", err)
	}
	s.Close()
	if got := rowsOf(t, file); got != "1" {
		t.Errorf("%s rows", got)
	}
}

// After a while the file that is there now is taken up: one of loopmap, or an empty one,
// and no other.
func TestFileTakenUp(t *testing.T) {
	for name, c := range map[string]struct {
		put  func(t *testing.T, file, copied string)
		rows string // "" when it is not taken up
	}{
		"a copy":   {func(t *testing.T, file, copied string) { mustMove(t, copied, file) }, "2"},
		"the same": {func(t *testing.T, file, _ string) { mustMove(t, file+".away", file) }, "2"},
		"empty": {func(t *testing.T, file, _ string) {
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "none"},
		"another": {func(t *testing.T, file, _ string) { otherDatabase(t, file) }, ""},
		"nothing": {func(*testing.T, string, string) {}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, m, file, copied := movedFile(t)
			mustMove(t, file, file+".away")
			refusesAll(t, s, m, name)
			c.put(t, file, copied)
			e := s.engine.(*sqliteEngine)
			e.lost = time.Now().Add(-reopenAfter)
			out, err := s.Commit(context.Background(), []mapping.Entry{mapping.Enter(m, created("2", "y", 0, `,"a":"B"`))})
			switch {
			case c.rows == "" && err == nil:
				t.Errorf("it is taken up: %+v", out)
			case c.rows == "none" && (err != nil || out[0].Status != mapping.Pending):
				t.Errorf("without a table: %+v %v", out, err)
			case c.rows == "2" && (err != nil || out[0].Status != mapping.Applied || sqliteText(t, s, "SELECT count(*) FROM contacts") != "2"):
				t.Errorf("%+v %v", out, err)
			}
		})
	}
}

func otherDatabase(t *testing.T, file string) {
	t.Helper()
	d := &database{t: t, url: "sqlite:" + file, d: column.SQLite}
	s, err := Open(context.Background(), Options{URL: d.url, Write: true})
	if err != nil {
		t.Fatal(err)
	}
	e := s.engine.(*sqliteEngine)
	for _, text := range []string{"CREATE TABLE theirs (x)", "ALTER TABLE loopmap_deliveries RENAME TO mine"} {
		if err := e.exec(text); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
}

// A database that is taken up in the place of the one before gets the text of the mapping
// file as well.
func TestFileTakenUpKeepsVersions(t *testing.T) {
	d := sqliteDatabase(t)
	f := d.files()
	s, m := f.open(), f.mapping("", "a text contact.a")
	ready(t, s, m)
	commit(t, s, m, created("1", "x", 0, `,"a":"A"`))
	d.look.Close()
	file := filepath.Join(d.dir, "contacts.db")
	mustMove(t, file, file+".away")
	refusesAll(t, s, m, "moved")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.engine.(*sqliteEngine).lost = time.Now().Add(-reopenAfter)
	if err := s.Ready(context.Background(), nil); err != nil { // which takes it up
		t.Fatal(err)
	}
	commit(t, s, m, created("2", "y", 0, `,"a":"B"`))
	if got := sqliteText(t, s, "SELECT text FROM loopmap_mappings"); got != string(f.text[m.Hash]) {
		t.Errorf("it has %q", got)
	}
}
