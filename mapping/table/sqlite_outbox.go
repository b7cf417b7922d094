package table

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"loopmap/mapping/outgoing"
)

// triggers do the least that SQLite can do for each row: the column of the outbox makes a
// text of a number by itself, and to look how long the outbox is would cost as much again.
func (s *sqliteEngine) triggers(_ context.Context, table, key string) (list []trigger, err error) {
	for _, on := range triggerEvents {
		name := triggerName(table, on)
		text := fmt.Sprintf(`CREATE TRIGGER %s AFTER %s ON %s
WHEN new.%s IS NOT NULL
BEGIN
  INSERT INTO loopmap_outbox (table_name, row_key) VALUES (%s, new.%[4]s);
END`, quote(name), strings.ToUpper(on), quote(table), quote(key), literal(table))
		list = append(list, trigger{name, signatureOf(text), []string{text}})
	}
	gone := func(event, when, unless string) {
		name := triggerName(table, event)
		text := fmt.Sprintf(`CREATE TRIGGER %s AFTER %s ON %s
WHEN old.%s IS NOT NULL%s
BEGIN
  INSERT INTO loopmap_gone (table_name, row_key) VALUES (%s, old.%[4]s);
END`, quote(name), when, quote(table), quote(key), unless, literal(table))
		list = append(list, trigger{name, signatureOf(text), []string{text}})
	}
	gone(deleteEvent, "DELETE", "")
	gone(rekeyEvent, "UPDATE OF "+quote(key), fmt.Sprintf(" AND old.%s IS NOT new.%[1]s", quote(key)))
	return list, nil
}

func (s *sqliteEngine) dropTrigger(_, name string) string { return "DROP TRIGGER " + quote(name) }

func (s *sqliteEngine) dropFunctions(string) []string { return nil }

// haveTriggers are the signatures of the triggers that the table has, by their names.
// SQLite keeps the text that made one.
func (s *sqliteEngine) haveTriggers(ctx context.Context, table string) (map[string]string, error) {
	have := map[string]string{}
	names := triggerNames(table)
	err := s.ask(ctx, "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND name"+among(names), anyOf(names),
		func(v []stored) error {
			have[v[0].text] = signatureOf(v[1].text)
			return nil
		})
	return have, err
}

// moveChanges takes over what triggers of the versions before have noted.
func (s *sqliteEngine) moveChanges(table string) []string {
	of := " FROM loopmap_changes WHERE table_name = " + literal(table)
	return []string{"INSERT INTO loopmap_outbox (table_name, row_key) SELECT table_name, row_key" + of + " ORDER BY seq", "DELETE" + of}
}

func (s *sqliteEngine) changes(ctx context.Context, table string, limit int) (list []outgoing.Change, err error) {
	err = s.ask(ctx, "SELECT seq, row_key FROM loopmap_outbox WHERE table_name = ? ORDER BY seq LIMIT ?", []any{table, int64(limit)},
		func(v []stored) error {
			c := outgoing.Change{ID: v[0].text}
			if v[1].kind != storedBytes { // which name no row
				c.Keys = []string{v[1].text}
			}
			list = append(list, c)
			return nil
		})
	return list, err
}

func (s *sqliteEngine) settleChanges(ctx context.Context, list []outgoing.Change) error {
	var args []any
	for _, c := range list {
		if len(c.Keys) == 0 {
			args = append(args, c.ID)
		}
	}
	var all []statement
	for some := range slices.Chunk(args, 500) {
		all = append(all, statement{"DELETE FROM loopmap_outbox WHERE seq IN (?" + strings.Repeat(", ?", len(some)-1) + ")", some})
	}
	return s.put(ctx, all)
}

// outboxFull is the engine's: it is never full.
func (s *sqliteEngine) outboxFull(context.Context) (bool, error) { return false, nil }
