package loopstest

import (
	"cmp"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// apiKey is GET /v1/api-key.
func (s *Server) apiKey(request) (any, error) {
	return struct {
		Success  bool   `json:"success"`
		TeamName string `json:"teamName"`
	}{true, s.o.Team}, nil
}

// findContact is GET /v1/contacts/find: a list of one or of none.
func (s *Server) findContact(q request) (any, error) {
	query := q.URL.Query()
	email, userID := query.Get("email"), query.Get("userId")
	if err := one(email, userID); err != nil {
		return nil, err
	}
	found := []json.RawMessage{}
	if c := cmp.Or(s.find(email, userID)); c != nil {
		found = append(found, c.json())
	}
	return found, nil
}

// deleteContact is POST /v1/contacts/delete.
func (s *Server) deleteContact(q request) (any, error) {
	body, err := q.object()
	if err != nil {
		return nil, err
	}
	for _, key := range []string{"email", "userId"} {
		if raw, ok := body[key]; ok && kind(raw) != "string" {
			return nil, bad("%s must be a string", key)
		}
	}
	email, userID := text(body["email"]), text(body["userId"])
	if err := one(email, userID); err != nil {
		return nil, err
	}
	c := cmp.Or(s.find(email, userID))
	if c == nil {
		return nil, refuse(http.StatusNotFound, "Contact not found.")
	}
	s.remove(c)
	return failed{true, "Contact deleted."}, nil
}

// listProperties is GET /v1/contacts/properties?list=all|custom; all is also what
// is answered to anything else.
func (s *Server) listProperties(q request) (any, error) {
	if q.URL.Query().Get("list") == "custom" {
		return append([]Property{}, s.properties...), nil
	}
	return append(builtIn(), s.properties...), nil
}

var camelCase = regexp.MustCompile(`^[a-z][a-zA-Z0-9]*$`)

// createProperty is POST /v1/contacts/properties.
func (s *Server) createProperty(q request) (any, error) {
	body, err := q.object()
	if err != nil {
		return nil, err
	}
	name, t := "", ""
	if raw, ok := body["name"]; ok {
		name = text(raw)
	}
	if raw, ok := body["type"]; ok {
		t = text(raw)
	}
	taken := func(p Property) bool { return p.Key == name }
	switch {
	case !camelCase.MatchString(name):
		return nil, bad("name must be in camelCase")
	case !isType(t):
		return nil, bad("type must be string, number, boolean or date")
	case slices.Contains(reserved, name) || name == "mailingLists":
		return nil, bad("%s is a reserved name", name)
	case slices.ContainsFunc(s.properties, taken) || slices.ContainsFunc(builtIn(), taken):
		return nil, bad("Property %s exists", name)
	}
	s.properties = append(s.properties, Property{name, label(name), t})
	return struct {
		Success bool `json:"success"`
	}{true}, nil
}

// label makes "Plan Name" of planName.
func label(name string) string {
	var b strings.Builder
	for i, c := range name {
		if i > 0 && c >= 'A' && c <= 'Z' {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return strings.ToUpper(b.String()[:1]) + b.String()[1:]
}

// listLists is GET /v1/lists.
func (s *Server) listLists(request) (any, error) {
	lists := []json.RawMessage{}
	for _, l := range s.o.Lists {
		lists = append(lists, l.json())
	}
	return lists, nil
}

func (l List) json() json.RawMessage {
	o := object{}
	o.add("id", l.ID)
	o.add("name", l.Name)
	if l.Description == "" {
		o.add("description", nil)
	} else {
		o.add("description", l.Description)
	}
	o.add("isPublic", l.IsPublic)
	return o.raw()
}
