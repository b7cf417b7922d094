package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"loopmap/mapping"
	"loopmap/tui"
)

func (a *app) addCommand() *cobra.Command {
	var as, typ string
	var dry bool
	c := &cobra.Command{
		Use:   "add PATH [FILE]",
		Short: "Add a column to a mapping, in one line",
		Long: "Adds a column for the attribute at PATH, as the mapper does: the name and the\n" +
			"type are proposed from what the journal has seen, unless they are given.",
		Example: "loopmap add contact.email\nloopmap add 'contact[\"plan name\"]' --as plan --type text",
		Args:    counted(cobra.RangeArgs(1, 2)),
		RunE: func(c *cobra.Command, args []string) error {
			return a.change(c.Context(), fileArg(args[1:]), dry, func(b *backend, m *mapping.Mapping) (*mapping.Mapping, error) {
				return addColumn(c.Context(), b, m, args[0], as, typ)
			})
		},
	}
	c.Flags().StringVar(&as, "as", "", "the column's `NAME`")
	c.Flags().StringVar(&typ, "type", "", "the column's `TYPE`: text integer number boolean time json")
	c.Flags().BoolVar(&dry, "dry-run", false, "show the change, write nothing")
	return c
}

func (a *app) dropCommand() *cobra.Command {
	var dry bool
	c := &cobra.Command{
		Use:   "drop COLUMN [FILE]",
		Short: "Take a column out of a mapping, in one line",
		Long:  "Takes a column out of the mapping. The table keeps it, with what it holds.",
		Args:  counted(cobra.RangeArgs(1, 2)),
		RunE: func(c *cobra.Command, args []string) error {
			return a.change(c.Context(), fileArg(args[1:]), dry, func(_ *backend, m *mapping.Mapping) (*mapping.Mapping, error) {
				i := slices.IndexFunc(m.Receive.Columns, func(c mapping.Column) bool { return c.Name == args[0] })
				if i < 0 {
					return nil, usage("%q is none of the columns%s", args[0], meant(args[0], m))
				}
				n, err := m.Drop(i)
				if err != nil {
					return nil, usage("%v", err)
				}
				return n, nil
			})
		},
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "show the change, write nothing")
	return c
}

func meant(name string, m *mapping.Mapping) string {
	var names []string
	for _, c := range m.Receive.Columns {
		names = append(names, c.Name)
	}
	if near := mapping.Nearest(name, names); near != "" {
		return "; did you mean " + near + "?"
	}
	return "; they are " + strings.Join(names, ", ")
}

// addColumn adds the column of a path, proposed as the mapper does.
func addColumn(ctx context.Context, b *backend, m *mapping.Mapping, path, as, typ string) (*mapping.Mapping, error) {
	p, err := mapping.ParsePath(path)
	if err != nil {
		return nil, usage("%v", err)
	}
	if i := m.ColumnFrom(p); i >= 0 {
		return nil, usage("%s is column %s already", p, m.Receive.Columns[i].Name)
	}
	samples, err := b.Journal(ctx)
	if err != nil {
		return nil, err
	}
	attribute := &mapping.Attribute{Path: p}
	var bodies [][]byte
	for _, s := range samples {
		bodies = append(bodies, s.Body)
	}
	seen := mapping.Attributes(bodies)
	for i := range seen {
		if seen[i].Path.Equal(p) {
			attribute = &seen[i]
		}
	}
	n := m.Add(attribute)
	at := len(n.Receive.Columns) - 1
	if as != "" {
		if n, err = n.Rename(at, as); err != nil {
			return nil, usage("--as %s: %v", as, err)
		}
	}
	if typ != "" {
		t, err := mapping.ParseType(typ)
		if err != nil {
			return nil, usage("--type: %v", err)
		}
		n = n.Retype(at, t)
	}
	return n, nil
}

// change edits a mapping file, and its table, without a screen. A file that is
// not there begins as a new one does in the mapper.
func (a *app) change(ctx context.Context, file string, dry bool, edit func(*backend, *mapping.Mapping) (*mapping.Mapping, error)) error {
	b := &backend{app: a, file: file}
	defer b.close()
	cfg := tui.Config{}
	if err := b.load(&cfg); err != nil {
		return err
	}
	n, err := edit(b, cfg.Mapping)
	if err != nil {
		return err
	}
	r, err := b.Review(ctx, n)
	if err != nil {
		return err
	}
	a.say("%s", strings.TrimSuffix(r.Diff, "\n"))
	for _, note := range r.Notes {
		a.say("the table: %s", note)
	}
	for _, sql := range r.SQL {
		a.say("    %s;", sql)
	}
	switch {
	case r.Refused != "":
		return usage("%s", r.Refused)
	case dry:
		return nil
	}
	s, err := b.Save(ctx, n)
	if err != nil {
		return fmt.Errorf("save: %w", err)
	}
	a.say("%s", s.Words)
	return nil
}
