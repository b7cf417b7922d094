package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/outgoing"
	"loopmap/mapping/push"
	"loopmap/mapping/table"
)

// pushFlags are what `loopmap push` is told.
type pushFlags struct {
	rows      int
	keys      []string
	failed    bool
	unknown   bool
	anew      bool
	dryRun    bool
	uninstall bool
}

func (a *app) pushCommand() *cobra.Command {
	var f pushFlags
	c := &cobra.Command{
		Use:   "push [FILE]",
		Short: "Send rows to Loops, once",
		Long: "Sends what the push part of the mapping says: for each row that differs from\n" +
			"what Loops has, the contact update and the events whose conditions hold. What\n" +
			"became of each stands in loopmap_pushes. Loops takes ten requests a second from\n" +
			"a team; killed at any moment, the next run goes on.\n\n" +
			"Rows that Loops has refused are tried again with --failed, or when they change.\n" +
			"An event of which nobody knows whether it arrived is only sent again with\n" +
			"--unknown: that could be the second time.",
		Example: "loopmap push --dry-run            # the exact requests, nothing is sent\nloopmap push --rows 10            # ten rows, to see\nloopmap push --row cm4x8k2r1000108l5d3fz9c2h\nloopmap push --failed",
		Args:    atMost(1),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case f.rows < 0 || f.rows == 0 && c.Flags().Changed("rows"):
				return usage("--rows is how many rows are sent at most, 1 or more; without it all are")
			case f.uninstall && (f.rows > 0 || f.keys != nil || f.failed || f.unknown):
				return usage("--uninstall sends nothing: leave the other flags out")
			case f.failed && f.keys != nil:
				return usage("--row names rows, --failed takes those that failed: give one of them")
			case f.anew && (f.keys == nil || f.dryRun):
				return usage("--anew forgets what was sent for the rows that --row names, and sends them")
			}
			return a.push(c.Context(), fileArg(args), f)
		},
	}
	c.Flags().IntVar(&f.rows, "rows", 0, "send at most `N` rows, of those that have something to send")
	c.Flags().StringArrayVar(&f.keys, "row", nil, "send the row with this `KEY`; may be repeated")
	c.Flags().BoolVar(&f.failed, "failed", false, "send the rows that failed again")
	c.Flags().BoolVar(&f.unknown, "unknown", false, "send events again of which nobody knows whether they have arrived")
	c.Flags().BoolVar(&f.anew, "anew", false, "the rows of --row are other people than before: forget what was sent for them")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "print the requests and send nothing")
	c.Flags().BoolVar(&f.uninstall, "uninstall", false, "take out the triggers that push.auto has put on the table")
	return c
}

func (a *app) push(ctx context.Context, file string, f pushFlags) error {
	m, url, err := a.readMapping(file)
	if err != nil {
		return err
	}
	if m.Push == nil && !f.uninstall {
		return usage("%s has no push part\nhint: P in the mapper makes one, or write push: by hand; the README shows how", file)
	}
	store, err := table.Open(ctx, table.Options{URL: url, Dir: folder(file), Write: !f.dryRun})
	if errors.Is(err, table.ErrNoDatabase) {
		return usage("%v: there are no rows to send", err)
	} else if err != nil {
		return err
	}
	defer store.Close()
	if f.uninstall {
		return a.uninstall(ctx, store, m)
	}
	sender, err := senderOf(ctx, store, m, file)
	if err != nil {
		return err
	}
	// What Loops has refused is not sent again by itself.
	job := push.Job{Sender: sender, Keys: f.keys, Rows: f.rows, Again: outgoing.Resend{Failed: f.failed || f.keys != nil, Unknown: f.unknown}}
	if f.failed {
		job.Status = outgoing.Failed
	}
	if err := missing(ctx, store, sender, f.keys); err != nil {
		return err
	}
	if f.dryRun {
		return a.dryRun(ctx, store, job)
	}
	if f.anew {
		if err := store.NoteGone(ctx, m.Table, f.keys); err != nil {
			return err
		}
	}
	return a.pushNow(ctx, store, job, f)
}

// missing says which of the rows that were asked for are not there.
func missing(ctx context.Context, store *table.Store, s *outgoing.Sender, keys []string) error {
	if keys == nil {
		return nil
	}
	rows, err := store.PushRows(ctx, s.Mapping(), s.Fields(), outgoing.Query{Keys: keys})
	if err != nil {
		return err
	}
	for _, r := range rows {
		if r.Gone && len(r.Lines) == 0 {
			return usage("table %s has no row with %s %q", s.Mapping().Table, s.Mapping().Key, r.Key)
		}
	}
	return nil
}

// senderOf is what rows of the table as it is send.
func senderOf(ctx context.Context, store *table.Store, m *mapping.Mapping, file string) (*outgoing.Sender, error) {
	columns, err := store.Columns(ctx, m.Table)
	if err != nil {
		return nil, err
	}
	if len(columns) == 0 {
		return nil, usage("table %s is not there, so there are no rows to send\nhint: loopmap sync makes it", m.Table)
	}
	if err := toldApart(m, columns); err != nil {
		return nil, err
	}
	return outgoing.NewSender(m, file, table.Fields(m, columns))
}

// toldApart refuses a table whose rows the key does not tell apart: one would be sent
// twice, and another never.
func toldApart(m *mapping.Mapping, columns []table.Column) error {
	i := slices.IndexFunc(columns, func(c table.Column) bool { return m.Dialect.Fold(c.Name) == m.Dialect.Fold(m.Key) })
	switch {
	case i < 0:
		return usage("table %s has no column %s, which is the key: its rows cannot be told apart", m.Table, m.Key)
	}
	if why := table.KeyMisfit(m, columns[i]); why != "" {
		return usage("%s", why)
	}
	if columns[i].Key {
		return nil
	}
	plan := table.MakePlan(m, columns)
	return usage("column %s, which is the key, does not tell the rows of table %s apart: nothing keeps it unique, so a row could be sent twice and another never\n"+
		"hint: name a key that is unique by itself, or run: %s;", m.Key, m.Table, plan.SQL[len(plan.SQL)-1])
}

// uninstall takes the triggers out, and says how.
func (a *app) uninstall(ctx context.Context, store *table.Store, m *mapping.Mapping) error {
	plan, err := store.DropPushTriggers(ctx, m.Table)
	if err != nil {
		return err
	}
	if len(plan.SQL) == 0 {
		a.say("table %s has no triggers of loopmap", m.Table)
		return nil
	}
	for _, sql := range plan.SQL {
		a.say("%s;", sql)
	}
	if err := store.Apply(ctx, plan); err != nil {
		return err
	}
	if a.say("the triggers of table %s are taken out", m.Table); m.Push != nil && m.Push.Auto {
		a.say("hint: loopmap sync puts them back while the mapping says push.auto: true")
	}
	return nil
}

// planned is a step as --dry-run prints it.
type planned struct {
	Row     string          `json:"row"`
	Kind    string          `json:"kind"`
	Status  string          `json:"status,omitempty"` // of what is not sent
	Reason  string          `json:"reason,omitempty"`
	Method  string          `json:"method,omitempty"`
	Path    string          `json:"path,omitempty"`
	Key     string          `json:"idempotency_key,omitempty"`
	Body    json.RawMessage `json:"body,omitempty"`
	Resumes bool            `json:"resumes,omitempty"` // it was begun before, and may have arrived
	Create  json.RawMessage `json:"create,omitempty"`  // body of POST /v1/contacts/create, which comes first
}

func plannedOf(key string, st outgoing.Step) planned {
	p := planned{Row: key, Kind: st.Kind, Status: string(st.Status), Reason: st.Reason}
	if r := st.Request; r != nil {
		p.Method, p.Path, p.Key, p.Body, p.Resumes, p.Create = r.Method, r.Path, r.IdempotencyKey, r.Body, st.Resumes, r.Create
	}
	return p
}

// print writes a request as it would go out, a line for each part.
func (p planned) print(w io.Writer, indent string) {
	line := func(format string, args ...any) {
		fmt.Fprintln(w, indent+body.Printable(fmt.Sprintf(format, args...)))
	}
	switch {
	case p.Method == "" && p.Status == "":
		line("%s: %s", p.Kind, p.Reason)
		return
	case p.Method == "":
		line("%s: %s: %s", p.Kind, p.Status, p.Reason)
		return
	case p.Resumes:
		line("%s %s (begun before; it may have arrived)", p.Method, p.Path)
	default:
		line("%s %s", p.Method, p.Path)
	}
	if p.Key != "" {
		line("Idempotency-Key: %s", p.Key)
	}
	line("%s", p.Body)
	if p.Create != nil {
		line("(first POST /v1/contacts/create, should Loops not have the contact: %s)", p.Create)
	}
}

// dryRun prints what a run would send: one JSON object a line with -o json.
func (a *app) dryRun(ctx context.Context, store *table.Store, job push.Job) error {
	requests, rows := 0, 0
	out := jsonEncoder(a.stdout)
	err := (&push.Pusher{Store: store}).Plan(ctx, job, func(key string, steps []outgoing.Step) error {
		shown := false
		for _, st := range steps {
			p := plannedOf(key, st)
			if p.Method != "" {
				requests++
			}
			if a.output == "json" {
				if err := out.Encode(p); err != nil {
					return err
				}
				continue
			}
			if !shown {
				shown = true
				if rows++; rows > 1 {
					fmt.Fprintln(a.stdout)
				}
				fmt.Fprintln(a.stdout, "row "+body.Printable(key))
			}
			p.print(a.stdout, "    ")
		}
		return nil
	})
	if err == nil {
		a.say("%s, nothing is sent; at the pace that Loops allows it would take %s", count(requests, "request"), lasts(requests))
		_, err = a.keyless(ctx, store, job)
	}
	return err
}

// keyless counts and says the rows that cannot be sent since nothing tells them apart.
func (a *app) keyless(ctx context.Context, store *table.Store, job push.Job) (n int, err error) {
	m := job.Sender.Mapping()
	if job.Keys != nil || job.Status != "" {
		return 0, nil
	}
	if n, err = store.Keyless(ctx, m); n > 0 {
		a.say("%s no %s and cannot be told apart: not sent", map[bool]string{true: "1 row has", false: fmt.Sprintf("%d rows have", n)}[n == 1], m.Key)
	}
	return n, err
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// lasts is how long so many requests take at the least.
func lasts(requests int) string {
	d := time.Duration(float64(requests)/push.NewPace().PerSecond()*1000) * time.Millisecond
	if d < time.Second {
		return "less than a second"
	}
	return "about " + d.Round(time.Second).String()
}

// pushed is what `loopmap push` prints with -o json.
type pushed struct {
	push.Counts
	Keyless  int       `json:"keyless,omitempty"` // rows whose key is NULL
	Seconds  float64   `json:"seconds"`
	Outcomes []outcome `json:"outcomes"`                // as text: of all with --rows or --row, else of those that were not sent
	More     int       `json:"more_outcomes,omitempty"` // that are not listed
}

type outcome struct {
	Row     string `json:"row"`
	Kind    string `json:"kind"`
	Status  string `json:"status"`
	Code    int    `json:"code,omitempty"`
	Message string `json:"message,omitempty"`

	words string // status and code, for people
}

// nothingOf is why a row sends nothing of a kind.
func nothingOf(key string, st outgoing.Step) outcome {
	o := outcome{Row: key, Kind: st.Kind, Status: string(st.Status), Message: st.Reason, words: "nothing to send"}
	switch st.Status {
	case "":
		o.Status = "nothing"
	case outgoing.NotMet:
		o.words = "not met"
	case outgoing.Failed:
		o.words = "failed before"
	}
	return o
}

func outcomeOf(key string, l outgoing.Line) outcome {
	return outcome{key, l.Kind, string(l.Status), l.Code, l.Message, l.Outcome()}
}

func (a *app) pushNow(ctx context.Context, store *table.Store, job push.Job, f pushFlags) error {
	pace := push.NewPace()
	out := pushed{Outcomes: []outcome{}}
	var bar progressBar
	bar.start(a.stderr)
	all := f.rows > 0 || f.keys != nil || a.output == "json"
	job.Outcome = func(o push.Outcome) {
		if bar.pushed(pace, o.Counts); all || wentWrong(o.Line.Status) {
			out.add(outcomeOf(o.Key, o.Line))
		}
	}
	job.Nothing = func(key string, steps []outgoing.Step) {
		if !all || f.rows > 0 && f.keys == nil { // of all rows it is counted
			return
		}
		for _, st := range steps {
			out.Outcomes = append(out.Outcomes, nothingOf(key, st))
		}
	}
	began := time.Now()
	var err error
	out.Counts, err = a.sendRows(ctx, store, job, pace)
	bar.end()
	if out.Rows == 0 && err != nil {
		return pushError(err, out.Counts)
	}
	out.Seconds = time.Since(began).Seconds()
	if a.output == "json" {
		err = errors.Join(err, printJSON(a.stdout, out))
	} else {
		err = errors.Join(err, out.print(a.stdout))
	}
	if out.More > 0 {
		a.say("and %d more, in loopmap_pushes", out.More)
	}
	if err == nil {
		_, err = a.keyless(ctx, store, job)
	}
	return pushError(err, out.Counts)
}

// sendRows runs a job in turn with other processes that send.
func (a *app) sendRows(ctx context.Context, store *table.Store, job push.Job, pace *push.Pace) (push.Counts, error) {
	pusher := &push.Pusher{Store: store, Pace: pace}
	waiting := func() {
		a.say("another loopmap sends rows of this database; it lets others have their turn within seconds")
	}
	return pusher.InTurns(ctx, job, waiting, func(ctx context.Context) error {
		client, err := a.connect(ctx, job.Sender, pace)
		if err == nil {
			pusher.API = api{client}
		}
		return err
	})
}

// pushError is the exit status: 3 when some was done.
func pushError(err error, c push.Counts) error {
	var stopped *push.Stopped
	switch {
	case errors.As(err, &stopped) && stopped.Barred:
		return usage("%v\nhint: copy it again from Loops, Settings, API", stopped)
	case err != nil && c.Sent > 0:
		return &partError{err.Error() + "\nhint: what is sent stays sent; the next loopmap push goes on from here"}
	case err != nil:
		return err
	case c.Failed > 0:
		return &partError{fmt.Sprintf("%s failed\nhint: loopmap_pushes has the reasons; loopmap push --failed tries them again", count(c.Failed, "request"))}
	case c.Pending > 0:
		return &partError{fmt.Sprintf("%s had no answer that says whether they arrived\nhint: the next loopmap push tries them again", count(c.Pending, "request"))}
	}
	return nil
}

func (p *pushed) print(w io.Writer) error {
	var rows [][]string
	for _, o := range p.Outcomes {
		rows = append(rows, []string{o.Row, o.Kind, o.words, o.Message})
	}
	if err := printTable(w, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%s looked at: %s, in %s\n", count(p.Rows, "row"), p.Counts, time.Duration(p.Seconds*float64(time.Second)).Round(100*time.Millisecond))
	if others := p.Others(); err == nil && others != "" {
		_, err = fmt.Fprintf(w, "%s\n", others)
	}
	return err
}
