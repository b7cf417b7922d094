package loopstest

import (
	"cmp"
	"net/http"
	"time"
)

// What the zero [Options] stand for.
const (
	// DefaultTeam is the team that GET /v1/api-key names.
	DefaultTeam = "Rehearsal"
	// DefaultKey is the API key. It opens nothing anywhere else.
	DefaultKey = "loopstest-key-that-opens-nothing"
	// DefaultSecret signs webhooks. It is 33 bytes that everybody knows.
	DefaultSecret = "whsec_bG9vcHN0ZXN0LXNlY3JldC10aGF0LWhpZGVzLW5vdGhp"
	// DefaultRate is how many requests a second Loops takes of a team (API
	// reference, introduction).
	DefaultRate = 10
	// DefaultHookRate is how many webhooks a second Loops sends at most (webhooks
	// page).
	DefaultHookRate = 10
)

// Options say what a [Server] is like. The zero value is a team with a few
// properties, two lists and two events, that sends no webhooks.
type Options struct {
	// Team is the teamName of GET /v1/api-key.
	Team string
	// Key is the API key that is taken; another one is answered 401.
	Key string
	// Secret is the signing secret of webhooks, whsec_ and base64.
	Secret string
	// Webhook is the URL that webhooks are posted to; with "" none are sent.
	Webhook string
	// WebhookEvents are the events that are switched on in Loops' settings; nil
	// is all.
	WebhookEvents []string
	// HookRate is how many webhooks are sent a second, evenly; below 0 there is
	// no limit. The default is [DefaultHookRate].
	HookRate int
	// Client sends the webhooks; redirects are never followed. The default has a
	// time limit of 15 seconds.
	Client *http.Client

	// Now is the clock; the default is [time.Now].
	Now func() time.Time
	// Rate is how many requests are taken in any window of one second; below 0
	// there is no limit. The default is [DefaultRate].
	Rate int
	// Latency passes between a call's effect and its answer.
	Latency time.Duration

	// Properties are the custom contact properties; nil is a few.
	Properties []Property
	// Lists are the mailing lists; nil is two.
	Lists []List
	// Events are the events that exist; nil is two.
	Events []EventPattern

	// SameBodyPasses answers an Idempotency-Key that comes again with the same
	// body 200, without an effect. Without it every reuse within 24 hours is
	// answered 409. The OpenAPI document says both: any reuse in its description,
	// another body in the example of the message.
	SameBodyPasses bool
	// RefusedKeys lets a call that is refused use up its Idempotency-Key, too. Loops does
	// not document whether it does.
	RefusedKeys bool
	// OnCall is told each call, just before its answer goes out; one that gets no
	// answer has the Status 0. Calls come from many goroutines, and it may call
	// the server.
	OnCall func(Call)
	// OnDelivery is told each attempt to deliver a webhook, one after another, in
	// order. It must not call Close.
	OnDelivery func(Delivery)
}

// withDefaults fills in what is not given. A list that is empty but not nil
// stays empty.
func (o Options) withDefaults() Options {
	o.Team = cmp.Or(o.Team, DefaultTeam)
	o.Key = cmp.Or(o.Key, DefaultKey)
	o.Secret = cmp.Or(o.Secret, DefaultSecret)
	o.Rate = cmp.Or(o.Rate, DefaultRate)
	o.HookRate = cmp.Or(o.HookRate, DefaultHookRate)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Properties == nil {
		o.Properties = defaultProperties()
	}
	if o.Lists == nil {
		o.Lists = defaultLists()
	}
	if o.Events == nil {
		o.Events = defaultEvents()
	}
	o.Client = hookClient(o.Client)
	return o
}

func hookClient(c *http.Client) *http.Client {
	if c == nil {
		c = &http.Client{Timeout: 15 * time.Second}
	}
	own := *c
	// A redirect is a refusal: the signature is meant for one address.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}
