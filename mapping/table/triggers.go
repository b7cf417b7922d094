package table

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"loopmap/mapping"
)

// Triggers on the user's table note which rows are written. They must never make a
// statement of the user fail, nor wait, nor keep a column from being changed: so they
// append and read nothing, and name no column but the key.

// trigger is one of them. The signature tells one wording from another.
type trigger struct {
	name, signature string
	create          []string // statements that make it, and all that it needs
}

func signatureOf(sql ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(sql, "\n")))
	return fmt.Sprintf("loopmap %x", sum[:8])
}

// PushTriggers are what the table needs so that rows that are written come into the
// outbox. The plan is empty when it has them.
func (s *Store) PushTriggers(ctx context.Context, m *mapping.Mapping) (Plan, error) {
	want, err := s.triggers(ctx, m.Table, m.Key)
	if err != nil {
		return Plan{}, s.explain(err)
	}
	have, err := s.haveTriggers(ctx, m.Table)
	if err != nil {
		return Plan{}, s.explain(err)
	}
	right := len(have) == len(want)
	for _, t := range want {
		right = right && have[t.name] == t.signature
	}
	if right {
		return Plan{}, nil
	}
	p := s.dropTriggers(m.Table, have)
	for _, t := range want {
		p.SQL = append(p.SQL, t.create...)
	}
	if len(have) > 0 {
		p.SQL = append(p.SQL, s.moveChanges(m.Table)...)
	}
	p.Notes = slices.Repeat([]string{fmt.Sprintf("gets %d triggers that note changed rows in loopmap_outbox", len(want))}, len(p.SQL))
	return p, nil
}

// DropPushTriggers takes the triggers out again. The plan is empty when there are none.
func (s *Store) DropPushTriggers(ctx context.Context, table string) (Plan, error) {
	have, err := s.haveTriggers(ctx, table)
	if err != nil {
		return Plan{}, s.explain(err)
	}
	p := s.dropTriggers(table, have)
	if len(p.SQL) > 0 {
		p.Notes = slices.Repeat([]string{"no longer notes changed rows"}, len(p.SQL))
		for _, own := range []string{"loopmap_outbox", "loopmap_gone", "loopmap_changes"} {
			p.SQL = append(p.SQL, "DELETE FROM "+own+" WHERE table_name = "+literal(table))
			p.Notes = append(p.Notes, "forgets the changes that were noted")
		}
	}
	return p, nil
}

// triggerEvents are what a row is noted for in the outbox.
var triggerEvents = []string{"insert", "update"}

// What a row is noted for in loopmap_gone: it was deleted, it has another key now
// (SQLite), the whole table was emptied (PostgreSQL).
const (
	deleteEvent   = "delete"
	rekeyEvent    = "rekey"
	truncateEvent = "truncate"
)

// triggerNames are the names of all triggers that a table may have of loopmap.
func triggerNames(table string) (names []string) {
	for _, on := range append(slices.Clone(triggerEvents), deleteEvent, rekeyEvent, truncateEvent) {
		names = append(names, triggerName(table, on))
	}
	return names
}

func (s *Store) dropTriggers(table string, have map[string]string) (p Plan) {
	for _, name := range triggerNames(table) {
		if have[name] != "" {
			p.SQL = append(p.SQL, s.dropTrigger(table, name))
		}
	}
	if len(p.SQL) > 0 {
		p.SQL = append(p.SQL, s.dropFunctions(table)...)
	}
	return p
}

// triggerName is short enough for PostgreSQL, which cuts names after 63 bytes.
func triggerName(table, on string) string {
	name := "loopmap_" + on + "_" + table
	if len(name) > 63 {
		sum := sha256.Sum256([]byte(name))
		name = strings.ToValidUTF8(name[:50], "") + fmt.Sprintf("_%x", sum[:5])
	}
	return name
}

// literal writes a text as SQL does; names of users may stand in it.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
