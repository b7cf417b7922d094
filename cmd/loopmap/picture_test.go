//go:build unix

package main

import (
	"context"
	"encoding/xml"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"

	"loopmap/mapping"
	"loopmap/mapping/loops"
	"loopmap/mapping/table"
)

var update = flag.Bool("update", false, "draw the pictures of the README anew")

// The pictures of the README are drawn from the real program on a real terminal,
// and held against it, so that they cannot lie. To draw them anew:
//
//	go test ./cmd/loopmap -run Pictures -update
func TestPictures(t *testing.T) {
	dir, addr := newFolder(t)
	x := openTerminal(t, dir, 112, 30, nil, "--listen", addr, "--public-url", "https://hooks.example.com")
	x.wait("waiting for the first webhook", "? all keys")
	compare(t, x, "capture.svg")
	x.press("b").wait("firstName")
	x.press("/", "contact.email", "enter", "space", "esc", "/", "contact.firstN", "enter", "space", "esc", "/", "companyN", "enter", "space", "esc",
		"/", "trialEnds", "enter", "space", "esc", "/", "mailingLists", "enter", "up", "space", "esc")
	x.wait("7 columns ─", " •", "optInStatus", "? all keys")
	compare(t, x, "map.svg")
	x.press("s").wait("CREATE TABLE", "enter write")
	compare(t, x, "save.svg")
	x.press("enter").wait("saved loopmap.yaml").press("q")
	x.exit()

	fillJournal(t, dir)
	x = openTerminal(t, dir, 112, 18, nil, "--listen", addr)
	x.wait("Contact ─").press("4").wait("4 deliveries", "> 11-23 09:14:07").press("down").wait("a time; RFC 3339", "? all keys")
	compare(t, x, "deliveries.svg")
	x.press("q")
	x.exit()

	dir, addr = newFolder(t)
	fillTable(t, dir)
	x = openTerminal(t, dir, 112, 18, nil, "--listen", addr)
	x.wait("Columns ─").press("2").wait("dana.okafor@northwind.example", "? all keys")
	compare(t, x, "table.svg")
	x.press("enter").wait("Story of dana.okafor", "? all keys")
	compare(t, x, "story.svg")
	x.press("q", "q")
	x.exit()
}

// fillTable makes a table that webhooks, somebody else and pushes have written, at fixed
// times.
func fillTable(t *testing.T, dir string) {
	t.Helper()
	writeFile(t, filepath.Join(dir, "loopmap.yaml"), `version: 1
database: sqlite:contacts.db
table: contacts
key: loops_id

receive:
  events: [contact.created]
  columns:
    - {name: loops_id,   type: text, from: contactIdentity.id}
    - {name: email,      type: text, from: contact.email}
    - {name: first_name, type: text, from: contact.firstName}
    - {name: plan,       type: text, from: contact.plan}
  rules:
    - {event: contact.unsubscribed, set: {plan: free}}

push:
  contact: {email: email, properties: {plan: plan}}
  events:
    - {name: upgraded, only_run_if: 'plan == "pro"', properties: {plan: plan}}
`)
	var lines strings.Builder
	for i, c := range []struct{ id, email, name, plan string }{
		{"cmc7x2q9f4001ro0123456789", "dana.okafor@northwind.example", "Dana", "free"}, {"cmc7x2q9f4001ro0123456789", "dana.okafor@northwind.example", "Dana", "pro"},
		{"cmc7x2rb1u002jm0123456789", "bob@fabrikam.example", "Bob", "pro"}, {"cmc7x2sd90031kp0123456789", "lee@tailspin-toys.example", "Lee", "free"},
		{"cmc7x2tk1a0042mq012345678", "ada@example.com", "Ada", "pro"}, {"cmc7x2vv3b0053ns012345678", "mei@contoso.example", "Mei", "trial"},
	} {
		fmt.Fprintf(&lines, `{"id":"msg_%d","timestamp":"%d","body":{"eventName":"contact.created","eventTime":%[2]d,"contactIdentity":{"id":%q},`+
			`"contact":{"id":%[3]q,"email":%q,"firstName":%q,"plan":%q}}}`+"\n", i+1, 1795421000+400*i, c.id, c.email, c.name, c.plan)
	}
	writeFile(t, filepath.Join(dir, "came.ndjson"), lines.String())
	runLoopmap(t, dir, "replay", "--from", "came.ndjson")
	execSQL(t, filepath.Join(dir, "contacts.db"), `UPDATE contacts SET first_name = 'Dana O.' WHERE first_name = 'Dana';
		INSERT INTO contacts VALUES ('own-1', 'kim@example.com', 'Kim', NULL);
		INSERT INTO loopmap_pushes (table_name, row_key, kind, idempotency_key, status, code, message, attempts, sent_at, updated_at, body) VALUES
			('contacts', 'cmc7x2q9f4001ro0123456789', 'contact', '', 'sent', 200, NULL, 1, '2026-11-23T09:14:07.000Z', '2026-11-23T09:14:07.000Z',
				'{"email":"dana.okafor@northwind.example","plan":"pro"}'),
			('contacts', 'cmc7x2q9f4001ro0123456789', 'upgraded', 'loopmap-1', 'sent', 200, NULL, 1, '2026-11-23T09:14:08.000Z', '2026-11-23T09:14:08.000Z',
				'{"email":"dana.okafor@northwind.example","eventName":"upgraded"}'),
			('contacts', 'cmc7x2rb1u002jm0123456789', 'contact', '', 'failed', 400, 'Invalid email address', 1, NULL, '2026-11-23T09:14:09.000Z', NULL),
			('contacts', 'cmc7x2sd90031kp0123456789', 'contact', '', 'sent', 200, NULL, 1, '2026-11-23T09:15:00.000Z', '2026-11-23T09:15:00.000Z', NULL),
			('contacts', 'cmc7x2sd90031kp0123456789', 'upgraded', '', 'not_met', NULL, 'plan == "pro" does not hold', 0, NULL, '2026-11-23T09:15:00.000Z', NULL)`)
}

// fillJournal writes four deliveries at fixed times, as sync would have.
func fillJournal(t *testing.T, dir string) {
	t.Helper()
	ctx := context.Background()
	store, err := table.Open(ctx, table.Options{URL: "sqlite:contacts.db", Dir: dir, Write: true})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	src, err := os.ReadFile(filepath.Join(dir, "loopmap.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := mapping.Parse("loopmap.yaml", src)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 23, 9, 11, 40, 0, time.UTC)
	for i, d := range []struct{ event, path, value string }{
		{"contact.created", "contact.plan", `"free"`},
		{"contact.unsubscribed", "eventTime", "1795421060"},
		{"contact.created", "contact.trialEndsAt", `"some day"`},
		{"contact.created", "contact.plan", `"pro"`},
	} {
		body, _ := loops.Example(d.event)
		p, err := mapping.ParsePath(d.path)
		if err != nil {
			t.Fatal(err)
		}
		if body, err = p.Set(body, []byte(d.value)); err != nil {
			t.Fatal(err)
		}
		e := mapping.Enter(m, mapping.Delivery{ID: fmt.Sprint("msg_", i), Received: at.Add(time.Duration(i) * 49 * time.Second), Body: body})
		if _, err := store.Commit(ctx, []mapping.Entry{e}); err != nil {
			t.Fatal(err)
		}
	}
}

func compare(t *testing.T, x *terminal, name string) {
	t.Helper()
	file := filepath.Join("..", "..", ".github", name)
	got := x.picture()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s shows another screen than the program:\n%s\n(go test ./cmd/loopmap -run Pictures -update draws it anew)", file, x.text())
	}
}

// The size of a cell of the picture, and its colours.
const (
	cellW, cellH = 8.4, 18.0
	paper, ink   = "#16181d", "#d7dae0"
)

// picture draws the screen as SVG.
func (x *terminal) picture() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	w, h := x.screen.Width(), x.screen.Height()
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,monospace" font-size="14">`+"\n", float64(w)*cellW+24, float64(h)*cellH+24)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", paper)
	for y := range h {
		for from := 0; from < w; {
			style, run := x.cell(from, y)
			to := from + 1
			for ; to < w; to++ {
				next, s := x.cell(to, y)
				if boxes[s] != "" || boxes[run] != "" {
					break // it is drawn by itself
				}
				// A blank has no looks of its own, unless it is reverse.
				if next != style && (s != " " || next.reverse || style.reverse) {
					break
				}
				run += s
			}
			drawRun(&b, style, run, from, to, y)
			from = to
		}
	}
	return b.String() + "</svg>\n"
}

// boxes are the characters that frames are drawn with, as paths in a cell.
var boxes = map[string]string{
	"─": "M0 9H8.4", "│": "M4.2 0V18", "┃": "M4.2 0V18M3.2 0V18M5.2 0V18",
	"╭": "M4.2 18V13Q4.2 9 8.4 9", "╮": "M0 9Q4.2 9 4.2 13V18", "╰": "M4.2 0V5Q4.2 9 8.4 9", "╯": "M0 9Q4.2 9 4.2 5V0",
}

// palette is the first eight of a terminal's sixteen colours, the only ones used.
var palette = [8]string{"#5c6370", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", ink}

// look is what a picture knows of a cell's style.
type look struct {
	fill                 string
	bold, faint, reverse bool
}

func (x *terminal) cell(col, row int) (look, string) {
	c := x.screen.CellAt(col, row)
	if c == nil {
		return look{fill: ink}, " "
	}
	l := look{
		fill: ink, bold: c.Style.Attrs&uv.AttrBold != 0, faint: c.Style.Attrs&uv.AttrFaint != 0, reverse: c.Style.Attrs&uv.AttrReverse != 0,
	}
	switch c := c.Style.Fg.(type) {
	case ansi.BasicColor:
		l.fill = palette[c%8]
	case ansi.IndexedColor:
		r, g, b, _ := c.RGBA()
		l.fill = fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
	}
	if c.Content == "" {
		return l, " "
	}
	return l, c.Content
}

func drawRun(b *strings.Builder, l look, text string, from, to, row int) {
	x, y := 12+float64(from)*cellW, 12+float64(row)*cellH
	if l.reverse {
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", x, y, float64(to-from)*cellW, cellH, l.fill)
		l.fill = paper
	}
	if path := boxes[text]; path != "" {
		faint := ""
		if l.faint {
			faint = ` opacity="0.6"`
		}
		fmt.Fprintf(b, `<path transform="translate(%.1f %.1f)" d="%s" stroke="%s" fill="none"%s/>`+"\n", x, y, path, l.fill, faint)
		return
	}
	trimmed := strings.TrimRight(text, " ")
	lead := len(trimmed) - len(strings.TrimLeft(trimmed, " "))
	if trimmed = trimmed[lead:]; trimmed == "" {
		return
	}
	attrs := ""
	if l.bold {
		attrs += ` font-weight="bold"`
	}
	if l.faint {
		attrs += ` opacity="0.6"`
	}
	var s strings.Builder
	_ = xml.EscapeText(&s, []byte(trimmed)) // a strings.Builder never fails
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" fill="%s"%s xml:space="preserve" textLength="%.1f">%s</text>`+"\n",
		x+float64(lead)*cellW, y+13.5, l.fill, attrs, float64(len([]rune(trimmed)))*cellW, s.String())
}
