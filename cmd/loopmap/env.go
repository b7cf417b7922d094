package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"loopmap/mapping"
	"loopmap/mapping/loops"
)

// env is the value of a variable: NAME itself, else what stands in the file that
// NAME_FILE names. Both given, NAME counts, and that is said.
func (a *app) env(name string) (string, error) {
	value, ok := a.lookup(name)
	file, fromFile := a.lookup(name + "_FILE")
	if ok && value != "" {
		if _, said := a.both.LoadOrStore(name, true); fromFile && file != "" && !said {
			a.say("%s and %s_FILE are both set: %s is used", name, name, name)
		}
		return value, nil
	}
	if !fromFile || file == "" {
		return "", nil
	}
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return "", usage("%s_FILE: %v", name, err)
	case !info.Mode().IsRegular():
		return "", usage("%s_FILE: %s is not a file", name, file)
	case info.Size() > 1<<16:
		return "", usage("%s_FILE: %s is too large for a secret", name, file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", usage("%s_FILE: %v", name, err)
	}
	return strings.TrimSpace(string(text)), nil
}

// signingSecrets are the secrets that webhooks are checked with, nil when none is
// set. The first is the one to sign with.
func (a *app) signingSecrets() ([]string, *loops.Secrets, error) {
	text, err := a.env("LOOPS_SIGNING_SECRET")
	if err != nil {
		return nil, nil, err
	}
	if text == "" {
		if _, set := a.lookup("LOOPS_SIGNING_SECRET"); set {
			return nil, nil, usage("LOOPS_SIGNING_SECRET is set, but empty: anybody could sign with that\nhint: copy the secret (whsec_...) from Loops, Settings, Webhooks")
		}
		return nil, nil, nil
	}
	list := strings.Fields(text)
	secrets, err := loops.ParseSecrets(list)
	if err != nil {
		return nil, nil, usage("LOOPS_SIGNING_SECRET: %v\nhint: copy it whole (whsec_...) from Loops, Settings, Webhooks; several are separated by spaces", err)
	}
	return list, secrets, nil
}

// readMapping reads a mapping file and finds out where its database is.
func (a *app) readMapping(file string) (m *mapping.Mapping, url string, err error) {
	src, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return nil, "", usage("%s is not there\nhint: `loopmap %s` makes it", file, file)
	} else if err != nil {
		return nil, "", fmt.Errorf("read the mapping: %w", err)
	}
	if m, err = mapping.Parse(file, src); err != nil {
		return nil, "", err
	}
	url, err = a.databaseURL(m)
	return m, url, err
}

func (a *app) databaseURL(m *mapping.Mapping) (string, error) {
	var failed error
	url, err := m.ExpandDatabase(func(name string) (string, bool) {
		v, err := a.env(name)
		if err != nil {
			failed = err
		}
		return v, v != ""
	})
	if failed != nil {
		return "", failed
	}
	if errors.As(err, new(*mapping.FileError)) {
		return "", err
	} else if err != nil {
		return "", usage("%v", err)
	}
	return url, nil
}

// databaseName is a database's URL fit for a screen: no user, no password.
func databaseName(url string) string {
	if scheme, rest, ok := strings.Cut(url, "://"); ok {
		if at := strings.LastIndexByte(rest, '@'); at >= 0 {
			rest = rest[at+1:]
		}
		rest, _, _ = strings.Cut(rest, "?")
		return scheme + "://" + rest
	}
	return url
}

// folder is where a file lies: relative databases are found from there.
func folder(file string) string { return filepath.Dir(file) }

// hostIn is the host in a URL, "" for none.
func hostIn(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
