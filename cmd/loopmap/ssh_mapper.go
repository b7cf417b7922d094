package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/tui"
	"loopmap/tui/sshd"
)

// framesPerSecond is how often a screen that is served is drawn at most. Each look at
// whether there is something to draw costs a little, also of a screen that is idle.
const framesPerSecond = 12

// show is the mapper as a guest sees it. Its error is the guest's last words.
func (h *sshHost) show(ctx context.Context, g *sshd.Guest) error {
	kind, size := g.Terminal()
	if kind == "dumb" {
		return errors.New("the terminal cannot be drawn on\nhint: `ssh -T` asks line by line")
	}
	b := &sshBackend{&backend{app: h.app, file: h.file}, h, g}
	defer b.own.close()
	release := h.claim(b.own, g.Key().Fingerprint)
	defer release()
	cfg, err := h.config(ctx, b)
	if ctx.Err() != nil {
		return fmt.Errorf("closed: %w", context.Cause(ctx))
	} else if err != nil {
		return err
	}
	w, leave := h.join()
	defer leave()
	outer := ctx
	ctx, end := context.WithCancel(outer)
	defer end() // what the session has begun ends with it
	cfg.Arrivals, cfg.News = w.arrivals, w.news
	if kind == "" { // who asks for no terminal is asked line by line
		unsaved, err := tui.Lines(ctx, cfg, g, h.app.blanks.writer(g))
		if unsaved != nil {
			return b.ended(ctx, unsaved)
		}
		return err
	}
	model := tui.New(ctx, cfg)
	err = h.program(ctx, g, model, kind, size)
	switch {
	case model.Left():
		return err
	case model.Unsaved():
		return b.ended(ctx, model.Mapping())
	case outer.Err() != nil:
		return fmt.Errorf("closed: %w; everything was saved", context.Cause(outer))
	}
	return err
}

// showBlanked is show, whose last words hold no secret either.
func (h *sshHost) showBlanked(ctx context.Context, g *sshd.Guest) error {
	err := h.show(ctx, g)
	if err == nil {
		return nil
	}
	return &blankedError{string(h.app.blanks.blank([]byte(err.Error()))), err}
}

// program runs the screens on a guest's terminal. All that depends on the terminal
// is the guest's own: many run in one process.
func (h *sshHost) program(ctx context.Context, g *sshd.Guest, model *tui.Model, kind string, s sshd.Size) error {
	env := []string{"TERM=" + kind, "SSH_TTY=yes"} // the latter keeps queries off the line
	p := tea.NewProgram(model,
		tea.WithContext(ctx), tea.WithInput(g), tea.WithOutput(h.app.blanks.writer(g)),
		tea.WithEnvironment(env), tea.WithColorProfile(colorprofile.Env(env)), tea.WithWindowSize(s.Width, s.Height),
		tea.WithFPS(framesPerSecond), tea.WithoutSignals(),
		tea.WithFilter(func(_ tea.Model, msg tea.Msg) tea.Msg {
			if _, suspend := msg.(tea.SuspendMsg); suspend {
				return nil // it would stop the server
			}
			return msg
		}))
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-g.Resized():
				_, s := g.Terminal()
				p.Send(tea.WindowSizeMsg{Width: s.Width, Height: s.Height})
			}
		}
	}()
	_, err := p.Run()
	return err
}

// config is what the mapper of a guest begins with.
func (h *sshHost) config(ctx context.Context, b *sshBackend) (tui.Config, error) {
	cfg, err := h.app.mapperConfig(ctx, b.own, mapperFlags{})
	if err != nil {
		return cfg, err
	}
	cfg.Backend = b
	kind, _ := b.guest.Terminal()
	term := func(name string) (string, bool) {
		switch name {
		case "TERM":
			return kind, true
		case "LANG": // few clients send theirs, and nearly all terminals show it
			return "C.UTF-8", true
		}
		return "", false
	}
	cfg.Multiplexer, cfg.ASCII, cfg.Editor = multiplexer(term), plain(term), nil
	h.mu.Lock()
	cfg.Listen = h.listen
	h.mu.Unlock()
	if cfg.ReadOnly = b.guest.Key().ReadOnly; cfg.ReadOnly {
		cfg.Draft = nil
	}
	return cfg, nil
}

// sshBackend is the backend of one guest. It embeds none: each thing that a screen
// can do is looked at here, for who may do it.
type sshBackend struct {
	own   *backend
	host  *sshHost
	guest *sshd.Guest
}

var errReadOnly = errors.New("this key is read-only: it may look, and not save")

// Review says what saving would change, or that this guest may not.
func (b *sshBackend) Review(ctx context.Context, m *mapping.Mapping) (tui.Review, error) {
	r, err := b.own.Review(ctx, m)
	if b.guest.Key().ReadOnly {
		r.Refused = errReadOnly.Error()
	}
	return r, err
}

// Save writes the mapping, and notes who did. Saves of one process take turns, so
// that each sees the file that the one before has written.
func (b *sshBackend) Save(ctx context.Context, m *mapping.Mapping) (tui.Saved, error) {
	if b.guest.Key().ReadOnly {
		return tui.Saved{}, errReadOnly
	}
	b.host.saving.Lock()
	defer b.host.saving.Unlock()
	before := b.own.mapping().Hash
	s, err := b.own.Save(ctx, m)
	if hash := b.own.mapping().Hash; hash != before || err == nil { // the file may be written though something else failed
		b.host.saved(b.guest, hash)
	}
	s.Words = strings.TrimSuffix(s.Words, nextWords)
	return s, err
}

// Rows are rows of the table with what became of them.
func (b *sshBackend) Rows(ctx context.Context, m *mapping.Mapping, q tui.RowsQuery) (tui.RowsView, error) {
	return b.own.Rows(ctx, m, q)
}

// TableLook is as it comes: a guest's settings last as long as the session.
func (b *sshBackend) TableLook(context.Context, *mapping.Mapping) (tui.TableLook, error) {
	return tui.TableLook{}, nil
}

// KeepTableLook keeps nothing.
func (b *sshBackend) KeepTableLook(context.Context, *mapping.Mapping, tui.TableLook) error {
	return nil
}

// Story is what is known of a row.
func (b *sshBackend) Story(ctx context.Context, key string) (tui.Story, error) {
	return b.own.Story(ctx, key)
}

// Catalog is what Loops has: for those who may not choose another team, in that of the
// saved mapping.
func (b *sshBackend) Catalog(ctx context.Context, m *mapping.Mapping, events []string) tui.Catalog {
	if b.guest.Key().ReadOnly {
		m = b.own.mapping()
	}
	return b.own.Catalog(ctx, m, events)
}

// Push sends rows, for those who may write.
func (b *sshBackend) Push(ctx context.Context, s tui.Sending, told chan<- tui.PushProgress) (string, error) {
	if b.guest.Key().ReadOnly {
		return "", errors.New("this key may look, not send")
	}
	return b.own.Push(ctx, s, told)
}

// CreateProperty makes a property in Loops, for those who may write.
func (b *sshBackend) CreateProperty(ctx context.Context, m *mapping.Mapping, p mapping.Property) error {
	if b.guest.Key().ReadOnly {
		return errors.New("this key may look, not change what Loops has")
	}
	return b.own.CreateProperty(ctx, m, p)
}

// DropDraft throws this guest's draft away.
func (b *sshBackend) DropDraft() error {
	if b.guest.Key().ReadOnly {
		return nil
	}
	return b.own.DropDraft()
}

// Reread takes the file as it is now for the one that was read.
func (b *sshBackend) Reread(ctx context.Context) (tui.Opened, error) { return b.own.Reread(ctx) }

// Journal reads the latest deliveries of the mapped events.
func (b *sshBackend) Journal(ctx context.Context) ([]tui.Sample, error) { return b.own.Journal(ctx) }

// Replay maps a delivery again, for those who may write.
func (b *sshBackend) Replay(ctx context.Context, id string) (string, error) {
	if b.guest.Key().ReadOnly {
		return "", errors.New("this key may look, not map again")
	}
	return b.own.Replay(ctx, id)
}

// Counts are how much wants a person.
func (b *sshBackend) Counts(ctx context.Context, was tui.Counts) (tui.Counts, error) {
	return b.host.journal.Counts(ctx, was)
}

// Tables are those of the mapping's own database: another is not this guest's to see.
func (b *sshBackend) Tables(ctx context.Context, database string) (string, []string, error) {
	if database != b.own.mapping().Database {
		return "", nil, errOtherDatabase
	}
	return b.own.Tables(ctx, database)
}

var errOtherDatabase = errors.New("over SSH only the tables of the mapping's own database are shown")

// Table is one of them.
func (b *sshBackend) Table(ctx context.Context, database, name string) (tui.Table, error) {
	if database != b.own.mapping().Database {
		return tui.Table{}, errOtherDatabase
	}
	return b.own.Table(ctx, database, name)
}

// MapWaiting has nothing to do: the process that receives maps what it can at once.
func (b *sshBackend) MapWaiting(context.Context) (string, error) { return "", nil }

// CheckFile refuses, as Read does.
func (b *sshBackend) CheckFile(string) (string, error) {
	return "", errors.New("the files of the server are not read over SSH: paste the sample instead")
}

// Misfit says why a column of the table cannot hold a type.
func (b *sshBackend) Misfit(t column.Type, c tui.TableColumn) string { return b.own.Misfit(t, c) }

// Read refuses: the files here are the server's, not the guest's.
func (b *sshBackend) Read(string) ([]tui.Sample, error) {
	return nil, errors.New("the files of the server are not read over SSH: paste the sample instead")
}

// Delivery is one of them with its body.
func (b *sshBackend) Delivery(ctx context.Context, id string) (tui.Delivery, error) {
	return b.own.Delivery(ctx, id)
}

// Search looks for deliveries by their bodies, for one guest at a time.
func (b *sshBackend) Search(ctx context.Context, match func(tui.Delivery) bool) (map[string]bool, error) {
	select {
	case b.host.searching <- struct{}{}:
		defer func() { <-b.host.searching }()
		return b.own.Search(ctx, match)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Deliveries are what came in.
func (b *sshBackend) Deliveries(ctx context.Context, mark int64) ([]tui.Delivery, int64, error) {
	return b.host.journal.Deliveries(ctx, mark)
}
