package push

import (
	"context"
	"errors"
	"net/http"
	"time"

	"loopmap/mapping"
)

var zero time.Time

// How many failures of one kind in a row stop a run: whatever comes next would fail
// the same way.
const (
	mostRefused = 50
	mostUnclear = 20
	// longestThrottle is how long a request waits for Loops to take requests again.
	longestThrottle = 15 * time.Minute
)

// send carries a request through to an outcome. The claim comes first and is durable:
// whoever finds it after a crash sends the same request again. A line that comes back
// pending is to be tried later; an error ends the run.
func (r *run) send(ctx, requests context.Context, key string, st mapping.PushStep) (mapping.PushLine, error) {
	l, why, err := r.claim(ctx, key, st)
	if err != nil || why != "" {
		return l, err
	}
	event := st.Kind != mapping.ContactKind
	begun := time.Now()
	for try := 1; ; try++ {
		if (st.Resumes || try > 1) && time.Since(l.FirstAt) >= expiry {
			l.Status, l.NextAt = mapping.PushFailed, zero
			l.Message = "whether it arrived is not known, and Loops knows its Idempotency-Key no longer: push --failed --unknown sends it again"
			if !event {
				l.Message = "no answer in a day" + colon(l.Message)
			}
			return l, r.end(ctx, key, st, l)
		}
		slot, err := r.Pace.wait(ctx)
		if err != nil {
			return l, r.leave(ctx, key, st, l, try > 1, err)
		}
		at := time.Now()
		answer, failure := r.API.Send(slot.traced(requests), *st.Request)
		if failure == nil {
			r.Pace.saw(answer.Status, answer.Header)
		}
		slot.done()
		what, message := read(answer, failure, event, refusedBefore(l))
		l.Message = message
		if what != too_fast {
			l.Code, l.Attempts = answer.Status, l.Attempts+1
		}
		switch what {
		case taken:
			l.Status, l.Hash, l.Body, l.SentAt = mapping.PushSent, st.Request.Hash, st.Request.Body, at
			l.FirstAt, l.NextAt = zero, zero
			r.well()
			return l, r.end(ctx, key, st, l)
		case refused:
			l.Status, l.FirstAt, l.NextAt = mapping.PushFailed, zero, zero
			if err := r.end(ctx, key, st, l); err != nil {
				return l, err
			}
			return l, r.again(answer.Status, message, mostRefused)
		case barred:
			return l, r.leave(ctx, key, st, l, try > 1, &Stopped{Barred: true, Code: answer.Status, Reason: message})
		case too_fast:
			if try--; time.Since(begun) > longestThrottle {
				return l, r.leave(ctx, key, st, l, try > 0, &Stopped{Code: answer.Status, Reason: "it takes no requests", Times: 1})
			}
			continue
		}
		if err := r.again(answer.Status, message, mostUnclear); err != nil || try == tries || ctx.Err() != nil {
			l.NextAt = time.Now().Add(time.Minute + jitter(time.Minute, l.Attempts/tries, time.Hour))
			return l, errors.Join(r.end(ctx, key, st, l), err)
		}
		_ = sleep(ctx, jitter(500*time.Millisecond, try, 30*time.Second))
	}
}

// refusedBefore reports whether Loops has looked at a request of this line and said no.
func refusedBefore(l mapping.PushLine) bool {
	return l.Code >= 400 && l.Code < 500 && l.Code != http.StatusRequestTimeout && l.Code != http.StatusTooEarly && l.Code != http.StatusConflict
}

// claim writes that the request is begun; why says why it is not to be.
func (r *run) claim(ctx context.Context, key string, st mapping.PushStep) (l mapping.PushLine, why string, err error) {
	l = st.Line
	if st.OncePer && !st.Resumes {
		r.ledger.Lock()
		defer r.ledger.Unlock()
		var other mapping.PushLine
		if why, other, err = r.owner(ctx, r.table, key, st); err != nil {
			return l, "", err
		}
		if why != "" {
			s := settle(key, mapping.PushStep{Kind: st.Kind, Status: mapping.PushNotMet, Reason: why, Drops: st.Drops})
			if err = r.save(ctx, r.table, s); err == nil {
				r.tell(key, s.Line)
			}
			return s.Line, why, err
		}
		if l.Status == "" {
			l.Code = other.Code // that it was refused counts for the key, not for the row
		}
	}
	l.Kind, l.IdempotencyKey, l.Status, l.Tried = st.Kind, st.Request.IdempotencyKey, mapping.PushPending, st.Request.Hash
	l.NextAt = time.Now()
	if !st.Resumes {
		l.FirstAt, l.Attempts = l.NextAt, 0
	}
	if st.Kind != mapping.ContactKind {
		l.Body = st.Request.Body
	}
	return l, "", r.save(ctx, r.table, mapping.PushSave{RowKey: key, Kind: st.Kind, Line: l, Drop: st.Drops})
}

// owner says why an event is not to be sent for a row: another row has sent it, or is
// about to. Else line is what another row has found out about the key.
func (p *Pusher) owner(ctx context.Context, table, key string, st mapping.PushStep) (why string, line mapping.PushLine, err error) {
	row, line, found, err := p.Store.PushOwner(ctx, table, st.Kind, st.Request.IdempotencyKey)
	if err != nil || !found || row == key {
		return "", mapping.PushLine{}, err
	}
	if line.Status == mapping.PushSent || line.Unknown() {
		return oncePer("row " + mapping.Printable(row)), line, nil
	}
	return "", line, nil
}

func oncePer(row string) string { return "once_per: " + row + " has sent it" }

// end writes an outcome and tells of it.
func (r *run) end(ctx context.Context, key string, st mapping.PushStep, l mapping.PushLine) error {
	s := mapping.PushSave{RowKey: key, Kind: st.Kind, Line: l}
	if l.Status == mapping.PushSent {
		s.Drop = st.Ends
	}
	if err := r.save(ctx, r.table, s); err != nil {
		return err
	}
	r.tell(key, l)
	return nil
}

// leave ends the run at a request that has no outcome. One that was not sent is as if
// it had never been begun.
func (r *run) leave(ctx context.Context, key string, st mapping.PushStep, l mapping.PushLine, sent bool, why error) error {
	s := mapping.PushSave{RowKey: key, Kind: st.Kind, Line: l}
	if !sent && !st.Resumes {
		if s.Line = st.Line; st.Line.Status == "" {
			s.Drop = []string{l.IdempotencyKey}
		}
	}
	return errors.Join(r.save(ctx, r.table, s), why)
}

// well forgets the failures before.
func (r *run) well() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.streak = 0
}

// again counts a failure. So many of one kind in a row are an error.
func (r *run) again(code int, message string, most int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if kind := alike(code, message); kind != r.last {
		r.last, r.streak = kind, 0
	}
	if r.streak++; r.streak < most {
		return nil
	}
	return &Stopped{Code: code, Reason: message, Times: r.streak}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
