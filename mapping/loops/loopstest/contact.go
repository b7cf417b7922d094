package loopstest

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/mail"
	"slices"
	"strings"
)

// Contact is a contact as it stands in Loops. Made into JSON it is the object that
// GET /v1/contacts/find and the contact.created webhook hold.
type Contact struct {
	ID         string // 25 characters, growing with time
	Email      string
	UserID     string // "" is none
	Source     string
	Subscribed bool
	// Lists are the ids of the mailing lists that the contact is on, all true.
	Lists map[string]bool
	// Values are firstName, lastName, userGroup and the custom properties, as
	// JSON. What has no value is not there; null never is. Numbers keep the text
	// that they came in; dates are as "2026-12-07T00:00:00.000Z".
	Values map[string]json.RawMessage
}

func (c *Contact) clone() Contact {
	d := *c
	d.Lists, d.Values = maps.Clone(c.Lists), cloneValues(c.Values)
	return d
}

func cloneValues(values map[string]json.RawMessage) map[string]json.RawMessage {
	own := maps.Clone(values)
	for key, raw := range own {
		own[key] = slices.Clone(raw)
	}
	return own
}

// MarshalJSON writes the object that Loops shows: the documented keys in their
// order, then the custom properties by name.
func (c Contact) MarshalJSON() ([]byte, error) { return c.json(), nil }

// json writes the contact. Custom properties without a value are left out; whether Loops
// shows them as null it does not document.
func (c *Contact) json() json.RawMessage {
	orNull := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	lists := c.Lists
	if lists == nil {
		lists = map[string]bool{}
	}
	var group any = ""
	if v, ok := c.Values["userGroup"]; ok {
		group = v
	}
	o := object{}
	o.add("id", c.ID)
	o.add("email", c.Email)
	o.add("firstName", c.Values["firstName"])
	o.add("lastName", c.Values["lastName"])
	o.add("source", c.Source)
	o.add("subscribed", c.Subscribed)
	o.add("userGroup", group)
	o.add("userId", orNull(c.UserID))
	o.add("notes", nil)
	o.add("mailingLists", lists)
	o.add("optInStatus", nil)
	for _, key := range slices.Sorted(maps.Keys(c.Values)) {
		if key != "firstName" && key != "lastName" && key != "userGroup" {
			o.add(key, c.Values[key])
		}
	}
	return o.raw()
}

// object writes a JSON object whose members keep their order.
type object struct{ b bytes.Buffer }

func (o *object) add(key string, value any) {
	if raw, ok := value.(json.RawMessage); ok && raw == nil {
		value = nil
	}
	o.b.WriteByte("{,"[min(o.b.Len(), 1)])
	o.b.Write(marshal(key))
	o.b.WriteByte(':')
	o.b.Write(marshal(value))
}

func (o *object) raw() json.RawMessage {
	if o.b.Len() == 0 {
		return json.RawMessage("{}")
	}
	return append(o.b.Bytes(), '}')
}

// checkEmail takes an address without a name, with a dot in its host.
func checkEmail(email string) error {
	a, err := mail.ParseAddress(email)
	_, host, _ := strings.Cut(email, "@")
	if err != nil || a.Address != email || !strings.Contains(strings.Trim(host, "."), ".") {
		return bad("Invalid email address")
	}
	return nil
}

// find looks a contact up by an address, in any case, or a user id; "" finds
// none.
func (s *Server) find(email, userID string) (byEmail, byUser *Contact) {
	if userID != "" {
		byUser = s.byUser[userID]
	}
	return s.byEmail[strings.ToLower(email)], byUser
}

// identify gives a contact an address and a user id; "" changes nothing.
func (s *Server) identify(c *Contact, email, userID string) {
	if email != "" && !strings.EqualFold(email, c.Email) {
		delete(s.byEmail, strings.ToLower(c.Email))
		c.Email = email
		s.byEmail[strings.ToLower(email)] = c
	}
	if userID != "" && userID != c.UserID {
		delete(s.byUser, c.UserID)
		c.UserID = userID
		s.byUser[userID] = c
	}
}
