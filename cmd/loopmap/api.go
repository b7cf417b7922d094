package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/zalando/go-keyring"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/loops"
)

// keyringService is the name under which the `loops` command keeps keys (its
// documentation: service loops, account key:TEAM).
const keyringService = "loops"

// apiKey is the key for Loops' API: that of the team that --team names in the system's
// keyring, else LOOPS_API_KEY; "" when there is none.
func (a *app) apiKey() (string, error) {
	if a.team == "" {
		return a.env("LOOPS_API_KEY")
	}
	key, err := keyring.Get(keyringService, "key:"+a.team)
	switch {
	case errors.Is(err, keyring.ErrNotFound):
		return "", usage("the keyring has no key of team %q\nhint: `loops auth list` names those it has; or set LOOPS_API_KEY", a.team)
	case err != nil:
		return "", usage("the keyring cannot be asked: %v\nhint: on a server there is mostly none; set LOOPS_API_KEY or LOOPS_API_KEY_FILE", err)
	}
	a.blanks.add(key)
	return key, nil
}

// loopsClient is a client of Loops' API, nil when there is no key. transport is nil for
// the usual one.
func (a *app) loopsClient(transport http.RoundTripper) (*loops.Client, error) {
	key, err := a.apiKey()
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
	c, err := loops.NewClient(endpoint, key, transport)
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
	// Misfits are what the push part names and Loops has not, or has otherwise.
	Misfits  []string `json:"misfits,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
	refused  bool
}

// askLoops tries the key, and compares the push part with what the team has; nil when
// there is no key; fields are the columns that are known. That Loops cannot be reached is no error here: the mapping can be
// checked without.
func (a *app) askLoops(ctx context.Context, m *mapping.Mapping, fields []column.Field, transport http.RoundTripper) (*connection, error) {
	c, err := a.loopsClient(transport)
	if err != nil || c == nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, catalogTime)
	defer cancel()
	found := &connection{Host: c.Host()}
	if err = patiently(ctx, func() (err error) { found.Team, err = c.Team(ctx); return err }); err != nil {
		found.Trouble = err.Error()
		var api *loops.APIError
		found.refused = errors.As(err, &api) && (api.Status == http.StatusUnauthorized || api.Status == http.StatusForbidden)
	} else if m.Push != nil {
		if err := patiently(ctx, func() error { return found.compare(ctx, c, m, fields) }); err != nil {
			found.Trouble = err.Error()
		}
	}
	return found, nil
}

func (found *connection) compare(ctx context.Context, c *loops.Client, m *mapping.Mapping, fields []column.Field) (err error) {
	var team mapping.Team
	if team.Properties, err = c.Properties(ctx); err != nil {
		return err
	}
	if team.Lists, err = c.Lists(ctx); err != nil {
		return err
	}
	team.Events = map[string][]mapping.Property{}
	for _, e := range m.Push.Events {
		list, err := c.EventProperties(ctx, e.Name)
		var api *loops.APIError
		switch {
		case err == nil:
			team.Events[e.Name] = list
		case !errors.As(err, &api) || api.Status != http.StatusNotFound:
			return err
		}
	}
	found.Misfits, found.Warnings = m.PushMisfits(team, fields)
	return nil
}

func (found *connection) String() string {
	switch {
	case found.refused:
		return fmt.Sprintf("misfit: %s does not know the API key: %s", found.Host, found.Trouble)
	case found.Trouble != "" && found.Team != "":
		return fmt.Sprintf("warning: the API key is of team %s (%s), but what it has could not be compared: %s", found.Team, found.Host,
			found.Trouble)
	case found.Trouble != "":
		return fmt.Sprintf("warning: the API key could not be tried at %s: %s", found.Host, found.Trouble)
	}
	return fmt.Sprintf("Loops: the API key is of team %s (%s)", found.Team, found.Host)
}
