package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/charmbracelet/x/term"
)

// blanks are the secrets that this process has come to know. What it writes passes
// through a writer that blanks them, since anybody may repeat them: an API, a server, an
// error that quotes what was sent.
type blanks struct {
	mu      sync.Mutex // guards changes of secrets
	secrets atomic.Pointer[[][]byte]
}

// shortSecret is how short a secret may be: what is shorter stands in half of all words.
const shortSecret = 6

// add makes a secret known, in all forms in which it could be repeated.
func (b *blanks) add(secrets ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list [][]byte
	if old := b.secrets.Load(); old != nil {
		list = slices.Clone(*old)
	}
	before := len(list)
	for _, s := range secrets {
		for _, form := range forms(s) {
			if len(s) >= shortSecret && !slices.ContainsFunc(list, func(k []byte) bool { return string(k) == form }) {
				list = append(list, []byte(form))
			}
		}
	}
	if len(list) > before {
		// The longest first: one may be part of another.
		slices.SortStableFunc(list, func(a, b []byte) int { return len(b) - len(a) })
		b.secrets.Store(&list)
	}
}

// forms are the ways in which a text is written: as it is, in URLs, in JSON.
func forms(s string) []string {
	quoted, _ := json.Marshal(s) // text always encodes
	var plain bytes.Buffer       // the same with <, > and & as they are
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	_ = e.Encode(s)
	inside := func(b []byte) string { b = bytes.TrimSpace(b); return string(b[1 : len(b)-1]) }
	return []string{s, url.QueryEscape(s), url.PathEscape(s), inside(quoted), inside(plain.Bytes())}
}

// addURL makes known what is secret in a database's URL. A password that is also the
// user's name, or part of what else the URL says, hides nothing.
func (b *blanks) addURL(text string) {
	u, err := url.Parse(text)
	if err != nil {
		// It cannot be read, and may be quoted for that: what stands where the password does.
		if _, rest, ok := strings.Cut(text, "://"); ok {
			if user, _, ok := cutLast(rest, "@"); ok {
				if _, password, ok := strings.Cut(user, ":"); ok {
					b.add(password)
				}
			}
		}
		return
	}
	open := u.Scheme + " " + u.User.Username() + " " + u.Host + " " + u.Path
	password, _ := u.User.Password()
	for _, s := range []string{password, u.Query().Get("password"), u.Query().Get("sslpassword")} {
		if !strings.Contains(open, s) {
			b.add(s)
		}
	}
}

// addAddress makes known what an address has besides host and path: the receiver may
// repeat it.
func (b *blanks) addAddress(u *url.URL) {
	if password, ok := u.User.Password(); ok {
		b.add(password)
	}
	for _, values := range u.Query() {
		b.add(values...)
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// blank is text without secrets; as long as before, so that what is lined up stays so.
func (b *blanks) blank(text []byte) []byte {
	secrets := b.secrets.Load()
	if secrets == nil {
		return text
	}
	for _, secret := range *secrets {
		if bytes.Contains(text, secret) {
			text = bytes.ReplaceAll(text, secret, bytes.Repeat([]byte("*"), len(secret)))
		}
	}
	return text
}

// blankedError is an error without secrets in its text; what it wraps is for errors.Is and
// errors.As alone.
type blankedError struct {
	text string
	err  error
}

func (e *blankedError) Error() string { return e.text }
func (e *blankedError) Unwrap() error { return e.err }

// writer writes to w what is left. A terminal stays one.
func (b *blanks) writer(w io.Writer) io.Writer {
	if f, ok := w.(term.File); ok {
		return &blankFile{f, b}
	}
	return &blankWriter{w, b}
}

type blankWriter struct {
	w io.Writer
	b *blanks
}

// Write is io.Writer's.
func (w *blankWriter) Write(p []byte) (int, error) {
	if _, err := w.w.Write(w.b.blank(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// blankFile is a blankWriter to a file, as those need it who ask whether it is a terminal.
type blankFile struct {
	f term.File
	b *blanks
}

// Write is io.Writer's.
func (w *blankFile) Write(p []byte) (int, error) { return (&blankWriter{w.f, w.b}).Write(p) }

// Read is io.Reader's.
func (w *blankFile) Read(p []byte) (int, error) { return w.f.Read(p) }

// Close is io.Closer's.
func (w *blankFile) Close() error { return w.f.Close() }

// Fd is the file's descriptor.
func (w *blankFile) Fd() uintptr { return w.f.Fd() }
