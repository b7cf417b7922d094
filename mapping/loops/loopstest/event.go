package loopstest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"
)

const (
	maxKey  = 100            // characters of an Idempotency-Key (OpenAPI document)
	keyLife = 24 * time.Hour // for which it is remembered (OpenAPI document)
)

// Event is an event that took effect.
type Event struct {
	Time      time.Time
	Name      string
	ContactID string
	Email     string // of the contact, when the event took effect
	UserID    string
	Key       string // the Idempotency-Key, "" without one
	// Properties are the event's properties as JSON, dates as in [Contact].
	// Properties that the event does not have are not there.
	Properties map[string]json.RawMessage
}

type usedKey struct {
	at   time.Time
	body [sha256.Size]byte
}

// Sent are the events that took effect, in order.
func (s *Server) Sent() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.Clone(s.sent)
	for i := range list {
		list[i].Properties = cloneValues(list[i].Properties)
	}
	return list
}

// sendEvent is POST /v1/events/send. An Idempotency-Key is used up by a call that
// takes effect, and by one that is refused only with Options.RefusedKeys.
func (s *Server) sendEvent(q request) (any, error) {
	key := q.Header.Get("Idempotency-Key")
	if len(key) > maxKey {
		return nil, bad("Idempotency-Key has more than %d characters", maxKey)
	}
	now, sum := s.o.Now(), sha256.Sum256(compact(q.body))
	if before, ok := s.used[key]; key != "" && ok && now.Sub(before.at) < keyLife {
		if s.o.SameBodyPasses && before.body == sum {
			return sentAnswer{true}, nil
		}
		return nil, refuse(http.StatusConflict, "Idempotency key has been used")
	}
	e, c, err := s.readEvent(q)
	var contact *Contact
	if err == nil {
		contact, err = s.upsert(c)
	}
	if err != nil {
		if s.o.RefusedKeys && key != "" {
			s.used[key] = usedKey{now, sum}
		}
		return nil, err
	}
	e.Time, e.Key = now, key
	e.ContactID, e.Email, e.UserID = contact.ID, contact.Email, contact.UserID
	s.sent = append(s.sent, e)
	if key != "" {
		s.used[key] = usedKey{now, sum}
	}
	return sentAnswer{true}, nil
}

type sentAnswer struct {
	Success bool `json:"success"`
}

func compact(body []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, body) != nil {
		return body
	}
	return b.Bytes()
}

func (s *Server) readEvent(q request) (e Event, c change, err error) {
	body, err := q.object()
	if err != nil {
		return e, c, err
	}
	name, ok := body["eventName"]
	if !ok || kind(name) != "string" || text(name) == "" {
		return e, c, bad("eventName is required")
	}
	e.Name = text(name)
	if c, err = s.readChange(body, "eventName", "eventProperties"); err != nil {
		return e, c, err
	}
	pattern, known := s.pattern(e.Name)
	properties, ok := body["eventProperties"]
	if !ok {
		return e, c, nil
	}
	if kind(properties) != "object" {
		return e, c, bad("eventProperties must be an object")
	}
	e.Properties, err = s.readProperties(pattern, known, members(properties))
	return e, c, err
}

// readProperties checks an event's properties; null is none of the types that the
// OpenAPI document allows. Of an event that does not exist all are kept.
func (s *Server) readProperties(e EventPattern, known bool, given map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	kept := map[string]json.RawMessage{}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		raw := given[key]
		if k := kind(raw); k == "object" || k == "list" || k == "null" {
			return nil, bad("eventProperties.%s must be a string, a number or a boolean", key)
		}
		i := slices.IndexFunc(e.Properties, func(p Property) bool { return p.Key == key })
		switch {
		case !known:
			kept[key] = raw
		case i >= 0:
			value, err := e.Properties[i].check(raw)
			if err != nil {
				return nil, err
			}
			kept[key] = value
		}
	}
	return kept, nil
}
