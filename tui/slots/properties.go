package slots

import (
	"slices"

	"github.com/tidwall/gjson"

	"loopmap/mapping"
)

// createdAt is a property that Loops sets itself: it is shown where it is picked, and
// Loops may have it without saying so.
const createdAt = "createdAt"

// How many names of each kind the samples are asked for.
const (
	mostProperties = 500
	mostLists      = 100
)

// property is a property, or a list, that Loops has or lacks.
type property struct {
	mapping.Property
	lacks bool
}

// slot is s as the slot of a property, with its pair if it is among those picked.
func (p property) slot(s Slot, picked []mapping.Pair) Slot {
	s.Pair, _ = mapping.FindPair(picked, s.Loops)
	s.Type, s.Lacks, s.Value = p.Type, p.lacks, s.Pair.Column
	return s
}

// properties are the contact properties to choose from: those that every team has; those
// that Loops has or, while nobody has asked it, the samples have; and those picked besides.
func (f Facts) properties(picked []mapping.Pair) (list []property) {
	seen := map[string]bool{}
	add := func(key, typ string, lacks bool) {
		if !seen[key] && mapping.Unwritable(key) == "" {
			seen[key] = true
			list = append(list, property{mapping.Property{Key: key, Type: typ}, lacks})
		}
	}
	for _, p := range mapping.StandardProperties() {
		add(p.Key, p.Type, false)
	}
	for _, p := range f.Catalog.Properties {
		if _, isPicked := mapping.FindPair(picked, p.Key); isPicked || p.Key != createdAt {
			add(p.Key, p.Type, false)
		}
	}
	asked := f.Catalog.Properties != nil
	if !asked {
		for _, key := range f.sampleProperties() {
			add(key, "", false)
		}
	}
	for _, q := range picked {
		add(q.Loops, "", asked && q.Loops != createdAt)
	}
	return list
}

// ownProperties are those of an event: as Loops has them, and those picked besides.
func (f Facts) ownProperties(e mapping.PushEvent) (list []property) {
	theirs, asked := f.Catalog.EventProperties[e.Name]
	for _, p := range theirs {
		list = append(list, property{p, false})
	}
	for _, q := range e.Properties {
		if !slices.ContainsFunc(theirs, func(p mapping.Property) bool { return p.Key == q.Loops }) {
			list = append(list, property{mapping.Property{Key: q.Loops}, asked})
		}
	}
	return list
}

// contactProperty is a contact property by its name.
func (f Facts) contactProperty(name string) property {
	for _, p := range f.properties(nil) {
		if p.Key == name {
			return p
		}
	}
	return property{mapping.Property{Key: name}, f.Catalog.Properties != nil}
}

// lists are mailing lists: all that Loops has or, while nobody has asked it, the samples
// have; or only those picked.
func (f Facts) lists(event int, picked []mapping.Pair, all bool) (list []Slot) {
	names := map[string]string{}
	add := func(id, name string, lacks bool) {
		p := property{mapping.Property{Key: id, Type: "boolean"}, lacks}
		list = append(list, p.slot(Slot{Kind: List, Event: event, Loops: id, Label: listLabel + name}, picked))
	}
	if f.Catalog.Lists == nil && all {
		for _, id := range f.sampleLists() {
			names[id] = id
			add(id, id, false)
		}
	}
	for _, l := range f.Catalog.Lists {
		if names[l.ID] = l.Name; all {
			add(l.ID, l.Name, false)
		}
	}
	for _, q := range picked {
		switch name, there := names[q.Loops]; {
		case !there:
			add(q.Loops, q.Loops, f.Catalog.Lists != nil)
		case !all:
			add(q.Loops, name, false)
		}
	}
	return list
}

// sampleProperties are the keys of contacts that the samples have.
func (f Facts) sampleProperties() (keys []string) {
	for _, body := range f.Samples {
		gjson.GetBytes(body, "contact").ForEach(func(key, value gjson.Result) bool {
			if !value.IsObject() && !value.IsArray() && !slices.Contains(keys, key.Str) && len(keys) < mostProperties {
				keys = append(keys, key.Str)
			}
			return true
		})
	}
	return slices.DeleteFunc(keys, func(key string) bool { return key == "optInStatus" })
}

// sampleLists are the ids of mailing lists that the samples have.
func (f Facts) sampleLists() (ids []string) {
	for _, body := range f.Samples {
		gjson.GetBytes(body, "contact.mailingLists").ForEach(func(id, _ gjson.Result) bool {
			if !slices.Contains(ids, id.Str) && len(ids) < mostLists {
				ids = append(ids, id.Str)
			}
			return true
		})
	}
	return ids
}

// Addable are what an event sets besides its own properties: contact properties and
// mailing lists. A contact update lists all that it has room for, and an event takes a
// property of any name: see Named.
func (f Facts) Addable(event int) (list []Slot) {
	if event < 0 {
		return nil
	}
	for _, p := range f.properties(nil) {
		list = append(list, Slot{Kind: EventContact, Event: event, Loops: p.Key, Label: p.Key, Type: p.Type})
	}
	for _, l := range f.Catalog.Lists {
		list = append(list, Slot{Kind: List, Event: event, Loops: l.ID, Label: listLabel + l.Name})
	}
	return list
}

// Named is a property of a request by its name, whether Loops has it or not.
func Named(event int, name string) Slot {
	return Slot{Kind: Property, Event: event, Loops: name, Label: name}
}
