package outgoing

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/condition"
)

// Step is one thing that a row sends to Loops, or why it does not.
type Step struct {
	Kind    string
	Request *Request // nil: nothing is sent
	Resumes bool     // the request was begun before, and may have arrived
	Status  Status   // without a request: PushNotMet, Failed, Sent; "" when the row has no line of this kind
	Reason  string   // why nothing is sent, for people
	Why     Why      // the same in short; "" with a request
	Quiet   bool     // it is as it was: nothing is to be sent or written
	Line    Line     // that it goes on from; zero when there is none
	Key     string   // idempotency key of its line
	Drops   []string // idempotency keys of lines that it takes the place of
	Ends    []string // the same, once the request is sent
	OncePer bool     // no other row may have sent the same idempotency key
	Again   bool     // a contact update that [Resend].Known alone sends: Loops has all of it, as far as is known
	Keeps   bool     // that it may have arrived is not forgotten
	Gone    bool     // the row is not there any more
}

// Why is, in few words, why a row sends nothing: the same for many rows, to be counted.
type Why string

// Why a row sends nothing.
const (
	WhyCame    Why = "came from Loops and not changed since"
	WhyHas     Why = "same as Loops has"
	WhySent    Why = "sent before"
	WhyNotMet  Why = "condition not met"
	WhyOnce    Why = "once_per"
	WhyWrong   Why = "cannot be sent"
	WhyRefused Why = "refused before"
	WhyUnknown Why = "may have arrived"
	WhyContact Why = "contact refused"
	WhyDeleted Why = "deleted in Loops"
	WhyCalm    Why = "just unsubscribed" // for seconds: then it is to be looked at again
)

// Again reports whether a row that sends nothing for this reason is sent all the same with
// [Resend].Known.
func (w Why) Again() bool { return w == WhyCame || w == WhyHas }

// Words are the reason without what only the command line can do about it.
func (Why) Words(reason string) string { return strings.TrimSuffix(reason, orAgain) }

// orAgain says so in its reason.
const orAgain = "; --again sends it all the same"

// Resend says which outcomes are tried again although nothing has changed.
type Resend struct {
	Failed  bool // refused ones
	Unknown bool // and events of which nobody knows whether they have arrived
	Known   bool // contact updates that Loops has, and what a row that came from Loops sends; no event goes twice
	Same    bool // and what Loops has already: all that the row could send, to be shown
}

// Steps are what a row sends now, and the outcomes without a request that are not
// written yet, in order.
func (s *Sender) Steps(row Row, again Resend) (list []Step) {
	return slices.DeleteFunc(s.Judge(row, again), func(st Step) bool { return st.Quiet })
}

// Judge says of each thing that a row could send that it is sent now, or why not, in
// order. It is what dry runs, counts and screens tell, and what is done.
func (s *Sender) Judge(row Row, again Resend) (list []Step) {
	if row.Gone {
		return s.gone(row)
	}
	d, held := s.Deleted(row)
	if held && !again.Same {
		return s.deletedStep(row, d)
	}
	p, came := s.m.Push, !again.Same && s.arrived(row)
	arrived := came && !again.Known
	var contact *Step
	if p.Contact != nil {
		st := s.contactStep(row, arrived, again)
		st.Again = st.Request != nil && (came || st.Again)
		list, contact = append(list, st), &st
	}
	for i := range p.Events {
		list = append(list, s.eventStep(row, i, arrived, contact, again))
	}
	if !again.Same && d == nil && s.mayBeDeleted(row) && (contact == nil || contact.Request == nil || contact.Again) {
		s.calm(list)
	}
	return list
}

// gone ends what was begun for a row that is not there any more, and what is known of
// its contact: a row that has its key later is another one.
func (s *Sender) gone(row Row) (list []Step) {
	for _, l := range row.Lines {
		st := Step{Kind: l.Kind, Line: l, Key: l.IdempotencyKey, Gone: true}
		switch {
		case l.Kind == mapping.ContactKind, l.Status == Failed && !l.Unknown(), l.Status == NotMet:
			st.Drops = []string{l.IdempotencyKey}
			list = append(list, st.nothing("", "the row is not there any more"))
		case l.Status == Pending && l.Body == nil:
			list = append(list, st.settle(Failed, WhyWrong, "the row is not there any more"))
		case l.Status == Pending:
			list = append(list, l.resume())
		}
	}
	return list
}

func (l Line) resume() Step {
	return Step{Kind: l.Kind, Resumes: true, Line: l, Key: l.IdempotencyKey, Request: &Request{
		Kind: l.Kind, Method: "POST", Path: "/v1/events/send", Body: l.Body, IdempotencyKey: l.SendKey(), Hash: hashOf(l.Kind, l.Body),
	}}
}

// settle is a step without a request, quiet when the row's line says the same already.
func (st Step) settle(status Status, why Why, reason string) Step {
	st.Request, st.Status, st.Why, st.Reason = nil, status, why, reason
	st.Quiet = st.Line.Status == status && st.Line.Message == reason && len(st.Drops) == 0
	return st
}

// nothing is a step that has no outcome of its own. It is quiet unless it drops lines.
func (st Step) nothing(why Why, reason string) Step {
	st.Request, st.Status, st.Why, st.Reason, st.Line = nil, "", why, reason, Line{}
	st.Quiet = len(st.Drops) == 0
	return st
}

func (s *Sender) contactStep(row Row, arrived bool, again Resend) Step {
	st := Step{Kind: mapping.ContactKind}
	for _, l := range row.Lines {
		if l.Kind == mapping.ContactKind {
			st.Line = l
		}
	}
	if arrived {
		if st.Line.Status != "" {
			st.Drops = []string{""}
		}
		return st.nothing(WhyCame, cameReason)
	}
	if met, why := s.met(s.contact, row); !met {
		return st.settle(NotMet, WhyNotMet, why)
	}
	fields, wrong := s.contactFields(row.Cells)
	k := s.known(row, st.Line)
	if why := k.moved(fields); why != "" {
		wrong = append(wrong, why)
	}
	if len(wrong) > 0 {
		return st.settle(Failed, WhyWrong, wrong.String())
	}
	body := bodyOf(fields)
	hash := hashOf(mapping.ContactKind, body)
	has := k.has(fields) && !st.Line.Unknown()
	switch {
	case has && !again.Same && !again.Known:
		switch {
		case st.Line.Status == Sent:
			return st.nothing(WhyHas, "Loops has all of this: sent "+on(st.Line.SentAt)+orAgain)
		case st.Line.Status == "":
			return st.nothing(WhyHas, "Loops has all of this"+orAgain)
		case st.Line.Hash == "":
			st.Drops = []string{""}
			return st.nothing(WhyHas, "Loops has all of this"+orAgain)
		}
		st.Line.Code = 200 // of what was sent, not of what was refused since
		return st.settle(Sent, WhyHas, "Loops has all of this")
	case st.Line.Status == Failed && st.Line.Tried == hash && !again.Failed:
		return st.nothing(WhyRefused, refusedBefore(st.Line))
	}
	st.Resumes, st.Again = st.Line.Status == Pending, has
	st.Request = &Request{Kind: mapping.ContactKind, Method: "PUT", Path: "/v1/contacts/update", Body: body, Hash: hash}
	if s.mayBeNew(row) {
		st.Request.Create = s.createBody(fields)
	}
	return st
}

const cameReason = "it came from Loops and has not changed since" + orAgain

// mayBeNew reports whether Loops may have no contact of the row: neither a webhook nor
// an answer has ever told of one, or the last that was told is its deletion.
func (s *Sender) mayBeNew(row Row) bool {
	if row.Deleted == nil && len(row.Told) > 0 {
		return false
	}
	return !slices.ContainsFunc(row.Lines, func(l Line) bool {
		return !l.SentAt.IsZero() && !l.Marked() && (row.Deleted == nil || row.again(row.Deleted))
	})
}

// createBody is what makes a contact, marked as made from here; nil where it is not to
// be marked, or Loops would make none.
func (s *Sender) createBody(fields []sentField) []byte {
	source := s.m.Push.MarkedAs()
	if source == "" || !slices.ContainsFunc(fields, func(f sentField) bool { return f.name == "email" }) {
		return nil
	}
	return bodyOf(fields, sentField{name: "source", json: body.Quote(source)})
}

func refusedBefore(l Line) string {
	why := "it was refused"
	if l.Code > 0 {
		why += fmt.Sprintf(" (%d)", l.Code)
	}
	if l.Message != "" {
		why += ": " + l.Message
	}
	return why + "; it is tried again when it changes, or with --failed"
}

func (s *Sender) met(c *condition.Condition, row Row) (bool, string) {
	if c == nil {
		return true, ""
	}
	return c.Met(s.uses, row.Cells, s.now)
}

// hashOf names what is sent.
func hashOf(kind string, body []byte) string {
	sum := sha256.Sum256(append([]byte(kind+"\n"), body...))
	return fmt.Sprintf("%x", sum[:16])
}

// String is the step on one line, for dry runs and reasons.
func (st Step) String() string {
	switch {
	case st.Request != nil:
		return strings.Join([]string{st.Request.Method, st.Request.Path, string(st.Request.Body)}, " ")
	case st.Status == NotMet:
		return st.Kind + ": not met: " + st.Reason
	}
	return st.Kind + ": " + st.Reason
}
