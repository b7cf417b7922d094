package table

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"loopmap/mapping"
)

// Changes are rows that have changed and were not dropped since, the oldest first.
func (s *Store) Changes(ctx context.Context, table string, limit int) (list []mapping.PushChange, err error) {
	err = s.ask(ctx, fmt.Sprintf("SELECT seq, row_key FROM loopmap_changes WHERE table_name = ? ORDER BY seq LIMIT %d", limit), []any{table},
		func(v []stored) error {
			c := mapping.PushChange{Key: v[1].text}
			_, err := fmt.Sscan(v[0].text, &c.Seq)
			list = append(list, c)
			return err
		})
	return list, s.explain(err)
}

// DropChanges takes changes out of the outbox, each by its number: a row that has
// changed again since has another one, and stays.
func (s *Store) DropChanges(ctx context.Context, table string, list []mapping.PushChange) error {
	text := "DELETE FROM loopmap_changes WHERE seq = ? AND table_name = ?"
	if s.dialect() == mapping.Postgres { // one that is locked is about to get another number
		text = "DELETE FROM loopmap_changes WHERE seq IN (SELECT seq FROM loopmap_changes WHERE seq = ? AND table_name = ? FOR UPDATE SKIP LOCKED)"
	}
	var all []statement
	for _, c := range list {
		all = append(all, statement{text, []any{c.Seq, table}})
	}
	if len(all) == 0 {
		return nil
	}
	return s.explain(s.put(ctx, all))
}

// AwaitChanges returns when the outbox of a table is not empty, or with ctx's error.
func (s *Store) AwaitChanges(ctx context.Context, table string) error {
	look := func() (bool, error) {
		list, err := s.Changes(ctx, table, 1)
		return len(list) > 0, err
	}
	return s.explain(s.await(ctx, look))
}

// TryLockPushes lets one process of this database send at a time. ok is false while
// another does. held ends when the lock is lost before it is given back.
func (s *Store) TryLockPushes(ctx context.Context) (held context.Context, unlock func(), ok bool, err error) {
	held, unlock, ok, err = s.lockPushes(ctx)
	return held, unlock, ok, s.explain(err)
}

// trigger is one that fills the outbox, with the function that it calls, if any.
type trigger struct{ name, sql, function string }

// PushTriggers are what the table needs so that changes of these columns come into the
// outbox. The plan is empty when it has them.
func (s *Store) PushTriggers(ctx context.Context, m *mapping.Mapping, columns []string) (Plan, error) {
	if !slices.Contains(columns, m.Key) {
		columns = append(slices.Clone(columns), m.Key)
	}
	want := s.triggers(m, columns)
	have, err := s.haveTriggers(ctx, m.Table)
	if err != nil {
		return Plan{}, s.explain(err)
	}
	right := len(have) == len(want)
	for _, t := range want {
		right = right && have[t.name] == signature(t)
	}
	if right {
		return Plan{}, nil
	}
	p := s.dropTriggers(m.Table, have)
	p.Notes = nil
	for _, t := range want {
		if t.function != "" {
			p.SQL = append(p.SQL, t.function)
		}
		p.SQL = append(p.SQL, t.sql)
		if s.dialect() == mapping.Postgres {
			p.SQL = append(p.SQL, fmt.Sprintf("COMMENT ON TRIGGER %s ON %s IS '%s'", quote(t.name), quote(m.Table), signature(t)))
		}
	}
	for range p.SQL {
		p.Notes = append(p.Notes, "notes changed rows in loopmap_changes, for push.auto")
	}
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
		p.SQL = append(p.SQL, "DELETE FROM loopmap_changes WHERE table_name = '"+strings.ReplaceAll(table, "'", "''")+"'")
		p.Notes = append(p.Notes, "forgets the changes that were noted")
	}
	return p, nil
}

func (s *Store) dropTriggers(table string, have map[string]string) (p Plan) {
	drop := func(sql string) {
		p.SQL, p.Notes = append(p.SQL, sql), append(p.Notes, "no longer notes changed rows")
	}
	for _, name := range []string{triggerName(table, "insert"), triggerName(table, "update")} {
		if _, ok := have[name]; !ok {
			continue
		}
		if s.dialect() == mapping.SQLite {
			drop("DROP TRIGGER " + quote(name))
			continue
		}
		drop("DROP TRIGGER " + quote(name) + " ON " + quote(table))
	}
	if s.dialect() == mapping.Postgres && len(p.SQL) > 0 {
		drop("DROP FUNCTION IF EXISTS " + quote(triggerName(table, "change")) + "()")
	}
	return p
}

// signature tells one wording of a trigger from another.
func signature(t trigger) string {
	sum := sha256.Sum256([]byte(t.sql + t.function))
	return fmt.Sprintf("loopmap %x", sum[:8])
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

func (s *Store) triggers(m *mapping.Mapping, columns []string) []trigger {
	if s.dialect() == mapping.SQLite {
		return triggersSQLite(m, columns)
	}
	return triggersPostgres(m, columns)
}

// haveTriggers are the signatures of the triggers that the table has, by their names.
func (s *Store) haveTriggers(ctx context.Context, table string) (map[string]string, error) {
	have := map[string]string{}
	text, args := "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND name IN (?, ?)", []any{triggerName(table, "insert"), triggerName(table, "update")}
	if s.dialect() == mapping.Postgres {
		text = `SELECT t.tgname, coalesce(obj_description(t.oid, 'pg_trigger'), '') FROM pg_trigger t
			WHERE t.tgrelid = to_regclass(?) AND NOT t.tgisinternal AND t.tgname IN (?, ?)`
		args = append([]any{quote(table)}, args...)
	}
	err := s.ask(ctx, text, args, func(v []stored) error {
		if have[v[0].text] = v[1].text; s.dialect() == mapping.SQLite {
			have[v[0].text] = signature(trigger{sql: v[1].text})
		}
		return nil
	})
	return have, err
}

// triggersSQLite note the key of a changed row, each time under a new number.
func triggersSQLite(m *mapping.Mapping, columns []string) []trigger {
	table, key := quote(m.Table), quote(m.Key)
	text := "'" + strings.ReplaceAll(m.Table, "'", "''") + "'"
	do := fmt.Sprintf(`BEGIN
  DELETE FROM loopmap_changes WHERE table_name = %s AND row_key = CAST(new.%s AS TEXT);
  INSERT INTO loopmap_changes (table_name, row_key) VALUES (%s, CAST(new.%s AS TEXT));
END`, text, key, text, key)
	var of, differ []string
	for _, c := range columns {
		of, differ = append(of, quote(c)), append(differ, fmt.Sprintf("old.%s IS NOT new.%s", quote(c), quote(c)))
	}
	return []trigger{
		{name: triggerName(m.Table, "insert"), sql: fmt.Sprintf("CREATE TRIGGER %s AFTER INSERT ON %s\n%s", quote(triggerName(m.Table, "insert")), table, do)},
		{name: triggerName(m.Table, "update"), sql: fmt.Sprintf("CREATE TRIGGER %s AFTER UPDATE OF %s ON %s\nWHEN %s\n%s", quote(triggerName(m.Table, "update")),
			strings.Join(of, ", "), table, strings.Join(differ, " OR "), do)},
	}
}

// triggersPostgres do the same with the rights of who has made them, so that others
// need none on the outbox, and wake who listens.
func triggersPostgres(m *mapping.Mapping, columns []string) []trigger {
	table, key := quote(m.Table), quote(m.Key)
	name := quote(triggerName(m.Table, "change"))
	text := "'" + strings.ReplaceAll(m.Table, "'", "''") + "'"
	function := fmt.Sprintf(`CREATE OR REPLACE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $loopmap$
BEGIN
  INSERT INTO loopmap_changes (table_name, row_key) VALUES (%s, new.%s::text)
    ON CONFLICT (table_name, row_key) DO UPDATE SET seq = DEFAULT;
  PERFORM pg_notify('loopmap_changes', '');
  RETURN NULL;
END $loopmap$`, name, text, key)
	var of, differ []string
	for _, c := range columns {
		of, differ = append(of, quote(c)), append(differ, fmt.Sprintf("old.%s::text IS DISTINCT FROM new.%s::text", quote(c), quote(c)))
	}
	call := "FOR EACH ROW EXECUTE FUNCTION " + name + "()"
	return []trigger{
		{triggerName(m.Table, "insert"), fmt.Sprintf("CREATE TRIGGER %s AFTER INSERT ON %s\n%s", quote(triggerName(m.Table, "insert")), table, call), function},
		{triggerName(m.Table, "update"), fmt.Sprintf("CREATE TRIGGER %s AFTER UPDATE OF %s ON %s\nFOR EACH ROW WHEN (%s)\n%s", quote(triggerName(m.Table, "update")),
			strings.Join(of, ", "), table, strings.Join(differ, " OR "), strings.TrimPrefix(call, "FOR EACH ROW ")), ""},
	}
}

const lookAtOutbox = 250 * time.Millisecond

// await is the engine's: SQLite tells nobody of changes, so it looks.
func (s *sqliteEngine) await(ctx context.Context, look func() (bool, error)) error {
	for {
		if some, err := look(); err != nil || some {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookAtOutbox):
		}
	}
}

// await listens first and looks then, so that nothing falls between. A lost connection
// is made again by the next call.
func (p *postgresEngine) await(ctx context.Context, look func() (bool, error)) error {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	own := conn.Hijack() // it waits long, and must not be missing in the pool
	defer own.Close(context.WithoutCancel(ctx))
	if _, err := own.Exec(ctx, "LISTEN loopmap_changes"); err != nil {
		return err
	}
	for {
		if some, err := look(); err != nil || some {
			return err
		}
		wait, cancel := context.WithTimeout(ctx, 30*time.Second)
		_, err := own.WaitForNotification(wait)
		cancel()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			return errors.Join(ctx.Err(), err)
		}
		if err != nil { // pgx closes a connection whose wait has timed out
			return nil
		}
	}
}
