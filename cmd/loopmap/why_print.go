package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
	"loopmap/mapping/table"
	"loopmap/tui"
)

// shownValue is how much of a value stands in a line, in characters.
const shownValue = 40

// shorten leaves the begin of a text.
func shorten(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-3]) + "..."
	}
	return s
}

// cellText is a cell as people read it.
func cellText(c column.Cell) string {
	if c.Empty() {
		return "NULL"
	}
	return c.Text
}

// fromWhere is what a cell was written from.
func fromWhere(w table.Write) string {
	switch {
	case w.Path != "" && w.Rule:
		return w.Path + ", by a rule"
	case w.Rule:
		return "a rule"
	case w.Path == "" && w.After.Empty():
		return "the row was taken out"
	}
	return w.Path
}

// printStory is a story for people.
func (a *app) printStory(m *mapping.Mapping, s *table.Story, whole bool) error {
	state := ""
	if !s.There {
		state = ", which is not there"
	}
	if err := printTable(a.stdout, [][]string{{fmt.Sprintf("row %s of table %s%s", s.Key, m.Table, state)}}); err != nil {
		return err
	}
	if s.Note != "" {
		if err := printTable(a.stdout, [][]string{{s.Note}}); err != nil {
			return err
		}
	}
	told := map[string]table.Telling{}
	for _, t := range s.Told {
		told[t.ID] = t
	}
	rows, head := [][]string{{"COLUMN", "VALUE", "FROM", "WRITTEN", "DELIVERY", "MAPPING", "BEFORE"}}, "cells"
	ids := []int{3, 4, 5} // with the time, which says nothing when it is cut
	if whole {
		head = "what " + s.Cells[0].Name + " has held"
		rows, ids = wholeCell(s, s.Cells[0], told), []int{2, 3, 4}
	} else {
		for _, c := range s.Cells {
			rows = append(rows, cellLine(c, told))
		}
	}
	var happened [][]string
	for _, h := range happenings(s) {
		happened = append(happened, h.line())
	}
	for _, part := range []struct {
		head string
		rows [][]string
		ids  []int
	}{{head, rows, ids}, {"what has happened", happened, []int{0, 3, 4}}} {
		if len(part.rows) == 0 {
			continue
		}
		fmt.Fprintln(a.stdout)
		if err := printTable(a.stdout, [][]string{{part.head}}); err != nil {
			return err
		}
		if err := a.printFitted(part.rows, part.ids...); err != nil {
			return err
		}
	}
	return nil
}

// cellLine is a cell with what wrote it last.
func cellLine(c table.StoryCell, told map[string]table.Telling) []string {
	value := shorten(cellText(c.Now), shownValue)
	if c.Now.State == column.Missing {
		value = "-"
	}
	last, ok := c.Last()
	written := []string{fromWhere(last), localTime(told[last.Delivery].Received), last.Delivery, last.Mapping}
	if !ok {
		written = []string{"-", "", "", ""}
	}
	before := ""
	if b, ok := c.Before(); ok {
		before = shorten(cellText(b), shownValue)
	}
	switch {
	case c.Author == table.SomebodyElse && ok:
		written[0], before = "somebody else; a delivery wrote", shorten(cellText(last.After), shownValue)
	case c.Author == table.SomebodyElse:
		written[0] = "somebody else"
	case c.Author == table.Unknown:
		written[0] = "unknown: see below"
	}
	return append(append([]string{c.Name, value}, written...), before)
}

// wholeCell is all that a cell has held, the oldest first.
func wholeCell(s *table.Story, c table.StoryCell, told map[string]table.Telling) [][]string {
	rows := [][]string{{"VALUE", "FROM", "WRITTEN", "DELIVERY", "MAPPING"}}
	for _, w := range c.History {
		rows = append(rows, []string{cellText(w.After), fromWhere(w), localTime(told[w.Delivery].Received), w.Delivery, w.Mapping})
	}
	switch {
	case !s.There:
	case c.Author == table.SomebodyElse:
		rows = append(rows, []string{cellText(c.Now), "somebody else: it holds this now"})
	case c.Author == table.Unknown:
		rows = append(rows, []string{cellText(c.Now), "unknown: it holds this now; see below what cannot be told"})
	case c.Author == table.Nobody:
		rows = append(rows, []string{cellText(c.Now), "no delivery has written it"})
	}
	return rows
}

func localTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format(time.DateTime)
}

// happening is a delivery about a row, or what the row sent.
type happening struct {
	at                        time.Time
	what, became, id, mapping string
	push                      bool
	status                    string // of the delivery, or of what was sent
	request                   []byte // of what was sent, where it is kept
}

// happenings are deliveries and pushes in the order of time.
func happenings(s *table.Story) (list []happening) {
	for _, t := range s.Told {
		became := string(t.Status)
		if why := cmp.Or(t.Effect, t.Reason); why != "" {
			became += ": " + why
		}
		list = append(list, happening{at: t.Received, what: cmp.Or(t.Event, "(no event)"), became: became, id: t.ID, mapping: t.Mapping,
			status: string(t.Status)})
	}
	for _, l := range s.Pushes {
		became := l.Outcome()
		if l.Message != "" {
			became += ": " + l.Message
		}
		list = append(list, happening{at: pushedAt(l), what: l.Kind, became: became, id: l.IdempotencyKey, push: true, status: string(l.Status),
			request: l.Body})
	}
	slices.SortStableFunc(list, func(a, b happening) int { return a.at.Compare(b.at) })
	return list
}

// line is a happening as a line of a table.
func (h happening) line() []string {
	what, became := h.what, h.became
	if h.push {
		what = "push " + what
	}
	if len(h.request) > 0 {
		became += " " + shorten(string(h.request), 3*shownValue)
	}
	return []string{localTime(h.at), what, became, h.id, h.mapping}
}

// told is a happening for the screen.
func (h happening) told() tui.Happening {
	return tui.Happening{At: localTime(h.at), What: h.what, Became: h.became, ID: h.id, Mapping: h.mapping, Push: h.push, Status: h.status,
		Request: h.request}
}

// pushedAt is when an outcome came to be.
func pushedAt(l outgoing.Line) time.Time {
	if l.Status == outgoing.Sent && !l.SentAt.IsZero() {
		return l.SentAt
	}
	return l.UpdatedAt
}
