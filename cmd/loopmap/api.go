package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/zalando/go-keyring"

	"loopmap/mapping/loops"
)

// keyringService is the name under which the `loops` command keeps keys (its
// documentation: service loops, account key:TEAM).
const keyringService = "loops"

// apiKey is the key for Loops' API: that of the team in the system's keyring when one
// is named, else LOOPS_API_KEY; "" when there is none.
func (a *app) apiKey(team string) (string, error) {
	if team == "" {
		return a.env("LOOPS_API_KEY")
	}
	key, err := keyring.Get(keyringService, "key:"+team)
	switch {
	case errors.Is(err, keyring.ErrNotFound):
		return "", usage("the keyring has no key of team %q\nhint: `loops auth list` names those it has; or set LOOPS_API_KEY", team)
	case err != nil:
		return "", usage("the keyring cannot be asked: %v\nhint: on a server there is mostly none; set LOOPS_API_KEY or LOOPS_API_KEY_FILE", err)
	}
	return key, nil
}

// loopsClient is a client of Loops' API, nil when there is no key.
func (a *app) loopsClient(team string) (*loops.Client, error) {
	key, err := a.apiKey(team)
	if err != nil || key == "" {
		return nil, err
	}
	endpoint, err := a.env("LOOPS_ENDPOINT_URL")
	if err != nil {
		return nil, err
	}
	if endpoint == "" {
		endpoint = loops.DefaultEndpoint
	}
	c, err := loops.NewClient(endpoint, key, nil)
	if err != nil {
		return nil, usage("%v\nhint: see LOOPS_API_KEY and LOOPS_ENDPOINT_URL", err)
	}
	return c, nil
}

// connection is what check found out about the API key.
type connection struct {
	Host    string `json:"host"`
	Team    string `json:"team,omitempty"`
	Trouble string `json:"trouble,omitempty"` // why the team is not known
	refused bool
}

// askTeam tries the key, nil when there is none. That Loops cannot be reached is no
// error here: the mapping can be checked without.
func (a *app) askTeam(ctx context.Context, team string) (*connection, error) {
	c, err := a.loopsClient(team)
	if err != nil || c == nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	found := &connection{Host: c.Host()}
	if found.Team, err = c.Team(ctx); err != nil {
		found.Trouble = err.Error()
		var api *loops.APIError
		found.refused = errors.As(err, &api) && (api.Status == http.StatusUnauthorized || api.Status == http.StatusForbidden)
	}
	return found, nil
}

func (c *connection) String() string {
	switch {
	case c.refused:
		return fmt.Sprintf("misfit: %s does not know the API key: %s", c.Host, c.Trouble)
	case c.Trouble != "":
		return fmt.Sprintf("warning: the API key could not be tried at %s: %s", c.Host, c.Trouble)
	}
	return fmt.Sprintf("Loops: the API key is of team %s (%s)", c.Team, c.Host)
}
