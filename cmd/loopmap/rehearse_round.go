package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/loops/loopstest"
	"loopmap/mapping/outgoing"
	"loopmap/mapping/table"
)

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
