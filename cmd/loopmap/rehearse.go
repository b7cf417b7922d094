package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/column"
	"loopmap/mapping/loops/loopstest"
	"loopmap/mapping/outgoing"
	"loopmap/mapping/table"
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

// rehearsal is a pretended Loops and what happens with it.
type rehearsal struct {
	app   *app
	own   map[string]bool // the keys of the user's own rows
	mu    sync.Mutex      // one line at a time
	calls int
	quiet bool // the mapper has the terminal
}

func (r *rehearsal) say(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.quiet {
		return
	}
	fmt.Fprintln(r.app.stdout, body.Printable("rehearsal  "+fmt.Sprintf(format, args...)))
}

func (r *rehearsal) called(c loopstest.Call) {
	if c.Method == http.MethodGet {
		return
	}
	from := "row -> Loops    "
	if c.Path == "/v1/contacts/properties" {
		from = "mapper -> Loops "
	}
	r.say("%s  %s %s %s -> %d", from, c.Method, c.Path, r.brief(c.Body), c.Status)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
}

func (r *rehearsal) delivered(d loopstest.Delivery) {
	body := fmt.Sprintf("%s, %d bytes", mapping.FactsOf(d.Body).Email, len(d.Body))
	if r.app.debug {
		body = string(d.Body)
	}
	r.say("Loops -> webhook  %s %s -> %d", d.Event, body, d.Status)
}

// briefBody is how much of a body is shown without --debug, in characters.
const briefBody = 200

func (r *rehearsal) brief(body []byte) string {
	text := []rune(string(body))
	if r.app.debug || len(text) <= briefBody {
		return string(body)
	}
	return fmt.Sprintf("%s… (%d bytes; --debug shows all)", string(text[:briefBody]), len(body))
}

func (r *rehearsal) sent() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls
}

func (a *app) rehearse(ctx context.Context, file string, f rehearseFlags) error {
	src, err := readSmall(file)
	if err != nil {
		return usage("%v\nhint: `loopmap %s` makes a mapping", err, file)
	}
	m, err := mapping.Parse(file, src)
	if err != nil {
		return err
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
			"the mapper on it, from another terminal (P is what is sent back; what you save there is kept when this ends):\n"+
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

// round is once there and back.
func (r *rehearsal) round(ctx context.Context, inner *app, m *mapping.Mapping, server *loopstest.Server, file, listen string,
	done chan error) error {
	if err := listening(ctx, listen, done); err != nil {
		return err
	}
	for _, name := range []string{"ada", "bob"} {
		c := loopstest.Contact{Email: name + "@example.com", UserID: "user-" + name, Source: "Form", Subscribed: true,
			Values: map[string]json.RawMessage{"firstName": json.RawMessage(`"` + strings.ToUpper(name[:1]) + name[1:] + `"`)}}
		if _, err := server.Add(c); err != nil {
			return err
		}
	}
	if err := server.Flush(ctx); err != nil {
		return err
	}
	store, err := table.Open(ctx, table.Options{URL: "sqlite:rehearsal.db", Dir: folder(file), Write: true})
	if err != nil {
		return err
	}
	defer store.Close()
	if m.Push == nil {
		r.say("the mapping sends nothing back yet: Send (3) in the mapper makes that part, and this rehearsal carries it out")
		return nil
	}
	sender, err := senderOf(ctx, store, m, file)
	if err != nil {
		return err
	}
	rows, err := r.made(ctx, store, sender)
	if err != nil {
		return err
	}
	for _, row := range rows {
		r.say("webhook -> row    %s %s", m.Table, row.Key)
	}
	column := changeable(m)
	if column == "" || len(rows) == 0 {
		r.say("push names no text column that could be changed: change a row yourself")
		return nil
	}
	change := fmt.Sprintf(`UPDATE %s SET %s = 'rehearsed' WHERE rowid = (SELECT min(rowid) FROM %[1]s)`, quoteName(m.Table), quoteName(column))
	if len(r.own) > 0 {
		change = fmt.Sprintf(`UPDATE %s SET %s = 'rehearsed' WHERE %s = %s`, quoteName(m.Table), quoteName(column), quoteName(m.Key),
			quoteText(rows[0].Key))
	}
	r.say("a row is changed  %s", change)
	before := r.sent()
	if err := store.Apply(ctx, table.Plan{SQL: []string{change}}); err != nil {
		return err
	}
	if !m.Push.Auto {
		r.say("push.auto is off: this is loopmap push")
		var keys []string // all, where all are made here
		for _, row := range rows {
			if len(r.own) > 0 {
				keys = append(keys, row.Key)
			}
		}
		return inner.push(ctx, file, pushFlags{keys: keys})
	}
	for range 100 {
		if r.sent() > before || ctx.Err() != nil || r.judged(ctx, store, sender) {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	time.Sleep(time.Second) // for the events, and the webhooks that answer
	if r.sent() == before {
		return r.unsent(ctx, store, sender)
	}
	return server.Flush(ctx)
}

// made are rows that the rehearsal itself has made.
func (r *rehearsal) made(ctx context.Context, store *table.Store, sender *outgoing.Sender) ([]outgoing.Row, error) {
	rows, err := store.PushRows(ctx, sender.Mapping(), sender.Fields(), outgoing.Query{Limit: 2 + len(r.own)})
	return slices.DeleteFunc(rows, func(row outgoing.Row) bool { return r.own[row.Key] }), err
}

// judged reports whether what a row sends has been looked at, and nothing was sent.
func (r *rehearsal) judged(ctx context.Context, store *table.Store, sender *outgoing.Sender) bool {
	rows, err := r.made(ctx, store, sender)
	return err == nil && slices.ContainsFunc(rows, func(row outgoing.Row) bool {
		return slices.ContainsFunc(row.Lines, func(l outgoing.Line) bool { return l.Status == outgoing.NotMet && l.Kind == mapping.ContactKind })
	})
}

// unsent says why a row that was changed sends nothing.
func (r *rehearsal) unsent(ctx context.Context, store *table.Store, sender *outgoing.Sender) error {
	rows, err := r.made(ctx, store, sender)
	for _, row := range rows {
		for _, l := range row.Lines {
			if l.Status != outgoing.Sent {
				r.say("row -> nothing    %s: %s: %s", l.Kind, l.Outcome(), l.Message)
			}
		}
	}
	return err
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
