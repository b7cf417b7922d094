package main

import "testing"

// A person is asked where something is to be said for and against, and only there.
func TestQuestionOf(t *testing.T) {
	for _, c := range []struct {
		doubt  string
		alters bool
		want   string
	}{
		{"", false, ""},
		{"", true, "write it, and change table people as shown?"},
		{"no delivery has x", false, "no delivery has x. Write it all the same?"},
		{"no delivery has x; did you mean y?", true, "no delivery has x; did you mean y? Write it all the same, and change table people?"},
	} {
		if got := questionOf("people", c.doubt, c.alters); got != c.want {
			t.Errorf("%q", got)
		}
	}
}
