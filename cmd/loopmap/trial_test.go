package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// trialApp is a user whose state is in a folder.
func trialApp(state string) *app {
	return &app{stdout: io.Discard, stderr: io.Discard, output: "text", now: time.Now, lookup: func(name string) (string, bool) {
		if name == "XDG_STATE_HOME" {
			return state, state != ""
		}
		return "", false
	}}
}

// However many make the secret at once, all have the same, and nothing is left behind;
// another user has another.
func TestTrialAtOnce(t *testing.T) {
	t.Parallel()
	for range 20 {
		state := t.TempDir()
		var all sync.Map
		var done sync.WaitGroup
		for range 16 {
			done.Go(func() {
				text, _, err := trialApp(state).trial()
				if err != nil {
					t.Error(err)
				}
				all.Store(text, true)
			})
		}
		done.Wait()
		n := 0
		all.Range(func(any, any) bool { n++; return true })
		if n != 1 {
			t.Fatalf("%d secrets", n)
		}
		files, err := os.ReadDir(filepath.Join(state, "loopmap"))
		if err != nil || len(files) != 1 || files[0].Name() != trialName {
			t.Fatal(files, err)
		}
		other, _, err := trialApp(t.TempDir()).trial()
		if _, same := all.Load(other); same || err != nil {
			t.Fatal("two users share a secret", err)
		}
	}
}

// What others could know, or have written, is refused with what to do.
func TestTrialRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(file string) error
		want  string
		unix  bool
	}{
		"readable": {func(f string) error { return os.Chmod(f, 0o640) }, "can be read or written by others", true},
		"writable": {func(f string) error { return os.Chmod(f, 0o602) }, "can be read or written by others", true},
		"another's": {func(f string) error {
			if os.Geteuid() != 0 {
				return os.ErrPermission // which skips it: only root gives files away
			}
			return os.Chown(f, 12345, -1)
		}, "belongs to somebody else", true},
		"a link": {func(f string) error {
			if err := os.Rename(f, f+".real"); err != nil {
				return err
			}
			return os.Symlink(f+".real", f)
		}, "is not a file of its own", true},
		"a folder": {func(f string) error {
			if err := os.Remove(f); err != nil {
				return err
			}
			return os.Mkdir(f, 0o700)
		}, "is not a file of its own", false},
		"empty": {func(f string) error { return os.WriteFile(f, nil, 0o600) }, "holds no secret that loopmap has made", false},
		"short": {func(f string) error { return os.WriteFile(f, []byte("whsec_c2hvcnQ="), 0o600) }, "holds no secret", false},
	} {
		if c.unix && runtime.GOOS == "windows" {
			continue
		}
		state := t.TempDir()
		file := filepath.Join(state, "loopmap", trialName)
		text, _, err := trialApp(state).trial()
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Fatalf("%v %v", info.Mode(), err)
		}
		if info, err := os.Stat(filepath.Dir(file)); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
			t.Fatalf("%v %v", info.Mode(), err)
		}
		if err := c.spoil(file); os.IsPermission(err) {
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		_, _, err = trialApp(state).trial()
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "\nhint: remove it") {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), strings.TrimPrefix(strings.TrimSpace(text), "whsec_")) || exitCode(err) != 2 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The way to a row without a secret: mapper and trigger know each other, what is not
// signed is a sample that is not stored, and the screen says that it is a trial.
func TestJourneyOnTrial(t *testing.T) {
	t.Parallel()
	dir, addr := newFolder(t)
	state := "XDG_STATE_HOME=" + t.TempDir()
	url := "http://" + addr + "/webhooks/loops"
	x := openCommand(t, dir, 100, 40, []string{state}, "env", "-u", "LOOPS_SIGNING_SECRET", "loopmap", "--listen", addr)
	x.wait("waiting for the first webhook", "waiting (trial)", "This is a trial")
	p, err := http.Post(url, "application/json", bytes.NewReader([]byte(`{"eventName":"contact.created","contactIdentity":{"id":"u"},"contact":{}}`)))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Body.Close()
	if answer, _ := io.ReadAll(p.Body); p.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(answer), "taken as a sample, not stored") {
		t.Errorf("%d %s", p.StatusCode, answer)
	}
	x.wait("received, not verified")
	trigger := exec.Command("env", "-u", "LOOPS_SIGNING_SECRET", "loopmap", "trigger", "contact.created", "--to", url, "--set", "contactIdentity.id=row")
	trigger.Env = append(os.Environ(), state)
	if out, err := trigger.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	x.wait("contact.created received, signed by the trial secret, kept in the journal", "● trial ", "verified (trial)")
	x.press("enter").wait("firstName").press("s").wait("CREATE TABLE").press("enter").wait("saved loopmap.yaml").press("q")
	x.exit()
	if got := runLoopmap(t, dir, "rows"); !strings.Contains(got, "row") || strings.Contains(got, "u\n") {
		t.Error(got)
	}
	if got := runLoopmap(t, dir, "deliveries"); strings.Count(got, "trial_") != 1 || strings.Contains(got, "unsigned_") {
		t.Error(got)
	}
}
