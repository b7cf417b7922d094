package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	"loopmap/mapping/body"
)

// doctorFlags say what doctor looks at, and how far.
type doctorFlags struct {
	listen, publicURL string
	offline           bool
}

func (a *app) doctorCommand() *cobra.Command {
	var f doctorFlags
	c := &cobra.Command{
		Use:   "doctor [FILE]",
		Short: "Look at all that can be wrong, and say what to do",
		Long: "Looks at the mapping file, the database and its table, the signing secret, the\n" +
			"API key, the port, the clock, the disk, and whether the public URL leads here,\n" +
			"and says for each what to do. It changes nothing. Give it the flags that sync\n" +
			"has.\n\n" +
			"Where nothing listens on --listen, it listens there itself for the moment in\n" +
			"which it calls the public URL: that shows whether the tunnel or the proxy leads\n" +
			"here before sync runs.\n\n" +
			"The exit status is 3 when something needs a person.",
		Example: "loopmap doctor\nloopmap doctor --public-url https://your.name.example\nloopmap doctor --offline -o json",
		Args:    atMost(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.doctor(c.Context(), fileArg(args), f)
		},
	}
	a.connectionFlag(c)
	c.Flags().StringVar(&f.listen, "listen", defaultListen, "`ADDRESS` that sync listens on")
	c.Flags().StringVar(&f.publicURL, "public-url", "", "the `URL` by which Loops reaches --listen")
	c.Flags().BoolVar(&f.offline, "offline", false, "ask neither Loops nor the public URL")
	return c
}

// standing says how it is with one thing.
type standing string

const (
	stateOK      standing = "ok"
	stateWarning standing = "warning"
	stateTrouble standing = "trouble" // a person is needed
	stateSkipped standing = "skipped" // not looked at, for the reason that is said
)

// finding is one thing that was looked at.
type finding struct {
	Check string   `json:"check"`
	State standing `json:"state"`
	What  string   `json:"what"`         // what is so
	Do    []string `json:"do,omitempty"` // what to do next
}

// failed is trouble as an error tells it: its hint is what to do, else do is.
func failed(check string, err error, do string) finding {
	what, hint, _ := strings.Cut(err.Error(), hintMark)
	if hint != "" {
		do = hint
	}
	return finding{check, stateTrouble, strings.ReplaceAll(what, "\n", "; "), []string{do}}
}

// unless is a finding on what is needed to receive webhooks, where that is not wanted.
func (f finding) unless(sendsOnly bool) finding {
	if !sendsOnly {
		return f
	}
	return finding{Check: f.Check, State: stateSkipped, What: "not needed: the mapping receives nothing"}
}

// doctor looks, and then judges: each judgement is a pure function of what was seen.
func (a *app) doctor(ctx context.Context, name string, f doctorFlags) error {
	public, err := parsePublic(f.publicURL)
	if err != nil {
		return err
	}
	port, stop := a.lookAtPort(ctx, f.listen)
	defer stop()
	var call publicFacts
	var looks sync.WaitGroup
	looks.Go(func() { call = lookAtPublic(ctx, public, port, f.offline) })
	file := a.lookAtFile(name)
	data := a.lookAtDatabase(ctx, file)
	loops := a.lookAtLoops(ctx, file.m, data.fields, f.offline)
	looks.Wait()
	port.another = port.elsewhere(file)
	call.port = port
	secret := a.lookAtSecret()
	secret.now, secret.running, secret.journal = a.now(), port.runs(), data.journal
	call.now, call.journal = a.now(), data.journal

	toReceive := func(f finding) finding { return f.unless(file.m != nil && !file.m.Receives()) }
	list := []finding{file.judge(), data.judge(), data.judgeTable(), data.judgeRights(), data.judgePush(), toReceive(data.judgeJournal()),
		toReceive(secret.judge()), loops.judgeKey(port.runs()), toReceive(port.judge()), loops.judgeClock(), lookAtDisk(file, data).judge(),
		toReceive(call.judge())}
	if a.output == "json" {
		err = printJSON(a.stdout, struct {
			File   string    `json:"file"`
			Checks []finding `json:"checks"`
		}{name, list})
	} else {
		err = a.printFindings(list)
	}
	if err != nil {
		return err
	}
	return needed(list)
}

// needed says how many things need a person; nil when none does.
func needed(list []finding) error {
	var names []string
	for _, f := range list {
		if f.State == stateTrouble {
			names = append(names, f.Check)
		}
	}
	switch len(names) {
	case 0:
		return nil
	case 1:
		return &partError{"one thing needs you: " + names[0]}
	}
	return &partError{fmt.Sprintf("%d things need you: %s", len(names), strings.Join(names, ", "))}
}

// printFindings writes a line for each thing, and below it what to do.
func (a *app) printFindings(list []finding) error {
	d := a.dress()
	looks := map[standing]lipgloss.Style{stateOK: d.good, stateWarning: d.warn, stateTrouble: d.bad, stateSkipped: d.faint}
	w, width := a.stdout, 0
	if isTerminal(w) {
		w, width = d.writer(w), max(widthOf(w)-len(findingIndent)-1, 20)
	} else {
		looks = nil
	}
	for _, f := range list {
		state, what := fmt.Sprintf("%-8s", f.State), body.Printable(f.What)
		if look, colored := looks[f.State]; colored {
			state = look.Render(state)
		}
		if width > 0 {
			what = hanging(what, width, findingIndent)
		}
		text := fmt.Sprintf("%s %-10s  %s\n", state, f.Check, what)
		for _, do := range f.Do {
			do = body.Printable(do)
			if width > 0 {
				do = hanging(do, width-len(doMark), findingIndent+strings.Repeat(" ", len(doMark)))
			}
			text += findingIndent + doMark + do + "\n"
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	return nil
}

// findingIndent is as wide as what stands before a finding's words.
var findingIndent = strings.Repeat(" ", 21)

// doMark stands before what to do.
const doMark = "-> "

// hanging is a text on lines of a width, broken at blanks alone, the later ones behind an indent.
func hanging(s string, width int, indent string) string {
	var b strings.Builder
	at := 0
	for i, word := range strings.Split(s, " ") {
		n := ansi.StringWidth(word)
		switch {
		case i == 0:
		case at+1+n > width:
			b.WriteString("\n" + indent)
			at = 0
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	return b.String()
}

// several is a number with what is counted.
func several(n int, one, many string) string {
	return fmt.Sprintf("%d %s", n, plural(int64(n), one, many))
}
