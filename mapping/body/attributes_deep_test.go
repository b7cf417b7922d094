package body

import (
	"runtime"
	"strings"
	"testing"
)

// Attributes of a body that is nothing but brackets take memory as their number does, not
// as that and their depth together.
func TestDeepAttributes(t *testing.T) {
	nested := strings.Repeat("[", 900) + strings.Repeat("]", 900)
	body := []byte(`{"contact":[` + strings.Repeat(nested+",", 500) + `{"a":1}]}`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	list := Attributes([][]byte{body})
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 500<<20 {
		t.Errorf("%d MB for %d attributes", used>>20, len(list))
	}
	for _, a := range list {
		if a.Path.Len() > deepest {
			t.Fatalf("a path of %d steps", a.Path.Len())
		}
	}
	if last := list[len(list)-1]; last.Path.String() != "contact[500].a" || len(list) < 500*(deepest-2) {
		t.Errorf("%d attributes, the last is %s", len(list), last.Path)
	}
}
