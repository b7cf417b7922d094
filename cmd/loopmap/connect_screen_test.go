package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/zalando/go-keyring"

	"loopmap/mapping"
)

// backendOf is the backend of the screens in an environment.
func backendOf(env map[string]string) *backend {
	return &backend{app: &app{stdin: strings.NewReader(""), stdout: &heard{}, stderr: &heard{}, now: time.Now, output: "text",
		lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}}
}

// The screens ask Loops by the connection that the mapping names as it stands on them, and
// hear what goes before it.
func TestConnectBackend(t *testing.T) {
	keyring.MockInit()
	x := startTeams(t, map[string]string{keyOfA: "Acme", keyOfB: "Fabrikam"})
	env := home(t, x)
	b := backendOf(env)
	ctx := context.Background()
	named := func(name string) *mapping.Mapping {
		return mapping.New("sqlite:c.db").EditPush(func(p *mapping.Push) { p.Connection = name })
	}
	if cat := b.Catalog(ctx, named(""), nil); !cat.Keyless || !cat.Connects || cat.Problem != "no API key: Loops is not asked what it has" {
		t.Errorf("%+v", cat)
	}
	for name, key := range map[string]string{"acme": keyOfA, "fabrikam": " " + keyOfB + "\n"} {
		team, err := b.TryKey(ctx, key)
		if err != nil {
			t.Fatal(err)
		}
		words, err := b.KeepConnection(ctx, name, team, strings.TrimSpace(key))
		if want := "connection " + name + ": team " + team + ", kept in the system's keyring"; err != nil || !strings.HasPrefix(words, want) {
			t.Errorf("%q, %v", words, err)
		}
	}
	if cat := b.Catalog(ctx, named("fabrikam"), nil); cat.Team != "Fabrikam" || cat.Connects {
		t.Errorf("%+v", cat)
	}
	if cat := b.Catalog(ctx, named(""), nil); !cat.Keyless || !strings.Contains(cat.Problem, "2 are kept, and none of them is picked") {
		t.Errorf("%+v", cat)
	}
	if cat := b.Catalog(ctx, named("nowhere"), nil); !cat.Connects || !strings.Contains(cat.Problem, "there is no connection nowhere here; hint:") {
		t.Errorf("%+v", cat)
	}
	if err := b.CreateProperty(ctx, named("fabrikam"), mapping.Property{Key: "size", Type: "number"}); err != nil {
		t.Error(err)
	}
	if cat := b.Catalog(ctx, named("acme"), nil); cat.Team != "Acme" || strings.Contains(keysOf(cat.Properties), "size") {
		t.Errorf("made in the other team: %+v", cat)
	}
	if err := b.RenameConnection(ctx, "fabrikam", "eu"); err != nil {
		t.Error(err)
	}
	if err := b.RemoveConnection(ctx, "acme"); err != nil {
		t.Error(err)
	}
	c, err := b.Connections(ctx)
	if err != nil || len(c.List) != 1 || c.List[0].Name != "eu" || c.List[0].Team != "Fabrikam" || c.List[0].At.IsZero() || c.Before != "" {
		t.Errorf("%+v, %v", c, err)
	}
	// What goes before them.
	for name, before := range map[string]string{"LOOPS_API_KEY": "LOOPS_API_KEY", "LOOPS_API_KEY_FILE": "LOOPS_API_KEY_FILE"} {
		env[name] = written(t, "key", "")
		c, _ := b.Connections(ctx)
		if cat := b.Catalog(ctx, named("eu"), nil); c.Before != before || cat.Connects || cat.Team != "" {
			t.Errorf("%s: %q, %+v", name, c.Before, cat)
		}
		delete(env, name)
	}
	b.app.connection = "eu"
	if c, _ := b.Connections(ctx); c.Before != "--connection eu" {
		t.Errorf("%q", c.Before)
	}
}

func keysOf(list []mapping.Property) (s string) {
	for _, p := range list {
		s += p.Key + " "
	}
	return s
}

// A key that Loops refuses is repeated nowhere, and blanks nothing that others read.
func TestConnectTriesUnknownKey(t *testing.T) {
	x := startTeams(t, map[string]string{keyOfA: "Acme"})
	b := backendOf(home(t, x))
	for _, key := range []string{keyOfB, "the session of ada", "", strings.Repeat("x", 2000)} {
		_, err := b.TryKey(context.Background(), key)
		if err == nil || key != "" && strings.Contains(err.Error(), key) {
			t.Errorf("%q: %v", key, err)
		}
		if got := string(b.app.blanks.blank([]byte("the session of ada " + keyOfB))); got != "the session of ada "+keyOfB {
			t.Errorf("blanked: %q", got)
		}
	}
	if _, err := b.TryKey(context.Background(), keyOfB); !strings.Contains(err.Error(), "does not know this API key") {
		t.Error(err)
	}
	if _, err := b.TryKey(context.Background(), keyOfA); err != nil || strings.Contains(string(b.app.blanks.blank([]byte(keyOfA))), keyOfA) {
		t.Error(err)
	}
}
