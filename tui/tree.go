package tui

import (
	"loopmap/mapping"
	"loopmap/mapping/body"
)

// tree is the attributes pane: the merged samples as rows that open and close.
type tree struct {
	attrs   []body.Attribute
	paths   []string        // of attrs, as text
	parent  []int           // of attrs, -1 at the top
	closed  map[string]bool // paths of branches that are shut
	has     map[string]bool // the paths of attrs
	fresh   map[string]bool // paths that are new since the mapping was saved
	onlyNew bool            // show nothing else
	query   string
	rows    []int  // indexes into attrs of what is visible, in order
	hit     []bool // for each of attrs: the search itself finds it
	hits    int
	cursor  int                       // index into rows
	top     int                       // of rows, the first that is drawn
	leafs   int                       // attributes without others within them
	depth   int                       // that is open, as far as the keys for levels have set it
	label   func(mapping.Path) string // what people call it; "" for its own name
}

// openAtOnce is how many attributes a tree may have to be shown wholly open.
const openAtOnce = 300

// load shows other samples, keeping what is open and where the cursor stands.
func (t *tree) load(attrs []body.Attribute) {
	at := t.path()
	first := t.attrs == nil
	t.attrs = attrs
	t.paths, t.parent, t.leafs = make([]string, len(attrs)), make([]int, len(attrs)), 0
	t.has = make(map[string]bool, len(attrs))
	var stack []int
	for i := range attrs {
		t.paths[i] = attrs[i].Path.String()
		t.has[t.paths[i]] = true
		if attrs[i].End == i+1 {
			t.leafs++
		}
		for len(stack) > 0 && attrs[stack[len(stack)-1]].End <= i {
			stack = stack[:len(stack)-1]
		}
		t.parent[i] = -1
		if len(stack) > 0 {
			t.parent[i] = stack[len(stack)-1]
		}
		stack = append(stack, i)
	}
	if first {
		t.closed = map[string]bool{}
		t.level(mostLevel)
		if len(attrs) > openAtOnce {
			t.level(2)
		}
		for i := range attrs {
			if t.paths[i] == "contact" {
				at = "contact"
			}
		}
	}
	t.refresh()
	t.goTo(at)
}

// markNew notes which attributes are not among the known ones; nil is all.
func (t *tree) markNew(known map[string]bool) {
	t.fresh = map[string]bool{}
	for i := range t.attrs {
		if known != nil && !known[t.paths[i]] && t.attrs[i].End == i+1 {
			t.fresh[t.paths[i]] = true
		}
	}
}

// mostLevel is deeper than what people look for by levels.
const mostLevel = 9

// level shuts all branches that lie deeper than n levels.
func (t *tree) level(n int) {
	t.closed, t.depth = map[string]bool{}, n
	for i := range t.attrs {
		if t.attrs[i].Path.Len() >= n && t.attrs[i].Branch() {
			t.closed[t.paths[i]] = true
		}
	}
}

// refresh finds the visible rows anew.
func (t *tree) refresh() {
	at := t.path()
	m := newMatcher(t.query)
	show := t.search(m, false)
	if t.hits == 0 {
		show = t.search(m, true)
	}
	all := !t.filtered()
	t.rows = t.rows[:0]
	for i := 0; i < len(t.attrs); i++ {
		if !all && !show[i] {
			i = t.attrs[i].End - 1
			continue
		}
		t.rows = append(t.rows, i)
		if all && t.closed[t.paths[i]] {
			i = t.attrs[i].End - 1
		}
	}
	t.goTo(at)
}

// filtered reports whether only a part of the tree is shown.
func (t *tree) filtered() bool { return t.onlyNew || !newMatcher(t.query).empty() }

// search marks what m finds, and returns that and all above it.
func (t *tree) search(m matcher, fuzzy bool) (show []bool) {
	t.hit, t.hits = make([]bool, len(t.attrs)), 0
	show = make([]bool, len(t.attrs))
	if !t.filtered() {
		return show
	}
	for i := range t.attrs {
		if t.onlyNew && !t.fresh[t.paths[i]] {
			continue
		}
		object := t.attrs[i].Kinds&body.KindObject != 0 && t.attrs[i].End > i+1
		if object || !m.match(t.named(i), t.attrs[i].Value.Raw, fuzzy) {
			continue
		}
		t.hit[i] = true
		t.hits++
		for j := i; j >= 0 && !show[j]; j = t.parent[j] {
			show[j] = true
		}
	}
	return show
}

// named is a path with what people call it.
func (t *tree) named(i int) string {
	if t.label == nil {
		return t.paths[i]
	}
	if name := t.label(t.attrs[i].Path); name != "" {
		return t.paths[i] + " " + name
	}
	return t.paths[i]
}

// shown is what an attribute is called on the screen.
func (t *tree) shown(i int) string {
	if t.label != nil {
		if name := t.label(t.attrs[i].Path); name != "" {
			return label(name)
		}
	}
	return label(t.attrs[i].Name())
}

// fold opens and closes branches.
func (t *tree) fold(a action) {
	switch a {
	case open:
		t.open()
		return
	case shut:
		t.shut()
		return
	case openAll:
		t.level(1 << 30)
	case shutAll:
		t.level(1)
	case deeper:
		t.level(min(t.depth+1, mostLevel))
	case shallower:
		t.level(max(min(t.depth, mostLevel)-1, 1))
	default:
		return
	}
	t.refresh()
}

// find sets the search and puts the cursor on the first thing it finds.
func (t *tree) find(query string) {
	t.query = query
	t.refresh()
	for i, r := range t.rows {
		if t.hit[r] {
			t.cursor = i
			return
		}
	}
}

// jump goes to the next thing found, or the one before, around the ends.
func (t *tree) jump(by int) {
	for i := range t.rows {
		at := ((t.cursor+by*(i+1))%len(t.rows) + len(t.rows)) % len(t.rows)
		if t.hit[t.rows[at]] {
			t.cursor = at
			return
		}
	}
}

// current is the attribute under the cursor, nil when there is none.
func (t *tree) current() *body.Attribute {
	if t.cursor >= len(t.rows) {
		return nil
	}
	return &t.attrs[t.rows[t.cursor]]
}

func (t *tree) path() string {
	if t.cursor >= len(t.rows) {
		return ""
	}
	return t.paths[t.rows[t.cursor]]
}

// goTo puts the cursor on a path, or on the nearest visible one above it.
func (t *tree) goTo(path string) {
	for i, r := range t.rows {
		if t.paths[r] == path {
			t.cursor = i
			return
		}
	}
	t.cursor = clamp(t.cursor, len(t.rows))
}

func (t *tree) move(by int) { t.cursor = clamp(t.cursor+by, len(t.rows)) }

// open opens the branch under the cursor, or steps into it when it is open.
func (t *tree) open() {
	a := t.current()
	if a == nil || !a.Branch() {
		return
	}
	if t.closed[t.path()] && !t.filtered() {
		delete(t.closed, t.path())
		t.refresh()
	} else if t.cursor+1 < len(t.rows) && t.parent[t.rows[t.cursor+1]] == t.rows[t.cursor] {
		t.cursor++
	}
}

// shut closes the branch under the cursor, or goes to the parent.
func (t *tree) shut() {
	a := t.current()
	if a == nil {
		return
	}
	if a.Branch() && !t.closed[t.path()] && a.End > t.rows[t.cursor]+1 && !t.filtered() {
		t.closed[t.path()] = true
		t.refresh()
		return
	}
	if p := t.parent[t.rows[t.cursor]]; p >= 0 {
		t.goTo(t.paths[p])
	}
}

// leaves are the attributes that a pick of a takes: a itself, or all within an
// object that can be a column. A list is one of them, as JSON.
func (t *tree) leaves(i int) (list []int) {
	for j := i; j < t.attrs[i].End; j++ {
		a := &t.attrs[j]
		switch {
		case a.Kinds&body.KindList != 0:
			list = append(list, j)
			j = a.End - 1
		case a.End == j+1:
			list = append(list, j)
		}
	}
	return list
}
