package table

import (
	"context"
	"fmt"
	"strings"
)

// Tables names the tables that a mapping could write into: none of the database's own,
// nor of loopmap's.
func (s *Store) Tables(ctx context.Context) (names []string, err error) {
	err = s.ask(ctx, s.tableNames(), nil, func(v []stored) error {
		if !strings.HasPrefix(v[0].text, "loopmap_") {
			names = append(names, v[0].text)
		}
		return nil
	})
	return names, s.explain(err)
}

// FailedPushes counts what rows of a table have sent and Loops has refused.
func (s *Store) FailedPushes(ctx context.Context, table string) (n int, err error) {
	there, err := s.has(ctx, "loopmap_pushes")
	if err == nil && there { // the status is written out: the index is of these alone
		err = s.ask(ctx, "SELECT count(*) FROM loopmap_pushes WHERE table_name = ? AND status = 'failed'", []any{table}, func(v []stored) error {
			_, err := fmt.Sscan(v[0].text, &n)
			return err
		})
	}
	return n, s.explain(err)
}
