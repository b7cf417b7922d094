package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"loopmap/mapping/loops"
)

// The trial secret signs what `loopmap trigger` sends to this machine while no signing
// secret is set, so that things can be tried out without one. Each user of each machine
// has a secret of their own, in a file that nobody else may read. It is taken from this
// machine's programs alone, and never beside a real one.

// trialName is the file's name, in the folder of what loopmap keeps for a user.
const trialName = "trial-secret"

// stateFolder is where loopmap keeps what is a user's and not a mapping's.
func (a *app) stateFolder() (string, error) {
	value := func(name string) string {
		v, _ := a.lookup(name)
		return v
	}
	home := value("HOME")
	switch {
	case filepath.IsAbs(value("XDG_STATE_HOME")): // one that is not means nothing
		return filepath.Join(value("XDG_STATE_HOME"), "loopmap"), nil
	case runtime.GOOS == "windows" && value("LocalAppData") != "":
		return filepath.Join(value("LocalAppData"), "loopmap"), nil
	case runtime.GOOS == "windows" || !filepath.IsAbs(home):
		return "", usage("there is no folder to keep the trial secret in: HOME is not set\nhint: set LOOPS_SIGNING_SECRET, or HOME")
	case runtime.GOOS == "darwin":
		return filepath.Join(home, "Library", "Application Support", "loopmap"), nil
	}
	return filepath.Join(home, ".local", "state", "loopmap"), nil
}

// trial is the trial secret, which is made when there is none.
func (a *app) trial() (string, *loops.Secrets, error) {
	dir, err := a.stateFolder()
	if err != nil {
		return "", nil, err
	}
	file := filepath.Join(dir, trialName)
	text, err := readTrial(file)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeTrial(dir, file); err == nil {
			text, err = readTrial(file) // that of whoever was the first
		}
	}
	if err != nil {
		if errors.As(err, new(*usageError)) {
			return "", nil, err
		}
		return "", nil, usage("the trial secret: %v\nhint: set LOOPS_SIGNING_SECRET instead", err)
	}
	a.blanks.add(strings.TrimPrefix(text, "whsec_"))
	secrets, err := loops.ParseSecrets([]string{text})
	if err != nil {
		return "", nil, usage("%s holds no secret that loopmap has made\nhint: remove it, and another is made", file)
	}
	return text, secrets, nil
}

// readTrial reads the file, unless somebody else could have written or read it.
func readTrial(file string) (string, error) {
	info, err := os.Lstat(file)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", usage("%s is not a file of its own\nhint: remove it, and another is made", file)
	}
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	opened, err := f.Stat()
	if err != nil {
		return "", err
	}
	switch {
	case !os.SameFile(info, opened):
		return "", usage("%s has become another file while it was read\nhint: try again", file)
	case ownedByOther(opened):
		return "", usage("%s belongs to somebody else, who would know the secret\nhint: remove it, and another is made", file)
	case openToOthers(opened):
		return "", usage("%s can be read or written by others (%v)\nhint: remove it, and another is made", file, opened.Mode().Perm())
	}
	text, err := readSmall(file)
	return strings.TrimSpace(string(text)), err
}

// makeTrial makes the file, whole from the moment on at which it is there. Where another
// process is the first, its file stays.
func makeTrial(dir, file string) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "."+trialName+".*") // for its owner alone
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(f, "whsec_%s\n", base64.StdEncoding.EncodeToString(secret)); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Link(f.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// trialVerifier checks what comes while sync is on trial. It is asked for on a terminal by
// setting no secret, and elsewhere by name alone: a service whose secret was forgotten is
// not to start, and refuse what Loops sends.
func (a *app) trialVerifier(f syncFlags, public publicURL) (verifyFunc, error) {
	switch {
	case !loopback(f.listen):
		return nil, usage("LOOPS_SIGNING_SECRET is not set, and the trial secret is for this machine alone, while %s can be reached from "+
			"elsewhere\nhint: copy the secret (whsec_...) from Loops, Settings, Webhooks; or leave --listen out", f.listen)
	case public.u != nil:
		return nil, usage("LOOPS_SIGNING_SECRET is not set, and the trial secret is for this machine alone, while --public-url is for Loops\n" +
			"hint: copy the secret (whsec_...) from Loops, Settings, Webhooks; or leave --public-url out")
	}
	_, secrets, err := a.trial()
	if err != nil {
		return nil, err
	}
	return func(h http.Header, body []byte, now time.Time) (string, error) {
		id, err := secrets.Verify(h, body, now)
		if err != nil {
			return "", fmt.Errorf("on trial only what this machine's loopmap trigger signs is taken: %w", err)
		}
		return id, nil
	}, nil
}
