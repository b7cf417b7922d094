package outgoing

import (
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/column"
)

// Unknown reports whether a request was begun and nobody knows whether it arrived. An
// event that is pending without a body waits for another row, and was not begun.
func (l Line) Unknown() bool {
	return l.Status == Pending && (l.Kind == mapping.ContactKind || l.Body != nil) || l.Status == Failed && !l.FirstAt.IsZero()
}

// arrived reports whether a row is as Loops' webhooks have made it, in all columns that
// push uses, and nothing of it was sent since the last of them.
func (s *Sender) arrived(row Row) bool {
	if len(row.Told) == 0 {
		return false
	}
	cells := map[string]column.Cell{}
	last, _ := s.toldCells(row, cells, s.doubted)
	for _, l := range row.Lines {
		if l.Unknown() || l.Kind == mapping.ContactKind && !l.SentAt.IsZero() || l.SentAt.After(last) {
			return false
		}
	}
	return s.sameCells(row.Cells, cells)
}

// toldCells brings cells to what all of Loops' webhooks have told of a row: when the
// last of them came, and whether one of them has made it. misfit is called for each value
// that does not fit its column; it may be nil.
func (s *Sender) toldCells(row Row, cells map[string]column.Cell, misfit misfitFunc) (last time.Time, made bool) {
	for _, d := range row.Told {
		if last.Before(d.Received) {
			last = d.Received
		}
		made = s.told(d, row.Key, cells, misfit) == mapping.Upsert || made
	}
	return last, made
}

// misfitFunc is what to do about a column for which a delivery has a value that does not fit
// it. cells are as they were told until then.
type misfitFunc func(cells map[string]column.Cell, name string)

// doubted makes a cell the same as none of a row, so that it is looked at whether the row is
// sent, where somebody may have changed it since: where it had a value, or where NULL is sent.
func (s *Sender) doubted(cells map[string]column.Cell, name string) {
	if !cells[name].Empty() || s.clears(name) {
		cells[name] = column.Cell{State: column.Misfit}
	}
}

// clears reports whether a contact update says that a column is NULL.
func (s *Sender) clears(name string) bool {
	c := s.m.Push.Contact
	return c != nil && slices.ContainsFunc(c.Properties, func(q mapping.Pair) bool {
		clears := q.OnNull == mapping.ClearNull || q.OnNull == "" && c.OnNull == mapping.ClearNull
		return clears && s.fills(q, name)
	})
}

// fills reports whether a column is what a pair sends.
func (s *Sender) fills(q mapping.Pair, name string) bool {
	return s.byName[s.m.Dialect.Fold(q.Column)].Name == name
}

// told brings cells to what a delivery says, and returns what it does to the row. One that
// does not map by this mapping has been applied by another: what it says in other columns
// Loops has told all the same.
func (s *Sender) told(d mapping.Delivery, key string, cells map[string]column.Cell, misfit misfitFunc) mapping.Action {
	row, err := s.m.Row(d)
	if row.Key != key || err != nil && row.Action == mapping.Delete {
		return mapping.Update
	}
	if row.Action == mapping.Delete {
		clear(cells)
		return mapping.Delete
	}
	for i, c := range s.m.Columns() {
		name := s.byName[s.m.Dialect.Fold(c.Name)].Name
		switch row.Cells[i].State {
		case column.Missing:
		case column.Misfit:
			if misfit != nil {
				misfit(cells, name)
			}
		case column.Null, column.Present:
			cells[name] = row.Cells[i]
		}
	}
	if err != nil {
		return mapping.Update
	}
	return row.Action
}

// known is what Loops has, as far as it was sent or has told: a value's JSON by its
// name.
type known map[string]string

const listPrefix = "mailingLists\x00" // before the ids of lists, so that no property meets them

func (f sentField) knownAs() string {
	if f.list {
		return listPrefix + f.name
	}
	return f.name
}

// has reports whether Loops has all of fields already.
func (k known) has(fields []sentField) bool {
	for _, f := range fields {
		if have, ok := k[f.knownAs()]; !ok || have != f.json {
			return false
		}
	}
	return true
}

// known is what Loops has of a row's contact: nothing, once it was deleted.
func (s *Sender) known(row Row, line Line) known {
	if d := row.Deleted; d != nil && !row.again(d) {
		return known{}
	}
	return s.knownOf(row, line)
}

// knownOf is what was last sent for a row's contact, and what Loops has told since.
func (s *Sender) knownOf(row Row, line Line) known {
	k := known{}
	c := s.m.Push.Contact
	if c == nil {
		return k
	}
	if !line.Marked() {
		readSent(line.Body, k)
	}
	for _, d := range row.Told {
		if len(line.Body) > 0 && !d.Received.After(line.SentAt) {
			continue
		}
		cells := map[string]column.Cell{}
		s.told(d, row.Key, cells, func(_ map[string]column.Cell, name string) { s.forget(k, name) })
		var w wrongs // what cannot be sent is not what Loops has
		if facts := mapping.FactsOf(d.Body); facts.Event == mapping.ContactDeleted && (row.Deleted == nil || row.Deleted.ID != d.ID) {
			clear(k)
			continue
		} else if facts.Email != "" {
			k["email"] = body.Quote(facts.Email)
		}
		if id, ok := userIDPath.Get(d.Body); ok && id.Type == gjson.String {
			k["userId"] = body.Quote(id.Str)
		}
		onlyTold := func(pairs []mapping.Pair) (list []mapping.Pair) {
			for _, q := range pairs {
				f := s.byName[s.m.Dialect.Fold(q.Column)]
				if cells[f.Name].State != column.Missing {
					q.OnNull = mapping.ClearNull // it is null there
					list = append(list, q)
				}
			}
			return list
		}
		for _, f := range s.pairFields(cells, onlyTold(c.Properties), mapping.ClearNull, &w) {
			k[f.knownAs()] = f.json
		}
		for _, f := range s.listFields(cells, onlyTold(c.Lists), &w) {
			k[f.knownAs()] = f.json
		}
	}
	return k
}

// forget takes out what is sent from a column: Loops has something else by now.
func (s *Sender) forget(k known, name string) {
	for _, q := range s.m.Push.Contact.Properties {
		if s.fills(q, name) {
			delete(k, q.Loops)
		}
	}
	for _, q := range s.m.Push.Contact.Lists {
		if s.fills(q, name) {
			delete(k, listPrefix+q.Loops)
		}
	}
}

var userIDPath = body.MakePath(body.Step{Key: "contactIdentity"}, body.Step{Key: "userId"})

// readSent reads the body of a contact update.
func readSent(body []byte, k known) {
	gjson.ParseBytes(body).ForEach(func(name, value gjson.Result) bool {
		if name.Str != "mailingLists" {
			k[name.Str] = value.Raw
			return true
		}
		value.ForEach(func(id, on gjson.Result) bool {
			k[listPrefix+id.Str] = on.Raw
			return true
		})
		return true
	})
}

// moved says why an email that is another one now would make a second contact; "" when
// it would not. Loops changes an email only of a contact that it finds by its userId
// (Loops API, PUT contacts/update).
func (k known) moved(fields []sentField) string {
	now := known{}
	for _, f := range fields {
		now[f.name] = f.json
	}
	was, is := trimmedJSON(k["email"]), now["email"]
	switch {
	case was == "" || was == "null" || is == "" || strings.EqualFold(was, is):
		return ""
	case now["userId"] == "":
		return "the contact is " + was + " in Loops and the row says " + is + ": without a userId Loops would make a second contact; " +
			"give the row one, or change the email in Loops first; push --row --anew sends another person's row"
	case now["userId"] != k["userId"]:
		return "the contact is " + was + " in Loops and the row says " + is + ": Loops does not know its userId " + now["userId"] + " yet; " +
			"send that with the old email first; push --row --anew sends another person's row"
	}
	return ""
}
