package push

import (
	"context"
	"errors"
	"net/http"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/outgoing"
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
// pending is to be tried later; an error ends the run, but for errTurn.
func (r *Run) send(t times, key string, st outgoing.Step) (outgoing.Line, error) {
	if st.OncePer && !st.Resumes {
		if err := r.take(t.run, st.Key); err != nil {
			return st.Line, err
		}
		defer r.give(st.Key)
	}
	l, why, err := r.claim(t.run, key, st)
	if err != nil || why != "" {
		return l, err
	}
	event := st.Kind != mapping.ContactKind
	request, creating, contact := *st.Request, st.Request.Create != nil, ""
	if event {
		request.IdempotencyKey = l.SendKey()
	}
	begun := time.Now()
	for try := 1; ; try++ {
		if (st.Resumes || try > 1) && time.Since(l.FirstAt) >= expiry {
			l.Status, l.NextAt = outgoing.Failed, zero
			l.Message = "whether it arrived is not known, and Loops knows its Idempotency-Key no longer: push --failed --unknown sends it again"
			if !event {
				l.Message = "no answer in a day" + colon(l.Message)
			}
			return l, r.end(t.run, key, st, l, contact, 0)
		}
		slot, err := r.Pace.wait(t.turn)
		switch {
		case err == nil:
		case t.run.Err() != nil:
			return l, r.leave(t.run, key, st, l, try > 1, err)
		default: // it is first in the next turn
			return l, r.leave(t.run, key, st, l, try > 1, errTurn)
		}
		at := time.Now()
		now := request
		if creating {
			now = creation(request)
		}
		answer, failure := r.API.Send(slot.traced(t.requests), now)
		took := time.Since(at)
		if failure == nil {
			r.Pace.saw(answer.Status, answer.Header)
		}
		slot.done()
		what, message := read(answer, failure, event && !creating)
		if creating && goesOn(what, answer.Status, event) {
			if creating = false; what == taken {
				contact = answer.contactID()
			}
			try--
			continue
		}
		l.Message = message
		if what != tooFast {
			l.Code, l.Attempts = answer.Status, l.Attempts+1
		}
		switch what {
		case taken:
			l.Status, l.Hash, l.Body, l.SentAt = outgoing.Sent, request.Hash, now.Body, at
			l.FirstAt, l.NextAt = zero, zero
			r.well()
			if !event {
				contact = answer.contactID()
			}
			return l, r.end(t.run, key, st, l, contact, took)
		case refused:
			if l.Status, l.FirstAt, l.NextAt = outgoing.Failed, zero, zero; event && !creating {
				l.Refusals++
			}
			if err := r.end(t.run, key, st, l, contact, took); err != nil {
				return l, err
			}
			return l, r.again(answer.Status, message, mostRefused)
		case barred:
			return l, r.leave(t.run, key, st, l, try > 1, &Stopped{Barred: true, Code: answer.Status, Reason: message})
		case tooFast:
			if try--; time.Since(begun) > longestThrottle {
				return l, r.leave(t.run, key, st, l, try > 0, &Stopped{Code: answer.Status, Reason: "it takes no requests", Times: 1})
			}
			continue
		case unclear:
		}
		if err := r.again(answer.Status, message, mostUnclear); err != nil || try == tries || l.Attempts > 2*tries || t.run.Err() != nil {
			l.NextAt = time.Now().Add(retry(l))
			return l, errors.Join(r.end(t.run, key, st, l, contact, took), err)
		}
		_ = sleep(t.turn, jitter(500*time.Millisecond, try, 30*time.Second))
	}
}

// retry is how long a line waits for its next try.
func retry(l outgoing.Line) time.Duration {
	return time.Minute + jitter(time.Minute, l.Attempts/tries, time.Hour)
}

// creation is the request that comes before one whose contact may not be in Loops.
func creation(r outgoing.Request) outgoing.Request {
	return outgoing.Request{Kind: r.Kind, Method: http.MethodPost, Path: "/v1/contacts/create", Body: r.Create, Hash: r.Hash}
}

// goesOn reports whether after a creation's answer the request itself follows: Loops has
// the contact, or knows no such call; of an event, also once the contact is made. A refusal
// is of both.
func goesOn(what meaning, status int, event bool) bool {
	switch status {
	case http.StatusConflict, http.StatusNotFound, http.StatusMethodNotAllowed:
		return true
	}
	return event && what == taken
}

// claim writes that the request is begun; why says why it is not to be.
func (r *Run) claim(ctx context.Context, key string, st outgoing.Step) (l outgoing.Line, why string, err error) {
	l = st.Line
	event := st.Kind != mapping.ContactKind
	if st.OncePer && !st.Resumes {
		var status outgoing.Status
		if why, status, err = r.owner(ctx, r.table, key, st); err != nil {
			return l, "", err
		}
		if why != "" {
			s := settle(key, outgoing.Step{Kind: st.Kind, Status: status, Reason: why, Drops: st.Drops})
			if status == outgoing.Pending {
				s.Line.NextAt = time.Now().Add(retry(s.Line))
			}
			if err = r.save(ctx, r.table, s); err == nil {
				r.tell(key, s.Line, 0)
			}
			return s.Line, why, err
		}
	}
	if event && !st.Resumes {
		n, err := r.Store.PushRefusals(ctx, r.table, st.Kind, st.Key)
		if err != nil {
			return l, "", err
		}
		l.Refusals = max(l.Refusals, n)
	}
	if l.Marked() { // nothing of it is in Loops any more
		l = outgoing.Line{}
	}
	l.Kind, l.IdempotencyKey, l.Status, l.Tried = st.Kind, st.Key, outgoing.Pending, st.Request.Hash
	l.NextAt = time.Now()
	if !st.Resumes {
		l.FirstAt, l.Attempts = l.NextAt, 0
	}
	if event {
		l.Body = st.Request.Body
	}
	return l, "", r.save(ctx, r.table, outgoing.Save{RowKey: key, Kind: st.Kind, Line: l, Drop: st.Drops})
}

// take waits until no other row is being sent here that once_per lets go once, and takes it
// for this one, until give: whether it is this row's is known only then.
func (p *Pusher) take(ctx context.Context, onceKey string) error {
	for {
		p.mu.Lock()
		busy := p.once[onceKey]
		if busy == nil {
			if p.once == nil {
				p.once = map[string]chan struct{}{}
			}
			p.once[onceKey] = make(chan struct{})
			p.mu.Unlock()
			return nil
		}
		p.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// give lets the next row have what take has taken.
func (p *Pusher) give(onceKey string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.once[onceKey])
	delete(p.once, onceKey)
}

// owner says why an event is not to be sent for a row: another row has sent it, or may
// have. While that is not known yet, this one is pending.
func (p *Pusher) owner(ctx context.Context, table, key string, st outgoing.Step) (why string, status outgoing.Status, err error) {
	row, line, found, err := p.Store.PushOwner(ctx, table, st.Kind, st.Key)
	if err != nil || !found || row == key {
		return "", "", err
	}
	row = body.Printable(row)
	switch {
	case line.Status == outgoing.Sent:
		return "once_per: row " + row + " has sent it", outgoing.NotMet, nil
	case line.Status == outgoing.Pending && line.Unknown():
		return "once_per: row " + row + " has begun to send it, and this one waits for what becomes of that", outgoing.Pending, nil
	case line.Unknown():
		return "once_per: row " + row + " may have sent it, and nobody knows", outgoing.NotMet, nil
	}
	return "", "", nil
}

// end writes an outcome, with Loops' id of the contact where it is told, and tells of it.
func (r *Run) end(ctx context.Context, key string, st outgoing.Step, l outgoing.Line, contactID string, took time.Duration) error {
	s := outgoing.Save{RowKey: key, Kind: st.Kind, Line: l, ContactID: contactID}
	if l.Status == outgoing.Sent {
		s.Drop = st.Ends
	}
	if err := r.save(ctx, r.table, s); err != nil {
		return err
	}
	r.tell(key, l, took)
	return nil
}

// leave ends the run at a request that has no outcome. One that was not sent is as if
// it had never been begun.
func (r *Run) leave(ctx context.Context, key string, st outgoing.Step, l outgoing.Line, sent bool, why error) error {
	s := outgoing.Save{RowKey: key, Kind: st.Kind, Line: l}
	if !sent && !st.Resumes {
		if s.Line = st.Line; st.Line.Status == "" {
			s.Drop = []string{l.IdempotencyKey}
		}
	}
	return errors.Join(r.save(ctx, r.table, s), why)
}

// well forgets the failures before.
func (r *Run) well() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.streak = 0
}

// again counts a failure. So many of one kind in a row are an error.
func (r *Run) again(code int, message string, most int) error {
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
