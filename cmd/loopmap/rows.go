package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/condition"
	"loopmap/mapping/table"
)

func (a *app) rowsCommand() *cobra.Command {
	var where string
	var limit int
	c := &cobra.Command{
		Use:   "rows [FILE]",
		Short: "Show the table's rows",
		Long: "Shows the rows of the mapping's table in the order of their key, columns of the\n" +
			"mapping first. It only reads.\n\n" +
			"--where takes a condition in the language of only_run_if: team_size >= 10 and\n" +
			"plan != \"free\". Every row is looked at for it, a few at a time; ctrl+c stops.\n\n" +
			"On a terminal rows stand in a table as wide as it is, and what is too long loses\n" +
			"its middle. Elsewhere cells are whole, with a tab between them; NULL is \\N, and\n" +
			"\\t, \\n, \\r and \\\\ stand for a tab, the ends of a line and a backslash.\n\n" +
			"-o json prints one array with an object a row: integer, number, boolean and json\n" +
			"columns as they are stored, digit for digit, text and time as strings, NULL as\n" +
			"null. A value that its column's type does not hold is its text, and one that is\n" +
			"no text {\"unreadable\": why}.",
		Example: "loopmap rows\nloopmap rows --where 'plan == \"pro\" and signed_up > now() - duration(\"168h\")'\n" +
			"loopmap rows --limit 0 -o json",
		Args: atMost(1),
		RunE: func(c *cobra.Command, args []string) error {
			if limit < 0 {
				return atLeast("--limit", 0, limit, "0 shows all")
			}
			return a.rows(c.Context(), fileArg(args), where, limit)
		},
	}
	c.Flags().StringVar(&where, "where", "", "only rows that meet this `CONDITION`")
	c.Flags().IntVar(&limit, "limit", 20, "show at most `N`; 0 shows all")
	_ = c.RegisterFlagCompletionFunc("where", func(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		return a.columnsFor(fileArg(args), typed), cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	}) // which fails only where there is no such flag
	return c
}

// columnsFor completes a condition by the mapping's columns.
func (a *app) columnsFor(file, typed string) (list []string) {
	src, err := readSmall(file)
	if err != nil {
		return nil
	}
	m, err := mapping.Parse(file, src)
	if err != nil {
		return nil
	}
	before := strings.TrimRightFunc(typed, func(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) })
	for _, c := range m.Columns() {
		if strings.HasPrefix(c.Name, typed[len(before):]) {
			list = append(list, before+c.Name)
		}
	}
	return list
}

// errEnough ends the reading of rows.
var errEnough = errors.New("enough rows")

// rowPrinter writes rows in one of their forms.
type rowPrinter interface {
	row(cells []table.RowCell) error
	end(whole bool) error
}

func (a *app) rows(ctx context.Context, file, where string, limit int) error {
	m, url, err := a.readMapping(file)
	if err != nil {
		return err
	}
	store, err := table.Open(ctx, table.Options{URL: url, Dir: folder(file), ReadOnly: true})
	if errors.Is(err, table.ErrNoDatabase) {
		return a.noRows("no rows yet: the database is not there")
	} else if err != nil {
		return err
	}
	defer store.Close()
	columns, err := store.Columns(ctx, m.Table)
	if err != nil {
		return err
	}
	if len(columns) == 0 {
		return a.noRows("no rows yet: table " + m.Table + " is not there")
	}
	l := &rowLister{app: a, fields: table.Present(m, table.Fields(m, columns), columns), limit: limit}
	if where != "" {
		if l.where, err = whereOf(where, l.fields); err != nil {
			return err
		}
	}
	out := bufio.NewWriter(a.stdout)
	l.out = a.rowPrinter(out, l.fields)
	most := 0
	if limit > 0 && where == "" {
		most = limit + 1 // so that it can be said that there are more
	}
	err = store.EachRow(ctx, m, l.fields, most, l.take)
	if errors.Is(err, errEnough) {
		err = nil
	}
	if e := l.out.end(err == nil); err == nil {
		err = e
	}
	if e := out.Flush(); err == nil {
		err = e
	}
	if ctx.Err() != nil {
		return fmt.Errorf("stopped after %d rows, %d of them shown", l.seen, l.shown)
	}
	if err == nil {
		l.told()
	}
	return err
}

// noRows is the answer where there is nothing to read.
func (a *app) noRows(why string) error {
	if a.output == "json" {
		return printJSON(a.stdout, []any{})
	}
	a.say("%s\nhint: loopmap sync makes it, and fills it", why)
	return nil
}

func whereOf(src string, fields []column.Field) (*condition.Condition, error) {
	c, err := condition.Compile(src, fields)
	if err == nil {
		return c, nil
	}
	var names []string
	for _, f := range fields {
		names = append(names, f.Name)
	}
	at := ""
	if wrong := (*condition.Error)(nil); errors.As(err, &wrong) {
		at = fmt.Sprintf(", character %d", wrong.Offset+1)
	}
	return nil, usage("--where%s: %v\nhint: the columns are %s", at, err, strings.Join(names, ", "))
}

// rowLister picks the rows that are shown.
type rowLister struct {
	app    *app
	fields []column.Field
	where  *condition.Condition // nil takes all
	limit  int                  // 0 is none
	out    rowPrinter

	seen, shown int
	more        bool   // than the limit lets through
	unjudged    int    // rows of which it cannot be said whether they meet the condition
	why         string // of the first of them
}

func (l *rowLister) take(cells []table.RowCell) error {
	l.seen++
	if !l.meets(cells) {
		return nil
	}
	if l.limit > 0 && l.shown == l.limit {
		l.more = true
		return errEnough
	}
	l.shown++
	return l.out.row(cells)
}

func (l *rowLister) meets(cells []table.RowCell) bool {
	if l.where == nil {
		return true
	}
	byName := make(map[string]column.Cell, len(cells))
	for i, f := range l.fields {
		byName[f.Name] = cells[i].Cell
	}
	for _, name := range l.where.Columns() {
		if byName[name].State == column.Misfit {
			if l.unjudged++; l.why == "" {
				l.why = "column " + name + ": " + byName[name].Text
			}
			return false
		}
	}
	met, _ := l.where.Met(l.fields, byName, l.app.now())
	return met
}

// told says what the rows themselves do not.
func (l *rowLister) told() {
	switch {
	case l.more:
		l.app.say("the first %d; --limit 0 shows all", l.shown)
	case l.shown == 0 && l.seen == 0:
		l.app.say("no rows yet")
	case l.shown == 0:
		l.app.say("none of %d rows meets --where", l.seen)
	}
	if l.unjudged > 0 {
		l.app.say("%d rows hold what their column's type does not, and could not be judged: %s", l.unjudged, l.why)
	}
}
