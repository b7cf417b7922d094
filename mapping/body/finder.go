package body

// Finder holds paths so that one walk over a body finds what stands at all of them.
type Finder struct {
	nodes []node
	slots []int // for each path given to NewFinder, its node
}

// node is a place that some path goes through. A node's descendants are those
// with ids id+1 to end-1, so that what was found below it is one run of spans.
type node struct {
	id, end           int
	members, elements bool // has children of that kind
	keys              []keyEdge
	byKey             map[string]int // instead of keys, when there are many
	byIndex           map[int]int
}

type keyEdge struct {
	key string
	to  int
}

// manyKeys is where a map becomes quicker than comparing one key after another.
const manyKeys = 16

// NewFinder makes paths ready.
func NewFinder(paths []Path) *Finder {
	t := &Finder{slots: make([]int, len(paths))}
	all := make([]int, len(paths))
	for i := range all {
		all[i] = i
	}
	t.add(paths, all, 0)
	return t
}

// Room is where [Finder.Find] notes what it finds.
func (t *Finder) Room() []Span { return make([]Span, len(t.nodes)) }

// Find checks that text is one JSON text, and notes in room, which was clear, where the
// values stand that the paths lead to.
func (t *Finder) Find(text []byte, room []Span) *SyntaxError { return scanJSON(text, t, room) }

// At is where the value of a path stands, by its index among those of [NewFinder].
func (t *Finder) At(room []Span, path int) Span { return room[t.slots[path]] }

// add makes the node that the paths in which share after depth steps, and all
// below it, in preorder.
func (t *Finder) add(paths []Path, which []int, depth int) int {
	id := len(t.nodes)
	t.nodes = append(t.nodes, node{id: id})
	var steps []Step
	groups := map[Step][]int{}
	for _, i := range which {
		if paths[i].Len() == depth {
			t.slots[i] = id
			continue
		}
		s := paths[i].steps[depth]
		if groups[s] == nil {
			steps = append(steps, s)
		}
		groups[s] = append(groups[s], i)
	}
	for _, s := range steps {
		to := t.add(paths, groups[s], depth+1)
		t.nodes[id].link(s, to)
	}
	t.nodes[id].end = len(t.nodes)
	return id
}

func (n *node) link(s Step, to int) {
	if s.IsIndex {
		if n.byIndex == nil {
			n.byIndex = map[int]int{}
		}
		n.elements, n.byIndex[s.Index] = true, to
		return
	}
	n.members = true
	n.keys = append(n.keys, keyEdge{s.Key, to})
	if len(n.keys) == manyKeys {
		n.byKey = map[string]int{}
		for _, e := range n.keys {
			n.byKey[e.key] = e.to
		}
	} else if n.byKey != nil {
		n.byKey[s.Key] = to
	}
}

// member finds the child of n for a key as it stands in the body, quotes and
// escapes included.
func (s *scanner) member(n *node, quoted []byte) *node {
	key := quoted[1 : len(quoted)-1]
	for _, c := range key {
		if c == '\\' {
			key = []byte(Unquote(string(quoted)))
			break
		}
	}
	if n.byKey != nil {
		if to, ok := n.byKey[string(key)]; ok {
			return &s.nodes[to]
		}
		return nil
	}
	for _, e := range n.keys {
		if e.key == string(key) {
			return &s.nodes[e.to]
		}
	}
	return nil
}

func (s *scanner) element(n *node, i int) *node {
	if to, ok := n.byIndex[i]; ok {
		return &s.nodes[to]
	}
	return nil
}
