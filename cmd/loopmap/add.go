package main

import (
	"bufio"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/column"
	"loopmap/mapping/loops"
	"loopmap/mapping/table"
	"loopmap/tui"
)

func (a *app) addCommand() *cobra.Command {
	var as, typ string
	var dry, yes bool
	c := &cobra.Command{
		Use:   "add PATH [FILE]",
		Short: "Add a column to a mapping, in one line",
		Long: "Adds a column for the attribute at PATH, as the mapper does: the name and the\n" +
			"type are proposed from what the journal has seen, unless they are given.\n\n" +
			"It shows the change, and asks before the table is changed, or where no delivery\n" +
			"has had that attribute.",
		Example: "loopmap add contact.lastName\nloopmap add 'contact[\"plan name\"]' --as plan_name --type text --yes",
		Args:    counted(cobra.RangeArgs(1, 2)),
		RunE: func(c *cobra.Command, args []string) error {
			return a.change(c.Context(), fileArg(args[1:]), dry, yes, func(b *backend, m *mapping.Mapping) (*mapping.Mapping, string, error) {
				return a.addColumn(c.Context(), b, m, args[0], as, typ)
			})
		},
	}
	c.Flags().StringVar(&as, "as", "", "the column's `NAME`")
	c.Flags().StringVar(&typ, "type", "", "the column's `TYPE`: text integer number boolean time json")
	c.Flags().BoolVar(&dry, "dry-run", false, "show the change, write nothing")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.ValidArgsFunction = first(func(c *cobra.Command) []string { return a.pathsFor(c.Context(), defaultFile) })
	offer(c, "type", fixed(typeNames()))
	return c
}

func (a *app) dropCommand() *cobra.Command {
	var dry bool
	c := &cobra.Command{
		Use:     "drop COLUMN [FILE]",
		Short:   "Take a column out of a mapping, in one line",
		Long:    "Takes a column out of the mapping. The table keeps it, with what it holds.",
		Example: "loopmap drop first_name --dry-run   # the change, and nothing is written\nloopmap drop first_name",
		Args:    counted(cobra.RangeArgs(1, 2)),
		RunE: func(c *cobra.Command, args []string) error {
			return a.change(c.Context(), fileArg(args[1:]), dry, true, func(_ *backend, m *mapping.Mapping) (*mapping.Mapping, string, error) {
				i := slices.IndexFunc(m.Receive.Columns, func(c mapping.Column) bool { return c.Name == args[0] })
				if i < 0 {
					return nil, "", noColumn("the mapping", args[0], columnsOf(m))
				}
				n, err := m.Drop(i)
				if err != nil {
					return nil, "", usage("%v", err)
				}
				return n, "", nil
			})
		},
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "show the change, write nothing")
	c.ValidArgsFunction = first(func(*cobra.Command) []string { return a.columnsIn(defaultFile) })
	return c
}

// typeNames are the types that a column can have.
func typeNames() (names []string) {
	for _, t := range column.Types {
		names = append(names, string(t))
	}
	return names
}

// columnsOf are the names of the columns that a mapping fills by paths.
func columnsOf(m *mapping.Mapping) (names []string) {
	for _, c := range m.Receive.Columns {
		names = append(names, c.Name)
	}
	return names
}

// addColumn adds the column of a path, proposed as the mapper does. doubt says why it is
// probably not meant.
func (a *app) addColumn(ctx context.Context, b *backend, m *mapping.Mapping, path, as, typ string) (
	n *mapping.Mapping, doubt string, err error,
) {
	p, err := mapping.ParsePath(path)
	if err != nil {
		return nil, "", usage("%v", err)
	}
	if i := m.ColumnFrom(p); i >= 0 {
		return nil, "", usage("%s is column %s already", p, m.Receive.Columns[i].Name)
	}
	samples, err := b.Journal(ctx)
	if err != nil {
		return nil, "", err
	}
	attribute := &body.Attribute{Path: p}
	var bodies [][]byte
	for _, s := range samples {
		bodies = append(bodies, s.Body)
	}
	seen := body.Attributes(bodies)
	for i := range seen {
		if seen[i].Path.Equal(p) {
			attribute = &seen[i]
		}
	}
	if as == "" {
		n = m.Add(attribute)
	} else if n, err = m.AddAs(attribute, as); err != nil {
		return nil, "", usage("--as %s: %v", as, err)
	}
	if typ != "" {
		t, err := column.ParseType(typ)
		if err != nil {
			return nil, "", oneOf("--type", typ, typeNames())
		}
		n = n.Retype(len(n.Receive.Columns)-1, t)
	}
	return n, unseen(p, seen, attribute), nil
}

// unseen says why a path is probably not meant; "" when nothing speaks against it: that
// the journal has it, or that there is no journal and its beginning is one of Loops'.
func unseen(p mapping.Path, seen []body.Attribute, found *body.Attribute) string {
	why := "no delivery of the journal has " + p.String()
	switch {
	case found.Seen > 0:
		return ""
	case len(seen) == 0:
		if seen = documented(); slices.ContainsFunc(seen, func(known body.Attribute) bool {
			return known.Path.Len() > 0 && known.Path.Steps()[0] == p.Steps()[0]
		}) {
			return ""
		}
		why = "no webhook of Loops has " + p.String()
	}
	var paths []string
	for _, known := range seen {
		paths = append(paths, known.Path.String())
	}
	if near := body.Nearest(p.String(), paths); near != "" {
		why += "; did you mean " + near + "?"
	}
	return why
}

// documented are the attributes of the examples of all events.
func documented() []body.Attribute {
	var bodies [][]byte
	for _, event := range loops.Events {
		if body, ok := loops.Example(event); ok {
			bodies = append(bodies, body)
		}
	}
	return body.Attributes(bodies)
}

// confirm asks who sits at the terminal; where nobody does the answer is no.
func (a *app) confirm(question string) bool {
	if !isTerminal(a.stdin) || !isTerminal(a.stderr) {
		return false
	}
	fmt.Fprint(a.stderr, body.Printable(question))
	answer, _ := bufio.NewReader(a.stdin).ReadString('\n')
	return slices.Contains([]string{"y", "yes"}, strings.ToLower(strings.TrimSpace(answer)))
}

// questionOf is what a person is asked before a mapping is written; "" where nothing is.
func questionOf(table, doubt string, alters bool) string {
	if doubt != "" && !strings.HasSuffix(doubt, "?") {
		doubt += "."
	}
	switch {
	case doubt != "" && alters:
		return doubt + " Write it all the same, and change table " + table + "?"
	case doubt != "":
		return doubt + " Write it all the same?"
	case alters:
		return "write it, and change table " + table + " as shown?"
	}
	return ""
}

// change edits a mapping file, and its table, without a screen. A file that is
// not there begins as a new one does in the mapper.
// Where there is a doubt, or the table is changed, a person is asked, unless yes says it.
func (a *app) change(ctx context.Context, file string, dry, yes bool,
	edit func(*backend, *mapping.Mapping) (m *mapping.Mapping, doubt string, err error),
) error {
	b := &backend{app: a, file: file}
	defer b.close()
	cfg := tui.Config{}
	if err := b.load(&cfg); err != nil {
		return err
	}
	n, doubt, err := edit(b, cfg.Mapping)
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
		a.say("    %s;", strings.ReplaceAll(sql, "\n", "\n    "))
	}
	switch {
	case r.Refused != "":
		return usage("%s", r.Refused)
	case dry && doubt != "" && !yes:
		a.say("%s", doubt)
		return nil
	case dry:
		return nil
	}
	if question := questionOf(n.Table, doubt, len(r.SQL) > 0); question != "" && !yes {
		if err := a.agreed(ctx, question); err != nil {
			return err
		}
	}
	s, err := b.Save(ctx, n)
	if err != nil {
		return fmt.Errorf("save: %w", err)
	}
	a.say("%s", s.Words)
	saved := b.mapping()
	columns, err := b.columns(ctx, saved)
	if err != nil {
		return err
	}
	for _, p := range saved.PushProblems(file, table.Fields(saved, columns)) {
		a.say("%s", p)
	}
	return nil
}
