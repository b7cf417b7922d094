package mapping

import (
	"fmt"
	"reflect"
	"testing"
)

// fill sets everything that v holds to something, so that no two fields are alike.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprint("x", *n))
	case reflect.Int, reflect.Int64, reflect.Uint8:
		if v.Kind() == reflect.Uint8 {
			v.SetUint(uint64(*n % 3))
		} else {
			v.SetInt(int64(*n))
		}
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), n)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), n)
			}
		}
	}
}

// A copy has every field, and to differ in any that is edited is to say something else.
func TestCloneForgetsNothing(t *testing.T) {
	n := 0
	m := New("sqlite:x.db")
	fill(reflect.ValueOf(m).Elem(), &n)
	c := m.Clone()
	if !c.Same(m) {
		t.Error("a copy says something else")
	}
	typ := reflect.TypeOf(*m)
	for i := range typ.NumField() {
		f := typ.Field(i)
		if !f.IsExported() {
			continue
		}
		if !reflect.DeepEqual(reflect.ValueOf(*m).Field(i).Interface(), reflect.ValueOf(*c).Field(i).Interface()) {
			t.Errorf("a copy forgets %s", f.Name)
		}
		other := m.Clone()
		fill(reflect.ValueOf(other).Elem().Field(i), &n)
		want := f.Name == "Dialect" || f.Name == "Hash" // which the file does not say
		if other.Same(m) != want {
			t.Errorf("same although %s differs: %t", f.Name, !want)
		}
	}
	c.Receive.Events[0], c.Receive.Columns[0].Name = "changed", "changed"
	if m.Receive.Events[0] == "changed" || m.Receive.Columns[0].Name == "changed" {
		t.Error("a change of the copy changes what it was copied from")
	}
}
