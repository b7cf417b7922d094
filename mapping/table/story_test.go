package table

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
)

// lived is a row that versions of a mapping write, one after the other, and the moment.
type lived struct {
	*files
	s        *Store
	versions []*mapping.Mapping
	used     map[string]bool
	step     int
}

const storyRules = "  rules:\n    - {event: contact.unsubscribed, set: {state: out, why: {from: note, type: text}}}\n" +
	"    - {event: contact.deleted, delete: true}\n"

// newLived makes a table for twenty versions, which read column a from different paths.
func newLived(t testing.TB, d *database) *lived {
	l := &lived{files: d.files(), used: map[string]bool{}}
	l.s = l.open()
	for i := range 20 {
		columns := []string{fmt.Sprintf("a text contact.a%d", i%3), "n integer contact.n", "state text contact.state"}
		if i%4 == 1 {
			columns = append(columns, "j json contact.j", "at time eventTime")
		}
		l.versions = append(l.versions, l.mapping(fmt.Sprintf("%s# %d\n", storyRules, i), columns...))
		ready(t, l.s, l.versions[i])
	}
	return l
}

// write commits a delivery, or maps it again, a minute after what was before.
func (l *lived) write(m *mapping.Mapping, d mapping.Delivery, again bool) {
	l.t.Helper()
	l.step++
	now := time.Unix(start+7200+60*int64(l.step), 0).UTC()
	do := l.s.Recommit
	if !again {
		d.Received, do = now, l.s.Commit
	}
	out, err := do(context.Background(), []mapping.Entry{mapping.Enter(m, d)})
	if err != nil || out[0].Status != mapping.Applied {
		l.t.Fatalf("%s: %+v %v", d.ID, out, err)
	}
	if !l.used[m.Hash] {
		l.used[m.Hash] = true
		l.d.exec(fmt.Sprintf("UPDATE loopmap_mappings SET first_used_at = '%s' WHERE hash = '%s'", now.Format(timestamp), m.Hash))
	}
}

func (l *lived) story() *Story {
	l.t.Helper()
	s, err := l.s.Story(context.Background(), l.versions[len(l.versions)-1], "x")
	if err != nil {
		l.t.Fatal(err)
	}
	return s
}

func (s *Story) cell(name string) StoryCell {
	return s.Cells[slices.IndexFunc(s.Cells, func(c StoryCell) bool { return c.Name == name })]
}

// random is a delivery about the row x, of some time.
func random(r *rand.Rand, id int) mapping.Delivery {
	name := fmt.Sprintf("msg_%03d", id)
	at := r.IntN(300)
	switch r.IntN(8) {
	case 0:
		return event(name, "contact.deleted", "x", at, "")
	case 1, 2:
		return event(name, "contact.unsubscribed", "x", at, fmt.Sprintf(`,"note":"note %d"`, id))
	}
	attributes := ""
	for _, a := range []string{"a0", "a1", "a2", "state"} {
		switch r.IntN(4) {
		case 0:
			attributes += fmt.Sprintf(`,%q:null`, a)
		case 1, 2:
			attributes += fmt.Sprintf(`,%q:"%s of %d"`, a, a, id)
		}
	}
	return created(name, "x", at, attributes+fmt.Sprintf(`,"n":%d,"j":{"of": [%d, 1.50]}`, id, id))
}

// What the story says of each cell is what the table holds, whatever came in whatever order,
// under whichever of twenty versions, and was mapped again.
func TestStoryIsWhatTheTableHolds(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		for seed := range uint64(2) {
			r := rand.New(rand.NewPCG(seed, 1))
			l := newLived(t, d)
			var came []mapping.Delivery
			next := 0
			for i := range 40 {
				if next < 19 && r.IntN(2) == 0 {
					next++
				}
				if len(came) > 0 && i%10 == 9 && next < 19 { // by a version that is new
					next++
					l.write(l.versions[next], came[r.IntN(len(came))], true)
				} else {
					one := random(r, i)
					l.write(l.versions[next], one, false)
					one.Received = time.Unix(start+7200+60*int64(l.step), 0).UTC()
					came = append(came, one)
				}
				s := l.story()
				if s.Note != "" || len(s.Told) != len(came) {
					t.Fatalf("seed %d, step %d: %d deliveries of %d, %q", seed, i, len(s.Told), len(came), s.Note)
				}
				for _, c := range s.Cells {
					if c.Author != ByDelivery && c.Author != Nobody {
						t.Fatalf("seed %d, step %d: %s holds %+v by %s: %+v", seed, i, c.Name, c.Now, c.Author, c.History)
					}
					if last, ok := c.Last(); ok && s.There && !c.Type.Same(last.After, c.Now) {
						t.Fatalf("seed %d, step %d: %s holds %+v, the story says %+v", seed, i, c.Name, c.Now, last)
					}
				}
			}
			d.exec("DROP TABLE contacts", "DELETE FROM loopmap_deliveries", "DELETE FROM loopmap_mappings")
		}
	})
}

// Who wrote a cell, from where, by which version, what it was before; who else wrote; what
// cannot be told.
func TestStory(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		l := newLived(t, d)
		l.write(l.versions[0], created("msg_1", "x", 0, `,"a0":"first","n":7,"state":"in"`), false)
		l.write(l.versions[1], created("msg_2", "x", 50, `,"a1":"second","j":{"b": 1.50}`), false)
		l.write(l.versions[2], event("msg_3", "contact.unsubscribed", "x", 60, `,"note":"enough"`), false)
		l.write(l.versions[2], created("msg_4", "x", 20, `,"a2":"late","n":8`), false) // before the second
		s := l.story()
		for name, want := range map[string]string{
			// The second was written again by the version of the one that came late, which reads another path.
			"a":     "msg_4 contact.a2 late second " + l.versions[2].Hash,
			"n":     "msg_4 contact.n 8 7 " + l.versions[2].Hash,
			"state": "msg_3  out in " + l.versions[2].Hash,
			"why":   "msg_3 note enough  " + l.versions[2].Hash,
		} {
			c := s.cell(name)
			last, _ := c.Last()
			before, _ := c.Before()
			got := fmt.Sprintf("%s %s %s %s %s", last.Delivery, last.Path, last.After.Text, before.Text, last.Mapping)
			if got != want || c.Author != ByDelivery || c.Now.Text != last.After.Text || last.Rule != (name == "state" || name == "why") {
				t.Errorf("%s: %s, want %s (%+v)", name, got, want, c)
			}
		}
		if got := s.cell("a").History; len(got) != 3 || got[0].After.Text != "first" || got[0].Delivery != "msg_1" {
			t.Errorf("the history of a: %+v", got)
		}
		if got := s.Told[3]; got.ID != "msg_4" || !strings.Contains(got.Effect, "came late") || got.Body != nil {
			t.Errorf("%+v", got)
		}

		// Another program, and what was sent.
		d.exec("UPDATE contacts SET n = 99 WHERE id = 'x'", "ALTER TABLE contacts ADD COLUMN theirs text", "UPDATE contacts SET theirs = 'mine'")
		at := time.Unix(start+9000, 0).UTC()
		err := l.s.SavePushes(context.Background(), "contacts", []outgoing.Save{
			{RowKey: "x", Kind: "contact", Line: outgoing.Line{Kind: "contact", Status: outgoing.Sent, Code: 200, Attempts: 1, Body: []byte(`{"a":"late"}`), SentAt: at, UpdatedAt: at}},
			{RowKey: "x", Kind: "grown", Line: outgoing.Line{Kind: "grown", Status: outgoing.Failed, Code: 400, Message: "no such event", Attempts: 2, UpdatedAt: at.Add(time.Minute)}},
			{RowKey: "y", Kind: "contact", Line: outgoing.Line{Kind: "contact", Status: outgoing.Sent, UpdatedAt: at}},
		})
		if err != nil {
			t.Fatal(err)
		}
		s = l.story()
		last, _ := s.cell("n").Last()
		if c := s.cell("n"); c.Author != SomebodyElse || c.Now.Text != "99" || last.Delivery != "msg_4" {
			t.Errorf("n: %+v", c)
		}
		if c := s.cell("theirs"); c.Author != SomebodyElse || len(c.History) > 0 {
			t.Errorf("theirs: %+v", c)
		}
		if len(s.Pushes) != 2 || s.Pushes[0].Outcome() != "sent 200" || string(s.Pushes[0].Body) != `{"a":"late"}` || s.Pushes[1].Message != "no such event" {
			t.Errorf("%+v", s.Pushes)
		}

		// A body and a version that are not kept any more.
		d.exec("UPDATE loopmap_deliveries SET body = NULL WHERE id = 'msg_3'")
		s = l.story()
		if got := s.Told[2]; !got.Untold || !strings.Contains(got.Effect, "its body is not kept any more (journal.keep)") {
			t.Errorf("%+v", got)
		}
		if got := s.cell("state").Author; got != Unknown { // nobody else is accused
			t.Errorf("state is by %s", got)
		}
		d.exec("DELETE FROM loopmap_mappings WHERE hash = '" + l.versions[0].Hash + "'")
		if got := l.story().Told[0]; !got.Untold || !strings.Contains(got.Effect, "version "+l.versions[0].Hash+" of the mapping is not kept") {
			t.Errorf("%+v", got)
		}

		// Taken out by a delivery, and made again by somebody else.
		l.write(l.versions[5], event("msg_5", "contact.deleted", "x", 100, ""), false)
		if s = l.story(); s.There || s.Note != "" || s.Told[4].Effect != hasTakenOut {
			t.Errorf("%+v", s)
		}
		d.exec("INSERT INTO contacts (id, a) VALUES ('x', 'again')")
		if s = l.story(); !s.There || !strings.Contains(s.Note, "somebody else has made it again") || s.cell("a").Author == ByDelivery {
			t.Errorf("%+v", s)
		}
	})
}

// Without a database: an update of a row that may have been there is held against what the
// row holds, and a version that cannot be read or is of another table is told in words.
func TestTell(t *testing.T) {
	d := &database{t: t, d: column.SQLite, url: "sqlite:contacts.db"}
	f := d.files()
	m := f.mapping(storyRules, "a text contact.a", "state text contact.state")
	record := func(hash string, seq int64, from mapping.Delivery) Record {
		e := mapping.Enter(m, from)
		return Record{Delivery: from, Seq: seq, Event: e.Row.Event, EventTime: e.Row.EventTime, Status: mapping.Applied, RowKey: "x", Mapping: hash}
	}
	other := strings.Replace(string(f.text[m.Hash]), "table: contacts", "table: others", 1)
	kept := map[string]Version{
		"other": {Hash: "other", Text: other}, "broken": {Hash: "broken", Text: "version: 99\n"},
	}
	fields := Fields(m, nil)
	unsubscribed := record(m.Hash, 1, event("1", "contact.unsubscribed", "x", 5, ""))
	for _, c := range []struct {
		name    string
		records []Record
		row     map[string]column.Cell
		state   Author
		effect  string
		note    string
	}{
		{"a row of somebody's", []Record{unsubscribed}, map[string]column.Cell{"id": column.Of("x"), "state": column.Of("out")}, ByDelivery,
			hasChanged, "no delivery has made the row: somebody else has"},
		{"a row that came later", []Record{unsubscribed, record(m.Hash, 2, created("2", "x", 9, ""))},
			map[string]column.Cell{"id": column.Of("x"), "state": {State: column.Null}}, Nobody, hasMade, ""},
		{"another table", []Record{record("other", 1, created("3", "x", 9, ""))}, nil, Nobody, "writes table others", ""},
		{"a broken version", []Record{record("broken", 1, created("4", "x", 9, ""))},
			map[string]column.Cell{"id": column.Of("x"), "state": column.Of("?")}, Unknown, "cannot be read any more", ""},
		{"gone", []Record{record(m.Hash, 1, created("5", "x", 9, ""))}, nil, Nobody, hasMade, "somebody else has"},
	} {
		s := tell(m, exactKeys, "x", fields, c.row, c.records, kept)
		if got := s.cell("state"); got.Author != c.state {
			t.Errorf("%s: %+v", c.name, got)
		}
		if got := s.Told[len(s.Told)-1].Effect; !strings.Contains(got, c.effect) {
			t.Errorf("%s: %s", c.name, got)
		}
		if !strings.Contains(s.Note, c.note) || c.note == "" && s.Note != "" {
			t.Errorf("%s: note %q", c.name, s.Note)
		}
	}
}
