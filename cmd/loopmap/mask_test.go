package main

import (
	"encoding/json"
	"regexp"
	"testing"

	"loopmap/mapping"
	"loopmap/mapping/column"
)

// What is masked is of the same type and length, NULL stays, conditions judge it alike,
// and nothing of what it was is left.
func TestMask(t *testing.T) {
	m, err := mapping.Parse("loopmap.yaml", []byte(mapsContacts+"push:\n  contact: {email: email}\n"))
	if err != nil {
		t.Fatal(err)
	}
	m.Push.Contact.OnlyRunIf = `plan == "pro" and city != 'Z"rich' and seats >= 12`
	k := newMasker(m)
	for _, c := range []struct {
		t    column.Type
		from string
		want string // a pattern; it is another text, unless it is the same
	}{
		{column.Text, "dana.okafor@northwind.example", `^[a-z]{17}@example\.com$`},
		{column.Text, "a@b.c", `^[a-z]{6}@example\.com$`},
		{column.Text, "Dana O'Kafor 42", `^[A-Z][a-z]{3} [A-Z]'[A-Z][a-z]{4} [0-9]{2}$`},
		{column.Text, "Zoë", `^[A-Z][a-z]{2}$`},
		{column.Text, "pro", "pro"},
		{column.Text, `Z"rich`, `Z"rich`},
		{column.Text, "", ""},
		{column.Integer, "12", "12"},
		{column.Integer, "-48213", `^-4[0-9]{4}$`},
		{column.Number, "0.0512e-7", `^0\.05[0-9]{2}e-7$`},
		{column.Boolean, "true", "true"},
		{column.Time, "2026-11-23T09:14:07.25Z", `^2026-11-[0-2][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{2}Z$`},
		{column.JSON, `{"name": "Dana", "n":[104, true, null], "to":"a@b.example"}`, `^\{"name": "[A-Z][a-z]{3}", "n":\[1[0-9]{2}, true, null\], "to":"[a-z]{6}@example\.com"\}$`},
	} {
		got := k.cell(c.t, column.Of(c.from))
		if same := c.want == c.from; same != (got.Text == c.from) || !same && !regexp.MustCompile(c.want).MatchString(got.Text) {
			t.Errorf("%s %q is %q", c.t, c.from, got.Text)
		}
		if c.t == column.JSON && !json.Valid([]byte(got.Text)) {
			t.Errorf("%s", got.Text)
		}
		if again := k.cell(c.t, column.Of(c.from)); again != got {
			t.Errorf("%q is %q, and then %q", c.from, got.Text, again.Text)
		}
	}
	if c := k.cell(column.Text, column.Cell{State: column.Null}); c.State != column.Null {
		t.Error("NULL is a value")
	}
	to := map[string]bool{}
	for c := 'a'; c <= 'z'; c++ {
		to[k.text(string([]rune{c, c}))] = true
	}
	if len(to) != 26 {
		t.Errorf("26 are %d", len(to))
	}
}
