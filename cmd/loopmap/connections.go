package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/zalando/go-keyring"

	"loopmap/mapping"
)

// connections keep API keys under names. Each has a file in a folder of the user's that says
// which team the key is of and where it is kept: in the system's keyring, or in that file
// where there is no keyring. One file each, so that two who keep keys at once lose none.
type connections struct {
	dir    string // "" where the environment does not say
	now    func() time.Time
	blanks *blanks
}

// Where a key is kept in the keyring: the account is that and the name.
const (
	ringService = "loopmap"
	ringAccount = "connection:"
)

const (
	inKeyring = "keyring"
	inFile    = "file"
)

// kept is what may be said of a kept key: all but the key.
type kept struct {
	Name  string    `json:"name"`
	Team  string    `json:"team"`
	Where string    `json:"where"`          // keyring or file
	File  string    `json:"file,omitempty"` // that has the key
	At    time.Time `json:"kept"`
}

// place says in words where the key is.
func (k kept) place() string {
	if k.Where == inFile {
		return "file " + k.File
	}
	return "the system's keyring (service " + ringService + ", account " + ringAccount + k.Name + ")"
}

// keptFile is a connection's file.
type keptFile struct {
	Team  string    `json:"team"`
	Where string    `json:"where"`
	Kept  time.Time `json:"kept"`
	Key   string    `json:"key,omitempty"` // where it is not in the keyring
}

// What may be wrong with a connection that others ask for.
var (
	errNotKept = errors.New("no key is kept under that name")
	errUnread  = errors.New("its file holds something else than loopmap writes")
)

// connectionError is wrong usage, and which of these it is.
type connectionError struct {
	usage error
	kind  error
}

func (e *connectionError) Error() string   { return e.usage.Error() }
func (e *connectionError) Unwrap() []error { return []error{e.usage, e.kind} }

func (a *app) connections() connections {
	return connections{dir: a.configDir(), now: a.now, blanks: &a.blanks}
}

// configDir is the folder of the user's own settings of this program, as os.UserConfigDir
// has it, by the environment that the program was given.
func (a *app) configDir() string {
	name, below := "HOME", ".config"
	switch runtime.GOOS {
	case "windows":
		name, below = "AppData", ""
	case "darwin":
		below = filepath.Join("Library", "Application Support")
	default:
		if dir, _ := a.lookup("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
			return filepath.Join(dir, "loopmap")
		}
	}
	dir, _ := a.lookup(name)
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, below, "loopmap")
}

func (c connections) file(name string) string {
	return filepath.Join(c.dir, "connection-"+name+".json")
}

// names are those of all kept keys, in order. No folder is none.
func (c connections) names() (names []string, err error) {
	if c.dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(c.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the kept connections: %w", err)
	}
	for _, e := range entries {
		name, ok := strings.CutPrefix(e.Name(), "connection-")
		if name, is := strings.CutSuffix(name, ".json"); ok && is && mapping.ConnectionMisfit(name) == "" {
			names = append(names, name)
		}
	}
	return names, nil
}

// list is what may be said of all kept keys.
func (c connections) list() ([]kept, error) {
	names, err := c.names()
	list := []kept{}
	for _, name := range names {
		f, _, err := c.read(name)
		if err != nil {
			return nil, err
		}
		list = append(list, c.said(name, f))
	}
	return list, err
}

func (c connections) said(name string, f keptFile) kept {
	k := kept{Name: name, Team: f.Team, Where: f.Where, At: f.Kept}
	if k.Where == inFile {
		k.File = c.file(name)
	}
	return k
}

// read reads a connection's file; mark is another one when the key may be.
func (c connections) read(name string) (f keptFile, mark string, err error) {
	if why := mapping.ConnectionMisfit(name); why != "" {
		return f, "", usage("%s", why)
	}
	if c.dir == "" {
		return f, "", usage("connection %s cannot be looked up: there is no home folder here\nhint: set HOME, or LOOPS_API_KEY_FILE", name)
	}
	file := c.file(name)
	if err := private(c.dir, 0o700); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return f, "", err
	}
	if err := private(file, 0o600); errors.Is(err, fs.ErrNotExist) {
		return f, "", c.missing(name)
	} else if err != nil {
		return f, "", err
	}
	src, err := readSmall(file)
	if err != nil {
		return f, "", readFailed("connection "+name, err)
	}
	// The error of reading it would quote what is there.
	if json.Unmarshal(src, &f) != nil || f.Where != inKeyring && f.Where != inFile || f.Where == inFile && f.Key == "" {
		wrong := usage("%s is not as loopmap connect writes it\nhint: loopmap connect %s keeps the key again", file, name)
		return keptFile{}, "", &connectionError{wrong, errUnread}
	}
	c.blanks.add(f.Key)
	return f, name + "\x00" + string(src), nil
}

func (c connections) missing(name string) error {
	hint := "loopmap connect " + name + " keeps one"
	if names, err := c.names(); err == nil && len(names) > 0 {
		hint += "; there are " + strings.Join(names, ", ")
	}
	return &connectionError{usage("there is no connection %s here\nhint: %s", name, hint), errNotKept}
}

// private makes sure that nobody else can read what holds a key, or put another one in its
// place. Windows has no such bits: there a user's folder is the user's.
func private(path string, most fs.FileMode) error {
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS == "windows" {
		return err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return usage("%s is open to others (%04o): no API key is taken from there, or kept there\nhint: chmod %o %s", path, mode, most, path)
	}
	return nil
}

// key is the key itself.
func (c connections) key(name string, f keptFile) (string, error) {
	if f.Where == inFile {
		return f.Key, nil
	}
	key, err := ring(func() (string, error) { return keyring.Get(ringService, ringAccount+name) })
	switch {
	case errors.Is(err, keyring.ErrNotFound):
		return "", usage("the key of connection %s is no longer in the keyring\nhint: loopmap connect %s keeps one again", name, name)
	case err != nil:
		return "", usage("the key of connection %s is in the keyring, which cannot be asked: %v\n"+
			"hint: unlock the keyring; or keep the key here with loopmap connect %s", name, err, name)
	}
	c.blanks.add(key)
	return key, nil
}

// keep keeps a key under a name, in the place of one that was there. noRing is why it is in
// a file.
func (c connections) keep(name, team, key string) (k kept, noRing, err error) {
	if c.dir == "" {
		return k, nil, usage("there is no folder to keep it in: HOME is not set\nhint: set HOME, or LOOPS_API_KEY_FILE")
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return k, nil, fmt.Errorf("make the folder of connections: %w", err)
	}
	_, _, before := c.read(name)
	if before != nil && !errors.Is(before, errNotKept) && !errors.Is(before, errUnread) {
		return k, nil, before
	}
	f := keptFile{Team: team, Where: inKeyring, Kept: c.now().UTC()}
	_, noRing = ring(func() (string, error) { return "", keyring.Set(ringService, ringAccount+name, key) })
	if noRing != nil {
		f.Where, f.Key = inFile, key
	}
	if err := c.write(name, f); err != nil {
		if noRing == nil && before != nil { // nobody would find it there
			_ = dropFromRing(name)
		}
		return k, nil, err
	}
	return c.said(name, f), noRing, nil
}

func (c connections) write(name string, f keptFile) error {
	text, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	return writeAtomicAs(c.file(name), append(text, '\n'), 0o600)
}

// rename gives a kept key another name. A process that stops midway leaves it under both.
func (c connections) rename(old, name string) (k kept, err error) {
	f, _, err := c.read(old)
	if err != nil {
		return k, err
	}
	if why := mapping.ConnectionMisfit(name); why != "" {
		return k, usage("%s", why)
	}
	if _, err := os.Lstat(c.file(name)); err == nil {
		return k, usage("there is a connection %s already\nhint: loopmap connect --remove %s, or another name", name, name)
	}
	if f.Where == inKeyring {
		key, err := c.key(old, f)
		if err == nil {
			_, err = ring(func() (string, error) { return "", keyring.Set(ringService, ringAccount+name, key) })
		}
		if err != nil {
			return k, fmt.Errorf("rename connection %s: %w", old, err)
		}
	}
	if err := c.write(name, f); err != nil {
		return k, err
	}
	if err := os.Remove(c.file(old)); err != nil {
		return k, err
	}
	if f.Where == inKeyring {
		err = dropFromRing(old)
	}
	return c.said(name, f), err
}

// remove forgets a kept key, also one that cannot be read.
func (c connections) remove(name string) error {
	f, _, err := c.read(name)
	if errors.Is(err, errNotKept) || c.dir == "" || mapping.ConnectionMisfit(name) != "" {
		return err
	}
	if err := os.Remove(c.file(name)); err != nil {
		return err
	}
	if err == nil && f.Where == inFile {
		return nil
	}
	if err := dropFromRing(name); err != nil && f.Where == inKeyring {
		return err
	}
	return nil // a file that cannot be read may not have had one there
}

// dropFromRing takes a key out of the keyring.
func dropFromRing(name string) error {
	_, err := ring(func() (string, error) { return "", keyring.Delete(ringService, ringAccount+name) })
	if err == nil || errors.Is(err, keyring.ErrNotFound) {
		return nil
	}
	return fmt.Errorf("the keyring still has the key, as service %s, account %s%s: %w", ringService, ringAccount, name, err)
}

// ringTime is how long a keyring is waited for, which may ask a person to unlock it.
const ringTime = 30 * time.Second

// ring asks the keyring, and not for ever: where nobody sees its question it has no answer.
func ring(ask func() (string, error)) (string, error) {
	type answer struct {
		text string
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		text, err := ask()
		done <- answer{text, err}
	}()
	select {
	case a := <-done:
		return a.text, a.err
	case <-time.After(ringTime):
		return "", fmt.Errorf("it has not answered in %v; it may be locked", ringTime)
	}
}
