package main

import (
	"github.com/spf13/cobra"

	"loopmap/mapping"
)

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the mapping file",
		Long: "Prints the JSON Schema (2020-12) of the mapping file. Editors that know the\n" +
			"YAML language server complete and check by it: save it as loopmap.schema.json\n" +
			"and begin the mapping file with\n\n" +
			"  # yaml-language-server: $schema=loopmap.schema.json",
		Example: "loopmap schema > loopmap.schema.json",
		Args:    atMost(0),
		RunE: func(*cobra.Command, []string) error {
			_, err := a.stdout.Write(mapping.Schema)
			return err
		},
	}
}
