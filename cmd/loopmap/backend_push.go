package main

import (
	"context"
	"errors"
	"io"

	"loopmap/mapping"
	"loopmap/mapping/push"
	"loopmap/mapping/table"
	"loopmap/tui"
)

const (
	shownRows  = 200
	noPushPart = "the mapping has no push part: rows are not sent to Loops. Write one into the file, for example\n\n" +
		"push:\n  contact:\n    email: email\n    properties: {plan: plan}\n\n`loopmap rehearse` tries it without an account."
)

// Pushes are the first rows of the table with what they send by the saved mapping.
func (b *backend) Pushes(ctx context.Context) (view tui.PushView, err error) {
	m := b.mapping()
	if m.Push == nil {
		return tui.PushView{Problem: noPushPart}, nil
	}
	view.Problem = "the table is not there yet: `loopmap sync` makes it"
	err = b.look(ctx, m, func(s *table.Store) error {
		sender, err := senderOf(ctx, s, m, b.file)
		if err != nil {
			view.Problem = err.Error()
			return nil
		}
		rows, err := s.PushRows(ctx, m, sender.Fields(), mapping.PushQuery{Limit: shownRows})
		if err != nil {
			return err
		}
		view.Problem = ""
		for _, row := range rows {
			view.Rows = append(view.Rows, tui.PushedRow{Key: row.Key, Steps: sender.Steps(row, mapping.Resend{Failed: true}), Lines: row.Lines})
		}
		return nil
	})
	return view, err
}

// Push sends rows as `loopmap push --rows` does.
func (b *backend) Push(ctx context.Context, rows int) (words string, err error) {
	m := b.mapping()
	quiet := &app{stdin: b.app.stdin, stdout: io.Discard, stderr: io.Discard, lookup: b.app.lookup, now: b.app.now, output: "text"}
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
	counts, err := quiet.sendRows(ctx, store, push.Job{Sender: sender, Rows: rows, Again: mapping.Resend{Failed: true}}, "", push.NewPace())
	var part *partError
	if errors.As(pushError(err, counts), &part) && err == nil {
		err = nil // it stands beside the rows
	}
	return counts.String(), err
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
