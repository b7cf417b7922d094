package main

import (
	"fmt"
	"testing"

	"loopmap/mapping/outgoing"
)

// Of very many outcomes those that went wrong are kept.
func TestOutcomesKept(t *testing.T) {
	var p pushed
	for i := range 3 * mostOutcomes {
		status := outgoing.Sent
		if i%2 == 1 && i > mostOutcomes {
			status = outgoing.Failed
		}
		p.add(outcome{Row: fmt.Sprint(i), Status: string(status)})
	}
	failed := 0
	for _, o := range p.Outcomes {
		if o.Status == string(outgoing.Failed) {
			failed++
		}
	}
	if failed != mostOutcomes || len(p.Outcomes) != mostOutcomes || p.More != 2*mostOutcomes {
		t.Errorf("%d failed of %d, and %d more", failed, len(p.Outcomes), p.More)
	}
}
