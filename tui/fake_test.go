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

func (f *fake) Tables(_ context.Context, database string) (string, []string, error) {
	var names []string
	for _, t := range f.tables {
		names = append(names, t.Name)
	}
	return database, names, f.err
}

func (f *fake) Table(_ context.Context, _, name string) (Table, error) {
	for _, t := range f.tables {
		if t.Name == name {
			return t, f.err
		}
	}
	return Table{Name: name}, errors.New("no such table")
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
