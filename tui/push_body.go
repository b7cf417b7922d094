package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"loopmap/mapping"
	"loopmap/mapping/outgoing"
)

// look is a style of the theme that stands when a line is drawn.
type look func(*theme) lipgloss.Style

// painted is text of a look; nil leaves it plain.
func painted(as look, lines ...string) flow {
	f := linesOf(lines)
	if as != nil {
		f.paint = func(t *theme, line string) string { return render(as(t), line) }
	}
	return f
}

func asTitle(t *theme) lipgloss.Style   { return t.title }
func asStrong(t *theme) lipgloss.Style  { return t.strong }
func asFaint(t *theme) lipgloss.Style   { return t.faint }
func asGood(t *theme) lipgloss.Style    { return t.good }
func asWarning(t *theme) lipgloss.Style { return t.warn }
func asBad(t *theme) lipgloss.Style     { return t.bad }

// bodyParts are the requests of the row that is shown, by the code that sends them:
// that of the slot under the cursor first. Below stands what became of them.
func (m *Model) bodyParts() (parts []flow) {
	p := &m.push
	add := func(as look, lines ...string) { parts = append(parts, painted(as, lines...)) }
	if p.catalog.Keyless && p.catalog.Connects {
		add(asWarning, keyOffer(), "")
	}
	row, ok := p.shownRow()
	if !ok {
		add(nil, p.noRows())
		return parts
	}
	switch {
	case m.draft.Push == nil:
		add(nil, "nothing is sent to Loops yet.", "", fmt.Sprintf("%s picks a property with the column that matches it, "+
			"%s chooses another column for it, %s picks all that match by name. What goes out is shown here as you pick.",
			keyFor(pick), keyFor(enter), keyFor(pickAll)))
		return parts
	case len(p.wrong) > 0:
		for _, why := range p.wrong {
			add(asBad, "! "+safe(why))
		}
		return parts
	case p.sender == nil || p.row >= len(p.now):
		return parts
	}
	now := map[string]outgoing.Step{}
	for _, st := range p.now[p.row] {
		now[st.Kind] = st
	}
	all := p.sender.Judge(row.Row, outgoing.Resend{Failed: true, Unknown: true, Same: true})
	first := requestKind(m.draft, p.current().Event)
	told := map[string]bool{}
	for _, turn := range []bool{true, false} {
		for _, st := range all {
			if (st.Kind == first) == turn {
				line := lineOf(row.Row, st, now[st.Kind])
				if line != nil {
					told[line.Kind+line.IdempotencyKey] = true
				}
				more := m.stepParts(st, now[st.Kind], line)
				if len(parts) > 0 && len(more) > 0 {
					add(nil, "")
				}
				parts = append(parts, more...)
			}
		}
	}
	head := "EARLIER"
	for _, l := range row.Lines {
		if told[l.Kind+l.IdempotencyKey] {
			continue
		}
		if head != "" {
			add(asTitle, "", head)
			head = ""
		}
		add(func(t *theme) lipgloss.Style { return t.pushed(l.Status) }, "  "+safe(l.Kind)+"  "+tellOutcome(l))
	}
	return parts
}

// lineOf is what became of what a row sent of this kind, the same event if it is one; nil
// where nothing has.
func lineOf(row outgoing.Row, st, now outgoing.Step) *outgoing.Line {
	for i := range row.Lines {
		l := &row.Lines[i]
		key := cmp.Or(now.Key, st.Key)
		if l.Kind == st.Kind && (l.Kind == mapping.ContactKind || key == "" || l.IdempotencyKey == key) {
			return l
		}
	}
	return nil
}

// requestKind is the kind of the request that a slot is of.
func requestKind(m *mapping.Mapping, event int) string {
	if event >= 0 && m.Push != nil && event < len(m.Push.Events) {
		return m.Push.Events[event].Name
	}
	return mapping.ContactKind
}

// stepParts are a request, whether it goes out now, and what became of it before: each said
// once.
func (m *Model) stepParts(st, now outgoing.Step, line *outgoing.Line) (parts []flow) {
	if st.Request == nil {
		switch st.Status {
		case outgoing.NotMet:
			return []flow{painted(asWarning, st.Kind+": the condition is not met: "+st.Reason)}
		case outgoing.Failed:
			return []flow{painted(asWarning, st.Kind+": cannot be sent: "+st.Reason)}
		case outgoing.Sent, outgoing.Pending:
		}
		if st.Reason != "" {
			return []flow{painted(asFaint, st.Kind+": not sent: "+st.Why.Words(st.Reason))}
		}
		return nil
	}
	parts = append(parts, painted(asStrong, st.Request.Method+" "+st.Request.Path))
	as, why := m.fateOf(now, line)
	parts = append(parts, painted(as, why))
	if st.Request.IdempotencyKey != "" {
		parts = append(parts, painted(asFaint, "Idempotency-Key: "+st.Request.IdempotencyKey))
	}
	parts = append(parts, bodyOf(st.Request.Body))
	if st.Request.Create != nil {
		parts = append(parts, painted(asFaint, "first POST /v1/contacts/create, with source, should Loops not have the contact"))
	}
	return parts
}

// fateOf says whether a request goes out now, and if not, why; with what became of it
// before, where that is not the reason itself.
func (m *Model) fateOf(now outgoing.Step, line *outgoing.Line) (as look, why string) {
	before := ""
	if line != nil {
		before = "; before: " + tellOutcome(*line)
	}
	switch {
	case m.push.samples:
		return asFaint, "as a sample's row would send it"
	case len(m.push.misfits) > 0:
		return asBad, "nothing is sent: " + m.push.misfits[0]
	case now.Request == nil && line != nil && line.Status == outgoing.Failed && line.Unknown():
		return asBad, tellOutcome(*line) + "; nobody knows whether it has arrived: push --failed --unknown sends it again"
	case now.Request == nil && line != nil && line.Status == outgoing.Failed:
		return asBad, tellOutcome(*line) + "; " + keyFor(run) + " tries it again"
	case now.Request == nil && line != nil && line.Status == outgoing.Sent && (now.Why == outgoing.WhyHas || now.Why == outgoing.WhySent):
		return asGood, tellOutcome(*line)
	case now.Request == nil:
		why, again := now.Reason, now.Why
		if all := m.push.now[m.push.row]; why == "" && len(all) > 0 {
			why, again = all[0].Reason, all[0].Why // that of the row
		}
		if again.Again() {
			return asFaint, "not sent: " + again.Words(why) + "; " + keyFor(run) + " asks, and sends it all the same"
		}
		return asFaint, "not sent: " + why
	case now.Resumes:
		return asWarning, "goes out again: it may have arrived" + before
	}
	return asGood, "goes out next" + before
}

// outcomes says what became of what a row sent, or would have: trouble first.
func outcomes(lines []outgoing.Line) string {
	order := []outgoing.Status{outgoing.Failed, outgoing.Pending, outgoing.Sent, outgoing.NotMet}
	rank := func(l outgoing.Line) int { return slices.Index(order, l.Status) }
	event := func(l outgoing.Line) int {
		if l.Kind == mapping.ContactKind {
			return 0
		}
		return 1
	}
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

// tellOutcome is an outcome with the API's message.
func tellOutcome(l outgoing.Line) string {
	s := l.Outcome()
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
