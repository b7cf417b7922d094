package outgoing

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

// deletedMark begins the Tried of a line which says that nothing is sent since the
// contact was deleted. The deletion's id follows; the line's Body has the row's cells.
const deletedMark = "deleted "

// Deleted is the deletion in Loops because of which nothing is sent for the row, if
// there is one: nobody has changed the row since. What a webhook writes into it (rules,
// also that of the contact.unsubscribed which comes with each deletion) is no change.
func (s *Sender) Deleted(row Row) (d *Deletion, held bool) {
	if d = row.Deleted; d == nil {
		return nil, false
	}
	var contact Line
	sent := false
	if row.again(d) {
		return nil, false
	}
	for _, l := range row.Lines {
		if l.Kind == mapping.ContactKind {
			contact = l
		}
		sent = sent || !l.SentAt.IsZero()
	}
	cells := map[string]column.Cell{}
	switch _, made := s.toldCells(row, cells, nil); {
	case contact.Tried == deletedMark+d.ID:
		return d, s.asMarked(row, contact)
	case s.deletes(row, d):
		return d, false // the row is a new one
	case !sent && made:
		return d, s.sameCells(row.Cells, cells)
	case contact.Status != Sent || contact.Body == nil:
		return d, true // nobody knows how the row was then
	}
	fields, wrong := s.contactFields(row.Cells)
	return d, len(wrong) > 0 || s.knownOf(row, contact).has(fields)
}

// Anew is the row of another person, whose key a row had before that is gone: only events
// that are begun, or sent, are known of it.
func (row Row) Anew() Row {
	row.ContactID = ""
	row.Lines = slices.DeleteFunc(slices.Clone(row.Lines), func(l Line) bool {
		return l.Kind == mapping.ContactKind || l.FirstAt.IsZero() && (l.Status == Failed || l.Status == NotMet)
	})
	return row
}

// Marked reports whether a line says that the contact was deleted, and has the row as it
// was then.
func (l Line) Marked() bool { return strings.HasPrefix(l.Tried, deletedMark) }

// again reports whether the row was sent, or this was tried, since a deletion: a contact
// that was deleted never comes back under its id.
func (row Row) again(d *Deletion) bool {
	if row.ContactID != "" && d.ContactID != "" && row.ContactID != d.ContactID {
		return true
	}
	return slices.ContainsFunc(row.Lines, func(l Line) bool { return l.after(d) })
}

// after reports whether a line was sent, or tried, since a deletion.
func (l Line) after(d *Deletion) bool {
	switch {
	case l.Marked():
		return false
	case l.Status == Pending, l.Status == Failed && l.Attempts > 0:
		return l.UpdatedAt.After(d.Received)
	}
	return l.SentAt.After(d.Received)
}

// calmed is how long after a contact.unsubscribed its contact.deleted may come.
const calmed = 10 * time.Second

// mayBeDeleted reports whether a contact.unsubscribed has come a moment ago: Loops sends
// one with each deletion, and an event would make the contact again.
func (s *Sender) mayBeDeleted(row Row) bool {
	return !s.now.IsZero() && slices.ContainsFunc(row.Told, func(d mapping.Delivery) bool {
		return s.now.Sub(d.Received) < calmed && mapping.FactsOf(d.Body).Event == mapping.ContactUnsubscribed
	})
}

// calm keeps events back that a rule alone may have brought about, and contact updates that
// Loops has.
func (s *Sender) calm(list []Step) {
	for i, st := range list {
		if st.Request != nil && !st.Resumes && (st.Kind != mapping.ContactKind || st.Again) {
			list[i] = Step{Kind: st.Kind, Why: WhyCalm, Quiet: true,
				Reason: "the contact was unsubscribed a moment ago, which comes with each deletion, too: it is looked at again in seconds"}
		}
	}
}

// deletes reports whether the deletion took the row out, by a rule.
func (s *Sender) deletes(row Row, d *Deletion) bool {
	for _, told := range row.Told {
		if told.ID == d.ID {
			r, err := s.m.Row(told)
			return err == nil && r.Action == mapping.Delete
		}
	}
	return false
}

// mark is the line which says that nothing is sent since a deletion, with the row as it
// is.
func (s *Sender) mark(row Row, d *Deletion) Line {
	cells := map[string]column.Cell{}
	for _, f := range s.uses {
		if c := row.Cells[f.Name]; !c.Empty() {
			cells[f.Name] = c
		}
	}
	body, _ := json.Marshal(cells) // of texts
	return Line{Tried: deletedMark + d.ID, Body: body}
}

// asMarked reports whether the row is as it was when the line was written, but for what
// webhooks have told since.
func (s *Sender) asMarked(row Row, marked Line) bool {
	cells := map[string]column.Cell{}
	if json.Unmarshal(marked.Body, &cells) != nil {
		return false
	}
	for _, d := range row.Told {
		if d.Received.After(marked.UpdatedAt) {
			s.told(d, row.Key, cells, nil)
		}
	}
	return s.sameCells(row.Cells, cells)
}

// sameCells reports whether all columns that push uses are the same.
func (s *Sender) sameCells(a, b map[string]column.Cell) bool {
	for _, f := range s.uses {
		if !f.Type.Same(a[f.Name], b[f.Name]) {
			return false
		}
	}
	return true
}

// deletedStep says that nothing is sent since the deletion. What was begun ends with it:
// an event that may have arrived is not sent again by itself.
func (s *Sender) deletedStep(row Row, d *Deletion) (list []Step) {
	st := Step{Kind: mapping.ContactKind, Why: WhyDeleted, Status: NotMet,
		Reason: "the contact was deleted in Loops on " + d.At.UTC().Format("2006-01-02 15:04:05") +
			" UTC; nothing is sent until the row is changed"}
	for _, l := range row.Lines {
		switch {
		case l.Kind == mapping.ContactKind:
			st.Quiet = l.Tried == deletedMark+d.ID && l.Status == NotMet && l.Message == st.Reason
		case l.Status == Pending:
			list = append(list, Step{Kind: l.Kind, Status: Failed, Reason: st.Reason, Why: WhyDeleted, Line: l, Keeps: true})
		}
	}
	st.Line = s.mark(row, d)
	return append([]Step{st}, list...)
}
