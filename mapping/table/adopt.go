package table

import (
	"context"

	"loopmap/mapping"
)

// canonicalSQL is the canonical form of a row_key in SQL.
var canonicalSQL = map[keyForm]string{
	asciiKeys: "lower(row_key)",
	trimKeys:  "rtrim(row_key, ' ')",
	lowerKeys: "lower(row_key)",
	uuidKeys:  "CASE WHEN row_key ~* '^[{]{0,1}[0-9a-f]{4}(-{0,1}[0-9a-f]{4}){7}[}]{0,1}$' THEN row_key::uuid::text ELSE row_key END",
}

// AdoptKeys brings what journal and outcomes call the rows to the canonical form of their
// keys: versions before took each way of writing a key for a row of its own.
func (s *Store) AdoptKeys(ctx context.Context, m *mapping.Mapping) error {
	form, err := s.keyForm(ctx, m)
	if err != nil || form == exactKeys {
		return s.explain(err)
	}
	canonical := canonicalSQL[form]
	differ := " AND row_key <> " + canonical
	some := false
	err = s.ask(ctx, `SELECT 1 WHERE EXISTS (SELECT 1 FROM loopmap_deliveries WHERE row_key IS NOT NULL`+differ+`)
		OR EXISTS (SELECT 1 FROM loopmap_pushes WHERE table_name = ?`+differ+`)`, []any{m.Table}, func([]stored) error {
		some = true
		return nil
	})
	if err != nil || !some {
		return s.explain(err)
	}
	rest := pushColumns[len("row_key, "):]
	return s.explain(s.put(ctx, []statement{
		{"UPDATE loopmap_deliveries SET row_key = " + canonical + " WHERE row_key IS NOT NULL" + differ, nil},
		// Of outcomes that come to one row the newest stays.
		{"INSERT INTO loopmap_pushes (table_name, row_key, " + rest + ") SELECT table_name, " + canonical + ", " + rest +
			" FROM loopmap_pushes WHERE table_name = ?" + differ + " ORDER BY updated_at DESC ON CONFLICT DO NOTHING", []any{m.Table}},
		{"DELETE FROM loopmap_pushes WHERE table_name = ?" + differ, []any{m.Table}},
	}))
}
