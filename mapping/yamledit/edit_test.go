package yamledit

import "testing"

// Two cuts beside each other, an addition behind one that goes, and a gap that shrinks.
func TestEdit(t *testing.T) {
	saying := func(keys ...string) *Node {
		n := &Node{Kind: Map}
		for _, k := range keys {
			n.AddText(k, k+k)
		}
		return n
	}
	for name, x := range map[string]struct {
		src       string
		was, want *Node
		out       string
	}{
		"the first two in braces": {"{a: aa, b: bb, c: cc} # x\n", saying("a", "b", "c"), saying("c"), "{c: cc} # x\n"},
		"the last two in braces":  {"{a: aa,  b: bb, c: cc} # x\n", saying("a", "b", "c"), saying("a"), "{a: aa} # x\n"},
		"all but a new one":       {"{a: aa, b: bb}\n", saying("a", "b"), saying("z"), "{z: zz}\n"},
		"over lines":              {"{\n  a: aa, # x\n  b: bb # y\n}\n", saying("a", "b"), saying("a", "z"), "{\n  a: aa, # x\n  z: zz\n}\n"},
		"a block":                 {"# x\na: aa\n\n# y\nb: bb\nc: cc\n", saying("a", "b", "c"), saying("a", "c"), "# x\na: aa\n\n# y\nc: cc\n"},
		"no last line end":        {"a: aa\nb: bb", saying("a", "b"), saying("a", "b", "c"), "a: aa\nb: bb\n\nc: cc"},
		"nothing":                 {"a:   'aa' # x\r\n", saying("a"), saying("a"), "a:   'aa' # x\r\n"},
	} {
		root, err := Read(UnixLines([]byte(x.src)))
		if err != nil {
			t.Fatal(err)
		}
		if out, err := Edit([]byte(x.src), root, x.was, x.want); err != nil || string(out) != x.out {
			t.Errorf("%s: %v\n%q\nwant\n%q", name, err, out, x.out)
		}
	}
}
