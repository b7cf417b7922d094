package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/loops"
	"loopmap/mapping/outgoing"
	"loopmap/mapping/push"
	"loopmap/mapping/table"
	"loopmap/tui"
)

const (
	toldEvery   = 500 * time.Millisecond // of a run's progress
	catalogTime = 15 * time.Second
)

// Catalog is what the team that m sends to has in Loops.
func (b *backend) Catalog(ctx context.Context, m *mapping.Mapping, events []string) (cat tui.Catalog) {
	ctx, cancel := context.WithTimeout(ctx, catalogTime)
	defer cancel()
	connects := b.app.before() == ""
	client, err := b.app.loopsClient(m, paced{push.NewPace()})
	switch {
	case err != nil:
		return tui.Catalog{Problem: asLine(err), Connects: connects}
	case client == nil:
		return tui.Catalog{Keyless: true, Problem: b.app.withoutKey() + ": Loops is not asked what it has", Connects: connects}
	}
	if err := readCatalog(ctx, client, events, &cat); err != nil {
		cat.Problem, cat.Connects = "what Loops has could not be looked at: "+err.Error(), connects && refuses(err)
	}
	return cat
}

func readCatalog(ctx context.Context, c *loops.Client, events []string, cat *tui.Catalog) (err error) {
	asks := []func() error{
		func() error { cat.Team, err = c.Team(ctx); return err },
		func() error { cat.Properties, err = c.Properties(ctx); return err },
		func() error { cat.Lists, err = c.Lists(ctx); return err },
		func() error { cat.Events, err = c.EventNames(ctx); return err },
	}
	cat.EventProperties = map[string][]mapping.Property{}
	for _, e := range events {
		asks = append(asks, func() error {
			if !slices.Contains(cat.Events, e) {
				return nil
			}
			cat.EventProperties[e], err = c.EventProperties(ctx, e)
			return err
		})
	}
	for _, ask := range asks {
		if err := patiently(ctx, ask); err != nil {
			return err
		}
	}
	return nil
}

// patiently asks again while Loops takes no more: rows may be on their way.
func patiently(ctx context.Context, ask func() error) error {
	for {
		err := ask()
		var api *loops.APIError
		if !errors.As(err, &api) || api.Status != http.StatusTooManyRequests {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(push.Window):
		}
	}
}

// CreateProperty makes a contact property in Loops, in the team that m sends to.
func (b *backend) CreateProperty(ctx context.Context, m *mapping.Mapping, p mapping.Property) error {
	ctx, cancel := context.WithTimeout(ctx, catalogTime)
	defer cancel()
	client, err := b.app.loopsClient(m, paced{push.NewPace()})
	if err != nil {
		return err
	}
	if client == nil {
		return b.app.noKey()
	}
	return client.CreateProperty(ctx, p)
}

// Push sends rows as `loopmap push` does.
func (b *backend) Push(ctx context.Context, s tui.Sending, told chan<- tui.PushProgress) (words string, err error) {
	b.busy.RLock()
	defer b.busy.RUnlock()
	m := b.mapping()
	quiet := &app{stdin: b.app.stdin, stdout: io.Discard, stderr: io.Discard, lookup: b.app.lookup, now: b.app.now, output: "text",
		team: b.app.team, connection: b.app.connection}
	url, err := quiet.databaseURL(m)
	if err != nil {
		return "", err
	}
	store, err := table.Open(ctx, table.Options{URL: url, Dir: folder(b.file), Write: true})
	if err != nil {
		return "", err
	}
	defer store.Close()
	sender, err := senderOf(ctx, store, m, b.file)
	if err != nil {
		return "", err
	}
	pace := push.NewPace()
	teller := &teller{told: told, pace: pace}
	again := outgoing.Resend{Failed: s.Failed, Known: s.Again}
	job := push.Job{Sender: sender, Rows: s.Rows, Keys: s.Keys, Again: again, Outcome: teller.outcome}
	switch {
	case s.Where != "":
		if job.Keys, err = b.keysWhere(ctx, store, m, s.Where); err != nil {
			return "", err
		}
	case s.Failed && s.Keys == nil:
		job.Status = outgoing.Failed
	}
	counts, err := quiet.sendRows(ctx, store, job, pace)
	words = counts.String()
	if others := counts.Others(); others != "" {
		words += ", " + others
	}
	if errors.Is(err, context.Canceled) {
		return "stopped: " + words, nil
	}
	return words, err
}

// teller tells the mapper how far a run is, now and then, and not while nobody hears.
type teller struct {
	told chan<- tui.PushProgress
	pace *push.Pace

	mu   sync.Mutex
	last time.Time
	list []tui.PushOutcome
}

func (t *teller) outcome(o push.Outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list = append(t.list, tui.PushOutcome{Key: o.Key, Line: o.Line})
	if time.Since(t.last) < toldEvery {
		return
	}
	done := o.Counts.Sent + o.Counts.Failed + o.Counts.Pending + o.Counts.NotMet
	p := tui.PushProgress{Done: done, Outcomes: t.list}
	if o.Counts.All { // else nobody knows yet how many there are
		p.Requests, p.Left = o.Counts.Requests, leftOf(t.pace, o.Counts)
	}
	select {
	case t.told <- p:
		t.last, t.list = time.Now(), nil
	default:
	}
}

// withPushes adds what became of what the rows of deliveries have sent.
func withPushes(ctx context.Context, s *table.Store, name string, list []tui.Delivery) error {
	var keys []string
	for _, d := range list {
		if d.RowKey != "" {
			keys = append(keys, d.RowKey)
		}
	}
	lines, err := s.Pushes(ctx, name, keys)
	for i := range list {
		list[i].Pushes = lines[list[i].RowKey]
	}
	return err
}
