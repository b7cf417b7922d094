package table

import (
	"context"
	"fmt"
	"slices"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

// right is one that the database's user lacks, and the statement that grants it.
type right struct{ lacks, grant string }

// addRights puts what the database's user may not do to a plan: it cannot be carried out,
// or what it makes ready not be used.
func (s *Store) addRights(ctx context.Context, m *mapping.Mapping, p *Plan) error {
	list, err := s.rights(ctx, m, len(p.SQL) > 0)
	for _, r := range list {
		if p.Misfits = append(p.Misfits, r.lacks); r.grant != "" {
			p.Repairs = append(p.Repairs, r.grant)
		}
	}
	return err
}

// rights is the engine's: what matters of a file is whether it can be written. SQLite is
// asked, since a file that is opened and closed beside it takes its locks away (POSIX,
// fcntl: all of a process go with any of its descriptors).
func (s *sqliteEngine) rights(context.Context, *mapping.Mapping, bool) ([]right, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reader.SetBusyTimeout(0)
	defer s.reader.SetBusyTimeout(busyTimeout)
	err := sqlitex.ExecuteTransient(s.reader, "BEGIN IMMEDIATE", nil)
	if err == nil {
		return nil, sqlitex.ExecuteTransient(s.reader, "ROLLBACK", nil)
	}
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultReadOnly, sqlite.ResultCantOpen:
		return []right{{lacks: s.explain(err).Error()}}, nil
	}
	return nil, nil // it is being written, by another
}

// rights is the engine's. alters says that the table will be changed.
func (p *postgresEngine) rights(ctx context.Context, m *mapping.Mapping, alters bool) (list []right, err error) {
	migrations, err := migrationsOf(column.Postgres)
	if err != nil {
		return nil, err
	}
	ran, err := ranPostgres(ctx, p.pool)
	if err != nil {
		return nil, err
	}
	missing, err := missingMigrations(migrations, ran)
	if err != nil {
		return nil, err
	}
	var user, schema string
	var there, create, owner, insert, sel, update, del, trigger bool
	var names []string
	for _, c := range m.Columns() {
		names = append(names, c.Name)
	}
	sends := !m.Receives() // and writes nothing into the table
	if sends {
		names = append(m.PushNames(), m.Key)
	}
	err = p.pool.QueryRow(ctx, `SELECT current_user, coalesce(current_schema(), ''),
		coalesce(has_schema_privilege(current_schema(), 'CREATE'), false), c.oid IS NOT NULL,
		coalesce(pg_has_role(c.relowner, 'USAGE'), false), coalesce(r.ins, false), coalesce(r.sel, false), coalesce(r.upd, false),
		coalesce(has_table_privilege(c.oid, 'DELETE'), false), coalesce(has_table_privilege(c.oid, 'TRIGGER'), false)
		FROM (SELECT 1) AS one LEFT JOIN pg_class c ON c.oid = to_regclass($1)
		LEFT JOIN LATERAL (SELECT bool_and(has_column_privilege(c.oid, a.attnum, 'INSERT')) AS ins,
		  bool_and(has_column_privilege(c.oid, a.attnum, 'SELECT')) AS sel,
		  bool_and(a.attname = $2 OR has_column_privilege(c.oid, a.attnum, 'UPDATE')) AS upd
		  FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = ANY($3)) AS r ON true`, quote(m.Table), m.Key, names).
		Scan(&user, &schema, &create, &there, &owner, &insert, &sel, &update, &del, &trigger)
	if err != nil {
		return nil, err
	}
	auto := m.Push != nil && m.Push.Auto
	grant := func(lacks, what, on string) {
		list = append(list, right{fmt.Sprintf("the database user %s may not %s", user, lacks),
			fmt.Sprintf("GRANT %s ON %s TO %s", what, on, quote(user))})
	}
	if schema == "" {
		return []right{{lacks: "the search_path of the database user " + user +
			" leads to no schema: name one by ?search_path= in the database's URL"}}, nil
	}
	if !create && (len(missing) > 0 || !there && !sends) {
		grant("make tables in schema "+schema, "CREATE", "SCHEMA "+quote(schema))
	}
	if !there {
		return list, nil
	}
	if alters && !owner {
		list = append(list, right{lacks: fmt.Sprintf("table %s must be changed, which its owner alone may: let the owner run the "+
			"statements, or name that user", m.Table)})
	}
	for _, r := range []struct {
		has         bool
		lacks, what string
	}{
		{insert || sends, "insert into", "INSERT"}, {sel, "read", "SELECT"}, {update || sends, "update", "UPDATE"},
		{del || !m.Receive.Deletes(), "delete from", "DELETE"}, {trigger || owner || !auto, "put triggers on", "TRIGGER"},
	} {
		if !r.has {
			grant(r.lacks+" table "+m.Table, r.what, quote(m.Table))
		}
	}
	if auto && !create && !slices.ContainsFunc(list, func(r right) bool { return r.grant != "" }) {
		plan, err := p.haveTriggers(ctx, m.Table)
		if err == nil && len(plan) == 0 {
			grant("make the function of a trigger in schema "+schema, "CREATE", "SCHEMA "+quote(schema))
		}
		return list, err
	}
	return list, nil
}
