package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/loops"
	"loopmap/mapping/table"
	"loopmap/tui"
)

// What a shell offers of values: of the mapping, the journal and Loops. Where there is
// nothing to look at, it offers nothing, and says nothing.

// completing is how long a database is waited for, while somebody waits at a prompt.
const completing = 2 * time.Second

// offer offers those of a list that begin as what is typed does, for a flag of c.
func offer(c *cobra.Command, flag string, list func(c *cobra.Command, args []string) []string) {
	_ = c.RegisterFlagCompletionFunc(flag, func(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		return begun(list(c, args), typed), cobra.ShellCompDirectiveNoFileComp
	}) // which fails only where there is no such flag
}

// fixed is a list that is always the same.
func fixed(list []string) func(*cobra.Command, []string) []string {
	return func(*cobra.Command, []string) []string { return list }
}

// first offers values for a command's first argument; what follows are files.
func first(list func(c *cobra.Command) []string) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveDefault
		}
		return begun(list(c), typed), cobra.ShellCompDirectiveNoFileComp
	}
}

func begun(list []string, typed string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return !strings.HasPrefix(s, typed) })
}

// eventsFor are the events of Loops, and those that the mapping wants besides.
func (a *app) eventsFor(file string) []string {
	list := slices.Clone(loops.Events)
	if m, err := a.readFile(file); err == nil {
		for _, e := range m.Receive.Wanted() {
			if !slices.Contains(list, e) {
				list = append(list, e)
			}
		}
	}
	return list
}

// pathsFor are the attributes that the journal has seen, or that Loops documents, without those
// that are columns.
func (a *app) pathsFor(ctx context.Context, file string) (list []string) {
	b := &backend{app: a, file: file}
	defer b.close()
	ctx, cancel := context.WithTimeout(ctx, completing)
	defer cancel()
	var cfg tui.Config
	if b.load(&cfg) != nil {
		return nil
	}
	seen := documented()
	if samples, err := b.Journal(ctx); err == nil && len(samples) > 0 {
		var bodies [][]byte
		for _, s := range samples {
			bodies = append(bodies, s.Body)
		}
		seen = body.Attributes(bodies)
	}
	for _, x := range seen {
		if cfg.Mapping.ColumnFrom(x.Path) < 0 {
			list = append(list, x.Path.String())
		}
	}
	return list
}

// idsFor are the ids of the latest deliveries, each with what it is.
func (a *app) idsFor(ctx context.Context, file string) (list []string) {
	ctx, cancel := context.WithTimeout(ctx, completing)
	defer cancel()
	store, err := a.openJournal(ctx, file)
	if err != nil || store == nil {
		return nil
	}
	defer store.Close()
	_ = store.Each(ctx, table.Filter{Limit: completedIDs, Head: 1}, func(r table.Record) error { // what has come until an error
		if body.Printable(r.ID) != r.ID { // which no shell should be given
			return nil
		}
		list = append(list, r.ID+"\t"+body.Printable(r.Event)+", "+string(r.Status)+", "+ago(r.Received, a.now()))
		return nil
	})
	return list
}

// completedIDs is how many ids are offered at most.
const completedIDs = 100

// columnsIn are the columns of a mapping file that can be dropped: all but the key.
func (a *app) columnsIn(file string) []string {
	m, err := a.readFile(file)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(columnsOf(m), func(name string) bool { return name == m.Key })
}

// settingsFor are the beginnings of PATH=VALUE for an event's attributes.
func settingsFor(event string) (list []string) {
	raw, there := loops.Example(event)
	if !there {
		raw, _ = loops.Example(mapping.ContactCreated)
	}
	for _, x := range body.Attributes([][]byte{raw}) {
		list = append(list, x.Path.String()+"=")
	}
	return list
}
