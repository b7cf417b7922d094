package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"loopmap/tui"
)

// Connections are the API keys that are kept, without the keys.
func (b *backend) Connections(context.Context) (c tui.Connections, err error) {
	k := b.app.connections()
	names, err := k.names()
	for _, name := range names {
		f, _, err := k.read(name)
		if err != nil {
			c.List = append(c.List, tui.Connection{Name: name, Wrong: asLine(err)})
			continue
		}
		said := k.said(name, f)
		c.List = append(c.List, tui.Connection{Name: name, Team: said.Team, Place: said.place(), At: said.At})
	}
	c.Before = b.app.before()
	return c, err
}

// TryKey asks Loops whose key it is. What Loops does not know is no secret of this process:
// whoever types it could blank what others are to read.
func (b *backend) TryKey(ctx context.Context, text string) (team string, err error) {
	one := &app{stdin: b.app.stdin, stdout: io.Discard, stderr: io.Discard, lookup: b.app.lookup, now: b.app.now, output: "text"}
	key, err := one.oneKey(text)
	if err == nil {
		team, err = one.tryKey(ctx, key)
	}
	if err != nil {
		return "", &blankedError{string(one.blanks.blank([]byte(err.Error()))), err}
	}
	b.app.blanks.add(key)
	return team, nil
}

// KeepConnection keeps a key that was tried, and says where.
func (b *backend) KeepConnection(_ context.Context, name, team, key string) (words string, err error) {
	k, noRing, err := b.app.connections().keep(name, team, key)
	if err != nil {
		return "", err
	}
	words = fmt.Sprintf("connection %s: team %s, kept in %s", k.Name, k.Team, k.place())
	if noRing != nil {
		words += fmt.Sprintf(" that only you can read, as the system's keyring cannot be used (%v)", noRing)
	}
	return words, nil
}

// RenameConnection gives a kept key another name.
func (b *backend) RenameConnection(_ context.Context, old, name string) error {
	_, err := b.app.connections().rename(old, name)
	return err
}

// RemoveConnection forgets a kept key.
func (b *backend) RemoveConnection(_ context.Context, name string) error {
	return b.app.connections().remove(name)
}

// withoutKey says that there is no API key, for the screen.
func (a *app) withoutKey() string {
	if before := a.before(); before != "" {
		return "no API key: " + before + " is empty"
	}
	if names, err := a.connections().names(); err == nil && len(names) > 1 {
		return fmt.Sprintf("no API key: %d are kept, and none of them is picked", len(names))
	}
	return "no API key"
}

// asLine is an error on one line.
func asLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// Over SSH the keys are the server's. Who may write may add one and choose one by its name,
// as far as that touches no other mapping: what is kept stays, until somebody changes it
// on the server. Where they lie there is nobody's business here.

// Connections are those of the server.
func (b *sshBackend) Connections(ctx context.Context) (tui.Connections, error) {
	c, err := b.own.Connections(ctx)
	for i := range c.List {
		if c.List[i].Wrong != "" {
			c.List[i].Wrong = "it cannot be read on the server"
		}
		c.List[i].Place = "the keyring or the config folder of the server"
	}
	return c, err
}

// TryKey asks Loops whose key it is, for those who may write.
func (b *sshBackend) TryKey(ctx context.Context, key string) (string, error) {
	if b.guest.Key().ReadOnly {
		return "", errKeysReadOnly
	}
	return b.own.TryKey(ctx, key)
}

// KeepConnection keeps a key on the server, under a name that is free, for those who may
// write.
func (b *sshBackend) KeepConnection(ctx context.Context, name, team, key string) (string, error) {
	if b.guest.Key().ReadOnly {
		return "", errKeysReadOnly
	}
	if _, _, err := b.own.app.connections().read(name); !errors.Is(err, errNotKept) {
		return "", fmt.Errorf("a key is kept under this name already: give another name, or replace it on the server (loopmap connect %s)", name)
	}
	if _, err := b.own.KeepConnection(ctx, name, team, key); err != nil {
		return "", err
	}
	who := b.guest.Key()
	b.host.log.Info("API key kept", "connection", name, "team", team, "key", who.Fingerprint, "comment", who.Comment,
		"address", b.guest.Address())
	return fmt.Sprintf("connection %s: team %s, kept on the server", name, team), nil
}

// RenameConnection refuses: another mapping of the server may name it.
func (b *sshBackend) RenameConnection(context.Context, string, string) error {
	return errKeysOfServer
}

// RemoveConnection refuses, as RenameConnection does.
func (b *sshBackend) RemoveConnection(context.Context, string) error { return errKeysOfServer }

var (
	errKeysReadOnly = errors.New("this key is read-only: it may look, and not keep API keys")
	errKeysOfServer = errors.New("what is kept on the server may be another mapping's, too: `loopmap connect` there renames and removes it")
)
