package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/outgoing"
)

// bodyLines are the requests of the row that is shown, by the code that sends them:
// that of the slot under the cursor first. Below stands what became of them.
func (m *Model) bodyLines(w int) (lines []string) {
	p := &m.push
	add := func(text string) { lines = append(lines, wrap(text, w)...) }
	row, ok := p.shownRow()
	if !ok {
		return hang("", p.noRows(), w)
	}
	of := fmt.Sprint(len(p.rows))
	if p.more {
		of = "the first " + of
	}
	title := fmt.Sprintf("ROW %d of %s, %s", p.row+1, of, safe(row.Key))
	if p.focus == bodyPane {
		title = "> " + title
	}
	lines = append(lines, m.st.title.Render(cut(title, w)))
	switch {
	case m.draft.Push == nil:
		add("nothing is sent to Loops yet.")
		add("")
		add("space picks a property with the column that matches it, / finds another column for it, m matches all by name. What goes out is shown here as you pick.")
		return lines
	case len(p.wrong) > 0:
		for _, why := range p.wrong {
			for _, s := range wrap("! "+safe(why), w) {
				lines = append(lines, m.st.bad.Render(s))
			}
		}
		return lines
	case p.sender == nil || p.row >= len(p.now):
		return lines
	}
	for _, l := range row.Lines { // what went wrong comes before what goes out
		if l.Status == outgoing.Failed || l.Status == outgoing.Pending {
			for _, s := range wrap(tellOutcome(l), w) {
				lines = append(lines, m.st.bad.Render(s))
			}
		}
	}
	now := map[string]outgoing.Step{}
	for _, st := range p.now[p.row] {
		now[st.Kind] = st
	}
	all := p.sender.Steps(row, outgoing.Resend{Failed: true, Unknown: true, Same: true})
	first := requestKind(m.draft, p.current().event)
	for _, turn := range []bool{true, false} {
		for _, st := range all {
			if (st.Kind == first) == turn {
				lines = append(lines, m.stepLines(st, now[st.Kind], w)...)
			}
		}
	}
	if len(row.Lines) > 0 {
		lines = append(lines, "", m.st.title.Render("OUTCOME"))
	}
	for _, l := range row.Lines {
		add("  " + tellOutcome(l))
	}
	return lines
}

// requestKind is the kind of the request that a slot is of.
func requestKind(m *mapping.Mapping, event int) string {
	if event >= 0 && m.Push != nil && event < len(m.Push.Events) {
		return m.Push.Events[event].Name
	}
	return mapping.ContactKind
}

// stepLines are a request and whether it goes out now.
func (m *Model) stepLines(st, now outgoing.Step, w int) (lines []string) {
	lines = append(lines, "")
	if st.Request == nil {
		word := map[outgoing.Status]string{outgoing.NotMet: "the condition is not met", outgoing.Failed: "cannot be sent"}[st.Status]
		if word != "" {
			for _, s := range wrap(safe(st.Kind)+": "+word+": "+safe(st.Reason), w) {
				lines = append(lines, m.st.warn.Render(s))
			}
		}
		return lines
	}
	head := st.Request.Method + " " + st.Request.Path
	switch {
	case m.push.samples:
		head += "  as a sample's row would send it"
	case len(m.push.misfits) > 0:
		head += "  nothing is sent: " + safe(m.push.misfits[0])
	case now.Request == nil && m.failed(st.Kind) != nil && m.failed(st.Kind).Unknown():
		head += "  nobody knows whether it has arrived: push --failed --unknown sends it again"
	case now.Request == nil && m.failed(st.Kind) != nil:
		head += "  refused; R failed tries it again"
	case now.Request == nil:
		why := now.Reason
		if all := m.push.now[m.push.row]; why == "" && len(all) > 0 {
			why = all[0].Reason // that of the row
		}
		head += "  not sent: " + safe(why)
	case now.Resumes:
		head += "  goes out again: it may have arrived"
	default:
		head += "  goes out next"
	}
	lines = append(lines, wrap(head, w)...)
	if st.Request.IdempotencyKey != "" {
		lines = append(lines, cut("Idempotency-Key: "+st.Request.IdempotencyKey, w))
	}
	for _, s := range pretty(st.Request.Body) {
		lines = append(lines, wrap(s, w)...)
	}
	if st.Request.Create != nil {
		lines = append(lines, wrap("first POST /v1/contacts/create, with source, should Loops not have the contact", w)...)
	}
	return lines
}

// failed is the line of what the row that is shown could not send; nil when there is none.
func (m *Model) failed(kind string) *outgoing.Line {
	row, _ := m.push.shownRow()
	for i := range row.Lines {
		if l := &row.Lines[i]; l.Kind == kind && l.Status == outgoing.Failed {
			return l
		}
	}
	return nil
}

// outcomes says what became of what a row sent, or would have: trouble first.
func outcomes(lines []outgoing.Line) string {
	order := []outgoing.Status{outgoing.Failed, outgoing.Pending, outgoing.Sent, outgoing.NotMet}
	rank := func(l outgoing.Line) int { return slices.Index(order, l.Status) }
	event := func(l outgoing.Line) int { return map[bool]int{true: 1}[l.Kind != mapping.ContactKind] }
	lines = slices.Clone(lines)
	slices.SortStableFunc(lines, func(a, b outgoing.Line) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(event(a), event(b)))
	})
	var words []string
	for _, l := range lines {
		words = append(words, safe(l.Kind)+" "+l.Outcome())
	}
	if len(words) == 0 {
		return "-"
	}
	return strings.Join(words, ", ")
}

// tellOutcome is an outcome on lines of its own, with the API's message.
func tellOutcome(l outgoing.Line) string {
	s := safe(l.Kind) + "  " + l.Outcome()
	if l.Message != "" {
		s += ": " + safe(l.Message)
	}
	switch {
	case l.Status == outgoing.Pending && !l.NextAt.IsZero():
		s += ", again at " + l.NextAt.Local().Format(time.TimeOnly)
	case !l.SentAt.IsZero():
		s += ", last sent " + l.SentAt.Local().Format(time.DateTime)
	}
	return s
}
