package tui

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// keyring is the part of the fake that keeps API keys, in memory.
type keyring struct {
	list    []Connection
	before  string
	keys    map[string]string // by their names
	known   map[string]string // teams by the keys that Loops knows
	teams   map[string]Catalog
	keeping error
}

func (k *keyring) Connections(context.Context) (Connections, error) {
	list := slices.Clone(k.list)
	slices.SortFunc(list, func(a, b Connection) int { return strings.Compare(a.Name, b.Name) })
	return Connections{List: list, Before: k.before}, nil
}

func (k *keyring) TryKey(_ context.Context, key string) (string, error) {
	if team, ok := k.known[key]; ok {
		return team, nil
	}
	return "", errors.New("app.loops.so does not know this API key, and it is not kept: 401 Invalid API key")
}

func (k *keyring) KeepConnection(_ context.Context, name, team, key string) (string, error) {
	if k.keeping != nil {
		return "", k.keeping
	}
	if k.keys == nil {
		k.keys = map[string]string{}
	}
	k.keys[name] = key
	k.list = slices.DeleteFunc(k.list, func(c Connection) bool { return c.Name == name })
	k.list = append(k.list, Connection{Name: name, Team: team, Place: "the system's keyring", At: viewTime})
	return "connection " + name + ": team " + team + ", kept in the system's keyring", nil
}

func (k *keyring) RenameConnection(_ context.Context, old, name string) error {
	for i := range k.list {
		if k.list[i].Name == old {
			k.list[i].Name = name
		}
	}
	return k.keeping
}

func (k *keyring) RemoveConnection(_ context.Context, name string) error {
	k.list = slices.DeleteFunc(k.list, func(c Connection) bool { return c.Name == name })
	return k.keeping
}
