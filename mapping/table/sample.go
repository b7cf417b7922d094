package table

import (
	"context"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
)

// Sample are the first rows of a table, n at most, in the order of the key: their cells by
// column, of those among fields that the table has. A row without a key is none.
func (s *Store) Sample(ctx context.Context, m *mapping.Mapping, fields []column.Field, n int) (rows []map[string]column.Cell, err error) {
	columns, err := s.columns(ctx, m.Table)
	if err != nil || len(columns) == 0 {
		return nil, s.explain(err)
	}
	var there []column.Field
	for _, f := range fields {
		for _, c := range columns {
			if m.Dialect.Fold(c.Name) == m.Dialect.Fold(f.Name) {
				there = append(there, f)
				break
			}
		}
	}
	cells, keys, err := s.cells(ctx, m, there, columns, nil, outgoing.Query{Limit: n})
	for _, key := range keys {
		rows = append(rows, cells[key])
	}
	return rows, s.explain(err)
}
