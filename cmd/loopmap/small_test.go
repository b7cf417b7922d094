package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"loopmap/mapping"
)

// A mapping file that is no small file is refused with words, at once, by whatever reads
// it.
func TestNoSmallFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no such files there")
	}
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	makePipe(t, at("pipe.yaml"))
	for link, to := range map[string]string{"zero.yaml": "/dev/zero", "link.yaml": at("pipe.yaml"), "null.yaml": "/dev/null"} {
		if err := os.Symlink(to, at(link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(at("folder.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	large, err := os.Create(at("large.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	defer large.Close()
	if err := large.Truncate(2 << 30); err != nil { // of which the disk has nothing
		t.Fatal(err)
	}
	good := written(t, "m.yaml", fmt.Sprintf(pushingMapping, "${DATABASE_URL}"))
	for name, why := range map[string]string{"pipe.yaml": "is a pipe", "link.yaml": "is a pipe", "zero.yaml": "is a device", "null.yaml": "is a device",
		"folder.yaml": "is a folder", "large.yaml": "2147483648 bytes"} {
		for _, args := range [][]string{{"check", at(name)}, {"sync", "--unsigned", "--listen", "127.0.0.1:0", at(name)}, {"add", "contact.email", at(name)}, {"rehearse", at(name)},
			{"push", "--dry-run", at(name)}, {"deliveries", at(name)}} {
			if text, code := said(t, nil, args...); code != 2 || !strings.Contains(text, why) {
				t.Errorf("%s %s: %d %s", args[0], name, code, text)
			}
		}
		if text, code := said(t, map[string]string{"DATABASE_URL_FILE": at(name)}, "check", good); code != 2 || !strings.Contains(text, why) {
			t.Errorf("as a secret, %s: %d %s", name, code, text)
		}
	}
}

// A good file in the place of one that could not be read is taken up.
func TestGoodFileAfterwards(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no such files there")
	}
	file := written(t, "m.yaml", "one")
	running, told := mapping.HashOf([]byte("one")), ""
	w := &fileWatch{file: file, running: func() string { return running }, failed: func(err error) { told = err.Error() },
		take: func(context.Context) error {
			src, err := readSmall(file)
			if err == nil {
				running = mapping.HashOf(src)
			}
			return err
		}}
	replace := func(by func(file string)) {
		t.Helper()
		by(file + ".new")
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
		for i := range 3 { // until it has settled
			w.look(context.Background(), time.Now().Add(time.Duration(i)*time.Hour))
		}
	}
	replace(func(file string) { makePipe(t, file) })
	if !strings.Contains(told, "is a pipe") || running != mapping.HashOf([]byte("one")) {
		t.Errorf("%s, running %s", told, running)
	}
	replace(func(file string) {
		if err := os.WriteFile(file, []byte("two"), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	if running != mapping.HashOf([]byte("two")) {
		t.Errorf("running %s", running)
	}
}

// A save keeps owner, group and rights of the file.
func TestSaveKeepsTheOwner(t *testing.T) {
	file := written(t, "m.yaml", "before")
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	own := os.Geteuid() != 0 // only root can give files away
	if !own {
		if err := os.Chown(file, 12345, 23456); err != nil {
			t.Fatal(err)
		}
	}
	if err := writeAtomic(file, []byte("after")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o640 {
		t.Errorf("rights are %v", info.Mode())
	}
	if uid, gid := ownerOf(info); !own && (uid != 12345 || gid != 23456) {
		t.Errorf("owner is %d, group %d", uid, gid)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "after" {
		t.Errorf("%s %v", text, err)
	}
}
