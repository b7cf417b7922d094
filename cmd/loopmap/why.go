package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"loopmap/mapping"
	"loopmap/mapping/table"
)

func (a *app) whyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "why KEY|EMAIL [COLUMN] [FILE]",
		Short: "Tell a row's story: what wrote each cell, what it has sent",
		Long: "Tells of the row that has this key, or this email, which delivery wrote each\n" +
			"cell last, from which path of its body, by which version of the mapping file,\n" +
			"and what the cell held before. Then comes what has happened to the row: every\n" +
			"delivery about it and every push that is kept, in the order of time. With COLUMN\n" +
			"it tells of that cell alone, and all that it has held. It only reads.\n\n" +
			"The row's deliveries are mapped again in memory, each by the version that mapped\n" +
			"it. A cell that holds something else than the last delivery wrote is somebody\n" +
			"else's. Of a body that is not kept any more it cannot be told what it wrote.\n\n" +
			"A last word that is the name of a file (or ends in .yaml or .yml) is FILE.\n\n" +
			"-o json prints one object: key, there, note, cells (column, type, value, author:\n" +
			"nobody, delivery, somebody else or unknown; written, with delivery, path, rule,\n" +
			"mapping, before and after; before; with COLUMN history, as written), deliveries\n" +
			"(as loopmap deliveries, with effect) and pushes (kind, status, code, message,\n" +
			"attempts, sent_at, updated_at, request), oldest first.",
		Example: "loopmap why dana@northwind.example\nloopmap why cmc7x2rb1u002jm0123456789 plan -o json",
		Args:    counted(cobra.RangeArgs(1, 3)),
		RunE: func(c *cobra.Command, args []string) error {
			column, file := whyArgs(args)
			return a.why(c.Context(), args[0], column, file)
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(args) != 1 {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return a.columnsFor(defaultFile, typed), cobra.ShellCompDirectiveDefault
		},
	}
}

// whyArgs are COLUMN and FILE, each of which may be left out.
func whyArgs(args []string) (column, file string) {
	switch {
	case len(args) == 3:
		return args[1], args[2]
	case len(args) < 2:
		return "", defaultFile
	}
	info, err := os.Stat(args[1])
	if err == nil && info.Mode().IsRegular() || strings.HasSuffix(args[1], ".yaml") || strings.HasSuffix(args[1], ".yml") {
		return "", args[1]
	}
	return args[1], defaultFile
}

func (a *app) why(ctx context.Context, who, column, file string) error {
	m, url, err := a.readMapping(file)
	if err != nil {
		return err
	}
	store, err := table.Open(ctx, table.Options{URL: url, Dir: folder(file), ReadOnly: true})
	if errors.Is(err, table.ErrNoDatabase) {
		return notYet("the database", "there is no row "+who)
	} else if err != nil {
		return err
	}
	defer store.Close()
	story, err := storyOf(ctx, store, m, who)
	if err != nil {
		return err
	}
	if column != "" {
		at := slices.IndexFunc(story.Cells, func(c table.StoryCell) bool { return m.Dialect.Fold(c.Name) == m.Dialect.Fold(column) })
		if at < 0 {
			return noColumn("table "+m.Table, column, columnNames(story))
		}
		story.Cells = story.Cells[at : at+1]
	}
	if a.output == "json" {
		return printJSON(a.stdout, storyData(story, column != ""))
	}
	return a.printStory(m, story, column != "")
}

func columnNames(story *table.Story) (names []string) {
	for _, c := range story.Cells {
		names = append(names, c.Name)
	}
	return names
}

// storyOf is the story of the row with a key, else of the one with an email.
func storyOf(ctx context.Context, store *table.Store, m *mapping.Mapping, who string) (*table.Story, error) {
	story, err := store.Story(ctx, m, who)
	if err != nil || known(story) {
		return story, err
	}
	keys, err := store.KeysOf(ctx, m, who)
	switch {
	case err != nil && !errors.Is(err, table.ErrNoEmail):
		return nil, err
	case len(keys) == 1:
		return store.Story(ctx, m, keys[0])
	case len(keys) > 1:
		return nil, usage("%d rows have the email %s: %s\nhint: loopmap why KEY tells of one of them", len(keys), who, strings.Join(keys, ", "))
	case strings.Contains(who, "@"):
		return nil, fmt.Errorf("no row has the key or the email %s\nhint: loopmap deliveries --email %s lists what came of it and became no row",
			who, who)
	}
	return nil, fmt.Errorf("no row has the key or the email %s, and no delivery is about it\nhint: loopmap rows shows the rows, "+
		"loopmap deliveries what came in", who)
}

// known reports whether anything is known of a row.
func known(s *table.Story) bool { return s.There || len(s.Told) > 0 || len(s.Pushes) > 0 }
