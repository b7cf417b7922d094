package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/table"
)

// databaseFacts are what there is of a database, its table and its journal.
type databaseFacts struct {
	file    string
	m       *mapping.Mapping // nil where the file cannot be read: then nothing was looked at
	name    string           // of the database, without a password
	err     error
	missing bool

	fields   []column.Field
	there    bool // the table
	shape    table.Plan
	lacks    []string // rights, in words
	grants   []string // and as SQL
	wrong    []string // of the push part
	triggers bool     // push.auto wants some that are not there
	journal  journalFacts
}

// journalFacts are what the journal tells.
type journalFacts struct {
	known                bool
	last                 table.Record // zero where nothing has come
	quarantined, pending int64
}

func (a *app) lookAtDatabase(ctx context.Context, file fileFacts) databaseFacts {
	f := databaseFacts{file: file.name, m: file.m, name: databaseName(file.url), err: file.noURL}
	if f.m == nil || f.err != nil {
		return f
	}
	ctx, cancel := context.WithTimeout(ctx, catalogTime)
	defer cancel()
	store, err := table.Open(ctx, table.Options{URL: file.url, Dir: folder(file.name)})
	if f.missing = errors.Is(err, table.ErrNoDatabase); f.missing {
		f.fields = table.Fields(f.m, nil)
		return f
	} else if f.err = err; err != nil {
		return f
	}
	defer store.Close()
	f.err = f.look(ctx, store)
	return f
}

func (f *databaseFacts) look(ctx context.Context, store *table.Store) error {
	columns, err := store.Columns(ctx, f.m.Table)
	if err != nil {
		return err
	}
	f.there, f.fields = len(columns) > 0, table.Fields(f.m, columns)
	if f.shape, err = store.Shape(ctx, f.m); err != nil {
		return err
	}
	plan, err := store.Plan(ctx, f.m)
	if err != nil {
		return err
	}
	f.lacks, f.grants = plan.Misfits[len(f.shape.Misfits):], plan.Repairs[len(f.shape.Repairs):]
	if f.there {
		for _, p := range f.m.PushProblems(f.file, f.fields) {
			f.wrong = append(f.wrong, p.String())
		}
	}
	if f.m.Push != nil && f.m.Push.Auto && f.there {
		plan, err := store.PushTriggers(ctx, f.m)
		if err != nil {
			return err
		}
		f.triggers = len(plan.SQL) > 0
	}
	list, err := store.Deliveries(ctx, table.Filter{Limit: 1, Head: 1})
	if err != nil {
		return err
	}
	if f.journal.known = true; len(list) == 0 { // there may be no journal yet
		return nil
	}
	f.journal.last = list[0]
	f.journal.quarantined, f.journal.pending, err = store.Waiting(ctx)
	return err
}

// seen reports whether there is a database to judge more of.
func (f databaseFacts) seen() bool { return f.m != nil && f.err == nil && !f.missing }

// unseen is the finding on what cannot be looked at without it.
func (f databaseFacts) unseen(check string) finding {
	return finding{Check: check, State: stateSkipped, What: "not known without the database"}
}

func (f databaseFacts) judge() finding {
	switch {
	case f.m == nil:
		return finding{Check: "database", State: stateSkipped, What: "the mapping file names it"}
	case f.err != nil:
		return failed("database", f.err, "mend that, or database: in "+f.file)
	case f.missing && !f.m.Receives():
		return finding{"database", stateTrouble, f.name + " is not there, and a mapping that receives nothing makes none",
			[]string{"name the database that has the rows, by database: in " + f.file}}
	case f.missing:
		return finding{"database", stateWarning, f.name + " is not there yet", []string{"loopmap sync makes it"}}
	}
	return finding{Check: "database", State: stateOK, What: f.name + " is there"}
}

func (f databaseFacts) judgeTable() finding {
	if !f.seen() {
		return f.unseen("table")
	}
	out := finding{Check: "table", State: stateOK, What: "table " + f.m.Table + " has the columns that are mapped"}
	switch {
	case len(f.shape.Misfits) > 0:
		out.State, out.What = stateTrouble, strings.Join(f.shape.Misfits, "; ")
		out.Do = statements(f.shape.Repairs)
		if len(out.Do) == 0 {
			out.Do = []string{"change the mapping, or the table by hand; loopmap retypes nothing"}
		}
	case !f.there && !f.m.Receives():
		out.State, out.What = stateTrouble, "table "+f.m.Table+" is not there, and a mapping that receives nothing makes none"
		out.Do = []string{"make it, or name another by table: in " + f.file}
	case !f.there:
		out.State, out.What = stateWarning, "table "+f.m.Table+" is not there yet"
		out.Do = []string{"loopmap sync makes it; loopmap check shows the SQL"}
	case len(f.shape.SQL) > 0:
		out.State, out.What = stateWarning, strings.Join(f.shape.Lacks, "; ")
		out.Do = []string{"loopmap sync changes it when it starts; loopmap check shows the SQL"}
	}
	return out
}

func (f databaseFacts) judgeRights() finding {
	switch {
	case !f.seen():
		return f.unseen("rights")
	case len(f.lacks) == 0:
		return finding{Check: "rights", State: stateOK, What: "the database can be written"}
	}
	out := finding{"rights", stateTrouble, strings.Join(f.lacks, "; "), statements(f.grants)}
	if len(out.Do) == 0 {
		out.Do = []string{"let the user that runs loopmap write there"}
	}
	return out
}

func statements(list []string) (out []string) {
	for _, sql := range list {
		out = append(out, sql+";")
	}
	return out
}

func (f databaseFacts) judgePush() finding {
	switch {
	case f.m == nil:
		return finding{Check: "push", State: stateSkipped, What: "the mapping file says what is sent back"}
	case f.m.Push == nil:
		return finding{Check: "push", State: stateSkipped, What: "the mapping sends nothing back"}
	case !f.seen() || !f.there:
		return finding{Check: "push", State: stateSkipped, What: "not known without the table"}
	case len(f.wrong) > 0:
		return finding{"push", stateTrouble, strings.Join(f.wrong, "; "), []string{"change the push part of " + f.file}}
	case f.triggers:
		return finding{"push", stateWarning, "the triggers that note changed rows for push.auto are not there, or of another loopmap",
			[]string{"loopmap sync makes them when it starts"}}
	case f.m.Push.Auto:
		return finding{Check: "push", State: stateOK, What: "push.auto: the table's triggers note each row that changes"}
	case f.m.Push.Every != "":
		return finding{Check: "push", State: stateOK, What: "sync sends rows back on a schedule: " + f.m.Push.Every}
	}
	return finding{Check: "push", State: stateOK, What: "rows are sent back by hand: loopmap push"}
}

func (f databaseFacts) judgeJournal() finding {
	count := func(n int64) string { return several(int(n), "delivery", "deliveries") }
	switch {
	case !f.seen():
		return f.unseen("journal")
	case f.journal.quarantined > 0:
		return finding{"journal", stateWarning, count(f.journal.quarantined) + " in quarantine: the mapping cannot map them",
			[]string{"loopmap deliveries --status quarantined says why; mend the mapping, and sync maps them again"}}
	case f.journal.pending > 0:
		return finding{"journal", stateWarning, count(f.journal.pending) + " in the journal wait for a mapping or their table",
			[]string{"loopmap sync maps them when it starts; loopmap deliveries --status pending lists them"}}
	}
	return finding{Check: "journal", State: stateOK, What: "no delivery waits"}
}

// ago is how long ago something was, as people say it.
func ago(at, now time.Time) string {
	switch d := now.Sub(at); {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s ago", max(0, int(d.Seconds())))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days ago", int(d.Hours()/24))
	}
}
