package table

import (
	"testing"

	"loopmap/mapping/column"
)

func TestFits(t *testing.T) {
	for _, c := range []struct {
		declared string
		typ      column.Type
		text     string
		fits     bool
	}{
		{"numeric(10,2)", column.Number, "12.34", true},
		{"numeric(10,2)", column.Number, "12.340", true},
		{"numeric(10,2)", column.Number, "12.345", false},
		{"numeric(10,2)", column.Number, "1234e-2", true},
		{"numeric(10,2)", column.Number, "1.2345e1", false},
		{"numeric(10,2)", column.Number, "-0.001", false},
		{"numeric(10,2)", column.Number, "0.000", true},
		{"numeric(10,2)", column.Number, "1e3", true},
		{"numeric(5)", column.Number, "1.5", false},
		{"numeric(5,0)", column.Integer, "7", true},
		{"numeric(3,-2)", column.Integer, "1200", true},
		{"numeric(3,-2)", column.Integer, "1250", false},
		{"numeric", column.Number, "1.23456789", true},
		{"date", column.Time, "2026-11-23T00:00:00Z", true},
		{"date", column.Time, "2026-11-23T08:00:00Z", false},
		{"timestamp(3) without time zone", column.Time, "2026-11-23T08:00:00.123Z", true},
		{"timestamp(3) without time zone", column.Time, "2026-11-23T08:00:00.1234Z", false},
		{"timestamp(0) with time zone", column.Time, "2026-11-23T08:00:00Z", true},
		{"timestamp(0) with time zone", column.Time, "2026-11-23T08:00:00.5Z", false},
		{"timestamp with time zone", column.Time, "2026-11-23T08:00:00.123456Z", true},
		{"character varying(3)", column.Text, "abcd", true}, // PostgreSQL says so itself
	} {
		if why := fits(c.declared, c.typ, c.text); (why == "") != c.fits {
			t.Errorf("%s <- %s: %q", c.declared, c.text, why)
		}
	}
}
