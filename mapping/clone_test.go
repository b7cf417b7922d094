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
		want := f.Name == "Dialect" || f.Name == "Hash" || f.Name == "Keep" // which nobody edits
		if other.Same(m) != want {
			t.Errorf("same although %s differs: %t", f.Name, !want)
		}
	}
	c.Receive.Events[0], c.Receive.Columns[0].Name = "changed", "changed"
	if m.Receive.Events[0] == "changed" || m.Receive.Columns[0].Name == "changed" {
		t.Error("a change of the copy changes what it was copied from")
	}
}

// leaves are the settable values within v, each with its name.
func leaves(v reflect.Value, name string, each func(string, reflect.Value)) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				leaves(v.Field(i), name+"."+f.Name, each)
			}
		}
	case reflect.Pointer:
		leaves(v.Elem(), name, each)
	case reflect.Slice:
		leaves(v.Index(0), name, each)
	default:
		each(name, v)
	}
}

// Each field of the push part is a setting: the editor writes it, a save sees that it was
// changed, and it is read back.
func TestSettingsForgetNothing(t *testing.T) {
	full := func() *Push {
		n, p := 0, &Push{}
		fill(reflect.ValueOf(p).Elem(), &n)
		p.Every, p.Contact.OnlyRunIf, p.Events[0].OnlyRunIf = "1h", "a == b", "a == c"
		p.Contact.OnNull, p.Events[0].Properties[0].OnNull = ClearNull, SkipNull
		for _, q := range []*Pair{&p.Contact.Properties[0], &p.Contact.Lists[0], &p.Events[0].Properties[0], &p.Events[0].Contact[0], &p.Events[0].Lists[0]} {
			q.As, q.OnNull = "number", SkipNull
		}
		return p
	}
	back, err := pushOf(full().settings())
	if err != nil || !samePush(back, full()) || !reflect.DeepEqual(back, full()) {
		t.Errorf("what is written is read as something else: %v\n%+v", err, back)
	}
	changed := full()
	leaves(reflect.ValueOf(changed), "push", func(name string, v reflect.Value) {
		before := reflect.New(v.Type()).Elem()
		before.Set(v)
		v.SetZero()
		if samePush(changed, full()) {
			t.Errorf("a change of %s is not seen", name)
		}
		v.Set(before)
	})
}
