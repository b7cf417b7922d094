package body

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
)

func FuzzPrintableJSON(f *testing.F) {
	for _, s := range []string{"", "a<b>&c", "\x7f\u009b\u202e\u200b\u2066\ufeff\U000e0041", "日本語 é 👩‍👩‍👧", "\xff", "\u2028", "\x1b[31m", "\t\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(map[string]any{s: []string{s, "x" + s}}); err != nil {
			t.Fatal(err)
		}
		out := PrintableJSON(b.Bytes())
		if i := unprintable(out, 0); i >= 0 {
			t.Errorf("%q has %q at %d", out, out[i:], i)
		}
		for line := range bytes.Lines(out) {
			if line = bytes.TrimSuffix(line, []byte("\n")); Printable(string(line)) != string(line) {
				t.Errorf("%q is not printable", line)
			}
		}
		var want, got any
		if err := json.Unmarshal(b.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out, &got); err != nil || !reflect.DeepEqual(want, got) {
			t.Errorf("%q is another JSON: %q %v", out, b.Bytes(), err)
		}
	})
}
