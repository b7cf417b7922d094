package receive

import (
	"context"
	"net/http"
	"sync"
	"time"

	"loopmap/mapping"
)

const (
	probeWell   = 200 * time.Millisecond // that all is well holds so long, however many ask
	probeWithin = 8 * time.Second
)

// probe finds out whether a delivery would be stored now. From one that could not be
// stored on, that is not so until another is, or that one could be: it is tried on the
// very table, and taken back.
type probe struct {
	mu     sync.Mutex
	begun  time.Time
	failed *mapping.Delivery // the last one that failed, by then
	err    error
}

// storable says why a delivery could not be stored now. Who asks while another's question
// is looked into waits for the next answer, with all that do.
func (r *Receiver) storable(ctx context.Context) error {
	asked := time.Now()
	r.probe.mu.Lock()
	defer r.probe.mu.Unlock()
	p, failed := &r.probe, r.failed.Load()
	if failed == p.failed && (p.begun.After(asked) || p.err == nil && time.Since(p.begun) < probeWell) {
		return p.err
	}
	p.begun = time.Now()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeWithin) // the answer is for others, too
	defer cancel()
	if failed == nil {
		p.err = r.Journal.Ready(ctx, nil)
	} else {
		e := mapping.Enter(r.Mapping(), *failed)
		if p.err = r.Journal.Ready(ctx, &e); p.err == nil {
			r.failed.CompareAndSwap(failed, nil)
			failed = nil
		}
	}
	p.failed = failed
	return p.err
}

// ready says whether a delivery would be stored now.
func (r *Receiver) ready(w http.ResponseWriter, q *http.Request) {
	if r.Journal == nil {
		answer(w, http.StatusServiceUnavailable, reply{Error: "nothing is stored here: this is the mapper without a database"})
		return
	}
	if err := r.storable(q.Context()); err != nil {
		r.Log.Error("not ready", "error", brief(err))
		answer(w, http.StatusServiceUnavailable, reply{Error: "a delivery could not be stored now"})
		return
	}
	answer(w, http.StatusOK, reply{OK: true})
}
