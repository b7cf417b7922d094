package outgoing

import (
	"crypto/sha256"
	"fmt"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/column"
)

// eventStep is what a row sends of an event. contact is what becomes of its contact
// update, nil when there is none.
func (s *Sender) eventStep(row Row, i int, arrived bool, contact *Step, again Resend) Step {
	e := s.m.Push.Events[i]
	lines := map[string]Line{}
	var last Line // that was sent
	for _, l := range row.Lines {
		if l.Kind != e.Name {
			continue
		}
		if l.Status == Pending && l.Body != nil && !again.Same {
			return l.resume()
		}
		if lines[l.IdempotencyKey] = l; l.Status == Sent && !l.SentAt.Before(last.SentAt) {
			last = l
		}
	}
	// step takes the place of all that is neither sent nor may have arrived.
	step := func(key string) Step {
		st := Step{Kind: e.Name, Line: lines[key], Key: key, OncePer: len(e.OncePer) > 0}
		for _, l := range row.Lines {
			if l.Kind == e.Name && l.IdempotencyKey != key && l.Status != Sent && !l.Unknown() {
				st.Drops = append(st.Drops, l.IdempotencyKey)
			}
		}
		return st
	}
	if arrived {
		return step("\x00").nothing(WhyCame, cameReason) // a key that no line has
	}
	if met, why := s.met(s.events[i], row); !met {
		return step("").settle(NotMet, WhyNotMet, why)
	}
	fields, extra, wrong := s.eventFields(row, e)
	if len(wrong) > 0 {
		return step("").settle(Failed, WhyWrong, wrong.String())
	}
	if why := s.contactRefused(e, contact); why != "" && !again.Same {
		return step("").settle(NotMet, WhyContact, why)
	}
	body := bodyOf(fields, extra...)
	hash := hashOf(e.Name, body)
	parts := []string{row.Key, hash, last.IdempotencyKey}
	if len(e.OncePer) > 0 {
		var null string
		if parts, null = s.oncePer(row, e); null != "" {
			return step("").settle(NotMet, WhyOnce, "once_per: "+null+" is NULL")
		}
	} else if last.Hash == hash && !again.Same {
		return step(last.IdempotencyKey).nothing(WhySent, sentBefore(last, ", and what it says has not changed", again))
	}
	key := s.idempotencyKey(e.Name, parts)
	st := step(key)
	switch l := st.Line; {
	case again.Same:
	case l.Status == Sent:
		return st.nothing(WhySent, sentBefore(l, "; once_per lets it go once", again))
	case l.Status == Failed && l.Unknown() && !again.Unknown:
		return st.nothing(WhyUnknown, "nobody knows whether it has arrived: push --failed --unknown sends it again")
	case l.Status == Failed && l.Tried == hash && !again.Failed && !l.Unknown():
		return st.nothing(WhyRefused, refusedBefore(l))
	}
	if len(e.OncePer) == 0 && last.IdempotencyKey != "" {
		st.Ends = []string{last.IdempotencyKey}
	}
	send := st.Line
	send.IdempotencyKey = key
	st.Request = &Request{Kind: e.Name, Method: "POST", Path: "/v1/events/send", Body: body, IdempotencyKey: send.SendKey(), Hash: hash}
	if s.mayBeNew(row) && !(s.sameContact(e) && contact != nil && contact.Request != nil) {
		st.Request.Create = s.createBody(identityOf(fields))
	}
	return st
}

// sentBefore says why an event that was sent does not go again, also to who asks for it.
func sentBefore(l Line, why string, again Resend) string {
	if again.Known {
		why = ": the same event again would be a double"
	}
	return "sent " + on(l.SentAt) + why
}

// SendKey is the Idempotency-Key of a line's next request: another one after each
// refusal, so that a 409 always says that this very request has arrived, whether or not
// Loops remembers the keys of what it has refused.
func (l Line) SendKey() string {
	if l.Refusals == 0 {
		return l.IdempotencyKey
	}
	return fmt.Sprintf("%s-%d", l.IdempotencyKey, l.Refusals)
}

// RefusedOnce reports whether Loops has looked at a request of this line and said no.
func (l Line) RefusedOnce() bool {
	return l.Kind != mapping.ContactKind && l.Status == Failed && !l.Unknown() && l.Code >= 400 && l.Code < 500
}

// sameContact reports whether an event is about the contact of the contact update.
func (s *Sender) sameContact(e mapping.PushEvent) bool {
	email, userID := s.m.EventIdentity(e)
	c := s.m.Push.Contact
	return c != nil && c.Email == email && c.UserID == userID
}

// contactRefused says why an event waits for the contact that it is about: Loops has
// refused it, or it cannot be sent.
func (s *Sender) contactRefused(e mapping.PushEvent, contact *Step) string {
	switch {
	case contact == nil || contact.Request != nil || !s.sameContact(e):
	case contact.Why == WhyWrong:
		return "its contact cannot be sent: " + contact.Reason
	case contact.Why == WhyRefused:
		return "its contact was refused, so the event waits for it"
	}
	return ""
}

// eventFields are what an event of a row says of the contact, and what else it says
// (Loops API, POST events/send).
func (s *Sender) eventFields(row Row, e mapping.PushEvent) (fields, extra []sentField, w wrongs) {
	email, userID := s.m.EventIdentity(e)
	fields = s.identityFields(row.Cells, email, userID, &w)
	if s.sameContact(e) && len(w) == 0 {
		var line Line
		for _, l := range row.Lines {
			if l.Kind == mapping.ContactKind {
				line = l
			}
		}
		if why := s.known(row, line).moved(fields); why != "" {
			w = append(w, why)
		}
	}
	fields = append(fields, s.pairFields(row.Cells, e.Contact, mapping.SkipNull, &w)...)
	fields = append(fields, s.listFields(row.Cells, e.Lists, &w)...)
	extra = []sentField{{name: "eventName", json: body.Quote(e.Name)}}
	if own := s.ownFields(row.Cells, e.Properties, &w); len(own) > 0 {
		extra = append(extra, sentField{name: "eventProperties", json: string(bodyOf(own))})
	}
	return fields, extra, w
}

// identityOf are those of fields by which Loops finds a contact.
func identityOf(fields []sentField) (list []sentField) {
	for _, f := range fields {
		if f.name == "email" || f.name == "userId" {
			list = append(list, f)
		}
	}
	return list
}

// ownFields are the event's own properties: their names mean nothing to contacts.
func (s *Sender) ownFields(row map[string]column.Cell, pairs []mapping.Pair, w *wrongs) (list []sentField) {
	for _, q := range pairs {
		t, cell := s.cell(row, q.Column)
		if cell.Empty() {
			continue
		}
		text, why := sent(t, cell, q.As)
		if w.add(q.Column, why); why == "" {
			list = append(list, sentField{name: q.Loops, json: text})
		}
	}
	return list
}

// oncePer are the names and values that an event is sent once per; null names a column
// without a value.
func (s *Sender) oncePer(row Row, e mapping.PushEvent) (parts []string, null string) {
	email, userID := s.m.EventIdentity(e)
	for _, name := range e.OncePer {
		t, cell := s.cell(row.Cells, name)
		switch cell.State {
		case column.Missing, column.Null:
			return nil, name
		case column.Present, column.Misfit:
		}
		text := cell.Text
		switch {
		case t == column.Number || t == column.Integer:
			text = decimal(text)
		case name == email || name == userID:
			text = trim(text)
		}
		parts = append(parts, name, text)
	}
	return parts, ""
}

// idempotencyKey is the Idempotency-Key of an event (Loops API: at most 100
// characters): the same for the same table, event and parts, on any machine.
func (s *Sender) idempotencyKey(event string, parts []string) string {
	h := sha256.New()
	for _, part := range append([]string{s.m.Table, event}, parts...) {
		fmt.Fprintf(h, "%d:%s", len(part), part) // so that no two lists look alike
	}
	return fmt.Sprintf("loopmap-%x", h.Sum(nil)[:20])
}

// on is a day and time of the past.
func on(at time.Time) string {
	if at.IsZero() {
		return "before"
	}
	return "on " + at.UTC().Format("2006-01-02 15:04:05") + " UTC"
}
