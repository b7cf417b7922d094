package column

import (
	"strings"
	"testing"

	"loopmap/mapping/body"
)

func TestProposeName(t *testing.T) {
	taken := map[string]bool{"email": true, "email_2": true}
	for path, want := range map[string]string{
		"contact.firstName":       "first_name",
		"contactIdentity.id":      "loops_id",
		"contactIdentity.userId":  "user_id",
		"contact.email":           "email_3",
		"eventTime":               "event_time",
		"contact.HTMLBody":        "html_body",
		"contact.userID":          "user_id",
		`contact["plan name"]`:    "plan_name",
		`contact["company.name"]`: "company_name",
		`contact["größe ÄÖ"]`:     "größe_äö",
		`contact["2fa"]`:          "_2fa",
		`contact[""]`:             "attribute",
		`contact["!!!"]`:          "attribute",
		"contact.order":           "contact_order",
		"contact.rowid":           "contact_rowid",
		"contact.tags[0]":         "tags_0",
		"contact.mailingLists.cm06f5v0e45nf0ml5754o9cix": "mailing_lists_cm06f",
		`contact["` + strings.Repeat("ж", 500) + `"]`:    strings.Repeat("ж", 29),
		"contact": "contact",
	} {
		p, err := body.ParsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		got := ProposeName(p, SQLite, func(s string) bool { return taken[s] })
		if got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
		for _, d := range []Dialect{SQLite, Postgres} {
			if err := d.CheckColumn(got); err != nil {
				t.Errorf("%s: %s is not fit for %s: %v", path, got, d, err)
			}
		}
	}
}

func TestCheckNames(t *testing.T) {
	long := strings.Repeat("n", 64)
	for _, c := range []struct {
		d    Dialect
		name string
		want string
	}{
		{SQLite, "", "a name is needed"}, {SQLite, "a\x00", "NUL"}, {SQLite, "a\xff", "UTF-8"}, {SQLite, "RowID", "SQLite's own"},
		{SQLite, long, ""}, {SQLite, `a"b; --`, ""}, {SQLite, "ctid", ""}, {SQLite, "列", ""},
		{Postgres, long, "64 bytes; PostgreSQL would cut it after 63"}, {Postgres, strings.Repeat("é", 32), "64 bytes"}, {Postgres, long[1:], ""},
		{Postgres, "ctid", "system column"}, {Postgres, "rowid", ""},
	} {
		err := c.d.CheckColumn(c.name)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %q: %v, want %q", c.d, c.name, err, c.want)
		}
	}
	for name, want := range map[string]string{"sqlite_x": "keeps names", "LOOPMAP_x": "loopmap's own", "contacts": ""} {
		err := SQLite.CheckTable(name)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("table %s: %v", name, err)
		}
	}
}

// A type is proposed for moments alone: a birthday stays the text that it is.
func TestTimeIsProposed(t *testing.T) {
	for value, want := range map[string]Type{"2026-06-30T15:42:00+0000": Time, "2026-06-30 15:42:00+00": Time, "2026-06-30": Text, "2026-06-30 15:42:00": Text, "Ada": Text} {
		list := body.Attributes([][]byte{[]byte(`{"contact":{"at":"` + value + `"}}`)})
		if got := ProposeType(&list[1]); got != want {
			t.Errorf("%s: %s, want %s", value, got, want)
		}
	}
}

// A time is kept in one form, however it was written.
func TestReadTimes(t *testing.T) {
	for _, s := range []string{"2026-06-30T11:42:00-04", "2026-06-30 15:42:00.000000+00", "20260630T154200Z", "2026-06-30 15:42"} {
		if c := Time.Read(body.Value(body.Quote(s)), SQLite); c != Of("2026-06-30T15:42:00Z") {
			t.Errorf("%s: %+v", s, c)
		}
	}
}
