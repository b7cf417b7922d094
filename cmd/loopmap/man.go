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
		Use:     "man",
		Short:   "Print the manual page",
		Hidden:  true,
		Example: "loopmap man > loopmap.1",
		Args:    exactly(0),
		RunE: func(c *cobra.Command, _ []string) error {
			var b strings.Builder
			root := c.Root()
			fmt.Fprintf(&b, ".TH LOOPMAP 1\n.nh\n.ad l\n.SH NAME\nloopmap \\- %s\n.SH SYNOPSIS\n", roff(root.Short))
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
			for _, name := range topicNames {
				t, _ := findTopic(name)
				t.manual(&b)
			}
			_, err := io.WriteString(a.stdout, b.String())
			return err
		},
	}
}

// manual writes what help says of one command.
func manual(b *strings.Builder, c *cobra.Command) {
	long := c.Long
	if long == "" {
		long = c.Short
	}
	prose(b, long)
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

// manual writes a topic as a section. The one of the environment is several.
func (t topic) manual(b *strings.Builder) {
	heading := ".SS"
	if t.name == "environment" {
		heading = ".SH"
	} else {
		fmt.Fprintf(b, ".SH %s\n", roff(strings.ToUpper(t.title)))
	}
	for part := range strings.SplitSeq(strings.TrimSpace(t.text), "\n\n") {
		if isHeading(part) {
			fmt.Fprintf(b, "%s %s\n", heading, roff(part))
		} else {
			prose(b, part)
		}
	}
}

// prose writes text by its paragraphs: those that are words are filled, a term has what it
// means beside it, and what is laid out, as code and pictures, stays as it is.
func prose(b *strings.Builder, text string) {
	for part := range strings.SplitSeq(strings.Trim(text, "\n"), "\n\n") {
		first, rest, _ := strings.Cut(part, "\n")
		switch inner := strings.ReplaceAll("\n"+rest, "\n    ", "\n")[1:]; {
		case isFlowing(part):
			fmt.Fprintf(b, ".PP\n%s\n", roff(part))
		case isFlowing(first) && isFlowing(inner) && inner != rest:
			fmt.Fprintf(b, ".TP\n.B %s\n%s\n", roff(first), roff(inner))
		default:
			fmt.Fprintf(b, ".PP\n.nf\n%s\n.fi\n", roff(part))
		}
	}
}

// isFlowing reports whether text is words alone, whose lines may end elsewhere.
func isFlowing(text string) bool {
	return text != "" && !strings.Contains(text, "  ") && !strings.Contains("\n"+text, "\n ") && !strings.ContainsAny(text[:1], "+|[")
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
	var b strings.Builder
	for _, r := range strings.Join(lines, "\n") {
		if r > '~' { // every troff knows them by their number
			fmt.Fprintf(&b, `\[u%04X]`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
