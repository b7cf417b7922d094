package tui

import (
	"context"
	"errors"
)

// What the screens ask for besides: of a backend that knows it all by heart.

func (f *fake) Replay(_ context.Context, id string) (string, error) {
	f.replayed = append(f.replayed, id)
	return "mapped again: applied", f.err
}

func (f *fake) Counts(_ context.Context, was Counts) (Counts, error) {
	if f.counts != was {
		return f.counts, nil
	}
	return was, context.Canceled
}

func (f *fake) Tables(_ context.Context, database string) (string, []Table, error) {
	return database, f.tables, f.err
}

func (f *fake) MapWaiting(context.Context) (string, error) {
	f.mapped++
	return "1 waiting delivery mapped", f.err
}

func (f *fake) CheckFile(string) (string, error) {
	if f.err != nil {
		return "", errors.New("no such file")
	}
	return "1 byte", nil
}
