package loops

import "loopmap/mapping"

// ContactCreated is the one event that carries the whole contact.
const ContactCreated = mapping.ContactCreated

// TestEvent is what Loops' settings page sends to try an endpoint. It carries no
// contact.
const TestEvent = mapping.TestEvent

// Events are the 17 events that Loops documents. Others are stored like these.
var Events = []string{
	ContactCreated,
	mapping.ContactUnsubscribed,
	mapping.ContactDeleted,
	mapping.ListSubscribed,
	mapping.ListUnsubscribed,
	"loop.email.sent",
	"campaign.email.sent",
	"transactional.email.sent",
	"email.delivered",
	"email.softBounced",
	"email.hardBounced",
	"email.opened",
	"email.clicked",
	"email.unsubscribed",
	"email.resubscribed",
	"email.spamReported",
	TestEvent,
}
