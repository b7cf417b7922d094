package loopstest

import (
	"encoding/json"
	"maps"
	"slices"
)

// change is what a body asks of a contact, checked.
type change struct {
	email, userID string // "" is not given
	source        string
	subscribed    *bool
	lists         map[string]bool
	values        map[string]json.RawMessage // nil empties
}

// readChange checks the root of a body against the team. The keys of beside are
// none of the contact's.
func (s *Server) readChange(body map[string]json.RawMessage, beside ...string) (change, error) {
	c := change{values: map[string]json.RawMessage{}}
	for _, key := range slices.Sorted(maps.Keys(body)) {
		raw := body[key]
		if widthOfText(key) > maxValue || width(raw) > maxValue {
			return c, bad("A body key or value is too long")
		}
		if slices.Contains(beside, key) {
			continue
		}
		if err := s.readMember(&c, key, raw); err != nil {
			return c, err
		}
	}
	if c.email == "" && c.userID == "" {
		return c, bad("An email or a userId is required")
	}
	return c, nil
}

func (s *Server) readMember(c *change, key string, raw json.RawMessage) (err error) {
	need := func(k string) bool {
		if err == nil && kind(raw) != k {
			article := "a"
			if k == "object" {
				article = "an"
			}
			err = bad("%s must be %s %s", key, article, k)
		}
		return err == nil
	}
	switch key {
	case "email":
		if c.email = text(raw); need("string") {
			err = checkEmail(c.email)
		}
	case "userId":
		if c.userID = text(raw); need("string") && c.userID == "" {
			err = bad("userId is empty")
		}
	case "source":
		c.source = text(raw)
		need("string")
	case "subscribed":
		if need("boolean") {
			yes := raw[0] == 't'
			c.subscribed = &yes
		}
	case "mailingLists":
		if need("object") {
			c.lists, err = s.readLists(raw)
		}
	default:
		err = s.readValue(c.values, key, raw)
	}
	return err
}

// readLists reads list ids with true (join) or false (leave).
func (s *Server) readLists(raw json.RawMessage) (map[string]bool, error) {
	lists := map[string]bool{}
	for id, on := range members(raw) {
		if !slices.ContainsFunc(s.o.Lists, func(l List) bool { return l.ID == id }) {
			return nil, bad("Mailing list %s does not exist", id)
		}
		if kind(on) != "boolean" {
			return nil, bad("Mailing list %s must be true or false", id)
		}
		lists[id] = on[0] == 't'
	}
	return lists, nil
}

// readValue checks the value of a property. Names that Loops keeps for itself are
// refused; so are lists and objects, whatever they are called.
func (s *Server) readValue(values map[string]json.RawMessage, key string, raw json.RawMessage) (err error) {
	if slices.Contains(reserved, key) {
		return bad("%s is a reserved name", key)
	}
	if k := kind(raw); k == "object" || k == "list" {
		return bad("%s must be a string, a number, a boolean or null", key)
	}
	p, ok := s.writable(key)
	switch {
	case !ok: // Loops does not document what it does then; it is ignored
		return nil
	case kind(raw) == "null":
		values[key] = nil
		return nil
	}
	values[key], err = p.check(raw)
	return err
}

// writable is a property whose value a call can set. notes and createdAt are
// shown but have no name in the API (properties page), so notes is treated as if it
// did not exist; createdAt others are known to set.
func (s *Server) writable(key string) (Property, bool) {
	switch key {
	case "firstName", "lastName", "userGroup":
		return Property{Key: key, Type: "string"}, true
	case "createdAt":
		return Property{Key: key, Type: "date"}, true
	}
	i := slices.IndexFunc(s.properties, func(p Property) bool { return p.Key == key })
	if i < 0 {
		return Property{}, false
	}
	return s.properties[i], true
}
