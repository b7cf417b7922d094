package table

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"loopmap/mapping"
)

// outboxLines is how many changes SQLite's outbox takes before the triggers note no more:
// a table whose loopmap was forgotten must not fill the disk.
const outboxLines = 10_000_000

const outboxLength = "(SELECT max(seq) FROM loopmap_outbox) - (SELECT min(seq) FROM loopmap_outbox)"

func (s *sqliteEngine) triggers(_ context.Context, table, key string) (list []trigger, err error) {
	for _, on := range triggerEvents {
		name := triggerName(table, on)
		text := fmt.Sprintf(`CREATE TRIGGER %s AFTER %s ON %s WHEN new.%s IS NOT NULL
BEGIN
  INSERT INTO loopmap_outbox (table_name, row_key) SELECT %s, CAST(new.%[4]s AS TEXT) WHERE coalesce(%[6]s, 0) < %[7]d;
END`, quote(name), strings.ToUpper(on), quote(table), quote(key), literal(table), outboxLength, outboxLines)
		list = append(list, trigger{name, signatureOf(text), []string{text}})
	}
	return list, nil
}

func (s *sqliteEngine) dropTrigger(_, name string) string { return "DROP TRIGGER " + quote(name) }

func (s *sqliteEngine) dropFunctions(string) []string { return nil }

// haveTriggers are the signatures of the triggers that the table has, by their names.
// SQLite keeps the text that made one.
func (s *sqliteEngine) haveTriggers(ctx context.Context, table string) (map[string]string, error) {
	have := map[string]string{}
	err := s.ask(ctx, "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND name IN (?, ?)",
		[]any{triggerName(table, "insert"), triggerName(table, "update")}, func(v []stored) error {
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

func (s *sqliteEngine) changes(ctx context.Context, table string, limit int) (list []mapping.PushChange, err error) {
	err = s.ask(ctx, "SELECT seq, row_key FROM loopmap_outbox WHERE table_name = ? ORDER BY seq LIMIT ?", []any{table, int64(limit)},
		func(v []stored) error {
			list = append(list, mapping.PushChange{ID: v[0].text, Keys: []string{v[1].text}})
			return nil
		})
	return list, err
}

func (s *sqliteEngine) settleChanges(ctx context.Context, list []mapping.PushChange) error {
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

func (s *sqliteEngine) outboxFull(ctx context.Context) (full bool, err error) {
	err = s.ask(ctx, fmt.Sprintf("SELECT 1 WHERE %s >= %d", outboxLength, outboxLines), nil, func([]stored) error {
		full = true
		return nil
	})
	return full, err
}
