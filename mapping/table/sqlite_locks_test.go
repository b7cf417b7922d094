package table

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"loopmap/mapping"
)

// sharedLock reports whether this process holds SQLite's SHARED lock on a file. Who finds
// none takes itself for the last to close the database, and takes its WAL away.
func sharedLock(t *testing.T, file string) bool {
	t.Helper()
	locks, err := os.ReadFile("/proc/locks")
	if err != nil {
		t.Skip("there is no /proc/locks, which says who holds a lock")
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	inode := fmt.Sprintf(":%d 1073741826", info.Sys().(*syscall.Stat_t).Ino)
	for line := range strings.Lines(string(locks)) {
		if strings.Contains(line, fmt.Sprintf(" %d ", os.Getpid())) && strings.Contains(line, inode) {
			return true
		}
	}
	return false
}

// Whatever is asked of a store, its file stays locked: to open and close it beside SQLite
// would take the locks away (POSIX, fcntl).
func TestLocksHold(t *testing.T) {
	d := sqliteDatabase(t)
	d.look.Close()
	s, m := d.open(), d.mapping("a text contact.a")
	ctx := context.Background()
	for name, do := range map[string]func() error{
		"plan":  func() error { _, err := s.Plan(ctx, m); return err },
		"apply": func() error { ready(t, s, m); return nil },
		"ready": func() error { return s.Ready(ctx, nil) },
		"try": func() error {
			_, _, err := s.Try(ctx, []mapping.Entry{mapping.Enter(m, created("t", "t", 0, ""))})
			return err
		},
		"lock": func() error { _, unlock, _, err := s.TryLockPushes(ctx); unlock(); return err },
		"open": func() error {
			other, err := Open(ctx, Options{URL: d.url, Dir: d.dir, Write: true})
			if err == nil {
				err = other.Close()
			}
			return err
		},
	} {
		if err := do(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		commit(t, s, m, created(name, name, 0, ""))
		if !sharedLock(t, filepath.Join(d.dir, "contacts.db")) {
			t.Fatalf("after %s the lock is lost", name)
		}
	}
}
