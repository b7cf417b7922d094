package main

import (
	"os"
	"strings"

	"github.com/charmbracelet/colorprofile"
	"github.com/spf13/cobra"
)

// help gives a command and those below it one look. The terminal is asked nothing for
// it, since not every one answers: headings are bold, and plain where there is no
// terminal, NO_COLOR is set or it is a dumb one.
func (a *app) help(root *cobra.Command) {
	root.SetHelpTemplate(`{{with or .Long .Short}}{{trimTrailingWhitespaces .}}

{{end}}{{.UsageString}}`)
	root.SetUsageTemplate(strings.NewReplacer("<", "\x1b[1m", ">", "\x1b[m", "TOPIC_LIST", topicList()).Replace(`<USAGE>
  {{.UseLine}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} COMMAND [flags]{{end}}
{{- if .HasExample}}

<EXAMPLES>
{{.Example}}{{end}}
{{- if .HasAvailableSubCommands}}

<COMMANDS>{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}}  {{.Short}}{{end}}{{end}}{{end}}
{{- if not .HasParent}}

<TOPICS> (loopmap help TOPIC)TOPIC_LIST{{end}}
{{- if .HasAvailableLocalFlags}}

<FLAGS>
{{trimTrailingWhitespaces (.LocalFlags.FlagUsagesWrapped 80)}}{{end}}
{{- if .HasAvailableInheritedFlags}}

<FLAGS OF EVERY COMMAND>
{{trimTrailingWhitespaces (.InheritedFlags.FlagUsagesWrapped 80)}}{{end}}
`))
	root.SetOut(colorprofile.NewWriter(a.stdout, os.Environ()))
	indentExamples(root)
}

func indentExamples(c *cobra.Command) {
	if c.Example != "" {
		c.Example = "  " + strings.ReplaceAll(c.Example, "\n", "\n  ")
	}
	for _, sub := range c.Commands() {
		indentExamples(sub)
	}
}
