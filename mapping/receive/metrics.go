package receive

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"loopmap/mapping"
)

// metrics are what /metrics says, in Prometheus' text format 0.0.4.
type metrics struct {
	applied, ignored, quarantined, pending, duplicate, refused, failed atomic.Int64

	latency histogram    // seconds from a request to its answer
	commits histogram    // deliveries of one commit
	last    atomic.Int64 // Unix milliseconds of the last one stored
}

// The upper bounds of the histograms' buckets.
var (
	latencyBounds = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	commitBounds  = []float64{1, 2, 4, 8, 16, 32, 64, 128, maxGroup}
)

// histogram counts values by size. The zero value is ready; its bounds are said
// when it is used.
type histogram struct {
	mu     sync.Mutex
	counts [16]int64 // of values up to a bound and above the one before; the last of all others
	sum    float64
	bounds []float64
}

func (h *histogram) observe(v float64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := 0
	for i < len(h.bounds) && v > h.bounds[i] {
		i++
	}
	h.counts[i]++
	h.sum += v
}

func (h *histogram) write(w io.Writer, name, help string) {
	h.mu.Lock()
	counts, sum := h.counts, h.sum
	h.mu.Unlock()
	header(w, name, "histogram", help)
	n := int64(0)
	for i, bound := range h.bounds {
		n += counts[i]
		fmt.Fprintf(w, "%s_bucket{le=\"%s\"} %d\n", name, strconv.FormatFloat(bound, 'g', -1, 64), n)
	}
	n += counts[len(h.bounds)]
	fmt.Fprintf(w, "%s_bucket{le=\"+Inf\"} %d\n%s_sum %g\n%s_count %d\n", name, n, name, sum, name, n)
}

func header(w io.Writer, name, kind, help string) {
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func (m *metrics) count(a *Arrival, took time.Duration) {
	m.latency.observe(took.Seconds())
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
	case a.Outcome.Status == mapping.Pending:
		m.pending.Add(1)
	default:
		m.quarantined.Add(1)
	}
	if a.Code == http.StatusOK {
		m.last.Store(a.Delivery.Received.UnixMilli())
	}
}

func (r *Receiver) serveMetrics(w http.ResponseWriter, q *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	m := &r.metrics
	header(w, "loopmap_deliveries_total", "counter", "Webhooks by what became of them.")
	for _, c := range []struct {
		outcome string
		n       *atomic.Int64
	}{
		{"applied", &m.applied}, {"ignored", &m.ignored}, {"quarantined", &m.quarantined}, {"pending", &m.pending},
		{"duplicate", &m.duplicate}, {"refused", &m.refused}, {"failed", &m.failed},
	} {
		fmt.Fprintf(w, "loopmap_deliveries_total{outcome=%q} %d\n", c.outcome, c.n.Load())
	}
	m.latency.write(w, "loopmap_delivery_seconds", "Time from a webhook's arrival to its answer.")
	m.commits.write(w, "loopmap_commit_deliveries", "Deliveries that shared one commit.")
	if last := m.last.Load(); last > 0 {
		header(w, "loopmap_last_delivery_timestamp_seconds", "gauge", "When the last webhook was stored.")
		fmt.Fprintf(w, "loopmap_last_delivery_timestamp_seconds %g\n", float64(last)/1000)
		header(w, "loopmap_last_delivery_age_seconds", "gauge", "How long ago the last webhook was stored.")
		fmt.Fprintf(w, "loopmap_last_delivery_age_seconds %g\n", float64(r.Now().UnixMilli()-last)/1000)
	}
	if r.Journal != nil && r.failed.Load() != nil {
		_ = r.storable(q.Context()) // which /readyz says more of
	}
	header(w, "loopmap_storing", "gauge", "Whether a webhook could be stored: 0 from one that could not on.")
	storing := 0
	if r.failed.Load() == nil {
		storing = 1
	}
	fmt.Fprintf(w, "loopmap_storing %d\n", storing)
	if r.Gauges != nil {
		for _, g := range r.Gauges() {
			header(w, g.Name, "gauge", g.Help)
			fmt.Fprintf(w, "%s %g\n", g.Name, g.Value)
		}
	}
	if r.Journal == nil {
		return
	}
	quarantined, pending, err := r.waiting.get(q.Context(), r.Journal)
	if err != nil {
		r.Log.Error("the journal cannot be counted", "error", brief(err))
		return
	}
	header(w, "loopmap_waiting_deliveries", "gauge", "Deliveries in the journal that have not become rows yet, by status.")
	fmt.Fprintf(w, "loopmap_waiting_deliveries{status=\"quarantined\"} %d\nloopmap_waiting_deliveries{status=\"pending\"} %d\n",
		quarantined, pending)
}
