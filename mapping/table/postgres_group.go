package table

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"loopmap/mapping"
)

// What comes is mostly new, newer than what its rows have, and of one shape. Then one
// statement writes journal and rows, and a transaction is two round trips.

// inOneMost is how many entries that statement takes. PostgreSQL keeps them while it
// runs; the thousands of a replay it would write to its disk meanwhile.
const inOneMost = 256

// inOne reports whether the rows of entries are upserts of the same columns, which
// one statement can write with the journal.
func (t *postgresTx) inOne(entries, rows []mapping.Entry) bool {
	return !t.begun && len(entries) <= inOneMost && len(rows) > 0 && rows[0].Row.Action == mapping.Upsert && len(groups(rows)) == 1 &&
		!slices.ContainsFunc(rows, func(e mapping.Entry) bool { return t.misfit(e) != nil })
}

// insertWithRows writes the journal lines of entries, and the rows of those that are new
// and not late. rows, of one shape, are the applied ones among entries. It is the first of
// its transaction; when the table refuses a row nothing of it is done.
func (t *postgresTx) insertWithRows(entries, rows []mapping.Entry) (fresh, late []bool, err error) {
	s, err := t.setOf(rows[0], entries)
	if err != nil {
		return nil, nil, err
	}
	places := make([]time.Time, len(entries))
	for i, e := range entries {
		places[i] = placeOfEntry(e).at
	}
	types, err := t.typesOf(rows[0].Mapping)
	if err != nil {
		return nil, nil, err
	}
	args := append(append(append(journalLines(entries), places), s.arrays...), types.print)
	b := &pgx.Batch{}
	t.start(b)
	t.lock(b, rows) // in a statement before the one that looks whether they are late
	fresh, late = make([]bool, len(entries)), make([]bool, 0, len(rows))
	for i := range fresh {
		fresh[i] = true
	}
	isLate := make([]bool, len(entries))
	b.Queue(`WITH loopmap_in AS (SELECT * FROM unnest(`+journalArrays+`, $10::timestamptz[], `+textArrays(10, len(s.arrays))+`)
			WITH ORDINALITY AS u(`+journalColumns+`, place, `+strings.Join(s.elements, ", ")+`, n)),
		loopmap_late AS MATERIALIZED (SELECT u.id, `+isLateSQL+` AS late FROM loopmap_in u WHERE u.status = 'applied'),
		loopmap_new AS (INSERT INTO loopmap_deliveries (`+journalColumns+`) SELECT `+journalColumns+` FROM loopmap_in
			ON CONFLICT (id) DO NOTHING RETURNING id),
		loopmap_rows AS (`+s.upsert(rows[0].Mapping, ` FROM loopmap_in u WHERE u.status = 'applied'
			AND u.id IN (SELECT id FROM loopmap_new) AND u.id NOT IN (SELECT id FROM loopmap_late WHERE late)`)+`)
		SELECT n, new, late, same FROM (SELECT n, id IN (SELECT id FROM loopmap_new) AS new,
			id IN (SELECT id FROM loopmap_late WHERE late) AS late,
			`+printOf(rows[0].Mapping.Table)+fmt.Sprintf(" IS NOT DISTINCT FROM $%d", len(args))+` AS same FROM loopmap_in) AS all_of_them
		WHERE late OR NOT new OR NOT same`, args...).Query(func(r pgx.Rows) error {
		var n int
		var isNew, later, same bool
		_, err := pgx.ForEachRow(r, []any{&n, &isNew, &later, &same}, func() error {
			if !same {
				return t.engine.retyped()
			}
			fresh[n-1], isLate[n-1] = isNew, later
			return nil
		})
		return err
	})
	b.Queue(atOnce)
	if err := t.send(b); err != nil {
		return nil, nil, err
	}
	for i, e := range entries {
		if e.Status == mapping.Applied {
			late = append(late, isLate[i])
		}
	}
	return fresh, late, nil
}
