package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/tui"
)

const defaultFile = "loopmap.yaml"

// run carries out one command line and returns the exit status.
func run(ctx context.Context, a *app, args []string) int {
	a.stdout, a.stderr = a.blanks.writer(a.stdout), a.blanks.writer(a.stderr)
	if password, ok := a.lookup("PGPASSWORD"); ok { // which PostgreSQL's library takes by itself
		a.blanks.add(password)
	}
	root := a.root()
	if wantsJSON(args) { // errors are, also of what stands before it
		a.output = "json"
	}
	root.SetArgs(args)
	root.SetIn(a.stdin)
	root.SetErr(a.stderr)
	err := root.ExecuteContext(ctx)
	if err != nil {
		a.printError(err)
	}
	return exitCode(err)
}

func (a *app) root() *cobra.Command {
	m := mapperFlags{}
	root := &cobra.Command{
		Use:   "loopmap [FILE]",
		Short: "Map Loops webhooks to the columns of your own table",
		Long: "Loops (loops.so) sends a webhook when a contact is created. loopmap shows one,\n" +
			"lets you pick the attributes that become columns, and keeps a table of your own\n" +
			"database in step from then on.\n\n" +
			"Without a command it opens the mapper on FILE (" + defaultFile + "):\n\n" + strings.TrimSuffix(tui.Picture, "\n"),
		Example: "loopmap                         # pick columns, in the terminal\n" +
			"loopmap sync                    # receive webhooks into the table\n" +
			"loopmap push --rows 10          # send ten rows back to Loops\n" +
			"loopmap trigger contact.created # send a signed one, to try it",
		Args:          a.rootArgs,
		Version:       buildOf().String(),
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(c *cobra.Command, args []string) error { return a.mapper(c.Context(), fileArg(args), m) },
	}
	m.register(root.Flags())
	a.connectionFlag(root)
	root.PersistentFlags().StringVarP(&a.output, "output", "o", "text", "print in this `FORMAT`: text or json")
	offer(root, "output", fixed([]string{"text", "json"}))
	root.PersistentFlags().StringVar(&a.team, "team", "", "take the API key that the loops command stored for this `TEAM` in the keyring")
	root.PersistentFlags().BoolVar(&a.debug, "debug", false, "log every request, with secrets blanked")
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error {
		if a.output != "text" && a.output != "json" {
			return oneOf("-o", a.output, []string{"text", "json"})
		}
		return noneEmpty(c)
	}
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(a.syncCommand(), a.pushCommand(), a.replayCommand(), a.checkCommand(), a.rehearseCommand(), a.addCommand(),
		a.dropCommand(), a.triggerCommand(), a.deliveriesCommand(), a.rowsCommand(), a.whyCommand(),
		a.sshCommand(), a.connectCommand(), a.doctorCommand(), a.schemaCommand(),
		a.versionCommand(), a.manCommand())
	root.SetVersionTemplate("loopmap {{.Version}}\n")
	root.SetOut(a.stdout) // which completions keep
	completion(root)
	topics(root)
	a.help(root)
	return root
}

// rootArgs takes one file, and tells a misspelt command from one.
func (a *app) rootArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if _, err := os.Stat(args[0]); err != nil && !strings.Contains(args[0], ".") {
		hint := "commands: " + strings.Join(commands(c), ", ")
		if near := nearestCommand(c, args); near != "" {
			hint = "did you mean loopmap " + near + "?"
		}
		return usage("%q is neither a command nor a mapping file\nhint: %s", args[0], hint)
	}
	return atMost(1)(c, args)
}

// commands are the names of those below c that are shown.
func commands(c *cobra.Command) (names []string) {
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			names = append(names, sub.Name())
		}
	}
	return names
}

// nearestCommand is the command below c that the first argument was probably meant to be.
func nearestCommand(c *cobra.Command, args []string) string {
	if len(args) == 0 {
		return ""
	}
	return body.Nearest(args[0], commands(c))
}

// wantsJSON reports whether -o json stands among the arguments, whatever else is wrong with
// them.
func wantsJSON(args []string) bool {
	for i, arg := range args {
		switch arg {
		case "--":
			return false
		case "-ojson", "-o=json", "--output=json":
			return true
		case "-o", "--output":
			if i+1 < len(args) && args[i+1] == "json" {
				return true
			}
		}
	}
	return false
}

// atMost and exactly are cobra's checks with our exit status.
func atMost(n int) cobra.PositionalArgs  { return counted(cobra.MaximumNArgs(n)) }
func exactly(n int) cobra.PositionalArgs { return counted(cobra.ExactArgs(n)) }

func counted(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			if name := wanted(c, len(args)); name != "" {
				return lacking(c, name)
			}
			if near := nearestCommand(c, args); near != "" {
				return usage("wrong number of arguments: %d\nhint: did you mean %s %s?", len(args), c.CommandPath(), near)
			}
			return usage("wrong number of arguments: %d\nhint: usage is %s", len(args), c.UseLine())
		}
		return nil
	}
}

// wanted is the argument that a command needs behind so many; "" where it needs none.
func wanted(c *cobra.Command, given int) string {
	words := strings.Fields(c.Use)[1:]
	if given >= len(words) || strings.HasPrefix(words[given], "[") {
		return ""
	}
	return words[given]
}

func fileArg(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return defaultFile
}

// usageError is a mistake in how the command was called or set up: exit status 2.
type usageError struct{ msg string }

func (e *usageError) Error() string { return e.msg }

func usage(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// partError says that some of the work was done: exit status 3.
type partError struct{ msg string }

func (e *partError) Error() string { return e.msg }

func exitCode(err error) int {
	var wrong *usageError
	var file *mapping.FileError
	var part *partError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &wrong), errors.As(err, &file):
		return 2
	case errors.As(err, &part):
		return 3
	}
	return 1
}

// hintMark is before what is to be done next.
const hintMark = "\nhint: "

// printError says once what went wrong: without capital or full stop, with a
// line "hint:" on what to do next. Every line is made harmless to the terminal.
func (a *app) printError(err error) {
	if a.output == "json" {
		out := map[string]any{}
		out["error"], _, _ = strings.Cut(err.Error(), hintMark)
		if _, hint, ok := strings.Cut(err.Error(), hintMark); ok {
			out["hint"] = hint
		}
		var file *mapping.FileError
		if errors.As(err, &file) {
			out["problems"] = file.Problems
		}
		_ = printJSON(a.stderr, out)
		return
	}
	lines := strings.Split(err.Error(), "\n")
	for i := range lines {
		lines[i] = body.Printable(lines[i])
	}
	if !errors.As(err, new(*mapping.FileError)) { // which begins with the file's name
		lines[0] = "loopmap: " + lines[0]
	}
	fmt.Fprintln(a.stderr, strings.Join(lines, "\n"))
}

// say tells a person something on standard error, each line made harmless.
func (a *app) say(format string, args ...any) {
	for line := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
		fmt.Fprintln(a.stderr, body.Printable(line))
	}
}
