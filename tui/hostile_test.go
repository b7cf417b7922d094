package tui

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
)

// evil is what nobody may send to a terminal: sequences of ESC and of C1, DEL, marks of
// direction, what has no width, a line feed, bytes that are no UTF-8.
const evil = "\x1b]0;evil\x07\x1b[38;5;99m\u009b31m\x7f\u202e\u2066\u200b\u200f\ufeff\u2800\U000e0041\r\nevil\xff\x9b"

// own are the sequences that the screens are drawn with.
var own = regexp.MustCompile(`\x1b\[(?:(?:[0-9]|3[1-7]|22|23|24|27|39|49|38;5;(?:26|33|75))(?:;|))*m`)

func checkHarmless(t *testing.T, what, text string) {
	t.Helper()
	if strings.Contains(text, "38;5;99") && strings.Contains(text, "\x1b[38;5;99m") {
		t.Errorf("%s: a sequence from outside gets through: %q", what, around(text, "\x1b[38;5;99m"))
		return
	}
	for line := range strings.SplitSeq(own.ReplaceAllString(text, ""), "\n") {
		if got := body.Printable(line); got != line {
			t.Errorf("%s: not fit for a terminal: %q", what, line)
			return
		}
	}
}

func around(s, at string) string {
	i := strings.Index(s, at)
	return s[max(0, i-80):min(len(s), i+80)]
}

// hostileBackend says nothing that is fit for a terminal.
type hostileBackend struct{ fail bool }

func (h *hostileBackend) err() error {
	if h.fail {
		return errors.New(evil)
	}
	return nil
}

func hostileLine() outgoing.Line {
	return outgoing.Line{Kind: evil, Status: outgoing.Failed, Code: 400, Message: evil, Tried: evil, SentAt: time.Unix(1, 0), IdempotencyKey: evil}
}

func hostileDelivery() Delivery {
	return Delivery{At: time.Unix(1, 0), ID: evil, Event: evil, Email: evil, Status: evil, RowKey: evil, Reason: evil, Pushes: []outgoing.Line{hostileLine()}}
}

func hostileBody() []byte {
	q, _ := json.Marshal(evil)
	raw := []byte(`"` + strings.NewReplacer("\x1b", "", "\x07", "", "\r", "", "\n", "", "\xff", "", "\x9b", "").Replace(evil) + `"`)
	b := []byte(`{"eventName":"contact.created","contactIdentity":{"id":Q,"email":R},"contact":{"mailingLists":{Q:true,R:false},R:Q,Q:[Q,{R:R}],"o":{Q:{R:1}}}}`)
	return bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("Q"), q), []byte("R"), raw)
}

func (h *hostileBackend) Review(context.Context, *mapping.Mapping) (Review, error) {
	return Review{Diff: "--- a\n+++ b\n@@ -1 +1 @@\n+" + evil + "\n", Notes: []string{evil}, SQL: []string{evil}, Later: []string{evil}, Theirs: "+" + evil, Table: evil}, h.err()
}
func (h *hostileBackend) Save(context.Context, *mapping.Mapping) (Saved, error) {
	return Saved{Columns: []TableColumn{{evil, evil}}, Words: evil}, h.err()
}
func (h *hostileBackend) DropDraft() error { return h.err() }
func (h *hostileBackend) Reread(context.Context) (Opened, error) {
	return Opened{Mapping: hostileMapping(), Database: evil, Columns: []TableColumn{{evil, evil}}}, h.err()
}
func (h *hostileBackend) Read(string) ([]Sample, error) {
	return []Sample{{From: evil, Body: hostileBody()}}, h.err()
}
func (h *hostileBackend) Journal(context.Context) ([]Sample, error) {
	return []Sample{{From: evil, Body: hostileBody()}}, h.err()
}
func (h *hostileBackend) Deliveries(_ context.Context, mark int64) ([]Delivery, int64, error) {
	if mark > 0 {
		return nil, mark, nil
	}
	return []Delivery{hostileDelivery(), {ID: "x", Event: evil}}, 1, h.err()
}
func (h *hostileBackend) Delivery(context.Context, string) (Delivery, error) {
	d := hostileDelivery()
	d.Body = []byte(evil + string(hostileBody()))
	return d, h.err()
}
func (h *hostileBackend) Search(_ context.Context, match func(Delivery) bool) (map[string]bool, error) {
	return map[string]bool{evil: match(hostileDelivery())}, h.err()
}
func (h *hostileBackend) TableLook(context.Context, *mapping.Mapping) (TableLook, error) {
	return TableLook{Order: []string{evil}, Hidden: []string{"email"}, Wide: map[string]int{evil: -1 << 40}}, h.err()
}
func (h *hostileBackend) KeepTableLook(context.Context, *mapping.Mapping, TableLook) error {
	return h.err()
}
func (h *hostileBackend) Story(context.Context, string) (Story, error) {
	return Story{Key: evil, Note: evil, Cells: []StoryCell{{evil, evil, evil, evil, evil, evil, evil, []string{evil}}},
		Happened: []Happening{{evil, evil, evil, evil, evil, false, evil, nil}, {evil, evil, evil, evil, evil, true, evil, []byte(evil)}}}, h.err()
}
func (h *hostileBackend) Rows(context.Context, *mapping.Mapping, RowsQuery) (RowsView, error) {
	cell := column.Cell{State: column.Present, Text: evil}
	return RowsView{End: true, Fields: []column.Field{{Name: "loops_id", Type: column.Text}, {Name: evil, Type: column.Text}, {Name: "email", Type: column.Text}},
		Rows: []TableRow{{outgoing.Row{Key: evil, Cells: map[string]column.Cell{evil: cell, "email": cell}, Lines: []outgoing.Line{hostileLine()}}, evil, Came{evil, time.Unix(1, 0)}},
			{Row: outgoing.Row{Key: "x"}}},
		Problem: evil}, h.err()
}
func (h *hostileBackend) Push(_ context.Context, _ Sending, progress chan<- PushProgress) (string, error) {
	progress <- PushProgress{Done: 1, Requests: 1, Outcomes: []PushOutcome{{evil, hostileLine()}}}
	return evil, h.err()
}
func (h *hostileBackend) Catalog(context.Context, *mapping.Mapping, []string) Catalog {
	p := []mapping.Property{{Key: evil, Type: evil}, {Key: "plan", Type: evil}, {Key: "companyName", Type: evil}}
	c := Catalog{Team: evil, Properties: p, Lists: []mapping.List{{ID: evil, Name: evil}, {ID: "l", Name: evil}}, Events: []string{evil, "up"},
		EventProperties: map[string][]mapping.Property{"up": p, evil: p}}
	if h.fail {
		c = Catalog{Problem: evil}
	}
	return c
}
func (h *hostileBackend) Replay(context.Context, string) (string, error) { return evil, h.err() }
func (h *hostileBackend) Counts(context.Context, Counts) (Counts, error) {
	return Counts{}, context.Canceled
}
func (h *hostileBackend) MapWaiting(context.Context) (string, error) { return evil, h.err() }
func (h *hostileBackend) Table(context.Context, string, string) (Table, error) {
	return Table{Name: evil, Columns: []TableColumn{{evil, evil}}, Keys: []string{evil}}, h.err()
}
func (h *hostileBackend) Tables(context.Context, string) (string, []string, error) {
	return evil, []string{evil, evil + "2"}, h.err()
}
func (h *hostileBackend) CheckFile(string) (string, error) { return evil, h.err() }
func (h *hostileBackend) CreateProperty(context.Context, *mapping.Mapping, mapping.Property) error {
	return h.err()
}
func (h *hostileBackend) Misfit(column.Type, TableColumn) string { return evil }
func (h *hostileBackend) Connections(context.Context) (Connections, error) {
	return Connections{Before: evil, List: []Connection{{Name: evil, Team: evil, Place: evil}, {Name: "x", Wrong: evil}}}, h.err()
}
func (h *hostileBackend) TryKey(context.Context, string) (string, error) { return evil, h.err() }
func (h *hostileBackend) KeepConnection(context.Context, string, string, string) (string, error) {
	return evil, h.err()
}
func (h *hostileBackend) RenameConnection(context.Context, string, string) error { return h.err() }
func (h *hostileBackend) RemoveConnection(context.Context, string) error         { return h.err() }

func hostileMapping() *mapping.Mapping {
	m := mapping.New("sqlite:" + evil + ".db")
	m.Table = evil
	m.Receive.Columns = append(m.Receive.Columns, mapping.Column{Name: evil, Type: column.Text, From: body.MakePath(body.Step{Key: "contact"}, body.Step{Key: evil})},
		mapping.Column{Name: "email", Type: column.Integer, From: body.MakePath(body.Step{Key: "contactIdentity"}, body.Step{Key: "email"})})
	return m.EditPush(func(p *mapping.Push) {
		p.Every = evil
		p.Contact = &mapping.PushContact{Email: "email", OnlyRunIf: evil, Properties: []mapping.Pair{{Loops: evil, Column: evil, As: evil}, {Loops: "plan", Column: "email", As: "string"}},
			Lists: []mapping.Pair{{Loops: evil, Column: evil}}}
		p.Events = []mapping.PushEvent{{Name: evil, Email: evil, OnlyRunIf: evil, OncePer: []string{evil}, Properties: []mapping.Pair{{Loops: evil, Column: evil}}},
			{Name: "up", Contact: []mapping.Pair{{Loops: evil, Column: "email"}}, Lists: []mapping.Pair{{Loops: evil, Column: evil}}}}
	})
}

func hostileConfig(b Backend) Config {
	return Config{
		File: evil, Mapping: hostileMapping(), Draft: mapping.New("sqlite:x.db"), Database: evil, Columns: []TableColumn{{evil, evil}, {"email", evil}},
		Listen: Listen{URL: evil, Secrets: 1}, Example: Sample{From: evil, Body: hostileBody()}, Backend: b,
	}
}

// Whatever comes from outside, by whatever way, reaches no screen as it is.
func TestNothingHostileOnScreens(t *testing.T) {
	arrivals := []Arrival{
		{At: time.Unix(1, 0), Event: evil, Email: evil, Signed: true, Code: 200, Body: hostileBody()},
		{At: time.Unix(1, 0), Code: 404, Problem: evil}, {At: time.Unix(1, 0), Event: evil, Code: 503, Problem: evil, Signed: true, Body: hostileBody()},
		{At: time.Unix(1, 0), Code: 401, Problem: evil}, {At: time.Unix(1, 0), Event: "x", Code: 200, Body: []byte(evil)},
	}
	for _, fail := range []bool{false, true} {
		for _, size := range [][2]int{{160, 50}, {80, 24}, {40, 12}, {10, 3}} {
			b := &hostileBackend{fail: fail}
			for _, listen := range []Listen{{URL: evil, Secrets: 2}, {URL: evil, Problem: evil}, {URL: evil, Public: true}} {
				cfg := hostileConfig(b)
				cfg.Listen = listen
				d := &driver{t: t, m: New(context.Background(), cfg)}
				d.m.rhythm.beat = 0
				clock := time.Unix(0, 0)
				d.m.rhythm.now = func() time.Time { clock = clock.Add(time.Second); return clock }
				step := 0
				look := func(what string) {
					t.Helper()
					step++
					d.m.quit = false // it goes on
					checkHarmless(t, what, d.m.Screen())
					checkSize(t, d.m)
				}
				d.send(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
				look("start")
				d.keys("enter")
				for _, a := range arrivals {
					d.send(arrivalMsg{a})
					look("arrival")
				}
				d.send(newsMsg{News{Words: evil, Bad: fail}})
				look("news")
				for _, keys := range []string{
					"r", "jjj", "f", "x\r", "J", "r", "b", "r", "\r", "jjjjj", " ", "v", "G", "q", "o", "a", "E", "C", "9", "+", "/", "evil\r", "n", "y", "Y", "\x1b",
					"\t", "j", "\r", "down", "x", "\x1b", "t", "*", "K", "d", "u", "\t", "l", "l", "j", "\t", "4", "j", "k", "/", "evil\r", "\r", "\t", "jjj", "l", "\t", "q", "m", "4", "q",
					"3", "jjjj", " ", "\r", "down", "\r", "/", "ev", "\x1b", "j", " ", "j", "n", "t", "c", "c", "a", "ev", "down", "\r", "\r", "f", "ev\r", "m", "\t", "j", "\r", "j", "G", "y", "\x1b",
					"3", "L", "j", "\r", "L", "i", "k\r", "\r", "L", "e", "x\r", "d", "d", "q", "]", "[", "R", "3\r", "x", "G", "kkk", "\r", "u", "down", "\r", "s", "j", "G", "m", "t", "s", "\r", "?", "jjj", "\x1b", "s", "\r", "q", "n",
				} {
					if named[keys] != 0 {
						d.keys(keys)
						look(keys)
						continue
					}
					for _, r := range keys {
						switch r {
						case '\r':
							d.keys("enter")
						case '\t':
							d.keys("tab")
						case '\x1b':
							d.keys("esc")
						case ' ':
							d.keys("space")
						default:
							d.keys(string(r))
						}
						look(keys)
					}
				}
				if step < 140 {
					t.Errorf("it ended after %d steps", step)
				}
				for i := range d.m.push.slots { // all lines of the push screen
					d.m.place, d.m.over, d.m.push.cursor, d.m.push.focus = sendPlace, nil, i, requestsPane
					d.send(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
					look("slot")
					for _, k := range []string{"t", "n", " ", "enter", "esc", "c", "esc"} {
						d.keys(k)
						look("slot " + k)
					}
				}
			}
		}
	}
}

// Line by line it does not either.
func TestNothingHostileLineByLine(t *testing.T) {
	for _, fail := range []bool{false, true} {
		in, typed := io.Pipe()
		var out bytes.Buffer
		done := make(chan error, 1)
		cfg := hostileConfig(&hostileBackend{fail: fail})
		go func() {
			_, err := Lines(context.Background(), cfg, in, &out)
			done <- err
		}()
		for _, line := range []string{"draft", "undo", "b", "list", "list evil", "3", "columns", "name 2 " + evil, "type 2 x", "type 2 json", "row", "journal", "file " + evil, "map", "push", "sends 1", "null 5", "as 5", "make 5",
			"set 4 " + evil, "set 5 " + evil, "set 1 email", "event " + evil, "add plan email", "send 3", "connect list", "connect use " + evil, "connect use x", "connect remove x", "y", "connect rename x y", "connect", "k", "n", "connect ?", "save", "y", "save", "n", evil, "drop 2", "key 2", "up 2", "quit", "y"} {
			if _, err := io.WriteString(typed, strings.NewReplacer("\n", " ", "\r", " ").Replace(line)+"\n"); err != nil {
				break
			}
		}
		_ = typed.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if out.Len() < 2000 {
			t.Errorf("only %s", &out)
		}
		checkHarmless(t, "line by line", out.String())
	}
}
