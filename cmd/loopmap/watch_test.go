package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/table"
	"loopmap/tui"
)

// A file counts while it is another one than what is in use: also when it was saved
// before the first look, and again and again while it cannot be taken up.
func TestFileWatch(t *testing.T) {
	file := filepath.Join(t.TempDir(), "loopmap.yaml")
	running, taken, told := mapping.HashOf([]byte("old")), 0, []string{}
	var trouble error
	w := &fileWatch{file: file, running: func() string { return running }, failed: func(err error) { told = append(told, err.Error()) }, take: func(context.Context) error {
		taken++
		if trouble == nil {
			src, _ := os.ReadFile(file)
			running = mapping.HashOf(src)
		}
		return trouble
	}}
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Unix(0, 0)
	looks := func(n int) {
		for range n {
			now = now.Add(lookAtFile)
			w.look(context.Background(), now)
		}
	}
	write("new")
	w.seen, _ = os.ReadFile(file) // as it was saved before the watching began
	looks(1)
	if taken != 1 {
		t.Error("what was saved before the first look is not taken up")
	}
	looks(10)
	if taken != 1 {
		t.Errorf("the same is taken up %d times", taken)
	}
	trouble = errors.New("the database is locked")
	write("newer")
	looks(60)
	if taken < 4 || taken > 12 || len(told) != 1 {
		t.Errorf("tried %d times, told %q", taken, told)
	}
	trouble = nil
	looks(31)
	if running != mapping.HashOf([]byte("newer")) {
		t.Error("a passing failure is for good")
	}
	trouble = errors.New("wrong")
	write("bad")
	looks(3)
	write("worse")
	looks(3)
	if len(told) != 3 {
		t.Errorf("told %q", told)
	}
	write("newer") // as it is in use
	before := taken
	if looks(5); taken != before {
		t.Error("what is in use is taken up")
	}
	if os.Remove(file); taken != before {
		t.Fatal()
	}
	if looks(3); len(told) != 4 {
		t.Errorf("a file that is gone is not told of: %q", told)
	}
}

// liveReload is a reloader on a database of its own.
func liveReload(t *testing.T) (r *reloader, dir string, log *bytes.Buffer) {
	t.Helper()
	ctx := context.Background()
	dir, log = t.TempDir(), &bytes.Buffer{}
	file := filepath.Join(dir, "loopmap.yaml")
	writeMapping(t, file, "")
	a := &app{stderr: log, now: time.Now, lookup: func(string) (string, bool) { return "", false }}
	m, url, err := a.readMapping(file)
	if err != nil {
		t.Fatal(err)
	}
	store, err := table.Open(ctx, table.Options{URL: url, Dir: dir, Write: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	r = &reloader{app: a, file: file, url: url, store: store, log: slog.New(slog.NewTextHandler(log, nil)), changed: make(chan struct{}, 1)}
	if err := prepare(ctx, store, m, r.log); err != nil {
		t.Fatal(err)
	}
	r.current.Store(m)
	return r, dir, log
}

func writeMapping(t *testing.T, file, more string) {
	t.Helper()
	text := "version: 1\ndatabase: sqlite:contacts.db\ntable: contacts\nkey: loops_id\nreceive:\n  events: [contact.created]\n  columns:\n" +
		"    - {name: loops_id, type: text, from: contactIdentity.id}\n" + more
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// What is in force and what is said of it are the same: a mapping that is stored counts,
// also when what waits cannot be mapped by it yet.
func TestReloadSaysWhatItDoes(t *testing.T) {
	ctx := context.Background()
	r, dir, log := liveReload(t)
	db, err := sql.Open("sqlite", filepath.Join(dir, "contacts.db")+"?_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`INSERT INTO loopmap_deliveries (id, received_at, body, status) VALUES ('x', 'no time', x'7b7d', 'pending')`); err != nil {
		t.Fatal(err)
	}
	writeMapping(t, r.file, "    - {name: email, type: text, from: contact.email}\n")
	if err := r.load(ctx); err != nil {
		t.Errorf("it is in force, and: %v", err)
	}
	if m := r.current.Load(); len(m.Receive.Columns) != 2 || strings.Contains(log.String(), "stays") || !strings.Contains(log.String(), "not mapped by it yet") {
		t.Errorf("%d columns\n%s", len(m.Receive.Columns), log)
	}
}

// What keeps a mapping from being taken up may pass: a lock, rights, here a column. It is
// tried again.
func TestReloadIsTriedAgain(t *testing.T) {
	r, dir, _ := liveReload(t)
	db := filepath.Join(dir, "contacts.db")
	execSQL(t, db, "ALTER TABLE contacts ADD COLUMN email INTEGER")
	writeMapping(t, r.file, "    - {name: email, type: text, from: contact.email}\n")
	failed := 0
	w := &fileWatch{file: r.file, running: func() string { return r.current.Load().Hash }, take: r.load, failed: func(error) { failed++ }}
	now := time.Now()
	looks := func() {
		for range 40 {
			now = now.Add(lookAtFile)
			w.look(context.Background(), now)
		}
	}
	if looks(); failed != 1 || len(r.current.Load().Receive.Columns) != 1 {
		t.Fatalf("it is taken up, or told %d times", failed)
	}
	execSQL(t, db, "ALTER TABLE contacts DROP COLUMN email")
	if looks(); len(r.current.Load().Receive.Columns) != 2 {
		t.Error("it is never tried again")
	}
}

// Saving goes to the database that the file names by then.
func TestSaveFollowsTheFile(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	file := filepath.Join(dir, "loopmap.yaml")
	writeMapping(t, file, "")
	b := &backend{app: &app{now: time.Now, lookup: func(string) (string, bool) { return "", false }}, file: file}
	defer b.close()
	var cfg tui.Config
	if err := b.load(&cfg); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Save(ctx, cfg.Mapping); err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Replace(src, []byte("contacts.db"), []byte("others.db"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := b.Reread(ctx)
	if err != nil || o.Database != "sqlite:others.db" || len(o.Columns) != 0 {
		t.Fatalf("%+v %v", o, err)
	}
	path, err := mapping.ParsePath("contact.email")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Save(ctx, o.Mapping.Add(&body.Attribute{Path: path})); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"contacts.db": 1, "others.db": 2} {
		s, err := table.Open(ctx, table.Options{URL: "sqlite:" + name, Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if columns, err := s.Columns(ctx, "contacts"); err != nil || len(columns) != want {
			t.Errorf("%s has the columns %v, %v", name, columns, err)
		}
		s.Close()
	}
}

// A body whose delivery becomes a row late is dropped when its time is over, without a
// restart.
func TestKeeperDropsWhatWasLate(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	store, err := table.Open(ctx, table.Options{URL: "sqlite:contacts.db", Dir: dir, Write: true})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	now := time.Unix(1795421000, 0)
	m := mapping.New("sqlite:contacts.db")
	m.Keep = 24 * time.Hour
	if err := prepare(ctx, store, m, quiet()); err != nil {
		t.Fatal(err)
	}
	k := &keeper{store: store, mapping: func() *mapping.Mapping { return m }, now: func() time.Time { return now }, log: quiet()}
	body := []byte(`{"eventName":"contact.created","contactIdentity":{"id":"x"},"contact":{}}`)
	for _, d := range []struct {
		id     string
		status mapping.Status
	}{{"a", mapping.Applied}, {"late", mapping.Quarantined}, {"b", mapping.Applied}} {
		e := mapping.Enter(m, mapping.Delivery{ID: d.id, Received: now, Body: body})
		if e.Status = d.status; d.status == mapping.Quarantined {
			e.Reason = "some"
		}
		if _, err := store.Commit(ctx, []mapping.Entry{e}); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(48 * time.Hour)
	dropped := func(id string) bool {
		t.Helper()
		if err := k.round(ctx); err != nil {
			t.Fatal(err)
		}
		r, err := store.Delivery(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		return r.Forgotten
	}
	if !dropped("a") || !dropped("b") || dropped("late") {
		t.Fatal("not those that are rows are dropped")
	}
	execSQL(t, filepath.Join(dir, "contacts.db"), "UPDATE loopmap_deliveries SET status = 'applied' WHERE id = 'late'") // as loopmap replay does
	now = now.Add(2 * time.Hour)
	if !dropped("late") {
		t.Error("its body outlives journal.keep")
	}
}

// Who looks each second opens the database once.
func TestHeldDatabase(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	o := table.Options{URL: "sqlite:contacts.db", Dir: dir}
	var h held
	var seen []*table.Store
	look := func(o table.Options) {
		t.Helper()
		if err := h.look(ctx, o, func(s *table.Store) error { seen = append(seen, s); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if look(o); len(seen) > 0 {
		t.Fatal("there is a database")
	}
	for _, name := range []string{"contacts.db", "others.db"} {
		s, err := table.Open(ctx, table.Options{URL: "sqlite:" + name, Dir: dir, Write: true})
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
	look(o)
	look(o)
	look(table.Options{URL: "sqlite:others.db", Dir: dir})
	if seen[0] != seen[1] || seen[1] == seen[2] {
		t.Error("it is opened for each look, or another is not")
	}
	if h.end(); h.store != nil {
		t.Error("it stays open")
	}
}

// An open mapper hears of what others save, once, and not of what it saves itself.
func TestMapperHearsOfOthers(t *testing.T) {
	t.Parallel()
	ctx, end := context.WithCancel(context.Background())
	defer end()
	file := filepath.Join(t.TempDir(), "loopmap.yaml")
	writeMapping(t, file, "")
	b := &backend{app: &app{now: time.Now, lookup: func(string) (string, bool) { return "", false }}, file: file}
	defer b.close()
	var cfg tui.Config
	if err := b.load(&cfg); err != nil {
		t.Fatal(err)
	}
	news := b.watch(ctx)
	n, _ := cfg.Mapping.Rename(0, "id")
	if _, err := b.Save(ctx, n); err != nil {
		t.Fatal(err)
	}
	select {
	case n := <-news:
		t.Errorf("of its own save: %+v", n)
	case <-time.After(3 * lookAtFile):
	}
	writeMapping(t, file, "    - {name: email, type: text, from: contact.email}\n")
	select {
	case n := <-news:
		if !n.Changed || n.Bad {
			t.Errorf("%+v", n)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("nothing is heard")
	}
	select {
	case n := <-news:
		t.Errorf("once more: %+v", n)
	case <-time.After(3 * lookAtFile):
	}
}

// A save that ends while the watch looks is no change by somebody else.
func TestWatchDuringSave(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "loopmap.yaml")
	write := func(s string) string {
		if err := os.WriteFile(file, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
		return mapping.HashOf([]byte(s))
	}
	hash := write("before")
	w := &fileWatch{file: file, running: func() string { return hash }, take: func(context.Context) error {
		t.Error("its own save is taken for somebody else's")
		return nil
	}}
	for range 2 {
		w.look(t.Context(), time.Now())
	}
	w.running = func() string { return write("after") } // which waited for the save
	for range 3 {
		w.look(t.Context(), time.Now())
	}
}

// The list of deliveries has no bodies, and whom each is about all the same; one that is
// opened has its body, and the search looks into all.
func TestDeliveriesWithoutBodies(t *testing.T) {
	ctx := context.Background()
	r, dir, _ := liveReload(t)
	large := []byte(`{"eventName":"contact.created","contactIdentity":{"id":"x","email":"ada@example.com"},"contact":{"note":"` + strings.Repeat("x", 1<<19) + ` needle"}}`)
	for i, body := range [][]byte{large, []byte(`{"eventName":"contact.created","contactIdentity":{"id":"y","email":"bob@example.com"},"contact":{}}`), []byte("no JSON")} {
		e := mapping.Enter(r.current.Load(), mapping.Delivery{ID: fmt.Sprint("msg_", i), Received: time.Unix(1795421000, 0), Body: body})
		if _, err := r.store.Commit(ctx, []mapping.Entry{e}); err != nil {
			t.Fatal(err)
		}
	}
	b := &backend{app: r.app, file: filepath.Join(dir, "loopmap.yaml")}
	defer b.close()
	if err := b.load(&tui.Config{}); err != nil {
		t.Fatal(err)
	}
	list, _, err := b.Deliveries(ctx, 0)
	if err != nil || len(list) != 3 {
		t.Fatalf("%d deliveries, %v", len(list), err)
	}
	for i, want := range []string{"", "bob@example.com", "ada@example.com"} {
		if list[i].Email != want || list[i].Body != nil {
			t.Errorf("%s: %q, %d bytes", list[i].ID, list[i].Email, len(list[i].Body))
		}
	}
	one, err := b.Delivery(ctx, "msg_0")
	if err != nil || !bytes.Equal(one.Body, large) || one.Email != "ada@example.com" {
		t.Errorf("%d bytes of %s, %v", len(one.Body), one.Email, err)
	}
	ids, err := b.Search(ctx, func(d tui.Delivery) bool { return bytes.Contains(d.Body, []byte("needle")) })
	if err != nil || len(ids) != 1 || !ids["msg_0"] {
		t.Errorf("found %v, %v", ids, err)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := b.Search(gone, func(tui.Delivery) bool { return false }); err == nil {
		t.Error("a search whose viewer has left goes on")
	}
}
