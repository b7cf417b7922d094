package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/loops/loopstest"
	"loopmap/tui"
)

func (a *app) rehearseCommand() *cobra.Command {
	var f rehearseFlags
	c := &cobra.Command{
		Use:   "rehearse [FILE]",
		Short: "Try a mapping with a pretended Loops, without an account",
		Long: "Runs a pretended Loops on this machine beside `loopmap sync`, on a scratch copy\n" +
			"of the mapping with an SQLite database of its own: contacts are created in the\n" +
			"one, arrive as webhooks, become rows; a row is changed, and what the mapping\n" +
			"sends back arrives. Nothing of it reaches Loops or your database.\n\n" +
			"Then the mapper opens on the copy, with the first ten rows of your own table in\n" +
			"it, which is only read; --mask puts other values in their place, of the same\n" +
			"type and length, so that conditions judge them alike. The rehearsal goes on\n" +
			"while the mapper is open, and ends with it. Where there is no terminal it goes\n" +
			"on until ctrl+c, without your rows; --once ends after one round.",
		Example: "loopmap rehearse\nloopmap rehearse --mask\nloopmap rehearse --once",
		Args:    atMost(1),
		RunE:    func(c *cobra.Command, args []string) error { return a.rehearse(c.Context(), fileArg(args), f) },
	}
	c.Flags().BoolVar(&f.once, "once", false, "end after one round")
	c.Flags().BoolVar(&f.mask, "mask", false, "put other values in the place of those of your rows")
	return c
}

// rehearseFlags say how a rehearsal goes.
type rehearseFlags struct{ once, mask bool }

func (a *app) rehearse(ctx context.Context, file string, f rehearseFlags) error {
	src, err := readText(file)
	if err != nil {
		return err
	}
	m, err := mapping.Parse(file, src)
	if err != nil {
		return err
	}
	if !m.Receives() {
		return usage("%s only sends, and a rehearsal goes there and back\nhint: loopmap push --dry-run prints what its rows would send", file)
	}
	dir, err := os.MkdirTemp("", "loopmap-rehearsal-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	original, copied := m.Database, m.Clone()
	copied.Database = "sqlite:rehearsal.db"
	text, err := mapping.Rewrite(file, src, copied)
	if err != nil {
		return err
	}
	scratch := filepath.Join(dir, "loopmap.yaml")
	if err := os.WriteFile(scratch, text, 0o600); err != nil {
		return err
	}
	if m, err = mapping.Parse(file, text); err != nil {
		return err
	}
	fields, err := a.scratchTable(ctx, file, m, dir)
	if err != nil {
		return err
	}
	r := &rehearsal{app: a}
	mapped := !f.once && a.mapsHere()
	if mapped {
		if r.own, err = a.copyRows(ctx, file, m, dir, f.mask); err != nil {
			a.say("your own rows cannot be read, so there are none in it: %v", err)
		}
	}
	listen, err := freeAddress()
	if err != nil {
		return err
	}
	server := loopstest.New(loopstest.Options{Team: "a pretended Loops", Webhook: "http://" + listen + "/webhooks/loops",
		Properties: pretended(m, fields), Events: pretendedEvents(m, fields), Lists: pretendedLists(m), OnCall: r.called,
		OnDelivery: r.delivered})
	defer server.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	h := &http.Server{Handler: server, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = h.Serve(l) }() // ends with Close
	defer h.Close()

	env := map[string]string{"LOOPS_API_KEY": loopstest.DefaultKey, "LOOPS_SIGNING_SECRET": loopstest.DefaultSecret,
		"LOOPS_ENDPOINT_URL": "http://" + l.Addr().String() + "/api"}
	words := &pausedWords{to: a.stderr}
	within := func() *app { // one for each that says things at the same time
		return &app{stdin: a.stdin, stdout: words.writer(), stderr: words.writer(), now: a.now, output: "text", debug: a.debug,
			lookup: func(name string) (string, bool) {
				if slices.Contains(terminalNames, name) {
					return a.lookup(name)
				}
				v, ok := env[name]
				return v, ok // and nothing else of the real environment: its keys stay out of it
			}}
	}
	inner, receiver := within(), within()
	a.say("a rehearsal: nothing of it reaches Loops or your database. Its own is sqlite:%s", filepath.Join(dir, "rehearsal.db"))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done, screen := make(chan error, 1), &screenOf{arrivals: make(chan tui.Arrival, 256)}
	go func() { done <- receiver.sync(ctx, scratch, syncFlags{listen: listen, seen: screen.arrived}) }()
	err = r.round(ctx, inner, m, server, scratch, listen, done)
	switch {
	case err != nil || f.once:
	case mapped:
		a.say("the mapper opens on it; what you save there is kept when it ends")
		r.pause(words, true)
		err = screen.show(ctx, a, inner, scratch, listen, done)
		r.pause(words, false)
	default:
		a.say("change rows yourself (sqlite3 %s), or end it with ctrl+c\n"+
			"the mapper on it, from another terminal (3 is what is sent back; what you save there is kept when this ends):\n"+
			"  LOOPS_ENDPOINT_URL=%s LOOPS_API_KEY=%s loopmap %s",
			filepath.Join(dir, "rehearsal.db"), env["LOOPS_ENDPOINT_URL"], env["LOOPS_API_KEY"], scratch)
		select {
		case <-ctx.Done():
		case err = <-done:
			return err
		}
	}
	cancel()
	select {
	case failed := <-done:
		err = errors.Join(err, failed)
	case <-time.After(10 * time.Second):
	}
	made, unsaved := rehearsedIn(scratch)
	if unsaved {
		err = errors.New("stopped; the mapping was not saved")
	}
	return errors.Join(err, a.keepRehearsed(file, original, made, text))
}

// rehearsedIn is the file with what was made of a scratch copy: itself, or a draft that a
// mapper has left which was stopped.
func rehearsedIn(scratch string) (file string, unsaved bool) {
	draft := (&backend{file: scratch}).draftFile()
	if _, err := os.Stat(draft); err == nil {
		return draft, true
	}
	return scratch, false
}

// keepRehearsed keeps what was saved into the scratch copy of a mapping, beside the
// mapping: as it would be for the mapping's own database.
func (a *app) keepRehearsed(file, database, scratch string, before []byte) error {
	after, err := os.ReadFile(scratch)
	if err != nil || bytes.Equal(after, before) {
		return err
	}
	m, err := mapping.Parse(scratch, after)
	if err != nil {
		return err
	}
	m = m.Clone()
	m.Database = database
	if after, err = mapping.Rewrite(file, after, m); err != nil {
		return err
	}
	ext := filepath.Ext(file)
	for n := 1; ; n++ {
		name := strings.TrimSuffix(file, ext) + ".rehearsed" + ext
		if n > 1 {
			name = fmt.Sprintf("%s.rehearsed-%d%s", strings.TrimSuffix(file, ext), n, ext)
		}
		if _, err := os.Stat(name); err == nil && n < 1000 {
			continue // from an earlier rehearsal
		}
		if err := writeAtomic(name, after); err != nil {
			return err
		}
		a.say("what was made in the rehearsal is kept in %s", name)
		return nil
	}
}

// listening waits until webhooks are taken.
func listening(ctx context.Context, listen string, done chan error) error {
	for range 200 {
		select {
		case err := <-done:
			done <- nil
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
		if resp, err := http.Get("http://" + listen + "/readyz"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
	}
	return errors.New("sync does not become ready")
}

// changeable is a text column that push sends.
func changeable(m *mapping.Mapping) string {
	if m.Push == nil || m.Push.Contact == nil {
		return ""
	}
	for _, p := range m.Push.Contact.Properties {
		for _, c := range m.Columns() {
			if c.Name == p.Column && c.Type == column.Text && c.Name != m.Key {
				return c.Name
			}
		}
	}
	return ""
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
