package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
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
		return a.secret(name, value)
	}
	if !fromFile || file == "" {
		return "", nil
	}
	text, err := readSmall(file)
	if err != nil {
		return "", usage("%s_FILE: %v", name, err)
	}
	return a.secret(name+"_FILE", strings.TrimSpace(strings.TrimPrefix(string(text), "\ufeff")))
}

// secret is a value that was read from where it says, never to be written. One that goes
// over several lines is two of them, or something else: sent or looked up, it would be
// quoted. Signing secrets alone may stand below each other.
func (a *app) secret(from, value string) (string, error) {
	name := strings.TrimSuffix(from, "_FILE")
	switch name {
	case "LOOPS_ENDPOINT_URL": // which is none
	case "LOOPS_SIGNING_SECRET":
		for _, s := range strings.Fields(value) {
			a.blanks.add(strings.TrimPrefix(s, "whsec_"))
		}
		return value, nil
	case "LOOPS_API_KEY":
		a.blanks.add(strings.Fields(value)...)
	default:
		for line := range strings.Lines(value) {
			a.blanks.addURL(strings.TrimSpace(line))
		}
		if secretName.MatchString(name) {
			a.blanks.add(strings.Fields(value)...)
		}
	}
	if strings.ContainsAny(value, "\r\n") {
		return "", usage("%s holds more than one line\nhint: one line is wanted, with nothing else in the file", from)
	}
	return value, nil
}

// secretName are the variables of a database that are no URL, and not to be seen.
var secretName = regexp.MustCompile(`(?i)pass|secret|token|key|pwd`)

// signingSecrets are the secrets that webhooks are checked with, nil when none is
// set. The first is the one to sign with.
func (a *app) signingSecrets() ([]string, *loops.Secrets, error) {
	text, err := a.env("LOOPS_SIGNING_SECRET")
	if err != nil {
		return nil, nil, err
	}
	if text == "" {
		if _, set := a.lookup("LOOPS_SIGNING_SECRET"); set {
			return nil, nil, usage("LOOPS_SIGNING_SECRET is set, but empty: anybody could sign with that\n" +
				"hint: copy the secret (whsec_...) from Loops, Settings, Webhooks")
		}
		return nil, nil, nil
	}
	list := strings.Fields(text)
	secrets, err := loops.ParseSecrets(list)
	if err != nil {
		return nil, nil, usage("LOOPS_SIGNING_SECRET: %v\nhint: copy it whole (whsec_...) from Loops, Settings, Webhooks; several are "+
			"separated by spaces", err)
	}
	return list, secrets, nil
}

// readMapping reads a mapping file and finds out where its database is.
func (a *app) readMapping(file string) (m *mapping.Mapping, url string, err error) {
	if m, err = a.readFile(file); err != nil {
		return nil, "", err
	}
	url, err = a.databaseURL(m)
	return m, url, err
}

// readFile reads a mapping file that is there.
func (a *app) readFile(file string) (*mapping.Mapping, error) {
	src, err := readText(file)
	if err != nil {
		return nil, err
	}
	return a.parse(file, src)
}

// readText is the text of a mapping file that is there.
func readText(file string) ([]byte, error) {
	src, err := readSmall(file)
	if os.IsNotExist(err) {
		return nil, usage("%s is not there\nhint: `loopmap %s` makes it", file, file)
	} else if err != nil {
		return nil, readFailed("the mapping", err)
	}
	return src, nil
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
