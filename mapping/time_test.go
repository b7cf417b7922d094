package mapping

import (
	"testing"
	"time"

	"github.com/tidwall/gjson"
)

// What names one moment and no other is taken; what may mean several things is not.
func TestParseTime(t *testing.T) {
	want := time.Date(2026, 6, 30, 15, 42, 0, 0, time.UTC)
	for _, s := range []string{
		"2026-06-30T15:42:00Z", "2026-06-30T15:42:00+0000", "2026-06-30T11:42:00-04", "2026-06-30T11:42:00-0400", "2026-06-30T11:42:00-04:00",
		"2026-06-30 15:42:00+00", "2026-06-30 15:42:00+00:00", "2026-06-30 21:12:00+05:30", "2026-06-30 21:12:00+0530", "2026-06-30t15:42:00z",
		"2026-06-30t15:42:00+00:00", "2026-06-30T15:42:00.000Z", "2026-06-30 15:42:00.000000+00", "2026-06-30T15:42:00,000Z", "2026-06-30T15:42Z", "2026-06-30 15:42+00",
		"2026-06-30T15:42:00", "2026-06-30 15:42:00", "2026-06-30T15:42", "2026-06-30 15:42", "2026-06-30 15:42:00 UTC", "2026-06-30 15:42:00 +0000",
		"2026-06-30 15:42:00Z", "2026-06-30 15:42:00z", "20260630T154200Z", "20260630T154200+0000", "20260630T114200-04", "2026-06-30T15:42:00-00:00",
		"2026-06-30 15:42:00 +0000 UTC", "2026-06-30T15:42:00 Z", "2026-06-30T15:41:45-00:00:15",
	} {
		if s == "2026-06-30 15:42:00 +0000 UTC" { // says it twice
			if _, ok := ParseTime(s); ok {
				t.Errorf("%s is taken", s)
			}
			continue
		}
		got, ok := ParseTime(s)
		if !ok || !got.Equal(want) {
			t.Errorf("%s: %v %v", s, got, ok)
		}
		c := Column{Name: "at", Type: Time}.Read(gjson.Parse(`"`+s+`"`), SQLite)
		if c.State != Present || c.Text != "2026-06-30T15:42:00Z" {
			t.Errorf("%s: %+v", s, c)
		}
	}
	if got, ok := ParseTime("2026-06-30"); !ok || !got.Equal(want.Truncate(24*time.Hour)) {
		t.Errorf("a day: %v %v", got, ok)
	}
	for _, s := range []string{
		"", "tomorrow", "15:42", "2026-06-30T", "2026-06-30T15", "2026-06-30T25:00:00Z", "2026-06-31T15:42:00Z", "06/30/2026", "30.06.2026 15:42", "2026-06-30 3:42 PM",
		"2026-06-30 15:42:00 EST", "2026-06-30T15:42:00+", "2026-06-30T15:42:00+0", "2026-06-30T15:42:00+00000", "2026-06-30x15:42:00Z", "2026-6-30T15:42:00Z",
		"2026-06-30T15:42:00ZZ", "2026-06-30T15:42:00Z+00", "2026-W27-2T15:42:00Z", "2026-181T15:42:00Z", " 2026-06-30T15:42:00Z", "2026-06-30T15:42:60Z", "infinity", "now",
	} {
		if got, ok := ParseTime(s); ok {
			t.Errorf("%q is taken for %v", s, got)
		}
	}
}

// A type is proposed for moments alone: a birthday stays the text that it is.
func TestTimeIsProposed(t *testing.T) {
	for value, want := range map[string]Type{"2026-06-30T15:42:00+0000": Time, "2026-06-30 15:42:00+00": Time, "2026-06-30": Text, "2026-06-30 15:42:00": Text, "Ada": Text} {
		list := Attributes([][]byte{[]byte(`{"contact":{"at":"` + value + `"}}`)})
		if got := ProposeType(&list[1]); got != want {
			t.Errorf("%s: %s, want %s", value, got, want)
		}
	}
}
