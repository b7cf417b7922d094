package loopstest

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"loopmap/mapping"
)

// create is POST /v1/contacts/create.
func (s *Server) create(q request) (any, error) {
	c, err := s.readContact(q)
	if err != nil {
		return nil, err
	}
	if c.email == "" {
		return nil, bad("An email is required")
	}
	if a, b := s.find(c.email, c.userID); a != nil || b != nil {
		return nil, refuse(http.StatusConflict, "Email or userId is already on list.")
	}
	return made{true, s.enter(c, "API").ID}, nil
}

// update is PUT /v1/contacts/update.
func (s *Server) update(q request) (any, error) {
	c, err := s.readContact(q)
	if err != nil {
		return nil, err
	}
	contact, err := s.upsert(c)
	if err != nil {
		return nil, err
	}
	return made{true, contact.ID}, nil
}

// made is what create and update answer.
type made struct {
	Success bool   `json:"success"`
	ID      string `json:"id"`
}

func (s *Server) readContact(q request) (change, error) {
	body, err := q.object()
	if err != nil {
		return change{}, err
	}
	return s.readChange(body)
}

// upsert finds the contact by either identity and overwrites the other one
// (API reference, update contact). Two identities of two contacts are refused
// with 400, and so is a user id alone that nobody has; Loops documents neither.
func (s *Server) upsert(c change) (*Contact, error) {
	byEmail, byUser := s.find(c.email, c.userID)
	switch {
	case byEmail != nil && byUser != nil && byEmail != byUser:
		return nil, bad("The email and the userId belong to two contacts")
	case byEmail == nil && byUser == nil && c.email == "":
		return nil, bad("No contact has this userId: an email is required")
	case byEmail == nil && byUser == nil:
		return s.enter(c, "API"), nil
	}
	contact := cmp.Or(byEmail, byUser)
	s.identify(contact, c.email, c.userID)
	s.apply(contact, c)
	return contact, nil
}

// enter makes a contact and says so.
func (s *Server) enter(c change, source string) *Contact {
	contact := &Contact{
		ID:         s.ids.next(s.o.Now()),
		Email:      c.email,
		UserID:     c.userID,
		Source:     source,
		Subscribed: c.subscribed == nil || *c.subscribed,
		Lists:      map[string]bool{},
		Values:     map[string]json.RawMessage{},
	}
	s.byEmail[strings.ToLower(c.email)] = contact
	if c.userID != "" {
		s.byUser[c.userID] = contact
	}
	fire := s.changes(contact, c)
	s.fire(contact, hook{event: mapping.ContactCreated, contact: contact.json()})
	s.fire(contact, fire...)
	return contact
}

// apply changes a contact and says what there is a webhook for.
func (s *Server) apply(contact *Contact, c change) { s.fire(contact, s.changes(contact, c)...) }

// changes carries a change out and returns what webhooks tell of it: none tells
// of properties.
func (s *Server) changes(contact *Contact, c change) (fire []hook) {
	if c.source != "" {
		contact.Source = c.source
	}
	for key, raw := range c.values {
		if raw == nil {
			delete(contact.Values, key)
		} else {
			contact.Values[key] = slices.Clone(raw)
		}
	}
	if c.subscribed != nil && *c.subscribed != contact.Subscribed {
		contact.Subscribed = *c.subscribed
		if !contact.Subscribed {
			fire = append(fire, hook{event: mapping.ContactUnsubscribed})
		}
	}
	for _, l := range s.o.Lists {
		on, given := c.lists[l.ID]
		switch {
		case given && on && !contact.Lists[l.ID]:
			contact.Lists[l.ID] = true
			fire = append(fire, hook{event: mapping.ListSubscribed, list: &l})
		case given && !on && contact.Lists[l.ID]:
			delete(contact.Lists, l.ID)
			fire = append(fire, hook{event: mapping.ListUnsubscribed, list: &l})
		}
	}
	return fire
}
