package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"loopmap/mapping"
	"loopmap/mapping/loops"
	"loopmap/mapping/receive"
	"loopmap/mapping/table"
)

const defaultListen = "127.0.0.1:8787"

func (a *app) syncCommand() *cobra.Command {
	f := syncFlags{bottom: true}
	c := &cobra.Command{
		Use:   "sync [FILE]",
		Short: "Receive webhooks into the table, and send changed rows back",
		Long: "Receives Loops' webhooks at POST " + receive.Path + ", checks their signatures with\n" +
			"LOOPS_SIGNING_SECRET (or LOOPS_SIGNING_SECRET_FILE), keeps every body in\n" +
			"loopmap_deliveries and writes the row that the mapping makes of it. It answers\n" +
			"200 when that is on disk.\n\n" +
			"Where the mapping says push.auto or push.every it sends rows back to Loops,\n" +
			"with LOOPS_API_KEY (or LOOPS_API_KEY_FILE), or a key that `loopmap connect`\n" +
			"keeps: `loopmap push` does the same by hand. A mapping without a receive part\n" +
			"is only sent by: then nothing listens, and no signing secret is needed.\n\n" +
			"Where no secret is set, a terminal and --trial take what `loopmap trigger` on\n" +
			"this machine signs with the user's own trial secret, and nothing else.\n\n" +
			"On a terminal the log is for people: a line a delivery and a push, and one at\n" +
			"the bottom that says how it stands. Elsewhere, and with -o json, it is JSON.",
		Example: "LOOPS_SIGNING_SECRET_FILE=secret loopmap sync\nloopmap sync --public-url https://your.name.example",
		Args:    atMost(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.sync(c.Context(), fileArg(args), f)
		},
	}
	a.connectionFlag(c)
	c.Flags().StringVar(&f.listen, "listen", defaultListen, "`ADDRESS` to listen on")
	c.Flags().BoolVar(&f.unsigned, "unsigned", false, "take webhooks without a signature, from this machine only")
	c.Flags().BoolVar(&f.trial, "trial", false, "without LOOPS_SIGNING_SECRET take what loopmap trigger on this machine sends")
	c.Flags().BoolVar(&a.noData, "no-data", false, "log no emails, and nothing of what rows hold")
	f.shell.register(c.Flags(), "ssh", "", "`ADDRESS` to serve the mapper on over SSH, as "+defaultSSH)
	c.Flags().StringVar(&f.shell.publicURL, "public-url", "", "the `URL` by which Loops reaches --listen: its path is served, too, and "+
		"the mapper over SSH shows it")
	return c
}

// syncFlags say how sync works.
type syncFlags struct {
	listen   string
	unsigned bool
	trial    bool
	shell    sshFlags
	bottom   bool                  // on a terminal a line at the bottom says how it stands
	seen     func(receive.Arrival) // is told of every delivery; may be nil
}

func (a *app) sync(ctx context.Context, file string, f syncFlags) error {
	public, err := parsePublic(f.shell.publicURL)
	if err != nil {
		return err
	}
	if f.unsigned && f.trial {
		return together("--trial", "--unsigned")
	}
	m, url, err := a.readMapping(file)
	if err != nil {
		return err
	}
	if !m.Receives() {
		return a.sendOnly(ctx, file, url, m, f)
	}
	verify, trial, err := a.verifier(f, public)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", f.listen)
	if err != nil {
		return fmt.Errorf("listen: %w\nhint: another loopmap may be running; --listen takes another address", err)
	}
	defer l.Close()
	s, end, err := a.begin(ctx, file, url, m, f)
	if err != nil {
		return err
	}
	defer end()
	store, log := s.store, s.log
	if _, err := mapWaiting(ctx, store, m, log); err != nil {
		return err
	}
	r := receive.New(receive.Config{
		Verify:  verify,
		Trial:   trial,
		Check:   loops.CheckHeader,
		Public:  public.of(),
		Mapping: s.current.Load,
		Works:   func() string { return worksOn(s.current.Load(), url, file) },
		Journal: store,
		Writers: store.Writers(),
		Now:     a.now,
		Log:     log,
		Quiet:   s.watched != nil,
		Seen: func(x receive.Arrival) {
			s.guests.arrived(x)
			s.watched.arrived(x)
			if f.seen != nil {
				f.seen(x)
			}
		},
		Gauges: gauges(store),
	})
	awaited := a.awaited(l.Addr().String(), public)
	if awaited.Trial = trial; trial {
		log.Warn("trial: LOOPS_SIGNING_SECRET is not set, so only what `loopmap trigger` on this machine sends is taken")
	}
	s.guests.receiving(awaited)
	log.Info("listening", "url", "http://"+l.Addr().String()+receive.Path, "file", file, "mapping", m.Hash,
		"database", databaseName(url), "table", m.Table, "signed", verify != nil)
	stop := s.run(ctx)
	if _, set := a.lookup("GOGC"); !set && f.shell.listen == "" {
		// A delivery leaves nothing behind, and what lives is little, where no screens are
		// served: half the collections for a few megabytes more.
		defer debug.SetGCPercent(debug.SetGCPercent(200))
	}
	err = receive.Serve(ctx, l, r, log)
	r.Close()
	stop()
	return err
}

// gauges are what the database adds to the metrics.
func gauges(store *table.Store) func() []receive.Gauge {
	return func() []receive.Gauge {
		n, ok := store.WALBytes()
		if !ok {
			return nil
		}
		return []receive.Gauge{{Name: "loopmap_sqlite_wal_bytes", Help: "How long SQLite's write-ahead log is; a reader lets it grow.",
			Value: float64(n)}}
	}
}

type verifyFunc = func(http.Header, []byte, time.Time) (string, error)

// verifier is how requests are checked; nil with --unsigned, which is for this
// machine alone. On trial it is by this user's own secret.
func (a *app) verifier(f syncFlags, public publicURL) (verify verifyFunc, trial bool, err error) {
	_, secrets, err := a.signingSecrets()
	switch {
	case f.unsigned:
		if !loopback(f.listen) {
			return nil, false, usage("--unsigned listens on this machine only, and %s can be reached from elsewhere\n"+
				"hint: leave --listen out, or set LOOPS_SIGNING_SECRET", f.listen)
		}
		a.say("--unsigned: signatures are NOT checked; whatever reaches %s is stored", f.listen)
		return nil, false, nil
	case err != nil:
		return nil, false, err
	case secrets != nil && f.trial:
		return nil, false, usage("--trial is for when no LOOPS_SIGNING_SECRET is set, and one is\nhint: leave --trial out")
	case secrets != nil:
		live := &liveSecrets{app: a}
		live.current.Store(secrets)
		return live.verify, false, nil
	case !f.trial && !isTerminal(a.stderr): // a service, whose secret was forgotten
		return nil, false, usage("LOOPS_SIGNING_SECRET is not set, so anybody could write rows\n" +
			"hint: copy the secret (whsec_...) from Loops, Settings, Webhooks; or try things out on this machine with --trial")
	}
	verify, err = a.trialVerifier(f, public)
	return verify, true, err
}

// liveSecrets are the signing secrets as they stand in the environment, or in a file
// that may change while sync runs: so one is rotated without a restart.
type liveSecrets struct {
	app     *app
	current atomic.Pointer[loops.Secrets]
	looked  atomic.Int64 // Unix seconds
}

// verify reads the secrets again, at most once a second. What cannot be read changes
// nothing.
func (l *liveSecrets) verify(h http.Header, body []byte, now time.Time) (string, error) {
	if last := l.looked.Load(); now.Unix() != last && l.looked.CompareAndSwap(last, now.Unix()) {
		if _, secrets, err := l.app.signingSecrets(); err == nil && secrets != nil {
			l.current.Store(secrets)
		}
	}
	return l.current.Load().Verify(h, body, now)
}

// loopback reports whether an address can be reached from this machine alone.
func loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	return loopbackHost(host)
}

func loopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// retypesNothing is what to do about a table that does not fit.
const retypesNothing = "hint: change the mapping, or the table by hand; loopmap retypes nothing"

// prepare makes the table fit for the mapping, and says how.
func prepare(ctx context.Context, store *table.Store, m *mapping.Mapping, log *slog.Logger) error {
	plan, err := store.Plan(ctx, m)
	if err != nil {
		return err
	}
	if err := plan.Err(); err != nil {
		return usage("%v\n%s", err, retypesNothing)
	}
	logChanges(log, plan)
	if err := store.Apply(ctx, plan); err != nil {
		return err
	}
	return store.AdoptKeys(ctx, m)
}

// waitingStore is what mapWaiting needs of the database.
type waitingStore interface {
	Page(ctx context.Context, f table.Filter, bytes int) ([]table.Record, error)
	Recommit(ctx context.Context, entries []mapping.Entry) ([]mapping.Outcome, error)
}

// pageBytes bounds the bodies that are taken from the journal at once.
const pageBytes = 16 << 20

// mapWaiting maps what waits in the journal for this mapping, oldest first, and
// returns how many became rows: pending deliveries, and quarantined ones that the
// mapping has not tried yet.
func mapWaiting(ctx context.Context, store waitingStore, m *mapping.Mapping, log *slog.Logger) (applied int, err error) {
	if !m.Receives() { // what waits is another's
		return 0, nil
	}
	f := table.Filter{Stale: m.Hash, Oldest: true, Limit: 200}
	all, wait := 0, 0
	var parts groups
	defer func() {
		if all > wait { // else it is as it was
			log.Info("mapped from the journal", "deliveries", all, "applied", applied)
		}
	}()
	for {
		list, err := store.Page(ctx, f, pageBytes)
		if err != nil || len(list) == 0 {
			return applied, err
		}
		entries := make([]mapping.Entry, len(list))
		for i, r := range list {
			entries[i] = mapping.Enter(m, r.Delivery)
		}
		outcomes, err := parts.write(ctx, entries, store.Recommit)
		for _, o := range outcomes {
			switch o.Status {
			case mapping.Applied:
				applied++
			case mapping.Pending:
				wait++
			case mapping.Ignored, mapping.Quarantined:
			}
		}
		all += len(outcomes)
		if err != nil {
			return applied, err
		}
		f.After = list[len(list)-1].Seq
	}
}
