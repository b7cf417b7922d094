package receive

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"loopmap/mapping"
)

// metrics are what /metrics says, in Prometheus' text format 0.0.4.
type metrics struct {
	applied, ignored, quarantined, duplicate, refused, failed atomic.Int64
	micros                                                    atomic.Int64 // spent on requests
	last                                                      atomic.Int64 // Unix seconds of the last one stored
	unready                                                   atomic.Bool
}

func (m *metrics) count(a *Arrival, took time.Duration) {
	m.micros.Add(took.Microseconds())
	switch {
	case a.Code >= 500:
		m.failed.Add(1)
	case a.Code >= 400:
		m.refused.Add(1)
	case a.Outcome.Duplicate:
		m.duplicate.Add(1)
	case a.Outcome.Status == mapping.Applied:
		m.applied.Add(1)
	case a.Outcome.Status == mapping.Ignored:
		m.ignored.Add(1)
	default:
		m.quarantined.Add(1)
	}
	if a.Code == http.StatusOK {
		m.last.Store(a.Delivery.Received.Unix())
	}
}

func (m *metrics) serve(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	fmt.Fprint(w, "# HELP loopmap_deliveries_total Webhooks by what became of them.\n# TYPE loopmap_deliveries_total counter\n")
	total := int64(0)
	for _, c := range []struct {
		outcome string
		n       *atomic.Int64
	}{
		{"applied", &m.applied}, {"ignored", &m.ignored}, {"quarantined", &m.quarantined},
		{"duplicate", &m.duplicate}, {"refused", &m.refused}, {"failed", &m.failed},
	} {
		n := c.n.Load()
		total += n
		fmt.Fprintf(w, "loopmap_deliveries_total{outcome=%q} %d\n", c.outcome, n)
	}
	fmt.Fprintf(w, "# HELP loopmap_delivery_seconds Time from a webhook's arrival to its answer.\n# TYPE loopmap_delivery_seconds summary\n"+
		"loopmap_delivery_seconds_sum %g\nloopmap_delivery_seconds_count %d\n", float64(m.micros.Load())/1e6, total)
	fmt.Fprintf(w, "# HELP loopmap_last_delivery_timestamp_seconds When the last webhook was stored; 0: none yet.\n"+
		"# TYPE loopmap_last_delivery_timestamp_seconds gauge\nloopmap_last_delivery_timestamp_seconds %d\n", m.last.Load())
	ready := 1
	if m.unready.Load() {
		ready = 0
	}
	fmt.Fprintf(w, "# HELP loopmap_storing Whether the last webhook could be stored.\n# TYPE loopmap_storing gauge\nloopmap_storing %d\n", ready)
}
