package mapping

// The events of Loops that loopmap treats in a way of their own (Loops docs: Webhooks).
const (
	ContactCreated      = "contact.created"      // the one that carries the whole contact
	ContactUnsubscribed = "contact.unsubscribed" // comes with each deletion, too
	ContactDeleted      = "contact.deleted"      // Loops has the contact no longer
	ListSubscribed      = "contact.mailingList.subscribed"
	ListUnsubscribed    = "contact.mailingList.unsubscribed"
	TestEvent           = "testing.testEvent" // what Loops' settings page sends to try an endpoint: of no contact
)
