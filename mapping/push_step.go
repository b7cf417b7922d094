package mapping

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// PushStep is one thing that a row sends to Loops, or why it does not.
type PushStep struct {
	Kind    string
	Request *Request   // nil: nothing is sent
	Resumes bool       // the request was begun before, and may have arrived
	Status  PushStatus // without a request: PushNotMet, PushFailed, PushSent; "" when the row has no line of this kind
	Reason  string     // for people
	Line    PushLine   // that it goes on from; zero when there is none
	Drops   []string   // idempotency keys of lines that it takes the place of
	Ends    []string   // the same, once the request is sent
	OncePer bool       // no other row may have sent the same idempotency key
}

// Resend says which outcomes are tried again although nothing has changed.
type Resend struct {
	Failed  bool // refused ones
	Unknown bool // and events of which nobody knows whether they have arrived
	Same    bool // and what Loops has already: all that the row could send, to be shown
}

// Steps are what a row sends now, in order. What Loops has already is left out.
func (s *Sender) Steps(row PushRow, again Resend) (list []PushStep) {
	if row.Gone {
		return s.gone(row)
	}
	p, arrived := s.m.Push, !again.Same && s.arrived(row)
	if p.Contact != nil {
		list = s.contactStep(list, row, arrived, again)
	}
	for i := range p.Events {
		list = s.eventStep(list, row, i, arrived, again)
	}
	return list
}

// gone ends what was begun for a row that is not there any more.
func (s *Sender) gone(row PushRow) (list []PushStep) {
	for _, l := range row.Lines {
		switch {
		case l.Status != PushPending:
		case l.Kind == ContactKind || l.Body == nil:
			list = append(list, PushStep{Kind: l.Kind, Status: PushFailed, Reason: "the row is not there any more", Line: l})
		default:
			list = append(list, l.resume())
		}
	}
	return list
}

func (l PushLine) resume() PushStep {
	return PushStep{Kind: l.Kind, Resumes: true, Line: l, Request: &Request{
		Kind: l.Kind, Method: "POST", Path: "/v1/events/send", Body: l.Body, IdempotencyKey: l.IdempotencyKey, Hash: hashOf(l.Kind, l.Body),
	}}
}

// settle adds a step without a request, unless the row's line says the same already.
func (st PushStep) settle(list []PushStep, status PushStatus, reason string) []PushStep {
	st.Request, st.Status, st.Reason = nil, status, reason
	if st.Line.Status == status && st.Line.Message == reason && len(st.Drops) == 0 {
		return list
	}
	return append(list, st)
}

// nothing adds a step that drops lines, if there are such.
func (st PushStep) nothing(list []PushStep) []PushStep {
	if st.Request, st.Status, st.Line = nil, "", (PushLine{}); len(st.Drops) == 0 {
		return list
	}
	return append(list, st)
}

func (s *Sender) contactStep(list []PushStep, row PushRow, arrived bool, again Resend) []PushStep {
	c := s.m.Push.Contact
	st := PushStep{Kind: ContactKind}
	for _, l := range row.Lines {
		if l.Kind == ContactKind {
			st.Line = l
		}
	}
	if arrived {
		if st.Line.Status != "" {
			st.Drops = []string{""}
		}
		return st.nothing(list)
	}
	if met, why := s.met(s.contact, row); !met {
		return st.settle(list, PushNotMet, why)
	}
	fields, wrong := s.contactFields(row.Cells)
	k := s.known(row, st.Line)
	if why := k.moved(fields); why != "" {
		wrong = append(wrong, why)
	}
	if len(wrong) > 0 {
		return st.settle(list, PushFailed, wrong.String())
	}
	body := bodyOf(fields)
	hash := hashOf(ContactKind, body)
	switch {
	case !again.Same && k.has(fields) && !st.Line.Unknown():
		if st.Line.Status == PushSent || st.Line.Status == "" {
			return list
		}
		if st.Line.Hash == "" {
			st.Drops = []string{""}
			return st.nothing(list)
		}
		return st.settle(list, PushSent, "")
	case st.Line.Status == PushFailed && st.Line.Tried == hash && !again.Failed:
		return list
	}
	if c.Source != "" && len(row.Told) == 0 && st.Line.Body == nil {
		body = bodyOf(fields, sentField{name: "source", json: quoteJSON(c.Source)})
	}
	st.Resumes = st.Line.Status == PushPending
	st.Request = &Request{Kind: ContactKind, Method: "PUT", Path: "/v1/contacts/update", Body: body, Hash: hash}
	return append(list, st)
}

func (s *Sender) met(c *RunIf, row PushRow) (bool, string) {
	if c == nil {
		return true, ""
	}
	return c.Met(s.uses, row.Cells)
}

func (s *Sender) eventStep(list []PushStep, row PushRow, i int, arrived bool, again Resend) []PushStep {
	e := s.m.Push.Events[i]
	lines := map[string]PushLine{}
	var last PushLine // that was sent
	for _, l := range row.Lines {
		if l.Kind != e.Name {
			continue
		}
		if l.Status == PushPending && l.Body != nil && !again.Same {
			return append(list, l.resume())
		}
		if lines[l.IdempotencyKey] = l; l.Status == PushSent && !l.SentAt.Before(last.SentAt) {
			last = l
		}
	}
	// step takes the place of all that is neither sent nor may have arrived.
	step := func(key string) PushStep {
		st := PushStep{Kind: e.Name, Line: lines[key], OncePer: len(e.OncePer) > 0}
		for _, l := range row.Lines {
			if l.Kind == e.Name && l.IdempotencyKey != key && l.Status != PushSent && !l.Unknown() {
				st.Drops = append(st.Drops, l.IdempotencyKey)
			}
		}
		return st
	}
	if arrived {
		return step("\x00").nothing(list) // a key that no line has
	}
	if met, why := s.met(s.events[i], row); !met {
		return step("").settle(list, PushNotMet, why)
	}
	body, wrong := s.eventBody(row, e)
	if len(wrong) > 0 {
		return step("").settle(list, PushFailed, wrong.String())
	}
	hash := hashOf(e.Name, body)
	parts := []string{row.Key, hash, last.IdempotencyKey}
	if len(e.OncePer) > 0 {
		var null string
		if parts, null = s.oncePer(row, e); null != "" {
			return step("").settle(list, PushNotMet, "once_per: "+null+" is NULL")
		}
	} else if last.Hash == hash && !again.Same {
		return step(last.IdempotencyKey).nothing(list)
	}
	key := s.idempotencyKey(e.Name, parts)
	st := step(key)
	switch l := st.Line; {
	case again.Same:
	case l.Status == PushSent:
		return st.nothing(list)
	case l.Status == PushFailed && l.Unknown() && !again.Unknown:
		return list
	case l.Status == PushFailed && l.Tried == hash && !again.Failed && !l.Unknown():
		return list
	}
	if len(e.OncePer) == 0 && last.IdempotencyKey != "" {
		st.Ends = []string{last.IdempotencyKey}
	}
	st.Request = &Request{Kind: e.Name, Method: "POST", Path: "/v1/events/send", Body: body, IdempotencyKey: key, Hash: hash}
	return append(list, st)
}

// eventBody is what an event of a row says (Loops API, POST events/send).
func (s *Sender) eventBody(row PushRow, e PushEvent) ([]byte, wrongs) {
	var w wrongs
	email, userID := s.m.eventIdentity(e)
	fields := s.identityFields(row.Cells, email, userID, &w)
	if c := s.m.Push.Contact; c != nil && c.Email == email && c.UserID == userID && len(w) == 0 {
		var line PushLine
		for _, l := range row.Lines {
			if l.Kind == ContactKind {
				line = l
			}
		}
		if why := s.known(row, line).moved(fields); why != "" {
			w = append(w, why)
		}
	}
	fields = append(fields, s.pairFields(row.Cells, e.Contact, SkipNull, &w)...)
	fields = append(fields, s.listFields(row.Cells, e.Lists, &w)...)
	extra := []sentField{{name: "eventName", json: quoteJSON(e.Name)}}
	if own := s.ownFields(row.Cells, e.Properties, &w); len(own) > 0 {
		extra = append(extra, sentField{name: "eventProperties", json: string(bodyOf(own))})
	}
	return bodyOf(fields, extra...), w
}

// ownFields are the event's own properties: their names mean nothing to contacts.
func (s *Sender) ownFields(row map[string]Cell, pairs []Pair, w *wrongs) (list []sentField) {
	for _, q := range pairs {
		t, cell := s.cell(row, q.Column)
		if cell.State == Missing || cell.State == Null {
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
func (s *Sender) oncePer(row PushRow, e PushEvent) (parts []string, null string) {
	for _, column := range e.OncePer {
		t, cell := s.cell(row.Cells, column)
		switch cell.State {
		case Missing, Null:
			return nil, column
		}
		text := cell.Text
		if t == Number || t == Integer {
			text = decimal(text)
		}
		parts = append(parts, column, text)
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

// hashOf names what is sent.
func hashOf(kind string, body []byte) string {
	sum := sha256.Sum256(append([]byte(kind+"\n"), body...))
	return fmt.Sprintf("%x", sum[:16])
}

// String is the step on one line, for dry runs and reasons.
func (st PushStep) String() string {
	switch {
	case st.Request != nil:
		return strings.Join([]string{st.Request.Method, st.Request.Path, string(st.Request.Body)}, " ")
	case st.Status == PushNotMet:
		return st.Kind + ": not met: " + st.Reason
	}
	return st.Kind + ": " + st.Reason
}
