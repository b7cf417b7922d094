package main

import (
	"embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"loopmap/mapping/body"
	"loopmap/tui"
)

// topicFiles are the texts of `loopmap help TOPIC`. The first line is the title, as "Name:
// what it tells". A line in capitals is a heading, indented lines stay as they are, and a
// line with indented ones right below it is a term and what it means.
//
//go:embed topics/*.txt
var topicFiles embed.FS

// topicNames is the order in which topics are listed.
var topicNames = []string{"keys", "file", "receive", "rules", "push", "conditions", "postgres", "ssh", "operations", "speed", "environment"}

// otherNames are words under which a topic is looked for, too.
var otherNames = map[string]string{
	"mapping": "file", "mappings": "file", "yaml": "file", "config": "file", "columns": "file", "types": "file", "paths": "file",
	"webhook": "receive", "webhooks": "receive", "events": "receive",
	"send": "push", "sending": "push", "condition": "conditions", "sqlite": "file", "database": "file",
	"quarantine": "operations", "repair": "operations", "log": "operations", "metrics": "operations",
	"env": "environment", "files": "environment", "exit": "environment", "mapper": "keys", "table": "keys",
}

// topic is what help tells beside what it tells of commands.
type topic struct{ name, title, about, text string }

// findTopic is the topic of this name.
func findTopic(name string) (t topic, ok bool) {
	src, err := topicFiles.ReadFile("topics/" + name + ".txt")
	if err != nil {
		return t, false
	}
	first, rest, _ := strings.Cut(string(src), "\n")
	t = topic{name: name, text: strings.TrimLeft(rest, "\n")}
	t.title, t.about, _ = strings.Cut(first, ": ")
	if name == "keys" {
		t.text += keyTable()
	}
	return t, true
}

// keyTable is the mapper's key table as a topic has it.
func keyTable() string {
	var b strings.Builder
	on := ""
	for _, k := range tui.Keys() {
		if k.On != on {
			on = k.On
			fmt.Fprintf(&b, "\n%s\n\n", strings.ToUpper(on))
		}
		fmt.Fprintf(&b, "    %-10s %s\n", k.Key, k.Does)
	}
	return b.String()
}

// isHeading reports whether a line of a topic is one.
func isHeading(line string) bool {
	return line != "" && line[0] != ' ' && line == strings.ToUpper(line) && strings.ToLower(line) != line
}

// topicList is what help lists of the topics.
func topicList() string {
	var b strings.Builder
	for _, name := range topicNames {
		t, _ := findTopic(name)
		fmt.Fprintf(&b, "\n  %-12s %s: %s", name, t.title, t.about)
	}
	return b.String()
}

// topics makes help on a topic, and help on what there is no help on a mistake. Where a
// topic has the name of a command, `loopmap COMMAND --help` is the command's.
func topics(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	for _, c := range root.Commands() {
		if slices.Contains(topicNames, c.Name()) {
			c.Long += fmt.Sprintf("\n\n`loopmap help %s` tells it all.", c.Name())
		}
		if c.Name() != "help" {
			continue
		}
		c.Run = nil
		c.Example = "loopmap help file\nloopmap help deliveries show"
		c.RunE = func(_ *cobra.Command, args []string) error { return helpOn(root, args) }
		commands := c.ValidArgsFunction
		c.ValidArgsFunction = func(c *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			list, directive := commands(c, args, toComplete)
			if len(args) > 0 {
				return list, directive
			}
			for _, name := range topicNames {
				if t, _ := findTopic(name); strings.HasPrefix(name, toComplete) {
					list = append(slices.DeleteFunc(list, func(s string) bool { return strings.HasPrefix(s, name+"\t") }), name+"\t"+t.title+": "+t.about)
				}
			}
			return list, directive
		}
	}
}

// helpOn prints the help on a topic or a command.
func helpOn(root *cobra.Command, args []string) error {
	if len(args) == 1 {
		if t, ok := findTopic(args[0]); ok {
			return t.print(root.OutOrStdout())
		}
	}
	about, rest, err := root.Find(args)
	if err == nil && len(rest) == 0 {
		about.InitDefaultHelpFlag()
		return about.Help()
	}
	hint := "loopmap help lists the commands and the topics"
	names := slices.Clone(topicNames)
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	near := otherNames[strings.ToLower(args[0])]
	if near == "" {
		near = body.Nearest(args[0], names)
	}
	if near != "" && len(args) == 1 {
		hint = "did you mean loopmap help " + near + "?"
	}
	return usage("there is no help on %q\nhint: %s", strings.Join(args, " "), hint)
}

// print writes a topic, its headings bold as those of all help.
func (t topic) print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\x1b[1m%s\x1b[m: %s\n\n", t.title, t.about)
	for line := range strings.Lines(t.text) {
		if bare := strings.TrimSuffix(line, "\n"); isHeading(bare) {
			line = "\x1b[1m" + bare + "\x1b[m\n"
		}
		b.WriteString(line)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
