package tui

import "testing"

// Each key is told of once, where all its screens are.
func TestKeys(t *testing.T) {
	told := map[Key]bool{}
	for _, k := range Keys() {
		if told[k] || k.Key == "" || k.Does == "" {
			t.Errorf("%+v", k)
		}
		told[k] = true
	}
	if len(told) != len(bindings) {
		t.Errorf("%d of %d", len(told), len(bindings))
	}
	for _, b := range bindings {
		if one := b.where&(b.where-1) == 0; one && told[Key{"On several screens", b.Help().Key, b.Help().Desc}] {
			t.Errorf("%s, %s: its screen has no name", b.Help().Key, b.Help().Desc)
		}
	}
	for _, want := range []Key{
		{"Map: attributes", "o", "pick an object whole, as one json column"},
		{"Send, Table and a row's story", "x", "stop sending"},
		{"On several screens", "u", "undo"},
	} {
		if !told[want] {
			t.Errorf("not told: %+v", want)
		}
	}
}
