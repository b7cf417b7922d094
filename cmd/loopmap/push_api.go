package main

import (
	"context"
	"net/http"
	"strings"

	"loopmap/mapping/loops"
	"loopmap/mapping/outgoing"
	"loopmap/mapping/push"
)

// api is Loops' API as sending sees it.
type api struct{ *loops.Client }

// Send is sending's.
func (c api) Send(ctx context.Context, r outgoing.Request) (push.Answer, error) {
	a, err := c.Do(ctx, r.Method, r.Path, r.IdempotencyKey, r.Body)
	return push.Answer(a), err
}

// paced keeps looks at what Loops has within the same pace.
type paced struct{ pace *push.Pace }

// RoundTrip is net/http's.
func (p paced) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, done, err := p.pace.Begin(r.Context())
	if err != nil {
		return nil, err
	}
	defer done()
	return http.DefaultTransport.RoundTrip(r.WithContext(ctx))
}

// client makes the client that rows are sent with, and makes sure that the key is
// known, and that Loops has what the push part names.
func (a *app) client(ctx context.Context, s *outgoing.Sender, pace *push.Pace) (*loops.Client, error) {
	client, err := a.loopsClient(s.Mapping(), nil)
	if err != nil {
		return nil, err
	}
	if client == nil {
		return nil, a.noKey()
	}
	found, err := a.askLoops(ctx, s.Mapping(), s.Known(), paced{pace})
	switch {
	case err != nil:
		return nil, err
	case found.refused:
		return nil, usage("Loops refuses %s: %s\n%s", found.key(), found.Trouble, found.again())
	case len(found.Misfits) > 0:
		return nil, usage("the push part does not fit what Loops has, so nothing is sent: %s\n"+
			"hint: change the mapping, or make the property in Loops, Settings", strings.Join(found.Misfits, "; "))
	case found.Trouble != "":
		a.say("warning: what Loops has could not be looked at first: %s", found.Trouble)
	case found.Name != "":
		a.say("sending to team %s (%s), connection %s", found.Team, found.Host, found.Name)
	default:
		a.say("sending to team %s (%s)", found.Team, found.Host)
	}
	for _, w := range found.Warnings {
		a.say("warning: %s", w)
	}
	return client, nil
}
