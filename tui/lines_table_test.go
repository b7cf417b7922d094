package tui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
)

// Line by line, the table is gone through, filtered and ordered, a row's story told, and a
// row sent.
func TestLinesTable(t *testing.T) {
	d := withTable(start(t, 80, 24, withSample))
	d.keys("3").to("teamSize").keys("space", "s", "enter")
	d.fake.pushes.Rows = nil
	for i := range 450 {
		d.fake.pushes.Rows = append(d.fake.pushes.Rows, TableRow{Came: Came{"applied", viewTime}, Row: outgoing.Row{Key: fmt.Sprintf("k%03d", i),
			Cells: map[string]column.Cell{"email": text(fmt.Sprintf("p%03d@x.example", i)), "plan": text([]string{"pro", "free"}[i%2]), "team_size": text(fmt.Sprint(i))}}})
	}
	d.fake.pushes.Rows[7].Lines = []outgoing.Line{{Kind: "contact", Status: outgoing.Failed, Code: 400}}
	d.fake.story = Story{There: true, Cells: []StoryCell{{Column: "plan", Value: "gold", From: "contact.plan", Written: "2026-11-23", Delivery: "msg_1", Before: "pro"}},
		Happened: []Happening{{At: "2026-11-23", What: "contact.created", Became: "applied: made the row", ID: "msg_1"}, {At: "2026-11-24", What: "contact", Became: "sent 200", Push: true}}}
	cfg := d.m.cfg
	cfg.Mapping = d.m.draft
	say := func(lines ...string) string {
		t.Helper()
		var out strings.Builder
		if _, err := Lines(context.Background(), cfg, strings.NewReader(strings.Join(lines, "\n")+"\n"), &out); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	has := func(got string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%q is not said:\n%s", w, got)
			}
		}
	}
	has(say("table"), "1. p000@x.example: team_size 0, plan pro. applied 11-23 09:14.", "10. p009", "Say table more")
	has(say("table", "table more"), "11. p010@x.example", "20. p019")
	var more []string
	for range 44 {
		more = append(more, "table more")
	}
	has(say(append([]string{"table"}, more...)...), "450. p449@x.example")
	has(say(append([]string{"table", "table more"}, more...)...), "There are no more.")
	if got := say(`table plan == "free"`); !strings.Contains(got, "1. p001@x.example") || strings.Contains(got, "p000") {
		t.Error(got)
	}
	has(say("table failed"), "1. p007@x.example", "contact failed 400")
	has(say("table none == 1"), "No: the table has no column none")
	has(say("table by plan"), "2. p002@x.example", "by plan")
	has(say("table", "story 2"), "Row k001.", "plan: gold, from contact.plan, written 2026-11-23, by delivery msg_1, before it was pro.",
		"2026-11-23, contact.created: applied: made the row msg_1.", "2026-11-24, sent contact: sent 200.")
	has(say("story"), "Of which row?")
	has(say("table", "send row 2"), "sent")
	if got := d.fake.sending; !slices.Equal(got.Keys, []string{"k001"}) || got.Again {
		t.Errorf("%+v", got)
	}
	has(say("send row 900"), "Which row?")
	cfg.ReadOnly = true
	has(say("table", "send row 2", "send 3"), "You may look, and not send.")
}
