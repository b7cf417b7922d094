package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"loopmap/mapping"
	"loopmap/mapping/loops"
)

// connectFlags say what connect does instead of keeping a key.
type connectFlags struct{ list, remove, rename, yes bool }

func (a *app) connectCommand() *cobra.Command {
	var f connectFlags
	c := &cobra.Command{
		Use:   "connect [NAME]",
		Short: "Keep an API key of Loops under a name",
		Long: "Asks for an API key (Loops, Settings, API), tries it at Loops and keeps it under\n" +
			"NAME, else under the name of its team: in the system's keyring (service " + ringService + ",\n" +
			"account " + ringAccount + "NAME), or, where there is none, in a file of your config\n" +
			"folder that only you can read. Where standard input is no terminal the key is\n" +
			"read from there. A key that Loops refuses is not kept; one that is kept again\n" +
			"is taken up by a running sync.\n\n" +
			"What talks to Loops takes the first key of these:\n\n" +
			"  --connection NAME, or --team TEAM of those that the loops command stored\n" +
			"  LOOPS_API_KEY, or the file that LOOPS_API_KEY_FILE names\n" +
			"  push.connection: NAME in the mapping file\n" +
			"  the one that is kept, where there is exactly one",
		Example: "loopmap connect                  # asks for the key, names it as its team\n" +
			"loopmap connect acme < key.txt\nloopmap connect --list\n" +
			"loopmap connect --rename acme acme-eu\nloopmap connect --remove acme-eu --yes",
		Args: func(c *cobra.Command, args []string) error {
			switch {
			case f.list:
				return exactly(0)(c, args)
			case f.rename && len(args) != 2:
				return usage("--rename wants the old name and the new one\nhint: loopmap connect --rename OLD NEW")
			case f.rename:
				return nil
			case f.remove && len(args) != 1:
				return usage("--remove wants the name of one connection\nhint: loopmap connect --list names them")
			}
			return atMost(1)(c, args)
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if f.list || len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return a.connectionNames()
		},
		RunE: func(c *cobra.Command, args []string) error {
			if f.list && f.remove || f.list && f.rename || f.remove && f.rename {
				return together("--list", "--remove", "--rename")
			}
			switch {
			case f.list:
				return a.listConnections()
			case f.rename:
				return a.renameConnection(args[0], args[1])
			case f.remove:
				return a.removeConnection(c.Context(), args[0], f.yes)
			}
			return a.addConnection(c.Context(), strings.Join(args, ""), f.yes)
		},
	}
	c.Flags().BoolVar(&f.list, "list", false, "list the names, their teams, where and since when they are kept")
	c.Flags().BoolVar(&f.remove, "remove", false, "forget the key that is kept under NAME")
	c.Flags().BoolVar(&f.rename, "rename", false, "give a kept key another name: OLD NEW")
	c.Flags().BoolVar(&f.yes, "yes", false, "do not ask before a key is removed, or replaced by one of another team")
	return c
}

// connectionFlag lets a command that talks to Loops be told whose key it takes.
func (a *app) connectionFlag(c *cobra.Command) {
	c.Flags().StringVar(&a.connection, "connection", "", "take the API key that loopmap connect keeps under this `NAME`")
	_ = c.RegisterFlagCompletionFunc("connection", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return a.connectionNames()
	})
}

// connectionNames are for a shell that completes them.
func (a *app) connectionNames() ([]string, cobra.ShellCompDirective) {
	names, err := a.connections().names()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// addConnection asks for a key, tries it and keeps it; name may be "".
func (a *app) addConnection(ctx context.Context, name string, yes bool) error {
	if why := mapping.ConnectionMisfit(name); name != "" && why != "" {
		return usage("%s\nhint: loopmap connect acme asks for the key", why)
	}
	key, err := a.readKey(ctx)
	if err != nil {
		return err
	}
	team, err := a.tryKey(ctx, key)
	if err != nil {
		return err
	}
	if name == "" {
		name = mapping.ConnectionName(team)
	}
	if before, _, err := a.connections().read(name); err == nil && before.Team != team && !yes {
		question := fmt.Sprintf("connection %s is of team %s; put the key of team %s in its place?", name, before.Team, team)
		if err := a.agreed(ctx, question); err != nil {
			return err
		}
	}
	k, noRing, err := a.connections().keep(name, team, key)
	if err != nil {
		return err
	}
	if noRing != nil {
		a.say("the system's keyring cannot be used (%v), so the key is in a file that only you can read", noRing)
	}
	if a.output == "json" {
		return printJSON(a.stdout, k)
	}
	_, err = fmt.Fprintf(a.stdout, "connection %s: team %s, kept in %s\n", k.Name, k.Team, k.place())
	names, wrong := a.connections().names()
	switch env, missing := a.env("LOOPS_API_KEY"); {
	case env != "" && missing == nil:
		a.say("hint: LOOPS_API_KEY is set here and goes before it, unless --connection %s is given", name)
	case wrong == nil && len(names) > 1:
		a.say("hint: there are %d connections; --connection %s picks this one, or push.connection: %s in the mapping file",
			len(names), name, name)
	}
	return err
}

// maxTeam is how much of a team's name is kept, in characters.
const maxTeam = 100

// tryKey asks Loops whose key it is. The error says that it is not to be kept.
func (a *app) tryKey(ctx context.Context, key string) (team string, err error) {
	c, err := a.clientWith(key, nil)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, catalogTime)
	defer cancel()
	if err = patiently(ctx, func() (err error) { team, err = c.Team(ctx); return err }); err != nil {
		if refuses(err) {
			return "", usage("%s does not know this API key, and it is not kept: %v\nhint: copy it again from Loops, Settings, API", c.Host(), err)
		}
		return "", fmt.Errorf("the API key could not be tried at %s, and is not kept: %w", c.Host(), err)
	}
	if r := []rune(team); len(r) > maxTeam {
		team = string(r[:maxTeam]) + "…"
	}
	return string(a.blanks.blank([]byte(team))), nil
}

// refuses reports whether it is the key that Loops does not take.
func refuses(err error) bool {
	var api *loops.APIError
	return errors.As(err, &api) && (api.Status == http.StatusUnauthorized || api.Status == http.StatusForbidden)
}

// maxKey is how long a key is at most that is read; those of Loops have 32 characters.
const maxKey = 1024

// readKey asks for a key on a terminal, where it is not shown, and reads it from standard
// input elsewhere.
func (a *app) readKey(ctx context.Context) (string, error) {
	read := func() ([]byte, error) { return io.ReadAll(io.LimitReader(a.stdin, maxKey+1)) }
	if f, ok := a.stdin.(term.File); ok && isTerminal(f) {
		state, err := term.GetState(f.Fd())
		if err != nil {
			return "", fmt.Errorf("ask for the key: %w", err)
		}
		defer func() { _ = term.Restore(f.Fd(), state) }() // also when it is left with ctrl+c
		fmt.Fprint(a.stderr, "API key (Loops, Settings, API; it is not shown): ")
		defer fmt.Fprintln(a.stderr)
		read = func() ([]byte, error) { return term.ReadPassword(f.Fd()) }
	}
	text, err := asked(ctx, read)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return a.oneKey(string(text))
}

// oneKey is the key that a text is, which is a secret from now on.
func (a *app) oneKey(text string) (string, error) {
	key := strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
	a.blanks.add(strings.Fields(key)...)
	switch {
	case key == "":
		return "", usage("no API key was given, and none is kept\nhint: paste it when asked, or loopmap connect NAME < FILE")
	case len(text) > maxKey:
		return "", usage("what was given is longer than any API key, and is not kept")
	case strings.ContainsAny(key, "\r\n"):
		return "", usage("more than one line was given: the API key alone is wanted")
	}
	return key, nil
}

// agreed asks a person; the error says that the answer is no, or that nobody can be asked.
func (a *app) agreed(ctx context.Context, question string) error {
	answer, err := asked(ctx, func() ([]byte, error) {
		if a.confirm(question + " y or N ") {
			return []byte("y"), nil
		}
		return nil, nil
	})
	switch {
	case err != nil || answer != nil:
	case isTerminal(a.stdin) && isTerminal(a.stderr):
		err = errors.New("nothing is changed")
	default:
		err = usage("%s Nobody has said yes, and nothing is changed\nhint: --yes says it where nobody is asked", question)
	}
	return err
}

// asked is what a person, or another program, says in time: ctx may end before.
func asked(ctx context.Context, read func() ([]byte, error)) ([]byte, error) {
	type answer struct {
		text []byte
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		text, err := read()
		done <- answer{text, err}
	}()
	select {
	case a := <-done:
		return a.text, a.err
	case <-ctx.Done():
		return nil, errors.New("stopped; nothing is changed")
	}
}

func (a *app) listConnections() error {
	list, err := a.connections().list()
	if err != nil {
		return err
	}
	if a.output == "json" {
		return printJSON(a.stdout, list)
	}
	if len(list) == 0 {
		a.say("no API key is kept here\nhint: loopmap connect keeps one")
		return nil
	}
	rows := [][]string{{"NAME", "TEAM", "KEPT", "IN"}}
	for _, k := range list {
		rows = append(rows, []string{k.Name, k.Team, k.At.Local().Format(time.DateTime), k.place()})
	}
	return printTable(a.stdout, rows)
}

func (a *app) renameConnection(old, name string) error {
	k, err := a.connections().rename(old, name)
	if err != nil {
		return err
	}
	a.say("connection %s is connection %s now\nhint: a mapping file with push.connection: %s wants the new name", old, k.Name, old)
	return nil
}

func (a *app) removeConnection(ctx context.Context, name string, yes bool) error {
	k, _, err := a.connections().read(name)
	if errors.Is(err, errNotKept) || mapping.ConnectionMisfit(name) != "" {
		return err
	}
	if !yes {
		of := ""
		if err == nil {
			of = " (team " + k.Team + ")"
		}
		if err := a.agreed(ctx, "forget the API key of connection "+name+of+"?"); err != nil {
			return err
		}
	}
	if err := a.connections().remove(name); err != nil {
		return err
	}
	a.say("connection %s is forgotten\nhint: at Loops the key is as good as before; Settings, API takes it back", name)
	return nil
}
