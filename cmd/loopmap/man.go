package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manCommand is for packagers, and not listed.
func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "man",
		Short:  "Print the manual page",
		Hidden: true,
		Args:   exactly(0),
		RunE: func(c *cobra.Command, _ []string) error {
			var b strings.Builder
			root := c.Root()
			fmt.Fprintf(&b, ".TH LOOPMAP 1\n.SH NAME\nloopmap \\- %s\n.SH SYNOPSIS\n", roff(root.Short))
			for _, sub := range append([]*cobra.Command{root}, root.Commands()...) {
				if sub == root || sub.IsAvailableCommand() {
					fmt.Fprintf(&b, "%s\n.br\n", roff(sub.UseLine()))
				}
			}
			b.WriteString(".SH DESCRIPTION\n")
			manual(&b, root)
			b.WriteString(".SH COMMANDS\n")
			for _, sub := range root.Commands() {
				if sub.IsAvailableCommand() {
					fmt.Fprintf(&b, ".SS %s\n", roff(sub.UseLine()))
					manual(&b, sub)
				}
			}
			_, err := io.WriteString(a.stdout, b.String())
			return err
		},
	}
}

// manual writes what help says of one command. Its lines stay as they are: they fit, and
// some are pictures.
func manual(b *strings.Builder, c *cobra.Command) {
	long := c.Long
	if long == "" {
		long = c.Short
	}
	fmt.Fprintf(b, ".nf\n%s\n.fi\n", roff(long))
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		value, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "[]" {
			usage += fmt.Sprintf(" (default %s)", f.DefValue)
		}
		fmt.Fprintf(b, ".TP\n.B %s\n%s\n", roff(strings.TrimSpace(name+" "+value)), roff(usage))
	})
	if c.Example != "" {
		fmt.Fprintf(b, ".PP\n.nf\n%s\n.fi\n", roff(c.Example))
	}
	for _, sub := range c.Commands() {
		if c.HasParent() && sub.IsAvailableCommand() && c.Name() != "completion" {
			fmt.Fprintf(b, ".PP\n%s\n.br\n", roff(sub.UseLine()))
			manual(b, sub)
		}
	}
}

// roff is text that troff prints as it is: groff_man(7).
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
