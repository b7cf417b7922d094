package mapping

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"loopmap/mapping/yamledit"
)

const shapeHead = "version: 1\ndatabase: sqlite:a.db\ntable: t\nkey: id\nreceive:\n  events: [contact.created]\n  columns:\n    - {name: id, type: text, from: contactIdentity.id}\n"

func repeated(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, strings.ReplaceAll(format, "#", "%[1]d"), i)
	}
	return b.String()
}

// Whatever a megabyte holds is read or refused within moments: the times are those of a
// machine with much else to do, and were minutes.
func TestParseInLinearTime(t *testing.T) {
	for name, x := range map[string]struct {
		src string
		ok  bool
	}{
		"lists in a line":   {strings.Repeat("- ", 300_000), false},
		"lists over lines":  {repeated(2000, "%[1]*[1]d- - - - - - - - - - - - - - - -\n"), false},
		"questions":         {strings.Repeat("? ", 300_000), false},
		"brackets":          {strings.Repeat("[", 300_000), false},
		"signs":             {"x: [" + strings.Repeat("a,", 500_000) + "]", false},
		"keys":              {shapeHead + repeated(70_000, "k#: 1\n"), false},
		"keys in braces":    {shapeHead + "push:\n  contact:\n    email: id\n    properties: {" + repeated(40_000, "p#: id, ") + "}\n", true},
		"doubled keys":      {shapeHead + strings.Repeat("key: id\n", 10_000), false},
		"doubled far apart": {repeated(10_000, "k#: 1\n") + repeated(10_000, "k#: 1\n"), false},
		"doubled columns":   {shapeHead + strings.Repeat("    - {name: id, type: text, from: a}\n", 1900), false},
		"events":            {strings.Replace(shapeHead, "contact.created", repeated(60_000, "e#, "), 1), true},
		"rules":             {shapeHead + "  rules:\n" + strings.Repeat("    - {event: contact.deleted, set: {c: true}}\n", 10_000), true},
		"rules of columns":  {shapeHead + "  rules:\n" + repeated(1900, "    - {event: contact.deleted, set: {c#: true}}\n"), true},
		"rules with if":     {shapeHead + "  rules:\n" + repeated(10_000, "    - {event: x#, if: {a: b}, set: {c: true}}\n"), true},
		"conditions":        {shapeHead + "  rules:\n    - event: x\n      delete: true\n      if: {" + repeated(40_000, "c#: 1, ") + "}\n", true},
		"a long message":    {strings.Repeat("|", 1_000_000), false},
	} {
		t.Run(name, func(t *testing.T) {
			if len(x.src) > yamledit.MaxFile {
				x.src = x.src[:yamledit.MaxFile]
			}
			begun := time.Now()
			m, err := Parse("m.yaml", []byte(x.src))
			if took := time.Since(begun); took > 10*time.Second {
				t.Errorf("it takes %v", took)
			}
			if x.ok != (err == nil) {
				t.Fatalf("%.500v", err)
			}
			if err != nil {
				if text := err.Error(); len(text) > 100*300 || !strings.HasPrefix(text, "m.yaml:") {
					t.Errorf("%d bytes of message: %.200s", len(text), text)
				}
				return
			}
			changed := m.Clone()
			changed.Table = "other"
			if _, err := Rewrite("m.yaml", []byte(x.src), changed); err != nil {
				t.Errorf("written: %v", err)
			}
			m.Columns()
			if took := time.Since(begun); took > 20*time.Second {
				t.Errorf("with its change it takes %v", took)
			}
		})
	}
}

// What a person writes is no nest.
func TestShapeTakesWhatIsWritten(t *testing.T) {
	for name, src := range map[string]string{
		"a ruled comment": "# - - - - - - - - - - - - - - - - - - - -\n" + shapeHead,
		"dashes":          "# --------------------------------------\n---\n" + shapeHead,
	} {
		if _, err := Parse("m.yaml", []byte(src)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
