package loopstest

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"loopmap/mapping"
)

// Contact is the contact with the address, in any case.
func (s *Server) Contact(email string) (Contact, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, _ := s.find(email, "")
	if c == nil {
		return Contact{}, false
	}
	return c.clone(), true
}

// Contacts are all contacts, in the order in which they were made.
func (s *Server) Contacts() []Contact {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Contact, 0, len(s.byEmail))
	for _, c := range s.byEmail {
		list = append(list, c.clone())
	}
	slices.SortFunc(list, func(a, b Contact) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// Add makes a contact as if it had been made in Loops' app, fires contact.created
// and returns the contact with its new ID. It is subscribed, whatever Subscribed
// says, and its Source is "App" unless given. Values may hold null; they, the
// lists and the address are checked as those of a call are, and a property that
// does not exist is an error.
func (s *Server) Add(c Contact) (Contact, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := checkEmail(c.Email); err != nil {
		return Contact{}, lower(err)
	}
	if a, b := s.find(c.Email, c.UserID); a != nil || b != nil {
		return Contact{}, errors.New("the email or the userId is taken")
	}
	made := change{email: c.Email, userID: c.UserID, source: c.Source, values: map[string]json.RawMessage{}}
	for _, key := range slices.Sorted(maps.Keys(c.Values)) {
		raw := json.RawMessage(compact(c.Values[key]))
		if _, ok := s.writable(key); !ok || !json.Valid(raw) {
			return Contact{}, errors.New("property " + key + " does not exist or has no JSON")
		}
		if width(raw) > maxValue {
			return Contact{}, errors.New("the value of " + key + " is too long")
		}
		if err := s.readValue(made.values, key, raw); err != nil {
			return Contact{}, lower(err)
		}
	}
	var err error
	if made.lists, err = s.readLists(marshal(c.Lists)); err != nil {
		return Contact{}, lower(err)
	}
	return s.enter(made, "App").clone(), nil
}

// lower makes an error of what Loops would have shown as a message.
func lower(err error) error {
	s := err.Error()
	return errors.New(strings.ToLower(s[:1]) + s[1:])
}

// remove deletes a contact and fires contact.unsubscribed and contact.deleted (webhooks
// page: the first is sent on deletion too).
func (s *Server) remove(c *Contact) {
	delete(s.byEmail, strings.ToLower(c.Email))
	delete(s.byUser, c.UserID)
	s.fire(c, hook{event: mapping.ContactUnsubscribed}, hook{event: mapping.ContactDeleted})
}
