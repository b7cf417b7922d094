package tui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"loopmap/mapping/body"
)

func (p *pager) all(w int) (lines []string) {
	p.fit(w, 1<<30)
	for a := (at{}); a.part < len(p.parts); lines = append(lines, string(p.buf)) {
		a = p.next(a)
	}
	return lines
}

// JSON is indented as encoding/json does it, where there is room.
func TestFlowIndents(t *testing.T) {
	files, err := filepath.Glob("../mapping/loops/samples/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		if err := json.Indent(&want, bytes.TrimSpace(src), "", "  "); err != nil {
			t.Fatal(err)
		}
		for _, body := range [][]byte{src, body.Compact(src)} {
			p := newPager(bodyOf(body))
			if got := strings.Join(p.all(4000), "\n"); got != safeLines(want.String()) {
				t.Errorf("%s:\n%s\nwant\n%s", file, got, &want)
			}
		}
	}
	for src, want := range map[string]string{
		`{"a":[],"b":{},"c":[{}]}`: "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": [\n    {}\n  ]\n}",
		` "a \" b" `:               `"a \" b"`, `[1,-2.5e3,true,null]`: "[\n  1,\n  -2.5e3,\n  true,\n  null\n]",
		``: ``, `{ } `: `{}`, "no JSON\n\n<x>": "no JSON\n\n<x>", `"\\"`: `"\\"`,
	} {
		p := newPager(bodyOf([]byte(src)))
		if got := strings.Join(p.all(80), "\n"); got != want {
			t.Errorf("%q: %q, want %q", src, got, want)
		}
	}
}

func safeLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = safe(lines[i])
	}
	return strings.Join(lines, "\n")
}

// Lines are broken at spaces, no line is wider than the screen, nothing is lost.
func FuzzFlow(f *testing.F) {
	f.Add(`{"a":"word word wo-rd  x","b":[1,2,{"c":"日本語日本語 e\u0301 é 👩‍👩‍👧"}]}`, 20)
	f.Add("a\u0301\u0301\u0301\u0301\x1b[31m\u202e\x9b\xff\r\n  x  y", 9)
	f.Add(strings.Repeat("[", 30)+strings.Repeat("]", 30), 12)
	f.Fuzz(func(t *testing.T, src string, w int) {
		w = 8 + max(w, -w)%100
		p := newPager(bodyOf([]byte(src)))
		var text strings.Builder
		for _, line := range p.all(w) {
			if width(line) > w {
				t.Errorf("%q is wider than %d", line, w)
			}
			if safe(line) != line || !utf8.ValidString(line) {
				t.Errorf("%q is not fit for a terminal", line)
			}
			text.WriteString(line)
		}
		squeeze := func(s string) string {
			return strings.Map(func(r rune) rune {
				if r == ' ' {
					return -1
				}
				return r
			}, s)
		}
		want := src
		if p.parts[0].json {
			var b bytes.Buffer
			_ = json.Compact(&b, []byte(src))
			want = b.String()
		} else {
			want = strings.ReplaceAll(safeLines(want), "\n", "")
		}
		if got := squeeze(text.String()); got != squeeze(safe(want)) {
			t.Errorf("%q became %q", squeeze(safe(want)), got)
		}
	})
}

// hugeBodies are those that are as hard to show as 1 MiB can be.
func hugeBodies() map[string][]byte {
	fill := func(piece string) []byte {
		return []byte(`{"eventName":"contact.created","contactIdentity":{"id":"x","email":"a@example.com"},"contact":{"notes":"` + strings.Repeat(piece, (1<<20-200)/len(piece)) + `"}}`)
	}
	nested := strings.Repeat("[", 900) + strings.Repeat("]", 900)
	return map[string][]byte{
		"one word": fill("x"), "words": fill("word "), "blanks": fill(" "), "Chinese": fill("日"), "emoji": fill("👩"), "marks": fill("\u0301"),
		"joined": fill("👩\u200d"), "bidi": fill("\u202e"), "C1": fill("\u009b"), "escapes": fill(`\u001b`), "no UTF-8": bytes.Repeat([]byte{0xff}, 1<<20),
		"no JSON": bytes.Repeat([]byte("x"), 1<<20), "lines": bytes.Repeat([]byte("\n"), 1<<20), "ESC": bytes.Repeat([]byte{0x1b}, 1<<20),
		"numbers": []byte("[" + strings.Repeat("1,", 1<<19-10) + "1]"), "nested": []byte(`{"contact":[` + strings.Repeat(nested+",", 580) + "1]}"),
		"long key": []byte(`{"eventName":"contact.created","contact":{"` + strings.Repeat("k", 1<<20-100) + `":1}}`),
	}
}

// Whatever body is received opens, scrolls and is found in at once. The limit is slack,
// for machines under load; what was measured is logged.
func TestHugeBodies(t *testing.T) {
	const limit = time.Second * slowdown
	for name, body := range hugeBodies() {
		d := start(t, 80, 24, withSample)
		d.fake.came = []Delivery{{ID: "msg_1", Event: "contact.created", Status: "applied", Body: body}}
		d.keys("4")
		took := func(what string, keys ...string) (longest time.Duration) {
			began := spent()
			d.keys(keys...)
			screen := d.m.Screen()
			if longest = spent() - began; longest > limit {
				t.Errorf("%s: %s takes %v", name, what, longest)
			}
			if len(screen) > 100_000 {
				t.Errorf("%s: %s: a screen of %d bytes", name, what, len(screen))
			}
			checkSize(t, d.m)
			return longest
		}
		t.Logf("%-9s found %v, opened %v, key %v, end %v, home %v", name, took("find", "/", "x", "enter", "esc"), took("open", "enter"), took("pgdown", "pgdown"), took("end", "G"), took("home", "g"))
		if began := spent(); name != "numbers" {
			d.keys("tab", "G", "tab")
			_ = d.m.Screen()
			if took := spent() - began; took > 10*limit {
				t.Errorf("%s: as a tree it takes %v", name, took)
			}
		}
		if name != "nested" {
			d.keys("esc").has("1 delivery")
			continue
		}
		if n := len(ansi.Strip(d.keys("G").m.Screen())); n == 0 || d.m.came.body.count < 1_000_000 {
			t.Errorf("%d lines of a nested body", d.m.came.body.count)
		}
	}
}

// A body is held once, however long its lines: what it costs is bounded.
func TestBodyIsNotCopied(t *testing.T) {
	body := hugeBodies()["nested"]
	p := newPager(bodyOf(body))
	p.fit(80, 1<<30)
	if got := cap(p.marks) * 64; got > 8<<20 {
		t.Errorf("%d bytes of marks for %d lines", got, p.count)
	}
	st := newTheme(false)
	if top := p.count - 22; !slices.Equal(p.lines(80, 0, &st), []string{}) || top < 0 {
		t.Error(fmt.Sprint(p.lines(80, 0, &st)))
	}
}
