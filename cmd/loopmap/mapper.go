package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/term"
	"github.com/spf13/pflag"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/loops"
	"loopmap/mapping/receive"
	"loopmap/mapping/table"
	"loopmap/tui"
)

// mapperFlags are the flags of the mapper.
type mapperFlags struct {
	listen, publicURL string
	samples           []string
	accessible        bool
	ascii, noMouse    bool
	within            *receiving // what receives already; nil when the mapper listens itself
}

// receiving is a process that receives webhooks while the mapper is open in it.
type receiving struct {
	listen   tui.Listen
	arrivals chan tui.Arrival
}

func (f *mapperFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.listen, "listen", defaultListen, "`ADDRESS` to await a sample webhook on")
	fs.StringVar(&f.publicURL, "public-url", "", "the `URL` by which Loops reaches this address")
	fs.BoolVar(&f.accessible, "accessible", false, "ask line by line, for screen readers and scripts")
	fs.BoolVar(&f.ascii, "ascii", false, "draw with ASCII alone, as where the locale is not UTF-8")
	fs.BoolVar(&f.noMouse, "no-mouse", false, "leave the mouse to the terminal (LOOPMAP_MOUSE=0 does, too)")
	fs.StringArrayVar(&f.samples, "sample", nil, "map by the webhook body in this `FILE`, - for standard input; may be repeated")
}

// newDatabase is where a new mapping keeps its rows.
func (a *app) newDatabase() string {
	if url, err := a.env("DATABASE_URL"); err == nil && url != "" {
		return "${DATABASE_URL}"
	}
	return "sqlite:contacts.db"
}

// mapper opens the mapper on the terminal.
func (a *app) mapper(ctx context.Context, file string, f mapperFlags) error {
	terminal := isTerminal(a.stdout) && (isTerminal(a.stdin) || fromStdin(f.samples))
	if term, _ := a.lookup("TERM"); terminal && term == "dumb" {
		f.accessible = true
	}
	if !terminal && !f.accessible {
		return usage("the mapper needs a terminal\nhint: without one, `loopmap --accessible` asks line by line, and " +
			"`loopmap add contact.email` and `loopmap drop email` change a mapping in one")
	}
	if f.accessible && fromStdin(f.samples) {
		return usage("--accessible reads what you say from standard input, so the sample must be a file")
	}
	public, err := parsePublic(f.publicURL)
	if err != nil {
		return err
	}
	b := &backend{app: a, file: file}
	defer b.close()
	ctx, end := context.WithCancel(ctx)
	defer end() // what the screens have begun ends with them
	cfg, err := a.mapperConfig(ctx, b, f)
	if err != nil {
		return err
	}
	cfg.News = b.watch(ctx)
	if f.within != nil {
		cfg.Label = "rehearsal"
		cfg.Listen, cfg.Arrivals = f.within.listen, f.within.arrivals
	} else {
		defer a.await(ctx, b, &cfg, f.listen, public)()
	}
	if f.accessible {
		if in, ok := a.stdin.(term.File); ok {
			cfg.Hide = hider(in)
		}
		return a.lines(ctx, b, cfg)
	}
	options := []tea.ProgramOption{tea.WithContext(ctx), tea.WithOutput(a.stdout)}
	if fromStdin(f.samples) { // standard input was the sample: the keys come from the terminal itself
		tty, _, err := tea.OpenTTY()
		if err != nil {
			return usage("standard input is the sample, and there is no terminal for the keys: %v", err)
		}
		defer tty.Close()
		options = append(options, tea.WithInput(tty))
	}
	model := tui.New(ctx, cfg)
	options, attach := suspendable(options)
	program := tea.NewProgram(model, options...)
	detach := attach(program)
	_, err = program.Run()
	detach()
	if model.Left() {
		return err
	}
	// The link or the process has gone, not the person.
	if !model.Unsaved() {
		return errors.New("stopped; everything was saved")
	}
	return b.stopped(model.Mapping())
}

// lines runs the mapper line by line.
func (a *app) lines(ctx context.Context, b *backend, cfg tui.Config) error {
	unsaved, err := tui.Lines(ctx, cfg, a.stdin, a.stdout)
	if unsaved != nil {
		return b.stopped(unsaved)
	}
	return err
}

// multiplexer is what a terminal is within, as far as its environment tells. Within it,
// whether something was copied depends on how it is set up.
func multiplexer(lookup func(string) (string, bool)) string {
	within, _ := lookup("TMUX")
	session, _ := lookup("STY")
	switch term, _ := lookup("TERM"); {
	case within != "" || strings.HasPrefix(term, "tmux"):
		return "tmux"
	case session != "":
		return "screen"
	}
	return ""
}

func fromStdin(samples []string) bool { return slices.Contains(samples, "-") }

// mapperConfig reads the mapping, the table's columns and the samples.
func (a *app) mapperConfig(ctx context.Context, b *backend, f mapperFlags) (cfg tui.Config, err error) {
	cfg = tui.Config{File: filepath.Base(b.file), Backend: b, Multiplexer: multiplexer(a.lookup)}
	if err := b.load(&cfg); err != nil {
		return cfg, err
	}
	mouse, _ := a.lookup("LOOPMAP_MOUSE")
	cfg.NoMouse = f.noMouse || mouse == "0"
	cfg.ASCII = f.ascii || plain(a.lookup)
	cfg.Editor = a.opener(b.file)
	cfg.Draft = b.draft()
	url, err := a.databaseURL(cfg.Mapping)
	if err != nil {
		return cfg, err
	}
	cfg.Database = databaseName(url)
	columns, err := b.columns(ctx, cfg.Mapping)
	if err != nil {
		return cfg, err
	}
	cfg.Columns = tableColumns(columns)
	body, _ := loops.Example(loops.ContactCreated)
	cfg.Example = tui.Sample{From: "the built-in example", Body: body}
	for _, name := range f.samples {
		from := filepath.Base(name)
		if name == "-" {
			from = "standard input"
		}
		list, err := a.samples(name, from)
		if errors.As(err, new(*usageError)) {
			return cfg, err
		} else if err != nil {
			return cfg, usage("%v", err)
		}
		cfg.Samples = append(cfg.Samples, list...)
	}
	if len(cfg.Samples) == 0 && cfg.Mapping.Receives() && !cfg.New {
		if cfg.Samples, err = b.Journal(ctx); err != nil {
			return cfg, err
		}
	}
	return cfg, nil
}

// samples are the webhook bodies of a file, to map by.
func (a *app) samples(file, from string) (list []tui.Sample, err error) {
	bodies, err := a.readSamples(file)
	for i, raw := range bodies {
		if err := body.CheckBody(raw); err != nil {
			return nil, fmt.Errorf("%s: %w", sampleName(from, i, len(bodies)), err)
		}
		list = append(list, tui.Sample{From: sampleName(from, i, len(bodies)), Body: raw})
	}
	return list, err
}

// await listens for sample webhooks while the mapper is open, if it can. A
// verified delivery is kept in the journal, so that its 200 is true.
func (a *app) await(ctx context.Context, b *backend, cfg *tui.Config, listen string, public publicURL) (stop func()) {
	cfg.Listen.URL = "http://" + listen + receive.Path
	list, secrets, err := a.signingSecrets()
	if err != nil {
		cfg.Listen.Problem, _, _ = strings.Cut(err.Error(), "\n")
		return func() {}
	}
	trial := false
	if secrets == nil && loopback(listen) && public.u == nil { // else nothing is stored, and samples alone are taken
		var why error
		if _, secrets, why = a.trial(); why != nil {
			a.say("no trial secret, so webhooks are samples alone: %v", why)
		}
		trial = secrets != nil
	}
	cfg.Listen.Secrets = len(list)
	if secrets == nil && !loopback(listen) {
		cfg.Listen.Problem = "without LOOPS_SIGNING_SECRET only this machine may send, and " + listen + " can be reached from elsewhere"
		return func() {}
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		cfg.Listen.Problem = err.Error()
		if errors.Is(err, syscall.EADDRINUSE) {
			cfg.Listen.Problem = listen + " is taken. If that is by `loopmap sync`: w takes samples from its journal; else give another --listen"
		}
		return func() {}
	}
	cfg.Listen.URL = "http://" + l.Addr().String() + receive.Path
	if shown := public.shown(); shown != "" {
		cfg.Listen.Public, cfg.Listen.URL = true, shown
	}
	cfg.Listen.Trial, cfg.Listen.Ways = trial, ways(l.Addr().String())
	var at atomic.Pointer[publicURL] // which a person may change
	at.Store(&public)
	arrivals := make(chan tui.Arrival, 256)
	cfg.Arrivals = arrivals
	c := receive.Config{
		// What comes is kept for the mapping that is being made: Save maps it.
		Mapping: func() *mapping.Mapping { return nil },
		Public:  public.of(),
		Works:   b.works,
		Now:     a.now,
		Log:     quiet(),
		Seen: func(x receive.Arrival) {
			select {
			case arrivals <- asArrival(x, *at.Load()):
			default: // the screen does not keep up; the journal has it
			}
		},
	}
	if secrets != nil {
		c.Verify, c.Check, c.Journal = secrets.Verify, loops.CheckHeader, &lazyJournal{b}
		c.Trial, c.Samples = trial, trial
	}
	r := receive.New(c)
	cfg.Listen.Judge = judgePublic
	cfg.Listen.Publish = func(text string) {
		if p, err := parsePublic(text); err == nil {
			at.Store(&p)
			r.SetPublic(p.of())
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() { _ = receive.Serve(ctx, l, r, quiet()) })
	return func() {
		cancel()
		done.Wait()
		r.Close()
	}
}

// asArrival is an arrival for the screen; public is the URL by which Loops is meant to come.
func asArrival(x receive.Arrival, public publicURL) tui.Arrival {
	facts := mapping.FactsOf(x.Delivery.Body)
	a := tui.Arrival{
		At: x.Delivery.Received.Local(), Event: facts.Event, Email: facts.Email, Signed: x.Signed,
		Trial: x.Trial, Code: x.Code, Problem: x.Problem, Body: x.Delivery.Body,
		Public: public.u != nil && strings.EqualFold(x.Host, public.host()),
	}
	if x.Err != nil {
		a.Problem = x.Err.Error()
	}
	return a
}

// lazyJournal opens the database when the first delivery comes: the one that the saved
// mapping names by then.
type lazyJournal struct{ b *backend }

func (j *lazyJournal) open(ctx context.Context) (*table.Store, error) {
	m := j.b.mapping()
	j.b.mu.Lock()
	defer j.b.mu.Unlock()
	return j.b.open(ctx, m)
}

// mapperMaps is the reason of a delivery that comes while there is a saved mapping: the
// screen has it mapped at once, unless something there is unsaved or the table does not fit.
const mapperMaps = "kept: the mapper maps it now, or with the next save"

func (j *lazyJournal) Commit(ctx context.Context, entries []mapping.Entry) ([]mapping.Outcome, error) {
	store, err := j.open(ctx)
	if err != nil {
		return nil, err
	}
	if j.b.hash() != "" {
		entries = slices.Clone(entries)
		for i := range entries {
			entries[i].Reason = mapperMaps
		}
	}
	return store.Commit(ctx, entries)
}

func (j *lazyJournal) Ready(ctx context.Context, failed *mapping.Entry) error {
	store, err := j.open(ctx)
	if err != nil {
		return err
	}
	return store.Ready(ctx, failed)
}

func (j *lazyJournal) Waiting(ctx context.Context) (quarantined, pending int64, err error) {
	store, err := j.open(ctx)
	if err != nil {
		return 0, 0, err
	}
	return store.Waiting(ctx)
}

// quiet is a logger for while the screen belongs to the mapper.
func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }
