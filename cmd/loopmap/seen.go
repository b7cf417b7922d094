package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"loopmap/mapping"
	"loopmap/mapping/outgoing"
	"loopmap/mapping/push"
	"loopmap/mapping/receive"
)

// seen is one delivery, or one thing that a row has sent, as a line shows it.
type seen struct {
	at      time.Time
	mark    string
	name    string // the event, or what is sent
	who     string // the email, the row's key or the delivery's id
	outcome string
	tone    tone          // how well it went
	took    time.Duration // 0: nothing was asked that took any
	facts   []fact
}

// tone is how well something went.
type tone int

const (
	toneGood tone = iota
	toneQuiet
	toneWarn
	toneBad
)

func (d *dress) style(l tone) lipgloss.Style {
	return [...]lipgloss.Style{toneGood: d.good, toneQuiet: d.faint, toneWarn: d.warn, toneBad: d.bad}[l]
}

// deliveryOutcome is what became of a delivery, in a word.
func deliveryOutcome(a *receive.Arrival) (string, tone) {
	switch {
	case a.Code >= http.StatusInternalServerError:
		return "not stored", toneBad
	case a.Problem != "":
		return fmt.Sprintf("refused %d", a.Code), toneBad
	case a.Outcome.Duplicate:
		return "seen before", toneQuiet
	case a.Outcome.Status == mapping.Quarantined:
		return string(mapping.Quarantined), toneBad
	case a.Outcome.Status == mapping.Pending:
		return string(mapping.Pending), toneWarn
	case a.Outcome.Status == mapping.Ignored:
		return string(mapping.Ignored), toneQuiet
	}
	return string(a.Outcome.Status), toneGood
}

// seenDelivery is a delivery; without data, whose it is and what could quote it stay out.
func seenDelivery(a *receive.Arrival, noData bool) seen {
	s := seen{at: a.Delivery.Received, mark: markIn, name: a.Event, took: a.Took}
	s.outcome, s.tone = deliveryOutcome(a)
	if !noData {
		s.who = mapping.FactsOf(a.Delivery.Body).Email
	}
	if s.who == "" {
		s.who = a.Delivery.ID
	}
	if a.Trial {
		s.facts = []fact{{"signed", "trial"}}
	}
	switch {
	case a.Problem != "":
		s.facts = append(s.facts, fact{"why", a.Problem})
	case a.Outcome.Duplicate:
	case a.Outcome.Status == mapping.Quarantined:
		if !noData {
			s.facts = append(s.facts, fact{"why", a.Outcome.Reason})
		}
		s.facts = append(s.facts, fact{"hint", "loopmap deliveries show " + a.Delivery.ID})
	case a.Outcome.Status == mapping.Pending: // the reason names the table alone
		s.facts = append(s.facts, fact{"why", a.Outcome.Reason})
	}
	return s
}

// seenPush is what became of one thing that a row sends; likewise.
func seenPush(o push.Outcome, at time.Time, noData bool) seen {
	s := seen{at: at, mark: markOut, name: o.Line.Kind, outcome: o.Line.Outcome(), took: o.Took}
	switch o.Line.Status {
	case outgoing.NotMet:
		s.tone = toneQuiet
	case outgoing.Pending:
		s.tone = toneWarn
	case outgoing.Failed:
		s.tone = toneBad
	case outgoing.Sent:
	}
	if noData {
		return s
	}
	s.who = o.Key
	switch {
	case s.tone == toneGood || o.Line.Message == "":
	case s.tone == toneQuiet:
		s.facts = []fact{{"condition", o.Line.Message}} // it is as it should be
	default:
		s.facts = []fact{{"why", o.Line.Message}}
	}
	return s
}

// Widths of columns, in cells.
const (
	outcomeCells = 11 // "quarantined"
	tookCells    = 7  // "99.9 ms"
	leastName    = 15 // "contact.created"
	mostName     = 32
	leastWho     = 12
	fairWho      = 22 // before a name gets more than its least
	mostWho      = 40
)

// columns are how wide the name and whose it is are, on a terminal of a width, with names
// as long as those so far. Where there is little room, the time that it took goes first,
// and then the name.
func columns(width, longest int) (name, who int, took bool) {
	room := width - 1 - indent - outcomeCells - 2
	wide := room - 2 - tookCells - 2
	name = min(max(longest, leastName), mostName, max(leastName, wide-fairWho))
	switch {
	case wide-name >= leastWho:
		return name, min(wide-name, mostWho), true
	case room-2-leastName >= leastWho:
		return leastName, min(room-2-leastName, mostWho), false
	}
	return 0, max(room, 1), false
}

// seen is how it looks on a terminal of a width.
func (d *dress) seen(s seen, width, longest int) string {
	name, who, took := columns(width, longest)
	var b strings.Builder
	b.WriteString(d.begin(s.at, s.mark, d.accent))
	if name > 0 {
		b.WriteString(d.cell(s.name, name) + "  ")
	}
	b.WriteString(d.cell(s.who, who) + "  " + d.style(s.tone).Render(d.cell(s.outcome, outcomeCells)))
	if took {
		b.WriteString("  " + d.faint.Render(fmt.Sprintf("%*s", tookCells, tookWords(s.took))))
	}
	text := strings.TrimRight(b.String(), " ")
	return text + d.facts(s.facts, width, width) + "\n"
}

func tookWords(t time.Duration) string {
	switch ms := float64(t.Microseconds()) / 1000; {
	case t == 0:
		return ""
	case ms < 99.95:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 999.5:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.1f s", t.Seconds())
}
