package push

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/outgoing"
)

// Run sends what the job's rows send. It returns early, with a *[Stopped], when the
// rest would fail the same way; with ctx's error when ctx ends, after what is under
// way has got its answer or [grace] is over.
func (p *Pusher) Run(ctx context.Context, job Job) (Counts, error) {
	r := p.Begin(job)
	_, err := r.Turn(ctx, ctx)
	return r.Counts(), err
}

// Run is a job that is carried through in one turn or in several.
type Run struct {
	*Pusher
	job   Job
	table string
	pages pager
	rows  int // that have something to send
	begun time.Time

	mu     sync.Mutex
	more   sync.Cond // the queue has more, or the look is at its end
	queue  []string  // keys of rows that have something to send
	idle   bool      // nothing more will come in this turn
	looked bool      // nor in another one
	counts Counts
	last   string // the failure that came last
	streak int    // how often in a row
}

// Begin makes a run of a job, which the first turn starts. What now is, in conditions, is
// one moment for all of it.
func (p *Pusher) Begin(job Job) *Run {
	job.Sender = job.Sender.At(time.Now())
	r := &Run{Pusher: p, job: job, table: job.Sender.Mapping().Table, pages: newPager(p.Store, job), begun: time.Now()}
	r.more.L = &r.mu
	return r
}

// Counts are the outcomes so far.
func (r *Run) Counts() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts
}

// errTurn is returned for a row whose turn is over before it was sent.
var errTurn = errors.New("the turn is over")

// Turn goes on with a run until turn ends, which ends with ctx at the latest: what has
// begun by then is finished. done is true when nothing is left.
func (r *Run) Turn(ctx, turn context.Context) (done bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	turn, stop := context.WithCancel(turn)
	defer stop()
	defer context.AfterFunc(ctx, stop)()
	defer context.AfterFunc(turn, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.more.Broadcast()
	})()
	requests, stopRequests := lasting(ctx)
	defer stopRequests()

	r.mu.Lock()
	r.idle = false
	r.mu.Unlock()
	t := times{ctx, turn, requests}
	var work sync.WaitGroup
	for range inFlight {
		work.Go(func() {
			if err := r.work(t); err != nil {
				cancel(err)
			}
		})
	}
	looked, err := r.look(t)
	if err != nil {
		cancel(err)
	}
	r.mu.Lock()
	r.idle = true
	if looked {
		r.looked, r.counts.All = true, true
	}
	r.more.Broadcast()
	r.mu.Unlock()
	work.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.looked && len(r.queue) == 0, context.Cause(ctx)
}

// times are what bounds a turn: run for what it writes and reads, turn for what it begins
// anew, requests for what is under way.
type times struct{ run, turn, requests context.Context }

// lasting is a context that outlives ctx by grace.
func lasting(ctx context.Context) (context.Context, func()) {
	long, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		_ = sleep(long, grace) // ended by cancel
		cancel()
	})
	return long, func() { stop(); cancel() }
}

// look finds the rows that have something to send, well ahead of the sending, and
// settles those that have not. done is true when there are no more.
func (r *Run) look(t times) (done bool, err error) {
	for t.turn.Err() == nil {
		rows, err := r.pages.next(t.run)
		if err != nil {
			return false, err
		}
		if rows == nil {
			return true, nil
		}
		full, err := r.sort(t.run, rows)
		if err != nil || full {
			return full, err
		}
	}
	return false, nil
}

// sort queues rows that have something to send and settles the others; full is true when
// the job wants no more of them.
func (r *Run) sort(ctx context.Context, rows []outgoing.Row) (full bool, err error) {
	var saves, outcomes []outgoing.Save
	var settled, calm []string
	nothing := map[string][]outgoing.Step{}
	for _, row := range rows {
		if full {
			break
		}
		steps := r.job.Sender.Judge(row, r.job.Again)
		requests := 0
		for _, st := range steps {
			if st.Request != nil {
				requests++
			}
		}
		if requests == 0 {
			told := false
			for _, st := range steps {
				if st.Quiet {
					continue
				}
				s := settle(row.Key, st)
				if saves = append(saves, s); tells(st) {
					outcomes, told = append(outcomes, s), true
				}
			}
			if !told && !row.Gone {
				nothing[row.Key] = steps
			}
			if later(steps) {
				calm = append(calm, row.Key)
			} else {
				settled = append(settled, row.Key)
			}
		}
		full = r.enter(row, requests)
	}
	if err := r.save(ctx, r.table, saves...); err != nil {
		return false, err
	}
	for _, s := range outcomes {
		r.tell(s.RowKey, s.Line, 0)
	}
	for _, key := range append(slices.Clone(settled), calm...) {
		r.tellNothing(key, nothing[key])
	}
	for _, key := range settled {
		r.through(key)
	}
	for _, key := range calm {
		r.later(key)
	}
	return full, nil
}

// later reports whether a row is to be looked at again in seconds.
func later(steps []outgoing.Step) bool {
	return slices.ContainsFunc(steps, func(st outgoing.Step) bool { return st.Why == outgoing.WhyCalm })
}

// enter counts a row, and queues it where it has requests.
func (r *Run) enter(row outgoing.Row, requests int) (full bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !row.Gone {
		r.counts.Rows++
	}
	if requests == 0 {
		return false
	}
	r.queue = append(r.queue, row.Key)
	r.counts.Requests += requests
	r.more.Signal()
	r.rows++
	return r.rows == r.job.Rows
}

// tells reports whether a step without a request is an outcome of its own.
func tells(st outgoing.Step) bool {
	return st.Status == outgoing.NotMet || st.Status == outgoing.Failed
}

// settle is the line of a step that sends nothing.
func settle(key string, st outgoing.Step) outgoing.Save {
	s := outgoing.Save{RowKey: key, Kind: st.Kind, Drop: st.Drops, Gone: st.Gone}
	if st.Status == "" {
		return s
	}
	l := st.Line
	l.Kind, l.Status, l.Message, l.NextAt = st.Kind, st.Status, st.Reason, zero
	if !st.Keeps {
		l.FirstAt = zero
	}
	if l.Status != outgoing.Sent {
		l.Code = 0
	}
	s.Line = l
	return s
}

// tell counts an outcome and hands it on.
func (r *Run) tell(key string, l outgoing.Line, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch l.Status {
	case outgoing.Sent:
		r.counts.Sent++
	case outgoing.NotMet:
		r.counts.NotMet++
	case outgoing.Failed:
		r.counts.Failed++
	case outgoing.Pending:
		r.counts.Pending++
	}
	if r.job.Outcome != nil {
		r.job.Outcome(Outcome{key, l, took, r.counts})
	}
}

// tellNothing counts a row that has sent nothing, by what became of its contact, and
// hands on why.
func (r *Run) tellNothing(key string, steps []outgoing.Step) {
	if len(steps) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts.Nothing == nil {
		r.counts.Nothing = map[outgoing.Why]int{}
	}
	r.counts.Nothing[steps[0].Why]++
	if r.job.Nothing != nil {
		r.job.Nothing(key, steps)
	}
}

func (r *Run) through(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.job.Through != nil {
		r.job.Through(key)
	}
}

func (r *Run) later(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.job.Later != nil {
		r.job.Later(key)
	}
}

// next is the next row of the queue; "" and false when the turn has no more.
func (r *Run) next(turn context.Context) (key string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.queue) == 0 && !r.idle && turn.Err() == nil {
		r.more.Wait()
	}
	if turn.Err() != nil || len(r.queue) == 0 {
		return "", false
	}
	key, r.queue = r.queue[0], r.queue[1:]
	return key, true
}

// back puts a row whose turn is over first in the queue.
func (r *Run) back(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queue = slices.Insert(r.queue, 0, key)
}

func (r *Run) work(t times) error {
	for {
		key, ok := r.next(t.turn)
		if !ok {
			return nil
		}
		if err := r.row(t, key); errors.Is(err, errTurn) {
			r.back(key)
			return nil
		} else if err != nil {
			return err
		}
	}
}

// sentAlready reports whether this run has sent the row's contact update: in a turn before.
func (r *Run) sentAlready(row outgoing.Row) bool {
	return slices.ContainsFunc(row.Lines, func(l outgoing.Line) bool {
		return l.Kind == mapping.ContactKind && !l.SentAt.Before(r.begun)
	})
}

// row sends what a row sends now, its contact before its events. It is read again: much
// may have changed since it was queued.
func (r *Run) row(t times, key string) error {
	again, calm := r.job.Again, false
	for range 4 {
		rows, err := r.Store.PushRows(t.run, r.job.Sender.Mapping(), r.job.Sender.Fields(), outgoing.Query{Keys: []string{key}})
		if err != nil || len(rows) == 0 {
			return err
		}
		if r.sentAlready(rows[0]) {
			again.Known = false
		}
		anew := false
		steps := r.job.Sender.Judge(rows[0], again)
		calm = later(steps)
		for _, st := range steps {
			if st.Quiet {
				continue
			}
			if st.Request == nil {
				s := settle(key, st)
				if err := r.save(t.run, r.table, s); err != nil {
					return err
				}
				if tells(st) {
					r.tell(key, s.Line, 0)
				}
				continue
			}
			l, err := r.send(t, key, st)
			if err != nil {
				return err
			}
			if l.Status == outgoing.Pending {
				r.through(key) // its next try is on its line
				return nil
			}
			if st.Kind == mapping.ContactKind && l.Status == outgoing.Failed {
				anew = true // its events are to know
				break
			}
			anew = anew || st.Resumes && st.Kind != mapping.ContactKind
		}
		if !anew {
			break
		}
		again = outgoing.Resend{Known: again.Known} // what comes after an event that was begun before, or a refusal
	}
	if calm {
		r.later(key)
	} else {
		r.through(key)
	}
	return nil
}
