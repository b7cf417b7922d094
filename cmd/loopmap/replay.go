package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/table"
)

// replayFlags are what `loopmap replay` is told.
type replayFlags struct {
	from      string
	since     string
	diff      bool
	noJournal bool
}

func (a *app) replayCommand() *cobra.Command {
	var f replayFlags
	c := &cobra.Command{
		Use:   "replay [FILE]",
		Short: "Map deliveries again, or bring them in from a file",
		Long: "Maps every delivery of the journal through the mapping as it is now and writes\n" +
			"the rows again: quarantined ones that fit by now are applied, and a table that\n" +
			"was lost is made anew. What a person has set by hand in a column that deliveries\n" +
			"fill is overwritten with what they say: look with --diff first. Running it twice\n" +
			"changes nothing.\n\n" +
			"With --from it reads deliveries from a file (- for standard input), one JSON\n" +
			"object a line, or a JSON list of them: a webhook's body, or {\"id\": webhook-id,\n" +
			"\"timestamp\": Unix seconds, \"body\": ...}. They are journalled and mapped like\n" +
			"those that sync receives; an id that the journal has already changes nothing.",
		Example: "loopmap replay --diff               # what would change\nloopmap replay --since 7d\nloopmap replay --from export.ndjson",
		Args:    atMost(1),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case f.from != "" && (f.diff || f.since != ""):
				return usage("--diff and --since are for the journal, not for --from")
			case f.noJournal && f.from == "":
				return usage("--no-journal is for --from: the journal is what is replayed otherwise")
			}
			return a.replay(c.Context(), fileArg(args), f)
		},
	}
	c.Flags().StringVar(&f.from, "from", "", "NDJSON `FILE` of deliveries, - for standard input")
	c.Flags().StringVar(&f.since, "since", "", "only what was received since `WHEN`: 2026-11-01, a time, or 12h, 7d ago")
	c.Flags().BoolVar(&f.diff, "diff", false, "say what would change in the table, and change nothing")
	c.Flags().BoolVar(&f.noJournal, "no-journal", false, "with --from, write rows alone, in the file's order, into a journal that is empty")
	return c
}

// replayed counts what became of the deliveries.
type replayed struct {
	Deliveries  int64   `json:"deliveries"`
	Applied     int64   `json:"applied"`
	Ignored     int64   `json:"ignored"`
	Quarantined int64   `json:"quarantined"`
	Pending     int64   `json:"pending"`
	Duplicate   int64   `json:"seen_before"`
	Unreadable  int64   `json:"unreadable"` // lines that are no JSON object
	Forgotten   int64   `json:"without_body"`
	Seconds     float64 `json:"seconds"`

	Changes []rowChange `json:"changes,omitempty"` // with --diff
	seen    map[string]bool
}

// rowChange is what a replay would do to a row: each column before and after, null
// where there is no row.
type rowChange struct {
	Key    string         `json:"key"`
	Before map[string]any `json:"before"`
	After  map[string]any `json:"after"`
}

func (a *app) replay(ctx context.Context, file string, f replayFlags) error {
	m, url, err := a.readMapping(file)
	if err != nil {
		return err
	}
	if !m.Receives() {
		return usage("%s has no receive, so there is nothing to map again\nhint: its rows are sent by loopmap push", file)
	}
	since, err := parseSince(f.since, a.now())
	if err != nil {
		return err
	}
	if f.diff { // which makes nothing, not even a database
		look, err := table.Open(ctx, table.Options{URL: url, Dir: folder(file)})
		if errors.Is(err, table.ErrNoDatabase) {
			return notYet("the database", "there is nothing to compare")
		} else if err != nil {
			return err
		}
		look.Close()
	}
	store, err := table.Open(ctx, table.Options{URL: url, Dir: folder(file), Write: true, Bulk: true, Text: a.versions.text})
	if err != nil {
		return err
	}
	defer store.Close()
	if f.diff {
		err = unprepared(ctx, store, m)
	} else {
		err = prepare(ctx, store, m, a.logger())
	}
	if err != nil {
		return err
	}
	began := time.Now()
	r := &replay{app: a, store: store, mapping: m, flags: f}
	defer r.bar.end()
	if f.from != "" {
		err = r.file(ctx)
	} else {
		err = r.journal(ctx, since)
	}
	r.bar.end()
	r.counts.Seconds = time.Since(began).Seconds()
	if err == nil || r.counts.Deliveries+r.counts.Unreadable > 0 {
		err = errors.Join(err, r.print())
	}
	if more := r.counts.Unreadable - mostNamed; more > 0 {
		a.say("and %d more lines that are unreadable", more)
	}
	c := r.counts
	if rest := c.Quarantined + c.Pending + c.Unreadable; err == nil && rest > 0 && !f.diff {
		msg := fmt.Sprintf("%d %s", rest, plural(rest, "delivery did not become a row", "deliveries did not become rows"))
		if c.Quarantined+c.Pending > 0 && !f.noJournal {
			msg += "\nhint: loopmap deliveries --status quarantined says why"
		}
		err = &partError{msg}
	}
	return err
}

// unprepared says why --diff, which changes nothing, cannot compare.
func unprepared(ctx context.Context, store *table.Store, m *mapping.Mapping) error {
	plan, err := store.Plan(ctx, m)
	if err != nil {
		return err
	}
	if err := plan.Err(); err != nil {
		return usage("%v\n%s", err, retypesNothing)
	}
	if why := plan.Unfit(); why != "" {
		return usage("%s\nhint: loopmap sync and loopmap replay make the change; --diff changes nothing", why)
	}
	return nil
}

// parseSince reads a day, a time, or how long ago.
func parseSince(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	layouts := []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly}
	for _, layout := range layouts { // this machine's time
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	if t, ok := body.ParseTime(s); ok {
		return t, nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, usage("--since wants a time, not %q\nhint: write 2026-11-01, 2026-11-01T08:00:00Z, 12h or 7d", s)
}

// replay is one run of the command.
type replay struct {
	app     *app
	store   *table.Store
	mapping *mapping.Mapping
	flags   replayFlags
	counts  replayed
	groups  groups
	bar     progressBar
}

const (
	replayPage  = 1000 // deliveries of the journal that are mapped at once
	replayGroup = 1000 // deliveries of one commit: five times as many are slower, for the processor's caches
)

// journal maps what was received since a time again, oldest first.
func (r *replay) journal(ctx context.Context, since time.Time) error {
	last, err := r.store.Mark(ctx)
	if err != nil {
		return err
	}
	r.bar.start(r.app.stderr)
	f := table.Filter{Oldest: true, Limit: replayPage, Since: since}
	for {
		list, err := r.store.Page(ctx, f, pageBytes)
		if err != nil || len(list) == 0 {
			return err
		}
		f.After = list[len(list)-1].Seq
		entries := make([]mapping.Entry, 0, len(list))
		for _, d := range list {
			if d.Forgotten {
				r.counts.Deliveries++
				r.counts.Forgotten++
				continue
			}
			entries = append(entries, mapping.Enter(r.mapping, d.Delivery))
		}
		write := r.store.Recommit
		if r.flags.diff {
			write = r.try
		}
		outcomes, err := r.groups.write(ctx, entries, write)
		r.count(outcomes)
		if err != nil {
			return err
		}
		r.bar.replayed(f.After, last, r.counts.Deliveries)
	}
}

// try notes what writing entries would change.
func (r *replay) try(ctx context.Context, entries []mapping.Entry) ([]mapping.Outcome, error) {
	outcomes, changes, err := r.store.Try(ctx, entries)
	if err == nil {
		r.counts.add(changes)
	}
	return outcomes, err
}

// mostNamed is how many lines and deliveries that did not become rows are named one by one.
const mostNamed = 10

// name names deliveries that did not become rows, where no journal keeps the reason.
func (r *replay) name(entries []mapping.Entry, outcomes []mapping.Outcome) {
	n := r.counts.Quarantined
	for i, o := range outcomes {
		if o.Status == mapping.Quarantined || o.Status == mapping.Pending {
			if n++; n <= mostNamed {
				r.bar.clear()
				r.app.say("%s: %s", entries[i].ID, o.Reason)
			}
		}
	}
}

func (r *replay) count(outcomes []mapping.Outcome) {
	c := &r.counts
	c.Deliveries += int64(len(outcomes))
	for _, o := range outcomes {
		switch {
		case o.Duplicate:
			c.Duplicate++
		case o.Status == mapping.Applied:
			c.Applied++
		case o.Status == mapping.Ignored:
			c.Ignored++
		case o.Status == mapping.Pending:
			c.Pending++
		default:
			c.Quarantined++
		}
	}
}

// file brings deliveries in from a file. Lines are mapped side by side and written in
// their order.
func (r *replay) file(ctx context.Context) error {
	in := r.app.stdin
	size := int64(0)
	if r.flags.from != "-" {
		f, err := os.Open(r.flags.from)
		if err != nil {
			return unread(r.flags.from, err)
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			size = info.Size()
		}
		in = f
	}
	if r.flags.noJournal {
		if mark, err := r.store.Mark(ctx); err != nil {
			return err
		} else if mark > 0 {
			return usage("--no-journal fills a table for the first time: this one has a journal, whose newer deliveries must not be " +
				"overwritten\nhint: leave --no-journal out")
		}
	}
	r.bar.start(r.app.stderr)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in, inLines, err := linesOf(in)
	if err != nil {
		return err
	}
	where := "%s:%d: %v"
	if !inLines {
		where = "%s: value %d: %v"
	}
	pieces := mapLines(ctx, in, r.mapping, r.app.now)
	var group []mapping.Entry
	var taken []*piece // whose entries are group
	read := int64(0)
	flush := func() error {
		if len(group) == 0 {
			return nil
		}
		write := r.store.Commit
		if r.flags.noJournal {
			write = r.store.Rows
		}
		outcomes, err := r.groups.write(ctx, group, write)
		if r.flags.noJournal {
			r.name(group, outcomes)
		}
		r.count(outcomes)
		if err != nil {
			return err
		}
		r.bar.replayed(read, size, r.counts.Deliveries)
		for _, p := range taken {
			idlePieces.Put(p)
		}
		group, taken = group[:0], taken[:0]
		return nil
	}
	for p := range pieces {
		<-p.done
		if p.err != nil {
			return p.err
		}
		for _, bad := range p.bad {
			if r.counts.Unreadable++; r.counts.Unreadable <= mostNamed {
				r.bar.clear()
				r.app.say(where, r.flags.from, bad.line, bad.err)
			}
		}
		group, taken = append(group, p.entries...), append(taken, p)
		read += int64(p.bytes)
		if len(group) >= replayGroup {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return errors.Join(flush(), ctx.Err())
}
