package column

import (
	"reflect"
	"testing"

	"loopmap/mapping/body"
)

// Each line of the table is whole, and its parts fit together.
func TestKindsAreWhole(t *testing.T) {
	examples := map[Type][2]string{ // two values that are not the same
		Text: {`"a"`, `"b"`}, Integer: {`1`, `2`}, Number: {`1.5`, `2.5`}, Boolean: {`true`, `false`},
		Time: {`"2026-11-23T08:00:00Z"`, `"2026-11-23T08:00:01Z"`}, JSON: {`{"a":1}`, `{"a":2}`},
	}
	for _, k := range kinds {
		v := reflect.ValueOf(k)
		for i := range v.NumField() {
			if f := v.Type().Field(i).Name; f != "bare" && f != "zero" && v.Field(i).IsZero() {
				t.Errorf("%s has no %s", k.Type, f)
			}
		}
		if got, err := ParseType(string(k.Type)); got != k.Type || err != nil {
			t.Errorf("%s is read as %s: %v", k.Type, got, err)
		}
		for _, d := range []Dialect{SQLite, Postgres} {
			var cells []Cell
			for _, raw := range examples[k.Type] {
				c := k.Read(body.Value(raw), d)
				if c.State != Present {
					t.Fatalf("%s of %s: %+v", raw, k.Type, c)
				}
				if again := k.Read(body.Value(k.AsJSON(c)), d); again != c {
					t.Errorf("%s: %+v is read back as %+v", k.Type, c, again)
				}
				value, err := k.Value(c)
				if err != nil || reflect.TypeOf(value) != reflect.TypeOf(k.Zero()) {
					t.Errorf("%s: %+v is a %T, and its zero a %T: %v", k.Type, c, value, k.Zero(), err)
				}
				cells = append(cells, c)
			}
			if len(cells) != 2 {
				t.Fatalf("no examples of %s", k.Type)
			}
			if !k.Same(cells[0], cells[0]) || k.Same(cells[0], cells[1]) || k.Same(cells[0], Cell{State: Null}) {
				t.Errorf("%s: it is not told which values are the same", k.Type)
			}
			if k.SQL(d) == "" {
				t.Errorf("%s has no name in %s", k.Type, d)
			}
		}
	}
	if c := Type("maybe").Read(body.Value(`"a"`), SQLite); c.State != Misfit {
		t.Errorf("what is not a type reads %+v", c)
	}
}
