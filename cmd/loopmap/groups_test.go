package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/table"
	"loopmap/mapping/table/tabletest"
)

// Groups become as small as the database needs them, and nothing is left out or doubled.
func TestGroups(t *testing.T) {
	entries := make([]mapping.Entry, 3000)
	for i := range entries {
		entries[i].ID = fmt.Sprint(i)
	}
	var written []string
	var g groups
	out, err := g.write(context.Background(), entries, func(_ context.Context, some []mapping.Entry) ([]mapping.Outcome, error) {
		if len(some) > 150 {
			return nil, fmt.Errorf("commit: %w", context.DeadlineExceeded)
		}
		for _, e := range some {
			written = append(written, e.ID)
		}
		return make([]mapping.Outcome, len(some)), nil
	})
	if err != nil || len(out) != len(entries) || len(written) != len(entries) {
		t.Fatalf("%d of %d written, %v", len(written), len(entries), err)
	}
	for i, id := range written {
		if id != entries[i].ID {
			t.Fatalf("%s in the place of %s", id, entries[i].ID)
		}
	}
	broken := errors.New("broken")
	if _, err := g.write(context.Background(), entries, func(context.Context, []mapping.Entry) ([]mapping.Outcome, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
	if _, err := g.write(context.Background(), entries[:1], func(context.Context, []mapping.Entry) ([]mapping.Outcome, error) {
		return nil, context.DeadlineExceeded
	}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("one that cannot be written: %v", err)
	}
}

// A journal whose deliveries are nearly all late is replayed over a connection that takes
// its time: in far fewer round trips than there are deliveries.
func TestReplayOverSlowConnection(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dsn := tabletest.Schema(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "loopmap.yaml")
	text := "version: 1\ndatabase: ${DATABASE_URL}\ntable: contacts\nkey: loops_id\nreceive:\n  events: [contact.created]\n  columns:\n" +
		"    - {name: loops_id, type: text, from: contactIdentity.id}\n    - {name: n, type: integer, from: contact.n}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	run := func(dsn string, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		a := &app{stdin: strings.NewReader(""), stdout: &out, stderr: &said, now: time.Now, lookup: func(name string) (string, bool) { return dsn, name == "DATABASE_URL" }}
		if code := run(ctx, a, args); code != 0 {
			t.Fatalf("%v: exit status %d\n%s%s", args, code, &said, &out)
		}
		return out.String()
	}
	const rows, each = 200, 5
	var lines strings.Builder
	for i := range rows * each {
		fmt.Fprintf(&lines, `{"id":"msg_%d","body":{"eventName":"contact.created","eventTime":%d,"contactIdentity":{"id":"c%d"},"contact":{"n":%d}}}`+"\n", i, 1795421000+i, i%rows, i)
	}
	from := filepath.Join(dir, "all.ndjson")
	if err := os.WriteFile(from, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	run(dsn, "replay", file, "--from", from)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	port := u.Port()
	if port == "" {
		port = "5432"
	}
	wire := startProxy(t, net.JoinHostPort(u.Hostname(), port))
	u.Host = wire.listener.Addr().String()
	wire.slow(10 * time.Millisecond)
	began := time.Now()
	for _, args := range [][]string{{"replay", file, "--diff"}, {"replay", file}} {
		if got := run(u.String(), args...); !strings.Contains(got, fmt.Sprintf("%d applied", rows*each)) {
			t.Errorf("%v: %s", args, got)
		}
	}
	t.Logf("over a connection of 20 ms there and back: %v", time.Since(began))
	store, err := table.Open(ctx, table.Options{URL: dsn, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	_, pending, err := store.Waiting(ctx)
	if err != nil || pending > 0 {
		t.Errorf("%d wait, %v", pending, err)
	}
}
