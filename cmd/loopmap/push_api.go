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

// connect makes the client that rows are sent with, and makes sure that the key is
// known, and that Loops has what the push part names.
func (a *app) connect(ctx context.Context, s *outgoing.Sender, pace *push.Pace) (*loops.Client, error) {
	client, err := a.loopsClient(nil)
	if err != nil {
		return nil, err
	}
	if client == nil {
		return nil, usage("there is no API key to send with\n" +
			"hint: set LOOPS_API_KEY (Loops, Settings, API), or LOOPS_API_KEY_FILE; --team takes one from the keyring")
	}
	found, err := a.askLoops(ctx, s.Mapping(), s.Known(), paced{pace})
	switch {
	case err != nil:
		return nil, err
	case found.refused:
		return nil, usage("Loops refuses the API key: %s\nhint: copy it again from Loops, Settings, API", found.Trouble)
	case len(found.Misfits) > 0:
		return nil, usage("the push part does not fit what Loops has, so nothing is sent: %s\n"+
			"hint: change the mapping, or make the property in Loops, Settings", strings.Join(found.Misfits, "; "))
	case found.Trouble != "":
		a.say("warning: what Loops has could not be looked at first: %s", found.Trouble)
	default:
		a.say("sending to team %s (%s)", found.Team, found.Host)
	}
	for _, w := range found.Warnings {
		a.say("warning: %s", w)
	}
	return client, nil
}
