package table

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"loopmap/mapping/outgoing"
)

// outboxBytes is how large PostgreSQL's outbox becomes (keys of large statements, which are
// stored beside it, not counted) before the triggers note no more: a
// table whose loopmap was forgotten must not fill the disk.
const outboxBytes = 1 << 30

// triggers note the keys of all rows that a statement has written by one line; of a table
// whose rows are also written by way of its partitions or parents, each by its own. They
// run with the rights of who has made them, so that others need none on the outbox; for
// that, nothing in them is looked up by the search_path of who writes.
func (p *postgresEngine) triggers(ctx context.Context, table, key string) (list []trigger, err error) {
	var schema string
	var byRow, used bool
	err = p.pool.QueryRow(ctx, `SELECT current_schema(), EXISTS (SELECT FROM pg_trigger t
		  JOIN pg_proc f ON f.oid = t.tgfoid JOIN pg_namespace n ON n.oid = f.pronamespace
		  WHERE n.nspname = current_schema() AND f.proname = ANY($2) AND t.tgrelid IS DISTINCT FROM to_regclass($1)),
		coalesce((SELECT relkind = 'p' OR relispartition OR EXISTS (SELECT FROM pg_inherits WHERE inhrelid = c.oid)
		FROM pg_class c WHERE c.oid = to_regclass($1)), false)`, quote(table), functionNames(table)).Scan(&schema, &used, &byRow)
	if err != nil {
		return nil, err
	}
	outbox := quote(schema) + ".loopmap_outbox"
	k := quote(key)
	rows := fmt.Sprintf(`(table_name, row_keys) SELECT %s, ARRAY(SELECT %s::pg_catalog.text FROM loopmap_rows WHERE %[2]s IS NOT NULL)
      WHERE EXISTS (SELECT FROM loopmap_rows WHERE %[2]s IS NOT NULL)`, escaped(table), k)
	how := "REFERENCING NEW TABLE AS loopmap_rows FOR EACH STATEMENT"
	if byRow {
		rows = fmt.Sprintf(`(table_name, row_keys) SELECT %s, ARRAY[new.%s::pg_catalog.text] WHERE new.%[2]s IS NOT NULL`, escaped(table), k)
		how = "FOR EACH ROW"
	}
	body := notingPostgres(outbox, key, rows)
	function := quote(schema) + "." + quote(triggerName(table, "change")) + "()"
	create := []string{functionPostgres(function, body)}
	for _, on := range triggerEvents {
		text := fmt.Sprintf("CREATE TRIGGER %s AFTER %s ON %s\n%s EXECUTE FUNCTION %s", quote(triggerName(table, on)), strings.ToUpper(on),
			quote(table), how, function)
		create = append(create, text)
		list = append(list, trigger{name: triggerName(table, on), create: []string{text}})
	}
	signature := signatureOf(create...)
	for i := range list {
		list[i].signature = signature
	}
	// The function keeps the signature: to comment on a trigger takes the table's owner.
	list[0].create = []string{create[0], fmt.Sprintf("COMMENT ON FUNCTION %s IS %s", function, literal(signature)), create[1]}
	list = append(list, goneTrigger(schema, table, key, byRow), truncateTrigger(schema, table))
	if used { // by triggers of a table that had this name
		list[0].signature = ""
		list[0].create = append(p.dropFunctions(table), list[0].create...)
	}
	return list, nil
}

// truncateTrigger notes the keys of all rows that anything was sent for.
func truncateTrigger(schema, table string) trigger {
	name, function := triggerName(table, truncateEvent), quote(schema)+"."+quote(triggerName(table, "emptied"))+"()"
	gone, pushes := quote(schema)+".loopmap_gone", quote(schema)+".loopmap_pushes"
	body := fmt.Sprintf(`
-- Notes for loopmap that all rows are gone. It must not make a statement fail.
BEGIN
  IF pg_catalog.to_regclass(%s) IS NOT NULL AND pg_catalog.to_regclass(%s) IS NOT NULL THEN
    INSERT INTO %s (table_name, row_key) SELECT DISTINCT table_name, row_key FROM %s WHERE table_name OPERATOR(pg_catalog.=) %s;
  END IF;
  RETURN NULL;
END `, escaped(gone), escaped(pushes), gone, pushes, escaped(table))
	create := []string{functionPostgres(function, body), fmt.Sprintf("CREATE TRIGGER %s AFTER TRUNCATE ON %s\n"+
		"FOR EACH STATEMENT EXECUTE FUNCTION %s", quote(name), quote(table), function)}
	signature := signatureOf(create...)
	return trigger{name, signature, []string{create[0], fmt.Sprintf("COMMENT ON FUNCTION %s IS %s", function, literal(signature)), create[1]}}
}

// functionNames are those of the functions that the triggers of a table call.
func functionNames(table string) (names []string) {
	for _, what := range []string{"change", "gone", "emptied"} {
		names = append(names, triggerName(table, what))
	}
	return names
}

// goneTrigger notes the keys of rows that are deleted.
func goneTrigger(schema, table, key string, byRow bool) trigger {
	rows := fmt.Sprintf(`(table_name, row_key) SELECT %s, %s::pg_catalog.text FROM loopmap_rows WHERE %[2]s IS NOT NULL`, escaped(table),
		quote(key))
	how := "REFERENCING OLD TABLE AS loopmap_rows FOR EACH STATEMENT"
	if byRow {
		rows = fmt.Sprintf(`(table_name, row_key) SELECT %s, old.%s::pg_catalog.text WHERE old.%[2]s IS NOT NULL`, escaped(table), quote(key))
		how = "FOR EACH ROW"
	}
	name, function := triggerName(table, deleteEvent), quote(schema)+"."+quote(triggerName(table, "gone"))+"()"
	create := []string{functionPostgres(function, notingPostgres(quote(schema)+".loopmap_gone", key, rows)),
		fmt.Sprintf("CREATE TRIGGER %s AFTER DELETE ON %s\n%s EXECUTE FUNCTION %s", quote(name), quote(table), how, function)}
	signature := signatureOf(create...)
	return trigger{name, signature, []string{create[0], fmt.Sprintf("COMMENT ON FUNCTION %s IS %s", function, literal(signature)), create[1]}}
}

func functionPostgres(function, body string) string {
	mark := dollars(body)
	return "CREATE OR REPLACE FUNCTION " + function + " RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS " + mark + body + mark
}

// notingPostgres is what a trigger does: it appends rows to one of loopmap's own tables.
func notingPostgres(own, key, rows string) string {
	return fmt.Sprintf(`
-- Notes for loopmap which rows were written. Whatever the table or the outbox has become,
-- it must not make a statement fail.
BEGIN
  IF pg_catalog.pg_relation_size(pg_catalog.to_regclass(%s)) OPERATOR(pg_catalog.<) %d AND EXISTS (SELECT FROM pg_catalog.pg_attribute
      WHERE attrelid OPERATOR(pg_catalog.=) TG_RELID AND attname OPERATOR(pg_catalog.=) %s AND NOT attisdropped) THEN
    INSERT INTO %s %s;
  END IF;
  RETURN NULL;
END `, escaped(own), outboxBytes, escaped(key), own, rows)
}

// escaped is a literal that reads the same whatever standard_conforming_strings is: a
// function's text is read when it runs.
func escaped(text string) string {
	return "E'" + strings.ReplaceAll(strings.ReplaceAll(text, `\`, `\\`), "'", "''") + "'"
}

// dollars is a quoting mark that a text does not hold.
func dollars(text string) string {
	for n := 0; ; n++ {
		if mark := fmt.Sprintf("$loopmap%d$", n); !strings.Contains(text, mark) {
			return mark
		}
	}
}

func (p *postgresEngine) dropTrigger(table, name string) string {
	return "DROP TRIGGER " + quote(name) + " ON " + quote(table)
}

// dropFunctions takes along what else calls them: triggers of a table that had this name.
func (p *postgresEngine) dropFunctions(table string) (list []string) {
	for _, name := range functionNames(table) {
		list = append(list, "DROP FUNCTION IF EXISTS "+quote(name)+"() CASCADE")
	}
	return list
}

// haveTriggers are the signatures of the triggers that the table has, by their names.
func (p *postgresEngine) haveTriggers(ctx context.Context, table string) (map[string]string, error) {
	rows, err := p.pool.Query(ctx, `SELECT t.tgname,
		CASE WHEN t.tgenabled IN ('O', 'A') THEN coalesce(obj_description(t.tgfoid, 'pg_proc'), 'another') ELSE 'disabled' END
		FROM pg_trigger t WHERE t.tgrelid = to_regclass($1) AND NOT t.tgisinternal AND t.tgname = ANY($2)`,
		quote(table), triggerNames(table))
	if err != nil {
		return nil, err
	}
	have := map[string]string{}
	var name, signature string
	_, err = pgx.ForEachRow(rows, []any{&name, &signature}, func() error { have[name] = signature; return nil })
	return have, err
}

// moveChanges takes over what triggers of the versions before have noted.
func (p *postgresEngine) moveChanges(table string) []string {
	of := " FROM loopmap_changes WHERE table_name = " + literal(table)
	return []string{"INSERT INTO loopmap_outbox (table_name, row_keys) SELECT table_name, array_agg(row_key ORDER BY seq)" + of +
		" GROUP BY table_name", "DELETE" + of}
}

// A line is named by where it stands and when it was noted: the same place may hold
// another one later.
func (p *postgresEngine) changes(ctx context.Context, table string, limit int) (list []outgoing.Change, err error) {
	rows, err := p.pool.Query(ctx, `SELECT ctid::text || ' ' || noted_at::text, row_keys FROM (
			SELECT *, sum(cardinality(row_keys)) OVER (ORDER BY noted_at, ctid) - cardinality(row_keys) AS before FROM (
				SELECT ctid, noted_at, row_keys FROM loopmap_outbox WHERE table_name = $1 LIMIT $2) AS o) AS counted
		WHERE before < $3 ORDER BY noted_at, ctid`, table, limit, mostKeys)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c outgoing.Change, err error) {
		return c, row.Scan(&c.ID, &c.Keys)
	})
}

func (p *postgresEngine) settleChanges(ctx context.Context, list []outgoing.Change) error {
	var places, times []string
	var all []statement
	for _, c := range list {
		place, noted, ok := strings.Cut(c.ID, " ")
		switch {
		case !ok:
			return errors.New("a change without a place: " + c.ID)
		case len(c.Keys) == 0:
			places, times = append(places, place), append(times, noted)
		default:
			all = append(all, statement{"UPDATE loopmap_outbox SET row_keys = ? WHERE ctid = ?::text::tid AND noted_at = ?::text::timestamptz",
				[]any{c.Keys, place, noted}})
		}
	}
	if len(places) > 0 {
		all = append(all, statement{"DELETE FROM loopmap_outbox WHERE ctid = ANY(?::text[]::tid[]) AND noted_at = ANY(?::text[]::timestamptz[])",
			[]any{places, times}})
	}
	return p.put(ctx, all)
}

func (p *postgresEngine) outboxFull(ctx context.Context) (full bool, err error) {
	err = p.pool.QueryRow(ctx, "SELECT coalesce(pg_relation_size(to_regclass('loopmap_outbox')) >= $1, false)", int64(outboxBytes)).Scan(&full)
	return full, err
}
