package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
	"loopmap/mapping/receive"
	"loopmap/mapping/table"
)

func (a *app) checkCommand() *cobra.Command {
	var samples []string
	c := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Look a mapping file over, and try it on a sample",
		Long: "Reads the mapping file strictly and says what the table needs. With --sample it\n" +
			"prints the row that a webhook's body gives: the same that `loopmap sync` would\n" +
			"write. Where there is an API key (`loopmap connect --help` says which one is\n" +
			"taken) it is tried at Loops.",
		Example: "loopmap check\nloopmap check --sample body.json",
		Args:    atMost(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.check(c.Context(), fileArg(args), samples)
		},
	}
	a.connectionFlag(c)
	c.Flags().StringArrayVar(&samples, "sample", nil, "`FILE` with a webhook's body, - for standard input; may be repeated")
	return c
}

// checked is what check prints.
type checked struct {
	File     string      `json:"file"`
	Mapping  string      `json:"mapping"` // the file's hash
	Database string      `json:"database"`
	Table    string      `json:"table"`
	Columns  int         `json:"columns"`
	Changes  []string    `json:"changes"` // that the table needs, in words
	SQL      []string    `json:"sql"`
	Misfits  []string    `json:"misfits"`
	Repairs  []string    `json:"repairs,omitempty"` // SQL that would mend the misfits
	Warnings []string    `json:"warnings"`
	Loops    *connection `json:"loops,omitempty"` // nil without an API key
	Samples  []tried     `json:"samples,omitempty"`
}

// tried is what the mapping makes of one sample.
type tried struct {
	Sample string         `json:"sample"`
	Event  string         `json:"event"`
	Status mapping.Status `json:"status"`
	Reason string         `json:"reason,omitempty"`
	Action string         `json:"action,omitempty"` // upsert, update or delete
	Row    map[string]any `json:"row,omitempty"`
	// Requests are what a row like this one would send, had it not come from Loops.
	Requests []planned `json:"requests,omitempty"`

	row mapping.Row
}

func (a *app) check(ctx context.Context, file string, samples []string) error {
	m, url, err := a.readMapping(file)
	if err != nil {
		return err
	}
	out := checked{File: file, Mapping: m.Hash, Database: databaseName(url), Table: m.Table, Columns: len(m.Columns()),
		Changes: []string{}, SQL: []string{}, Misfits: []string{}, Warnings: warnings(m, placesIn(file))}
	plan, columns, err := planOf(ctx, url, file, m)
	if err != nil {
		return err
	}
	fields := table.Fields(m, columns)
	if wrong := m.PushProblems(file, fields); len(wrong) > 0 && len(columns) > 0 {
		return &mapping.FileError{Problems: wrong}
	} else if len(wrong) > 0 && m.Receives() { // the table may yet be made with more columns
		for _, p := range wrong {
			out.Warnings = append(out.Warnings, p.String()+"; table "+m.Table+" is not there yet, and as sync would make it, sync would "+
				"refuse this file: map the column, or make the table yourself")
		}
	}
	out.Changes, out.SQL, out.Misfits = append(out.Changes, plan.Notes...), append(out.SQL, plan.SQL...), append(out.Misfits, plan.Misfits...)
	out.Repairs = plan.Repairs
	if out.Loops, err = a.askLoops(ctx, m, fields, nil); err != nil {
		return err
	}
	if out.Loops == nil && sends(m) {
		out.Warnings = append(out.Warnings, "push.auto or push.every is on, and there is no API key here: sync sends nothing without "+
			"LOOPS_API_KEY, LOOPS_API_KEY_FILE or a connection (loopmap connect)")
	}
	failed := 0
	for _, name := range samples {
		bodies, err := a.readSamples(name)
		if err != nil {
			return err
		}
		for i, body := range bodies {
			t := try(m, sampleName(name, i, len(bodies)), body)
			switch t.Status {
			case mapping.Quarantined:
				failed++
			case mapping.Applied:
				t.Requests = requestsOf(m, file, fields, t.row, a.now())
			case mapping.Ignored, mapping.Pending:
			}
			out.Samples = append(out.Samples, t)
		}
	}
	if a.output == "json" {
		err = printJSON(a.stdout, out)
	} else {
		err = out.print(a.stdout, m)
	}
	switch {
	case err != nil:
		return err
	case len(plan.Misfits) > 0:
		return usage("the table does not fit the mapping\nhint: change the mapping, or the table by hand; loopmap retypes nothing")
	case out.Loops != nil && out.Loops.refused:
		return usage("Loops refuses %s\n%s", out.Loops.key(), out.Loops.again())
	case out.Loops != nil && len(out.Loops.Misfits) > 0:
		return usage("the push part does not fit what Loops has\nhint: change the mapping, or make the property in Loops, Settings")
	case failed > 0:
		return &partError{fmt.Sprintf("%d of %d samples cannot be mapped", failed, len(out.Samples))}
	}
	return nil
}

// planOf is what the table needs, and the columns that it has. The database is looked
// at, never made.
func planOf(ctx context.Context, url, file string, m *mapping.Mapping) (table.Plan, []table.Column, error) {
	store, err := table.Open(ctx, table.Options{URL: url, Dir: folder(file)})
	if errors.Is(err, table.ErrNoDatabase) {
		return table.MakePlan(m, nil), nil, nil
	} else if err != nil {
		return table.Plan{}, nil, err
	}
	defer store.Close()
	columns, err := store.Columns(ctx, m.Table)
	if err != nil {
		return table.Plan{}, nil, err
	}
	plan, err := store.Plan(ctx, m)
	if err != nil || len(columns) == 0 || m.Push == nil || !m.Push.Auto {
		return plan, columns, err
	}
	if _, err := outgoing.NewSender(m, file, table.Fields(m, columns)); err == nil { // else that is said soon
		outbox, err := store.PushTriggers(ctx, m)
		if err != nil {
			return plan, columns, err
		}
		plan.Notes, plan.SQL = append(plan.Notes, slices.Compact(outbox.Notes)...), append(plan.SQL, outbox.SQL...)
	}
	return plan, columns, nil
}

func try(m *mapping.Mapping, name string, body []byte) tried {
	e := mapping.Enter(m, mapping.Delivery{Body: body})
	t := tried{Sample: name, Event: e.Row.Event, Status: e.Status, Reason: e.Reason, row: e.Row}
	if e.Status != mapping.Applied {
		return t
	}
	t.Action, t.Row = e.Row.Action.String(), map[string]any{}
	for i, c := range m.Columns() {
		if cell := e.Row.Cells[i]; cell.State != column.Missing {
			t.Row[c.Name] = cellJSON(c.Type, cell)
		}
	}
	return t
}

func (c *checked) print(w io.Writer, m *mapping.Mapping) error {
	line := func(format string, args ...any) { fmt.Fprintln(w, body.Printable(fmt.Sprintf(format, args...))) }
	columns := fmt.Sprintf("%d columns", c.Columns)
	if c.Columns == 1 {
		columns = "1 column"
	}
	ok := "ok"
	if len(c.Misfits) > 0 {
		ok = "well-formed"
	}
	if !m.Receives() {
		columns = "sends the rows"
	}
	line("%s: "+ok+", %s of table %s in %s", c.File, columns, c.Table, c.Database)
	for _, s := range c.Warnings {
		line("warning: %s", s)
	}
	for _, s := range c.Misfits {
		line("misfit: %s", s)
	}
	if c.Loops != nil {
		line("%s", c.Loops)
		for _, s := range c.Loops.Warnings {
			line("warning: push: %s", s)
		}
		for _, s := range c.Loops.Misfits {
			line("misfit: push: %s", s)
		}
	}
	for _, s := range c.Repairs {
		line("    mended by: %s;", s)
	}
	for _, s := range c.Changes {
		line("the table: %s", s)
	}
	for _, sql := range c.SQL {
		for _, s := range strings.Split(sql+";", "\n") {
			line("    %s", s)
		}
	}
	if len(c.SQL) > 0 && len(c.Misfits) == 0 {
		line("-> loopmap sync does that when it starts")
	}
	for _, t := range c.Samples {
		fmt.Fprintln(w)
		line("%s: %s", t.Sample, t.Status)
		if t.Reason != "" {
			line("    %s", t.Reason)
		}
		if t.Status != mapping.Applied {
			continue
		}
		switch t.row.Action {
		case mapping.Delete:
			line("    deletes the row %s", t.row.Key)
			continue
		case mapping.Update:
			line("    changes the row %s, where it is there", t.row.Key)
		case mapping.Upsert:
		}
		rows := [][]string{}
		for i, col := range m.Columns() {
			cell := t.row.Cells[i]
			text := cell.Text
			switch cell.State {
			case column.Missing:
				if t.row.Action == mapping.Update || col.From.Len() == 0 {
					continue
				}
				text = "(not in this body: the row keeps what it has)"
			case column.Null:
				text = "NULL"
			case column.Present, column.Misfit:
			}
			rows = append(rows, []string{"    " + col.Name, string(col.Type), text})
		}
		if err := printTable(w, rows); err != nil {
			return err
		}
		if len(t.Requests) > 0 {
			line("    sent back, were it changed here:")
		}
		for _, p := range t.Requests {
			p.print(w, "        ")
		}
	}
	return nil
}

// sampleName is what one of the samples of a file is called.
func sampleName(file string, i, n int) string {
	if n > 1 {
		return fmt.Sprintf("%s [%d]", file, i)
	}
	return file
}

// readSamples reads a body from a file, or from standard input for "-": of a list, those
// in it.
func (a *app) readSamples(name string) ([][]byte, error) {
	text, err := a.readSample(name)
	if err != nil {
		return nil, err
	}
	list, err := body.Bodies(text)
	if err != nil {
		return nil, usage("%s: %v", name, err)
	}
	return list, nil
}

func (a *app) readSample(name string) ([]byte, error) {
	r := a.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, unread(name, err)
		}
		defer f.Close()
		r = f
	}
	const most = 64 << 20
	body, err := io.ReadAll(io.LimitReader(r, most+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", name, err)
	case len(body) > most:
		return nil, usage("%s: it is larger than %d MiB; Loops' bodies have at most %d", name, most>>20, receive.MaxBody>>20)
	}
	return body, nil
}
