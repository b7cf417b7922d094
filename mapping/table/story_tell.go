package table

import (
	"cmp"
	"slices"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

// teller tells a row's story: it does to cells in memory what the deliveries did to the row,
// by the functions that did it.
type teller struct {
	m        *mapping.Mapping
	form     keyForm
	versions map[string]*version
	done     []Record // applied so far
	newest   place    // of these
	now      map[string]held
	there    presence
	history  map[string][]Write
	untold   bool // of some delivery it cannot be told what it did
}

// held is what a cell holds, and which delivery wrote it.
type held struct {
	cell  column.Cell
	write Write
}

type presence uint8

const (
	perhaps presence = iota
	present
	absent
)

// tell is the story of a row of m's table, which holds row now (nil: it is not there),
// without its pushes. records are its deliveries in the order of their lines.
func tell(m *mapping.Mapping, form keyForm, key string, fields []column.Field, row map[string]column.Cell, records []Record,
	kept map[string]Version) *Story {
	t := &teller{m: m, form: form, versions: readVersions(m, kept), now: map[string]held{}, history: map[string][]Write{}}
	story := &Story{Key: key, There: row != nil}
	for _, r := range byEffect(records, kept) {
		told := Telling{Record: r}
		told.Body = nil
		if r.Status == mapping.Applied {
			told.Effect, told.Untold = t.apply(r)
			t.untold = t.untold || told.Untold
			if t.done = append(t.done, r); placeOfRecord(r).compare(t.newest) > 0 {
				t.newest = placeOfRecord(r)
			}
		}
		story.Told = append(story.Told, told)
	}
	for _, f := range fields {
		story.Cells = append(story.Cells, t.cell(f, row))
	}
	story.Note = t.note(row != nil)
	return story
}

// byEffect are records in the order in which they had their effect: as they came, but one
// that was mapped again, by a version that was not there yet when it came, when that was
// first used.
func byEffect(records []Record, kept map[string]Version) []Record {
	at := func(r Record) time.Time {
		if v, ok := kept[r.Mapping]; ok && v.FirstUsed.After(r.Received) {
			return v.FirstUsed
		}
		return r.Received
	}
	records = slices.Clone(records)
	slices.SortStableFunc(records, func(a, b Record) int { return cmp.Or(at(a).Compare(at(b)), cmp.Compare(a.Seq, b.Seq)) })
	return records
}

// Words for what a delivery did.
const (
	hasMade      = "made the row"
	hasChanged   = "changed the row"
	hasTakenOut  = "took the row out"
	notThere     = "changed nothing: the row was not there"
	wasGone      = "changed nothing: a newer delivery had taken the row out"
	beforeItsRow = "changed nothing: it happened before the row was made"
	overwritten  = "; it came late, and what newer deliveries say was written over it"
	cannotTell   = "what it wrote cannot be told: "
	bodyGone     = "its body is not kept any more (journal.keep)"
	newerGone    = "a newer one came before it, whose body is not kept any more (journal.keep)"
)

// apply does what an applied delivery did, as [work.writeLate] does it: one that is not late
// has none newer.
func (t *teller) apply(r Record) (effect string, untold bool) {
	if r.Forgotten {
		return cannotTell + bodyGone, true
	}
	v := t.versions[r.Mapping]
	switch {
	case v == nil:
		return cannotTell + "version " + cmp.Or(r.Mapping, "(none)") + " of the mapping is not kept", true
	case v.why != "":
		return cannotTell + v.why, true
	case v.elsewhere != "":
		return "was of another row: " + v.elsewhere, false
	}
	e := mapping.Enter(v.mapping, r.Delivery)
	if e.Status != mapping.Applied || !t.form.same(e.Row.Key, r.RowKey) {
		return cannotTell + "version " + r.Mapping + " of the mapping reads it as another row now", true
	}
	own := placeOfEntry(e)
	var newer []mapping.Entry
	if t.newest.compare(own) > 0 {
		newer = t.others(e, func(p place) bool { return p.compare(own) > 0 })
	}
	switch {
	case slices.ContainsFunc(newer, deletes):
		return wasGone, false
	case mayPrecedeItsRow(e, newer) && !madeBy(t.others(e, func(p place) bool { return p.compare(own) < 0 })):
		return beforeItsRow, false
	case r.Reason != "": // a newer one could not be written again
		return "changed nothing: " + r.Reason, false
	case slices.ContainsFunc(newer, func(n mapping.Entry) bool { return n.Status != mapping.Applied }):
		return cannotTell + newerGone, true
	}
	return t.write(v, append([]mapping.Entry{e}, newer...)), false
}

// others are the deliveries applied before e that are wanted, as e's mapping reads them.
func (t *teller) others(e mapping.Entry, wanted func(place) bool) []mapping.Entry {
	return readInOrder(t.form, e, slices.Clone(t.done), wanted)
}

// write writes entries one over the other, and adds to the history what is other then.
func (t *teller) write(v *version, entries []mapping.Entry) (effect string) {
	before := make(map[string]held, len(t.now))
	for name, h := range t.now {
		before[name] = h
	}
	effect = t.one(v, entries[0])
	for _, e := range entries[1:] {
		t.one(v, e)
	}
	if len(entries) > 1 {
		effect += overwritten
	}
	for name, h := range t.now {
		was, list := before[name], t.history[name]
		switch {
		case was == h:
		case was.write.Delivery == h.write.Delivery && was.cell == h.cell && len(list) > 0: // it was written again
			h.write.Before = list[len(list)-1].Before
			list[len(list)-1] = h.write
			t.now[name] = h
		default:
			h.write.Before = was.cell
			t.history[name], t.now[name] = append(list, h.write), h
		}
	}
	return effect
}

// one writes one entry.
func (t *teller) one(v *version, e mapping.Entry) (effect string) {
	switch {
	case e.Row.Action == mapping.Delete:
		effect = hasTakenOut
		if t.there == absent {
			return notThere
		}
		for name := range t.now {
			t.now[name] = held{column.Cell{State: column.Null}, Write{Delivery: e.ID, Mapping: v.mapping.Hash,
				After: column.Cell{State: column.Null}}}
		}
		t.there = absent
		return effect
	case e.Row.Action == mapping.Update && t.there == absent:
		return notThere
	case e.Row.Action == mapping.Update:
		effect = hasChanged
	case t.there == present:
		effect = hasChanged
	default:
		effect = hasMade
	}
	unsure := e.Row.Action == mapping.Update && t.there == perhaps
	if e.Row.Action == mapping.Upsert {
		t.there = present
	}
	for i, c := range v.mapping.Columns() {
		cell := e.Row.Cells[i]
		if cell.State == column.Missing || e.Row.Action == mapping.Update && c.Name == v.mapping.Key {
			continue
		}
		path, rule := v.source(e, i)
		t.now[t.m.Dialect.Fold(c.Name)] = held{cell, Write{Delivery: e.ID, Mapping: v.mapping.Hash, Path: path, Rule: rule, After: cell,
			unsure: unsure}}
	}
	return effect
}

// cell is a cell's story, of which the table holds what row has.
func (t *teller) cell(f column.Field, row map[string]column.Cell) StoryCell {
	c := StoryCell{Field: f, Now: row[f.Name], Author: Nobody, History: t.history[t.m.Dialect.Fold(f.Name)]}
	if row == nil {
		return c
	}
	for { // an update of a row of which it is not known whether it was there has done nothing, by what is there now
		last, ok := c.Last()
		if !ok || !last.unsure || t.same(f, c.Now, last.After) {
			break
		}
		c.History = c.History[:len(c.History)-1]
	}
	last, ok := c.Last()
	switch {
	case ok && t.same(f, c.Now, last.After):
		c.Author = ByDelivery
	case !ok && c.Now.Empty():
	case t.untold:
		c.Author = Unknown
	default:
		c.Author = SomebodyElse
	}
	return c
}

// same reports whether a cell holds what was written into it; a version of the mapping may
// have had another type for it. A key is whatever way it is written.
func (t *teller) same(f column.Field, now, written column.Cell) bool {
	if t.m.Dialect.Fold(f.Name) == t.m.Dialect.Fold(t.m.Key) && t.form.same(now.Text, written.Text) {
		return true
	}
	return f.Type.Same(now, written) || now == written
}

// note says what no delivery explains of the row as a whole.
func (t *teller) note(there bool) string {
	switch {
	case there && t.there == absent:
		return "the last delivery took the row out, and it is there: somebody else has made it again"
	case !there && t.there == present && !t.untold:
		return "the row is not there, and no delivery took it out: somebody else has"
	case there && t.there == perhaps && !t.untold:
		return "no delivery has made the row: somebody else has"
	}
	return ""
}
