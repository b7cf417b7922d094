package push

import (
	"context"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/outgoing"
)

// Plan is what Run would do: each row with what it sends, and why not, in order. Nothing
// is sent or written.
func (p *Pusher) Plan(ctx context.Context, job Job, each func(key string, steps []outgoing.Step) error) error {
	job.Sender = job.Sender.At(time.Now())
	pages := newPager(p.Store, job)
	pages.gone = false
	taken := map[string]bool{}
	n := 0
	for {
		rows, err := pages.next(ctx)
		if err != nil || rows == nil {
			return err
		}
		for _, row := range rows {
			steps := job.Sender.Judge(row, job.Again)
			sends, err := p.owned(ctx, job, row, steps, taken)
			if err != nil {
				return err
			}
			if len(steps) > 0 {
				if err := each(row.Key, steps); err != nil {
					return err
				}
			}
			if sends {
				if n++; n == job.Rows {
					return nil
				}
			}
		}
	}
}

// owned takes out of steps what another row has sent or is about to. sends is true when
// something is left.
func (p *Pusher) owned(ctx context.Context, job Job, row outgoing.Row, steps []outgoing.Step, taken map[string]bool) (sends bool,
	err error) {
	for i := range steps {
		st := &steps[i]
		if err := p.nextKey(ctx, job.Sender.Mapping().Table, st); err != nil {
			return false, err
		}
		if st.Request == nil || !st.OncePer || st.Resumes {
			sends = sends || st.Request != nil
			continue
		}
		why, status, err := p.owner(ctx, job.Sender.Mapping().Table, row.Key, *st)
		if err != nil {
			return false, err
		}
		if why == "" && taken[st.Key] {
			why, status = "once_per: another row of this run sends it", outgoing.NotMet
		}
		if why != "" {
			st.Request, st.Status, st.Why, st.Reason = nil, status, outgoing.WhyOnce, why
			continue
		}
		taken[st.Key], sends = true, true
	}
	return sends, nil
}

// nextKey gives an event the Idempotency-Key that it will be sent with: another one after
// each refusal, whichever row that was of.
func (p *Pusher) nextKey(ctx context.Context, table string, st *outgoing.Step) error {
	if st.Request == nil || st.Kind == mapping.ContactKind || st.Resumes {
		return nil
	}
	n, err := p.Store.PushRefusals(ctx, table, st.Kind, st.Key)
	if err != nil {
		return err
	}
	next := st.Line
	next.IdempotencyKey, next.Refusals = st.Key, max(st.Line.Refusals, n)
	r := *st.Request
	r.IdempotencyKey = next.SendKey()
	st.Request = &r
	return nil
}
