package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	udiff "github.com/aymanbagabas/go-udiff"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
	"loopmap/mapping/table"
	"loopmap/tui"
)

// backend is what the mapper screens read and write: the mapping file, the
// table and the journal.
type backend struct {
	app   *app
	file  string
	owner string // whose draft it keeps; "" for the one who sits at the machine

	mu      sync.Mutex
	read    []byte                  // the file as it was read or last written; nil when there is none
	current *mapping.Mapping        // what the file says; nil when there is none
	stores  map[string]*table.Store // by their URL, as they were needed

	journal held // for who looks at it all the time
	rows    held // for who goes through the table

	busy sync.RWMutex // is held by what goes on and is to be waited for
}

// open opens the database, and makes its file when there is none. b.mu is held.
func (b *backend) open(ctx context.Context, m *mapping.Mapping) (*table.Store, error) {
	url, err := b.app.databaseURL(m)
	if err != nil {
		return nil, err
	}
	if store := b.stores[url]; store != nil {
		return store, nil
	}
	store, err := table.Open(ctx, table.Options{URL: url, Dir: folder(b.file), Write: true, Text: b.app.versions.text})
	if err != nil {
		return nil, err
	}
	if b.stores == nil {
		b.stores = map[string]*table.Store{}
	}
	b.stores[url] = store
	return store, nil
}

// close waits for what goes on, whose context has ended.
func (b *backend) close() {
	b.busy.Lock()
	defer b.busy.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, store := range b.stores {
		store.Close()
	}
	b.journal.end()
	b.rows.end()
}

// load reads the mapping file, or begins a new one.
func (b *backend) load(cfg *tui.Config) (err error) {
	switch b.read, err = readSmall(b.file); {
	case errors.Is(err, os.ErrNotExist):
		cfg.New, cfg.Mapping = true, mapping.New(b.app.newDatabase())
	case err != nil:
		return readFailed("the mapping", err)
	case len(bytes.TrimSpace(b.read)) == 0: // as touch leaves it
		cfg.New, cfg.Mapping = true, mapping.New(b.app.newDatabase())
	default:
		if b.current, err = b.app.parse(b.file, b.read); err != nil {
			return err
		}
		cfg.Mapping = b.current
		if info, err := os.Stat(b.file); err == nil {
			cfg.SavedAt = info.ModTime()
		}
	}
	return nil
}

// mapping is the saved mapping, or what a new one begins with.
func (b *backend) mapping() *mapping.Mapping {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.current == nil {
		return mapping.New(b.app.newDatabase())
	}
	return b.current
}

// hash is that of the file as it was read or last written.
func (b *backend) hash() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.current == nil {
		return ""
	}
	return b.current.Hash
}

// look opens the database for reading and hands it to f. A database that is not
// there yet is not made, and f not called.
func (b *backend) look(ctx context.Context, m *mapping.Mapping, f func(*table.Store) error) error {
	url, err := b.app.databaseURL(m)
	if err != nil {
		return err
	}
	store, err := table.Open(ctx, table.Options{URL: url, Dir: folder(b.file)})
	if errors.Is(err, table.ErrNoDatabase) {
		return nil
	} else if err != nil {
		return err
	}
	defer store.Close()
	return f(store)
}

// columns are those that the table has already.
func (b *backend) columns(ctx context.Context, m *mapping.Mapping) (list []table.Column, err error) {
	err = b.look(ctx, m, func(s *table.Store) (err error) {
		list, err = s.Columns(ctx, m.Table)
		return err
	})
	return list, err
}

var errChanged = errors.New("the file was changed by someone else since it was read")

// unchanged makes sure that the file is still what was read. b.mu is held.
func (b *backend) unchanged() error {
	now, err := readSmall(b.file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		if b.read != nil {
			return errors.New("the file is gone since it was read; put it back, or start anew")
		}
		return nil
	case err != nil:
		return err
	case b.read == nil || !bytes.Equal(now, b.read):
		return errChanged
	}
	return nil
}

// Review says what saving m would change.
func (b *backend) Review(ctx context.Context, m *mapping.Mapping) (r tui.Review, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	out, err := mapping.Rewrite(b.file, b.read, m)
	if err != nil {
		return r, err
	}
	name := filepath.Base(b.file)
	r.Diff = udiff.Unified(name, name, string(b.read), string(out))
	if err := b.unchanged(); err != nil {
		r.Refused = err.Error()
		if now, err := readSmall(b.file); err == nil {
			r.Theirs = udiff.Unified(name, name, string(b.read), string(now))
		}
	}
	var columns []table.Column
	plan := table.MakePlan(m, nil)
	err = b.look(ctx, m, func(s *table.Store) (err error) {
		if columns, err = s.Columns(ctx, m.Table); err == nil {
			plan, err = s.Plan(ctx, m)
		}
		return err
	})
	if err != nil {
		r.Table = err.Error()
		return r, nil
	}
	r.Notes, r.SQL = slices.Concat(plan.Notes, b.left(m, columns)), plan.SQL
	if r.Later, err = b.triggers(ctx, m, columns); err != nil {
		return r, err
	}
	if err := plan.Err(); err != nil {
		r.Refused = err.Error()
	}
	return r, nil
}

// triggers is the SQL that sync will run for push.auto, on the table as it is by then.
func (b *backend) triggers(ctx context.Context, m *mapping.Mapping, columns []table.Column) (list []string, err error) {
	if m.Push == nil || !m.Push.Auto {
		return nil, nil
	}
	if _, err := outgoing.NewSender(m, b.file, table.Fields(m, columns)); err != nil {
		return nil, nil //nolint:nilerr // which the push screen says
	}
	err = b.look(ctx, m, func(s *table.Store) error {
		plan, err := s.PushTriggers(ctx, m)
		list = plan.SQL
		return err
	})
	return list, err
}

// left names the columns that the mapping no longer fills and the table keeps.
func (b *backend) left(m *mapping.Mapping, columns []table.Column) (notes []string) {
	if b.current == nil {
		return nil
	}
	named := func(list []mapping.Column, name string) bool {
		return slices.ContainsFunc(list, func(c mapping.Column) bool { return m.Dialect.Fold(c.Name) == m.Dialect.Fold(name) })
	}
	for _, c := range columns {
		if named(b.current.Columns(), c.Name) && !named(m.Columns(), c.Name) {
			notes = append(notes, fmt.Sprintf("keeps column %s with what it holds; the mapping no longer fills it", c.Name))
		}
	}
	return notes
}

// Save changes the table, writes the file, and maps what has come in already.
func (b *backend) Save(ctx context.Context, m *mapping.Mapping) (s tui.Saved, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.unchanged(); err != nil {
		return s, err
	}
	out, err := mapping.Rewrite(b.file, b.read, m)
	if err != nil {
		return s, err
	}
	saved, err := b.app.parse(b.file, out)
	if err != nil {
		return s, err
	}
	store, tableErr := b.open(ctx, saved)
	changes := !bytes.Equal(out, b.read)
	if tableErr == nil {
		var plan table.Plan
		if plan, tableErr = store.Plan(ctx, saved); tableErr == nil {
			changes = changes || len(plan.SQL) > 0
			if err := store.Apply(ctx, plan); err != nil {
				return s, fmt.Errorf("nothing is saved: the table cannot be changed: %w", err)
			}
		}
	}
	if !bytes.Equal(out, b.read) {
		if err := b.unchanged(); err != nil { // changing the table may have taken a while
			return s, err
		}
		if err := writeAtomic(b.file, out); err != nil {
			return s, err
		}
	}
	b.read, b.current = out, saved
	if err := b.DropDraft(); err != nil {
		return s, err
	}
	s.Words = "saved " + filepath.Base(b.file)
	if tableErr != nil {
		s.Words += "; the table is not changed yet: " + tableErr.Error()
		return s, nil
	}
	columns, err := store.Columns(ctx, saved.Table)
	if err != nil {
		return s, err
	}
	s.Columns = tableColumns(columns)
	if s.Words += " and table " + saved.Table; !changes {
		s.Words = "nothing was to be saved: file and table stay as they are"
	}
	// What was captured before, and what another mapping could not map.
	n, err := mapWaiting(ctx, store, saved, quiet())
	if err != nil {
		return s, err
	}
	switch s.Mapped = n; {
	case n == 1:
		s.Words += "; 1 waiting delivery mapped"
	case n > 1:
		s.Words += fmt.Sprintf("; %d waiting deliveries mapped", n)
	}
	if !saved.Receives() && !sends(saved) {
		s.Words += ". Next: loopmap push"
		return s, nil
	}
	s.Words += nextWords
	return s, nil
}

// nextWords end what is said of a save where no sync is known to run.
const nextWords = ". Next: loopmap sync"

// Reread takes the file as it is now for the one that was read.
func (b *backend) Reread(ctx context.Context) (o tui.Opened, err error) {
	if o.Mapping, err = b.reread(); err != nil {
		return o, err
	}
	url, err := b.app.databaseURL(o.Mapping)
	if err != nil {
		return o, err
	}
	o.Database = databaseName(url)
	columns, err := b.columns(ctx, o.Mapping)
	if err != nil {
		return o, nil //nolint:nilerr // the file is taken all the same, and saving says what is wrong
	}
	o.Columns = tableColumns(columns)
	return o, nil
}

func (b *backend) reread() (*mapping.Mapping, error) {
	src, err := readSmall(b.file)
	if err != nil {
		return nil, err
	}
	m, err := b.app.parse(filepath.Base(b.file), src)
	if err != nil {
		return nil, fmt.Errorf("what is there now cannot be taken: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.read, b.current = src, m
	return m, nil
}

func tableColumns(columns []table.Column) (list []tui.TableColumn) {
	for _, c := range columns {
		list = append(list, tui.TableColumn{Name: c.Name, Type: c.Type})
	}
	return list
}

// Read reads samples from a file.
func (b *backend) Read(file string) ([]tui.Sample, error) {
	file = atHome(file)
	return b.app.samples(file, filepath.Base(file))
}

// Misfit says why a column of the table cannot hold a type.
func (b *backend) Misfit(t column.Type, c tui.TableColumn) string {
	return table.Misfit(b.mapping().Dialect, t, c.Type)
}
