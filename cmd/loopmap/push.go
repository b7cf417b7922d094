package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"loopmap/mapping"
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
	again     bool
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
			"--unknown: that could be the second time.\n\n" +
			"What Loops has by all that is known is not sent: neither rows that came from\n" +
			"there, nor contact updates that are as they were sent last. --again sends them\n" +
			"all the same. An event that was sent does not go a second time, and a contact\n" +
			"that was deleted in Loops stays deleted.",
		Example: "loopmap push --dry-run            # the exact requests, nothing is sent\n" +
			"loopmap push --rows 10            # ten rows, to see\nloopmap push --row cm4x8k2r1000108l5d3fz9c2h\nloopmap push --failed\n" +
			"loopmap push --again --dry-run    # all rows, also those that Loops has",
		Args: atMost(1),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case f.rows < 0 || f.rows == 0 && c.Flags().Changed("rows"):
				return atLeast("--rows", 1, f.rows, "leave it out, and all rows are sent")
			case f.uninstall && (f.rows > 0 || f.keys != nil || f.failed || f.unknown || f.again):
				return usage("--uninstall sends nothing: leave the other flags out")
			case f.failed && f.keys != nil:
				return together("--row", "--failed")
			case f.anew && (f.keys == nil || f.dryRun):
				return usage("--anew forgets what was sent for the rows that --row names, and sends them")
			}
			return a.push(c.Context(), fileArg(args), f)
		},
	}
	a.connectionFlag(c)
	c.Flags().IntVar(&f.rows, "rows", 0, "send at most `N` rows, of those that have something to send")
	c.Flags().StringArrayVar(&f.keys, "row", nil, "send the row with this `KEY`; may be repeated")
	c.Flags().BoolVar(&f.failed, "failed", false, "send the rows that failed again")
	c.Flags().BoolVar(&f.unknown, "unknown", false, "send events again of which nobody knows whether they have arrived")
	c.Flags().BoolVar(&f.again, "again", false, "send rows all the same that came from Loops, or that it has already")
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
		return usage("%s has no push part\nhint: Send, 3 in the mapper, makes one, or write push: by hand; `loopmap help push` shows how", file)
	}
	if !m.Receives() {
		if err := there(ctx, m, url, file); err != nil {
			return err
		}
	}
	store, err := table.Open(ctx, table.Options{URL: url, Dir: folder(file), Write: !f.dryRun})
	if errors.Is(err, table.ErrNoDatabase) {
		return notYet("the database", "there are no rows to send")
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
	job := push.Job{Sender: sender, Keys: f.keys, Rows: f.rows,
		Again: outgoing.Resend{Failed: f.failed || f.keys != nil, Unknown: f.unknown, Known: f.again}}
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

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
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
		return pushError(err, out.Counts, f)
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
	if err == nil && out.Sent == 0 && f.keys == nil && out.Known() > 0 {
		a.say("hint: loopmap push --again sends all the same what came from Loops, or is the same there")
	}
	return pushError(err, out.Counts, f)
}

// sendRows runs a job in turn with other processes that send.
func (a *app) sendRows(ctx context.Context, store *table.Store, job push.Job, pace *push.Pace) (push.Counts, error) {
	pusher := &push.Pusher{Store: store, Pace: pace}
	waiting := func() {
		a.say("another loopmap sends rows of this database; it lets others have their turn within seconds")
	}
	return pusher.InTurns(ctx, job, waiting, func(ctx context.Context) error {
		client, err := a.client(ctx, job.Sender, pace)
		if err == nil {
			pusher.API = api{client}
		}
		return err
	})
}

// pushError is the exit status: 3 when some was done.
func pushError(err error, c push.Counts, f pushFlags) error {
	failed := "--failed"
	if f.again { // else what Loops has is not tried again
		failed += " --again"
	}
	var stopped *push.Stopped
	switch {
	case errors.As(err, &stopped) && stopped.Barred:
		return usage("%v\nhint: copy it again from Loops, Settings, API", stopped)
	case err != nil && c.Sent > 0:
		return &partError{err.Error() + "\nhint: what is sent stays sent; the next loopmap push goes on from here"}
	case err != nil:
		return err
	case c.Failed > 0:
		return &partError{fmt.Sprintf("%s failed\nhint: loopmap_pushes has the reasons; loopmap push %s tries them again",
			count(c.Failed, "request"), failed)}
	case c.Pending > 0:
		return &partError{fmt.Sprintf("%s had no answer that says whether they arrived\nhint: the next loopmap push tries them again",
			count(c.Pending, "request"))}
	}
	return nil
}
