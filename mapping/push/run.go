package push

import (
	"context"
	"sync"

	"loopmap/mapping"
)

// Run sends what the job's rows send. It returns early, with a *[Stopped], when the
// rest would fail the same way; with ctx's error when ctx ends, after what is under
// way has got its answer or [grace] is over.
func (p *Pusher) Run(ctx context.Context, job Job) (Counts, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := &run{Pusher: p, job: job, table: job.Sender.Mapping().Table, cancel: cancel}
	r.more.L = &r.mu
	defer context.AfterFunc(ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.more.Broadcast()
	})()
	requests, stopRequests := lasting(ctx)
	defer stopRequests()

	var work sync.WaitGroup
	for range inFlight {
		work.Go(func() { r.work(ctx, requests) })
	}
	if err := r.look(ctx); err != nil {
		cancel(err)
	}
	r.mu.Lock()
	r.looked, r.counts.All = true, true
	r.more.Broadcast()
	r.mu.Unlock()
	work.Wait()
	return r.counts, context.Cause(ctx)
}

// lasting is a context that outlives ctx by grace.
func lasting(ctx context.Context) (context.Context, func()) {
	long, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		_ = sleep(long, grace) // ended by cancel
		cancel()
	})
	return long, func() { stop(); cancel() }
}

// Plan is what Run would do: each row that has steps, in order. Nothing is sent or
// written.
func (p *Pusher) Plan(ctx context.Context, job Job, each func(key string, steps []mapping.PushStep) error) error {
	taken := map[string]bool{}
	n := 0
	return p.pages(ctx, job, func(rows []mapping.PushRow) (bool, error) {
		for _, row := range rows {
			steps := job.Sender.Steps(row, job.Again)
			sends := false
			for i := range steps {
				st := &steps[i]
				if st.Request == nil || !st.OncePer || st.Resumes {
					sends = sends || st.Request != nil
					continue
				}
				why, _, err := p.owner(ctx, job.Sender.Mapping().Table, row.Key, *st)
				if err != nil {
					return false, err
				}
				if why == "" && taken[st.Request.IdempotencyKey] {
					why = oncePer("another row of this run")
				}
				if why != "" {
					st.Request, st.Status, st.Reason = nil, mapping.PushNotMet, why
					continue
				}
				taken[st.Request.IdempotencyKey], sends = true, true
			}
			if len(steps) > 0 {
				if err := each(row.Key, steps); err != nil {
					return false, err
				}
			}
			if sends {
				if n++; n == job.Rows {
					return false, nil
				}
			}
		}
		return true, nil
	})
}

// pages hands the job's rows over, some at a time, until there are none or each says
// so.
func (p *Pusher) pages(ctx context.Context, job Job, each func([]mapping.PushRow) (more bool, err error)) error {
	m, fields := job.Sender.Mapping(), job.Sender.Fields()
	q := mapping.PushQuery{Status: job.Status, Due: job.Due, Limit: page}
	keys := job.Keys
	for {
		if job.Keys != nil {
			if len(keys) == 0 {
				return nil
			}
			n := min(page, len(keys))
			q.Keys, keys = keys[:n], keys[n:]
		}
		rows, err := p.Store.PushRows(ctx, m, fields, q)
		if err != nil {
			return err
		}
		if more, err := each(rows); err != nil || !more {
			return err
		}
		if job.Keys == nil {
			if len(rows) < page {
				return nil
			}
			q.After = rows[len(rows)-1].Key
		}
	}
}

// run is one run's state.
type run struct {
	*Pusher
	job    Job
	table  string
	cancel context.CancelCauseFunc

	mu     sync.Mutex
	more   sync.Cond // the queue has more, or is at its end
	queue  []string  // keys of rows that have something to send
	looked bool      // no more will come
	counts Counts
	last   string // the failure that came last
	streak int    // how often in a row
}

// look finds the rows that have something to send, well ahead of the sending, and
// settles those that have not.
func (r *run) look(ctx context.Context) error {
	n := 0
	return r.pages(ctx, r.job, func(rows []mapping.PushRow) (bool, error) {
		var saves []mapping.PushSave
		var settled []string
		var outcomes []mapping.PushSave
		full := false
		for _, row := range rows {
			if full {
				break
			}
			steps := r.job.Sender.Steps(row, r.job.Again)
			requests := 0
			for _, st := range steps {
				if st.Request != nil {
					requests++
				}
			}
			if requests == 0 {
				for _, st := range steps {
					s := settle(row.Key, st)
					if saves = append(saves, s); tells(st) {
						outcomes = append(outcomes, s)
					}
				}
				settled = append(settled, row.Key)
			}
			r.mu.Lock()
			if r.counts.Rows++; requests > 0 {
				r.queue = append(r.queue, row.Key)
				r.counts.Requests += requests
				r.more.Signal()
				n++
				full = n == r.job.Rows
			}
			r.mu.Unlock()
		}
		if err := r.save(ctx, r.table, saves...); err != nil {
			return false, err
		}
		for _, s := range outcomes {
			r.tell(s.RowKey, s.Line)
		}
		for _, key := range settled {
			r.through(key)
		}
		return !full, ctx.Err()
	})
}

// tells reports whether a step without a request is an outcome of its own.
func tells(st mapping.PushStep) bool {
	return st.Status == mapping.PushNotMet || st.Status == mapping.PushFailed
}

// settle is the line of a step that sends nothing.
func settle(key string, st mapping.PushStep) mapping.PushSave {
	s := mapping.PushSave{RowKey: key, Kind: st.Kind, Drop: st.Drops}
	if st.Status == "" {
		return s
	}
	l := st.Line
	l.Kind, l.Status, l.Message = st.Kind, st.Status, st.Reason
	l.NextAt, l.FirstAt = zero, zero
	if l.Status != mapping.PushSent {
		l.Code = 0
	}
	s.Line = l
	return s
}

// tell counts an outcome and hands it on.
func (r *run) tell(key string, l mapping.PushLine) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch l.Status {
	case mapping.PushSent:
		r.counts.Sent++
	case mapping.PushNotMet:
		r.counts.NotMet++
	case mapping.PushFailed:
		r.counts.Failed++
	case mapping.PushPending:
		r.counts.Pending++
	}
	if r.job.Outcome != nil {
		r.job.Outcome(Outcome{key, l, r.counts})
	}
}

func (r *run) through(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.job.Through != nil {
		r.job.Through(key)
	}
}

// next is the next row of the queue; "" and false when there is none any more.
func (r *run) next(ctx context.Context) (key string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.queue) == 0 && !r.looked && ctx.Err() == nil {
		r.more.Wait()
	}
	if ctx.Err() != nil || len(r.queue) == 0 {
		return "", false
	}
	key, r.queue = r.queue[0], r.queue[1:]
	return key, true
}

func (r *run) work(ctx, requests context.Context) {
	for {
		key, ok := r.next(ctx)
		if !ok {
			return
		}
		if err := r.row(ctx, requests, key); err != nil {
			r.cancel(err)
			return
		}
	}
}

// row sends what a row sends now, its contact before its events. It is read again: much
// may have changed since it was queued.
func (r *run) row(ctx, requests context.Context, key string) error {
	again := r.job.Again
	for range 4 {
		rows, err := r.Store.PushRows(ctx, r.job.Sender.Mapping(), r.job.Sender.Fields(), mapping.PushQuery{Keys: []string{key}})
		if err != nil || len(rows) == 0 {
			return err
		}
		resumed := false
		for _, st := range r.job.Sender.Steps(rows[0], again) {
			if st.Request == nil {
				s := settle(key, st)
				if err := r.save(ctx, r.table, s); err != nil {
					return err
				}
				if tells(st) {
					r.tell(key, s.Line)
				}
				continue
			}
			l, err := r.send(ctx, requests, key, st)
			if err != nil {
				return err
			}
			if l.Status == mapping.PushPending {
				r.through(key) // its next try is on its line
				return nil
			}
			resumed = resumed || st.Resumes && st.Kind != mapping.ContactKind
		}
		if !resumed {
			break
		}
		again = mapping.Resend{} // what comes after an event that was begun before
	}
	r.through(key)
	return nil
}
