package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"loopmap/mapping"
	"loopmap/mapping/outgoing"
	"loopmap/mapping/push"
	"loopmap/mapping/table"
)

// senderOf is what rows of the table as it is send.
func senderOf(ctx context.Context, store *table.Store, m *mapping.Mapping, file string) (*outgoing.Sender, error) {
	columns, err := store.Columns(ctx, m.Table)
	if err != nil {
		return nil, err
	}
	if len(columns) == 0 {
		if !m.Receives() {
			return nil, noneMade("table " + m.Table)
		}
		return nil, notYet("table "+m.Table, "there are no rows to send")
	}
	if err := toldApart(m, columns); err != nil {
		return nil, err
	}
	return outgoing.NewSender(m, file, table.Fields(m, columns))
}

// there refuses a table that is not there, or its database, before anything is made.
func there(ctx context.Context, m *mapping.Mapping, url, file string) error {
	store, err := table.Open(ctx, table.Options{URL: url, Dir: folder(file)})
	if errors.Is(err, table.ErrNoDatabase) {
		return noneMade("the database")
	} else if err != nil {
		return err
	}
	defer store.Close()
	columns, err := store.Columns(ctx, m.Table)
	if err == nil && len(columns) == 0 {
		err = noneMade("table " + m.Table)
	}
	return err
}

// missing says which of the rows that were asked for are not there.
func missing(ctx context.Context, store *table.Store, s *outgoing.Sender, keys []string) error {
	for some := range slices.Chunk(keys, 200) {
		rows, err := store.PushRows(ctx, s.Mapping(), s.Fields(), outgoing.Query{Keys: some})
		if err != nil {
			return err
		}
		for _, r := range rows {
			if r.Gone && len(r.Lines) == 0 {
				return noRow(s.Mapping(), r.Key)
			}
		}
	}
	return nil
}

// toldApart refuses a table whose rows the key does not tell apart: one would be sent
// twice, and another never.
func toldApart(m *mapping.Mapping, columns []table.Column) error {
	i := slices.IndexFunc(columns, func(c table.Column) bool { return m.Dialect.Fold(c.Name) == m.Dialect.Fold(m.Key) })
	if i < 0 {
		return usage("table %s has no column %s, which is the key: its rows cannot be told apart", m.Table, m.Key)
	}
	if why := table.KeyMisfit(m, columns[i]); why != "" {
		return usage("%s", why)
	}
	if columns[i].Key {
		return nil
	}
	plan := table.MakePlan(m, columns)
	return usage("column %s, which is the key, does not tell the rows of table %s apart: nothing keeps it unique, so a row could be "+
		"sent twice and another never\n"+
		"hint: name a key that is unique by itself, or run: %s;", m.Key, m.Table, plan.SQL[len(plan.SQL)-1])
}

// keyless counts and says the rows that cannot be sent since nothing tells them apart.
func (a *app) keyless(ctx context.Context, store *table.Store, job push.Job) (n int, err error) {
	m := job.Sender.Mapping()
	if job.Keys != nil || job.Status != "" {
		return 0, nil
	}
	if n, err = store.Keyless(ctx, m); n > 0 {
		has := "1 row has"
		if n > 1 {
			has = fmt.Sprintf("%d rows have", n)
		}
		a.say("%s no %s and cannot be told apart: not sent", has, m.Key)
	}
	return n, err
}
