package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/table"
	"loopmap/tui"
)

// What the screens ask of the table and the journal besides their own lists.

// countEvery is how often it is looked at how much wants a person.
const countEvery = 3 * time.Second

// Counts waits until there is something to say that is not what was said before.
func (b *backend) Counts(ctx context.Context, was tui.Counts) (tui.Counts, error) {
	return awaitCounts(ctx, was, b.counts)
}

// awaitCounts looks again and again until there are others than there were.
func awaitCounts(ctx context.Context, was tui.Counts, look func(context.Context) (tui.Counts, error)) (tui.Counts, error) {
	for {
		if now, err := look(ctx); err == nil && now != was {
			return now, nil
		}
		select {
		case <-ctx.Done():
			return was, ctx.Err()
		case <-time.After(countEvery):
		}
	}
}

func (b *backend) counts(ctx context.Context) (c tui.Counts, err error) {
	m := b.mapping()
	url, err := b.app.databaseURL(m)
	if err != nil {
		return c, err
	}
	err = b.journal.look(ctx, table.Options{URL: url, Dir: folder(b.file)}, func(s *table.Store) error {
		quarantined, _, err := s.Waiting(ctx)
		if err != nil {
			return err
		}
		c.Quarantined = int(quarantined)
		if c.Came, err = s.Mark(ctx); err != nil {
			return err
		}
		c.Failed, err = s.FailedPushes(ctx, m.Table)
		return err
	})
	return c, err
}

// Replay maps one delivery again by the saved mapping.
func (b *backend) Replay(ctx context.Context, id string) (words string, err error) {
	b.busy.RLock()
	defer b.busy.RUnlock()
	m := b.mapping()
	if !m.Receives() {
		return "", errors.New("the mapping receives nothing: a delivery has no row to become")
	}
	b.mu.Lock()
	store, err := b.open(ctx, m)
	b.mu.Unlock()
	if err != nil {
		return "", err
	}
	r, err := store.Delivery(ctx, id)
	if err != nil {
		return "", err
	}
	if len(r.Body) == 0 {
		return "", errors.New("its body is not kept any more (journal.keep): it cannot be mapped again")
	}
	if err := unprepared(ctx, store, m); err != nil {
		return "", err
	}
	outcomes, err := store.Recommit(ctx, []mapping.Entry{mapping.Enter(m, r.Delivery)})
	if err != nil {
		return "", err
	}
	o := outcomes[0]
	words = fmt.Sprintf("mapped again: %s", o.Status)
	if o.Reason != "" {
		words += ": " + o.Reason
	}
	return words, nil
}

// Tables are those of a database, which is written as in the mapping file.
func (b *backend) Tables(ctx context.Context, database string) (name string, tables []string, err error) {
	m := mapping.New(database)
	url, err := b.app.databaseURL(m)
	if err != nil {
		return "", nil, err
	}
	err = b.look(ctx, m, func(s *table.Store) (err error) {
		tables, err = s.Tables(ctx)
		return err
	})
	return databaseName(url), tables, err
}

// Table is one of them, with its columns.
func (b *backend) Table(ctx context.Context, database, name string) (t tui.Table, err error) {
	t.Name = name
	err = b.look(ctx, mapping.New(database), func(s *table.Store) error {
		columns, err := s.Columns(ctx, name)
		t.Columns = tableColumns(columns)
		for _, c := range columns {
			if c.Key && c.Never == "" {
				t.Keys = append(t.Keys, c.Name)
			}
		}
		return err
	})
	return t, err
}

// MapWaiting maps what has come in and waits, by the saved mapping.
func (b *backend) MapWaiting(ctx context.Context) (words string, err error) {
	b.busy.RLock()
	defer b.busy.RUnlock()
	b.mu.Lock()
	m := b.current
	if m == nil || !m.Receives() {
		b.mu.Unlock()
		return "", nil
	}
	store, err := b.open(ctx, m)
	b.mu.Unlock()
	if err != nil {
		return "", err
	}
	if unprepared(ctx, store, m) != nil {
		return "", nil // the table waits for a save, whose review shows what it lacks
	}
	switch n, err := mapWaiting(ctx, store, m, quiet()); {
	case err != nil || n == 0:
		return "", err
	case n == 1:
		return "1 waiting delivery mapped", nil
	default:
		return fmt.Sprintf("%d waiting deliveries mapped", n), nil
	}
}

// CheckFile says whether a file could be read.
func (b *backend) CheckFile(name string) (words string, err error) {
	info, err := os.Stat(atHome(name))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", errors.New("no such file")
	case err != nil:
		return "", errors.New("cannot be looked at")
	case info.IsDir():
		return "", errors.New("is a folder")
	}
	return fmt.Sprintf("%d bytes", info.Size()), nil
}

// atHome is a file's name with ~ as the shell has it.
func atHome(name string) string {
	if len(name) > 1 && name[:2] == "~/" {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, name[2:])
		}
	}
	return name
}
