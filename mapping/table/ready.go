package table

import (
	"context"

	"loopmap/mapping"
)

// Ready reports whether a delivery could be written now. After trouble it is given the
// one that could not be: then it writes, and tries that one on its table, with all that
// watches over it, and takes it back.
func (s *Store) Ready(ctx context.Context, failed *mapping.Entry) error {
	if err := s.engine.ready(ctx, failed != nil); err != nil || failed == nil {
		return s.explain(err)
	}
	e := *failed
	e.ID = probeID // the journal may have it by now
	_, err := s.write(ctx, []mapping.Entry{e}, &work{store: s, dry: true})
	return err
}

// probeID is the id of what is written to see whether it can be.
const probeID = "loopmap.probe"
