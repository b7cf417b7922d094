package body

import (
	"strings"

	"github.com/tidwall/gjson"
)

// Kinds is the set of JSON types seen at one path.
type Kinds uint8

// The kinds of values. A string that is an RFC 3339 date and time counts as a
// time, so that the mapper can propose one; what a column takes is decided by
// its type alone.
const (
	KindText Kinds = 1 << iota
	KindNumber
	KindBoolean
	KindTime
	KindObject
	KindList
	KindNull
)

var kindNames = []string{"text", "number", "boolean", "time", "object", "list", "null"}

// String names the kinds in words, joined by a bar. Null is named only when
// nothing else was seen.
func (k Kinds) String() string {
	if k != KindNull {
		k &^= KindNull
	}
	var names []string
	for i, name := range kindNames {
		if k&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, "|")
}

// Mixed reports whether the samples disagree on the type (null aside).
func (k Kinds) Mixed() bool {
	k &^= KindNull
	if k&KindTime != 0 { // a time is a text
		k = k&^KindTime | KindText
	}
	return k&(k-1) != 0
}

// KindOf is what kind of value v is.
func KindOf(v gjson.Result) Kinds {
	switch v.Type {
	case gjson.Null:
		return KindNull
	case gjson.True, gjson.False:
		return KindBoolean
	case gjson.Number:
		return KindNumber
	case gjson.String:
		if len(v.Raw) >= len(`"2006-01-02T15:04:05Z"`) && len(v.Raw) < 40 {
			if _, moment, _ := parseTime(TextOf(v)); moment {
				return KindTime
			}
		}
		return KindText
	}
	if v.IsArray() {
		return KindList
	}
	return KindObject
}

// Attribute is one place of the contact tree, merged over all samples.
type Attribute struct {
	Path    Path
	Kinds   Kinds
	Seen    int          // samples that have it, null included
	Nulls   int          // of these, those in which it is null
	Value   gjson.Result // of the latest sample in which it is not null; else null
	Size    int          // members or elements of Value, for an object or a list
	Doubled bool         // some sample has its key twice; the last counted
	End     int          // index behind its last descendant
	Called  string       // what people call it, where its key says nothing: a mailing list's name
}

// Name is the last step of the attribute's path as text fit for a screen.
func (a *Attribute) Name() string {
	s, _ := a.Path.Last()
	if s.IsIndex || !isIdentifier(s.Key) {
		return MakePath(s).String()
	}
	return s.Key
}

// Branch reports whether an object or a list was seen here.
func (a *Attribute) Branch() bool { return a.Kinds&(KindObject|KindList) != 0 }

// Attributes merges samples into one tree: the union of their paths, in the
// order in which they were first seen, parents before children. A sample that is
// no JSON object is left out.
func Attributes(samples [][]byte) []Attribute {
	root := &branch{}
	for _, body := range samples {
		if CheckBody(body) == nil {
			root.merge(gjson.ParseBytes(body))
		}
	}
	return root.flatten(nil)
}

// branch is an Attribute while the tree grows.
type branch struct {
	Attribute
	children []*branch
	byStep   map[Step]*branch
}

func (b *branch) child(s Step) *branch {
	c := b.byStep[s]
	if c == nil {
		if b.byStep == nil {
			b.byStep = map[Step]*branch{}
		}
		c = &branch{Attribute: Attribute{Path: b.Path.with(s)}}
		b.byStep[s] = c
		b.children = append(b.children, c)
	}
	return c
}

// deepest is how many steps an attribute's path has at most: what lies deeper is part of
// the value of the one above. A path that is as deep as JSON may be, for each bracket of a
// body, would take gigabytes.
const deepest = 64

// merge adds what stands at v and below.
func (b *branch) merge(v gjson.Result) {
	b.Seen++
	kind := KindOf(v)
	if kind == KindNull {
		b.Nulls++
	}
	if b.Kinds |= kind; kind != KindNull || b.Value.Raw == "" {
		b.Value, b.Size = v, 0
	}
	if b.Path.Len() >= deepest {
		return
	}
	switch kind {
	case KindList:
		v.ForEach(func(_, e gjson.Result) bool {
			b.child(Step{Index: b.Size, IsIndex: true}).merge(e)
			b.Size++
			return true
		})
	case KindObject:
		type member struct {
			*branch
			value   gjson.Result
			doubled bool
		}
		var members []member
		at := map[*branch]int{}
		v.ForEach(func(k, e gjson.Result) bool {
			c := b.child(Step{Key: Unquote(k.Raw)})
			if i, doubled := at[c]; doubled {
				members[i].value, members[i].doubled = e, true
				return true
			}
			at[c] = len(members)
			members = append(members, member{c, e, false})
			return true
		})
		b.Size = len(members)
		for _, m := range members {
			m.Doubled = m.Doubled || m.doubled
			m.merge(m.value)
		}
	default: // it holds nothing else
	}
}

// flatten appends b's descendants to list, parents before children.
func (b *branch) flatten(list []Attribute) []Attribute {
	for _, c := range b.children {
		i := len(list)
		list = append(list, c.Attribute)
		list = c.flatten(list)
		list[i].End = len(list)
	}
	return list
}
