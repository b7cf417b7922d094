package loopstest

import (
	"encoding/json"
	"slices"
)

// hook is an event before it is written down.
type hook struct {
	event   string
	contact json.RawMessage // of contact.created
	list    *List           // of contact.mailingList.*
}

// fire writes webhooks about a contact as it is now and queues them.
func (s *Server) fire(c *Contact, events ...hook) {
	for _, e := range events {
		o := object{}
		o.add("eventName", e.event)
		o.add("eventTime", s.o.Now().Unix())
		o.add("webhookSchemaVersion", "1.0.0")
		o.add("contactIdentity", c.identity())
		if e.contact != nil {
			o.add("contact", e.contact)
		}
		if e.list != nil {
			o.add("mailingList", e.list.json())
		}
		s.queue(e.event, o.raw())
	}
}

func (c *Contact) identity() json.RawMessage {
	o := object{}
	o.add("id", c.ID)
	o.add("email", c.Email)
	if c.UserID == "" {
		o.add("userId", nil)
	} else {
		o.add("userId", c.UserID)
	}
	return o.raw()
}

// queue hands a webhook to the courier. Without an endpoint, or with the event
// switched off, there is none: Loops does not keep it for later.
func (s *Server) queue(event string, body []byte) {
	if s.o.Webhook == "" || s.ctx.Err() != nil || s.o.WebhookEvents != nil && !slices.Contains(s.o.WebhookEvents, event) {
		return
	}
	m := &message{id: "msg_" + s.ids.next(s.o.Now()), event: event, body: body}
	s.hooks.open++
	s.hooks.ready = append(s.hooks.ready, m)
	s.hooks.nudge()
}
