package table

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"loopmap/mapping"
)

// files are mapping files by their hashes, as a program has read them.
type files struct {
	t    testing.TB
	d    *database
	mu   sync.Mutex
	text map[string][]byte
}

func (d *database) files() *files { return &files{t: d.t, d: d, text: map[string][]byte{}} }

// mapping reads a mapping file with the key column id and a line for each column.
func (f *files) mapping(rest string, columns ...string) *mapping.Mapping {
	f.t.Helper()
	src := "version: 1\ndatabase: ${DATABASE_URL}\ntable: contacts\nkey: id\nreceive:\n  events: [contact.created]\n  columns:\n" +
		"    - {name: id, type: text, from: contactIdentity.id}\n"
	for _, c := range columns {
		part := strings.SplitN(c, " ", 3)
		src += fmt.Sprintf("    - {name: %s, type: %s, from: '%s'}\n", part[0], part[1], part[2])
	}
	src += rest
	m, err := mapping.Parse("loopmap.yaml", []byte(src))
	if err == nil {
		_, err = m.ExpandDatabase(func(string) (string, bool) { return f.d.url, true })
	}
	if err != nil {
		f.t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.text[m.Hash] = []byte(src)
	return m
}

func (f *files) of(hash string) ([]byte, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	text, ok := f.text[hash]
	return text, ok
}

// open opens the database as a program does that has read the files.
func (f *files) open() *Store {
	f.t.Helper()
	s, err := Open(context.Background(), Options{URL: f.d.url, Dir: f.d.dir, Write: true, Text: f.of})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { s.Close() })
	return s
}

// The text of each version of the mapping file that has mapped something stands in the
// journal once there is a delivery that it has mapped, whoever was first.
func TestVersionsAreKept(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		f := d.files()
		s, other := f.open(), f.open()
		one, two, three := f.mapping("", "a text contact.a"), f.mapping("# ü\r\n", "a text contact.a"), f.mapping("# three\n", "a text contact.a")
		ready(t, s, one)
		if got := d.text("SELECT count(*) FROM loopmap_mappings"); got != "0" {
			t.Fatalf("%s are kept before anything was mapped", got)
		}
		began := time.Now().Add(-time.Second)
		commit(t, s, one, created("1", "x", 0, `,"a":"A"`), created("2", "y", 0, `,"a":"B"`))
		commit(t, other, one, created("3", "z", 0, `,"a":"C"`)) // which does not know that it is there
		if _, _, err := s.Try(context.Background(), []mapping.Entry{mapping.Enter(two, created("1", "x", 0, `,"a":"A"`))}); err != nil {
			t.Fatal(err)
		}
		if got := d.text("SELECT count(*) FROM loopmap_mappings"); got != "1" {
			t.Errorf("%s are kept after one has mapped and one was tried", got)
		}
		if _, err := s.Recommit(context.Background(), []mapping.Entry{mapping.Enter(two, created("1", "x", 0, `,"a":"A"`))}); err != nil {
			t.Fatal(err)
		}
		commit(t, s, three, event("4", "email.opened", "x", 0, "")) // which is ignored: it has read it all the same
		commit(t, s, nil, created("5", "x", 9, ""))
		found, err := s.Versions(context.Background(), []string{one.Hash, two.Hash, three.Hash, "none"})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := slices.Sorted(maps.Keys(found)), slices.Sorted(maps.Keys(f.text)); !slices.Equal(got, want) {
			t.Fatalf("%q are kept, want %q", got, want)
		}
		for hash, v := range found {
			if v.Text != string(f.text[hash]) || v.FirstUsed.Before(began) || v.FirstUsed.After(time.Now().Add(time.Second)) {
				t.Errorf("%+v", v)
			}
		}
		if got := d.text("SELECT count(*) FROM loopmap_deliveries d WHERE mapping IS NOT NULL AND NOT EXISTS " +
			"(SELECT 1 FROM loopmap_mappings m WHERE m.hash = d.mapping)"); got != "0" {
			t.Errorf("%s deliveries were mapped by what is not kept", got)
		}
	})
}

// Many that start at once with versions that are new keep each, and wait for none for ever.
func TestVersionsOfManyWriters(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		f := d.files()
		var list []*mapping.Mapping
		for i := range 12 {
			list = append(list, f.mapping(fmt.Sprintf("# %d\n", i), "a text contact.a"))
		}
		ready(t, f.open(), list[0])
		var all sync.WaitGroup
		for w := range 4 {
			s := f.open()
			all.Go(func() {
				for round := range 6 {
					var entries []mapping.Entry
					for i := range list { // in an order of its own, on rows that others write
						m := list[(i*(w*2+1)+round)%len(list)]
						entries = append(entries, mapping.Enter(m, created(fmt.Sprint(w, "-", round, "-", i), fmt.Sprint("r", i%5), i, `,"a":"A"`)))
					}
					_, err := s.Commit(context.Background(), entries)
					for err != nil && strings.Contains(err.Error(), "is locked") { // on a slow machine; Loops sends again, too
						_, err = s.Commit(context.Background(), entries)
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if got := d.text("SELECT count(*) FROM loopmap_mappings"); got != "12" {
			t.Errorf("%s versions are kept of 12", got)
		}
	})
}

// A delivery that is not stored keeps no version, and one that comes after it does.
func TestVersionsWithTheirDelivery(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		f := d.files()
		s := f.open()
		m := f.mapping("", "a text contact.a")
		ready(t, s, m)
		d.exec("ALTER TABLE loopmap_deliveries RENAME TO elsewhere")
		if _, err := s.Commit(context.Background(), []mapping.Entry{mapping.Enter(m, created("1", "x", 0, ""))}); err == nil {
			t.Fatal("it was stored nowhere")
		}
		if got := d.text("SELECT count(*) FROM loopmap_mappings"); got != "0" {
			t.Errorf("%s versions are kept", got)
		}
		d.exec("ALTER TABLE elsewhere RENAME TO loopmap_deliveries")
		commit(t, s, m, created("1", "x", 0, ""))
		if got := d.text("SELECT count(*) FROM loopmap_mappings"); got != "1" {
			t.Errorf("%s versions are kept", got)
		}
	})
}
