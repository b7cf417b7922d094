package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/zalando/go-keyring"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/loops"
)

// keyringService is the name under which the `loops` command keeps keys (its
// documentation: service loops, account key:TEAM).
const keyringService = "loops"

// keySource is where an API key is found.
type keySource struct {
	connection string // the name under which it is kept; "" where it comes from elsewhere
	mark       string // is another one when the key may be another one
	key        func() (string, error)
}

// keySource is where the API key for Loops is found; nil when there is none. What this run
// was told goes before the environment, that before the mapping file m, which may be nil,
// and that before the only key that is kept. It is the one place that decides it; the help
// of connect, and that on operations, say the same.
func (a *app) keySource(m *mapping.Mapping) (*keySource, error) {
	switch {
	case a.connection != "" && a.team != "":
		return nil, together("--connection", "--team")
	case a.connection != "":
		return a.keptKey(a.connection)
	case a.team != "":
		return &keySource{mark: a.team, key: a.teamKey}, nil
	}
	if key, err := a.env("LOOPS_API_KEY"); err != nil {
		return nil, err
	} else if key != "" {
		return &keySource{mark: key, key: func() (string, error) { return key, nil }}, nil
	}
	if file, _ := a.lookup("LOOPS_API_KEY_FILE"); file != "" {
		return nil, nil // a file that is empty, maybe for a moment, must not bring in another team's key
	}
	if m != nil && m.Push != nil && m.Push.Connection != "" {
		return a.keptKey(m.Push.Connection)
	}
	names, err := a.connections().names()
	if err != nil || len(names) != 1 {
		return nil, err
	}
	return a.keptKey(names[0])
}

// before is what gives the API key whatever is kept and a mapping file names; "" where
// nothing does. It follows keySource.
func (a *app) before() string {
	file, _ := a.lookup("LOOPS_API_KEY_FILE")
	switch key, _ := a.lookup("LOOPS_API_KEY"); {
	case a.connection != "":
		return "--connection " + a.connection
	case a.team != "":
		return "--team " + a.team
	case key != "":
		return "LOOPS_API_KEY"
	case file != "":
		return "LOOPS_API_KEY_FILE"
	}
	return ""
}

// keptKey is a key that connect keeps.
func (a *app) keptKey(name string) (*keySource, error) {
	c := a.connections()
	f, mark, err := c.read(name)
	if err != nil {
		return nil, err
	}
	return &keySource{connection: name, mark: mark, key: func() (string, error) { return c.key(name, f) }}, nil
}

// teamKey is the key of the team that --team names, in the system's keyring.
func (a *app) teamKey() (string, error) {
	key, err := ring(func() (string, error) { return keyring.Get(keyringService, "key:"+a.team) })
	switch {
	case errors.Is(err, keyring.ErrNotFound):
		return "", usage("the keyring has no key of team %q\nhint: `loops auth list` names those it has; or set LOOPS_API_KEY", a.team)
	case err != nil:
		return "", usage("the keyring cannot be asked: %v\nhint: on a server there is mostly none; set LOOPS_API_KEY or LOOPS_API_KEY_FILE", err)
	}
	a.blanks.add(key)
	return key, nil
}

// noKey says that there is no API key, and how there will be one.
func (a *app) noKey() error {
	if names, err := a.connections().names(); err == nil && len(names) > 1 {
		return usage("there is no API key to send with: %d are kept, and none of them is picked\n"+
			"hint: --connection NAME picks one, or push.connection: NAME in the mapping file; there are %s", len(names), strings.Join(names, ", "))
	}
	return usage("there is no API key to send with\n" +
		"hint: loopmap connect keeps one (Loops, Settings, API); or set LOOPS_API_KEY or LOOPS_API_KEY_FILE")
}

// loopsClient is a client of Loops' API for what m says, nil when there is no key.
// transport is nil for the usual one.
func (a *app) loopsClient(m *mapping.Mapping, transport http.RoundTripper) (*loops.Client, error) {
	source, err := a.keySource(m)
	if err != nil || source == nil {
		return nil, err
	}
	return a.clientOf(source, transport)
}

func (a *app) clientOf(source *keySource, transport http.RoundTripper) (*loops.Client, error) {
	key, err := source.key()
	if err != nil {
		return nil, err
	}
	return a.clientWith(key, transport)
}

func (a *app) clientWith(key string, transport http.RoundTripper) (*loops.Client, error) {
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
	Name    string `json:"connection,omitempty"` // under which the key is kept
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
	source, err := a.keySource(m)
	if err != nil || source == nil {
		return nil, err
	}
	c, err := a.clientOf(source, transport)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, catalogTime)
	defer cancel()
	found := &connection{Host: c.Host(), Name: source.connection}
	if err = patiently(ctx, func() (err error) { found.Team, err = c.Team(ctx); return err }); err != nil {
		found.Trouble = err.Error()
		found.refused = refuses(err)
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
		return fmt.Sprintf("misfit: %s does not know %s: %s", found.Host, found.key(), found.Trouble)
	case found.Trouble != "" && found.Team != "":
		return fmt.Sprintf("warning: %s is of team %s (%s), but what it has could not be compared: %s", found.key(), found.Team, found.Host,
			found.Trouble)
	case found.Trouble != "":
		return fmt.Sprintf("warning: %s could not be tried at %s: %s", found.key(), found.Host, found.Trouble)
	}
	return fmt.Sprintf("Loops: %s is of team %s (%s)", found.key(), found.Team, found.Host)
}

// key names the key in words.
func (found *connection) key() string {
	if found.Name != "" {
		return "the API key of connection " + found.Name
	}
	return "the API key"
}

// again says how a key is replaced that Loops refuses.
func (found *connection) again() string {
	if found.Name != "" {
		return "hint: loopmap connect " + found.Name + " keeps another one in its place (Loops, Settings, API)"
	}
	return "hint: copy it again from Loops, Settings, API"
}
