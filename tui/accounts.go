package tui

import (
	"context"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping"
)

// Keyring is the part of the backend that keeps API keys of Loops under names.
type Keyring interface {
	// Connections are the keys that are kept, by name.
	Connections(ctx context.Context) (Connections, error)
	// TryKey asks Loops whose key it is. A key that was not tried is not to be kept.
	TryKey(ctx context.Context, key string) (team string, err error)
	// KeepConnection keeps a key under a name, in the place of one that was there, and says
	// in words where.
	KeepConnection(ctx context.Context, name, team, key string) (words string, err error)
	// RenameConnection gives a kept key another name.
	RenameConnection(ctx context.Context, old, name string) error
	// RemoveConnection forgets a kept key.
	RemoveConnection(ctx context.Context, name string) error
}

// Connections are the API keys that are kept.
type Connections struct {
	List   []Connection
	Before string // what gives the key whatever is kept here, such as LOOPS_API_KEY; "" for nothing
}

// Connection is a kept API key: all that may be shown of it.
type Connection struct {
	Name, Team string
	Place      string    // where the key is, in words
	At         time.Time // since when
	Wrong      string    // why it cannot be used; "" when it can
}

// accounts is where an API key is added, chosen, renamed and forgotten.
type accounts struct {
	Connections
	read   bool
	opened bool // the field for a key opens by itself, where none is kept
	cursor int
	top    int
	sure   string // the connection that was asked about: the same key again forgets it
	busy   string // what is being done
}

type accountsMsg struct {
	turn int
	all  Connections
	at   string // the connection that the cursor goes to
	err  error
}

// accountsScreen lies on Send while the API key is chosen.
type accountsScreen struct{ quiet }

func (m *Model) startAccounts() tea.Cmd {
	m.lay(accountsScreen{})
	m.account = accounts{opened: true}
	return m.readAccounts(m.connection())
}

func (m *Model) readAccounts(at string) tea.Cmd {
	m.turn++
	turn, b, ctx := m.turn, m.cfg.Backend, m.ctx
	return func() tea.Msg {
		all, err := b.Connections(ctx)
		return accountsMsg{turn, all, at, err}
	}
}

func (m *Model) sawAccounts(msg accountsMsg) {
	if msg.turn != m.turn || !m.shows(accountsScreen{}) {
		return
	}
	a := &m.account
	a.Connections, a.read, a.busy = msg.all, true, ""
	if msg.err != nil {
		m.complain(msg.err)
		return
	}
	a.cursor = max(0, slices.IndexFunc(m.accounts(), func(c Connection) bool { return c.Name == msg.at }))
	if a.opened && len(a.List) == 0 && a.Before == "" && !m.cfg.ReadOnly {
		m.startKey()
	}
	a.opened = false
}

// connection is the one that the mapping names; "" where it names none.
func (m *Model) connection() string {
	if m.draft.Push == nil {
		return ""
	}
	return m.draft.Push.Connection
}

// accounts are the connections that are kept, and the one that the mapping names though it
// is not.
func (m *Model) accounts() []Connection {
	list, named := m.account.List, m.connection()
	if i := m.keptAt(named); named == "" || i >= 0 || !m.account.read {
		return list
	}
	return append(slices.Clone(list), Connection{Name: named, Wrong: "no key is kept under this name here"})
}

// keptAt is where a connection is among those that are kept; -1 for one that is not.
func (m *Model) keptAt(name string) int {
	return slices.IndexFunc(m.account.List, func(c Connection) bool { return c.Name == name })
}

// account under the cursor; ok is false where there is none.
func (m *Model) accountHere() (c Connection, ok bool) {
	if list := m.accounts(); m.account.cursor < len(list) {
		return list[m.account.cursor], true
	}
	return c, false
}

// sendsBy reports whether rows are sent with a connection, by the mapping as it stands.
func (m *Model) sendsBy(name string) bool {
	named := m.connection()
	return m.account.Before == "" && (named == name || named == "" && len(m.account.List) == 1)
}

func (accountsScreen) where(*Model) where { return onAccounts }

func (accountsScreen) move(m *Model, by int) {
	m.account.cursor = clamp(m.account.cursor+by, len(m.accounts()))
	m.account.sure = ""
}

func (accountsScreen) settle(m *Model) {
	list, _ := m.accountsLayout()
	m.account.top = window(m.account.top, m.account.cursor, len(m.accounts()), rows(list.h)-1)
}

func (accountsScreen) click(m *Model, x, y int) action {
	list, _ := m.accountsLayout()
	i := m.account.top + y - list.y - 2
	if !list.has(x, y) || y < list.y+2 || i >= len(m.accounts()) {
		return none
	}
	m.account.cursor, m.account.sure = i, ""
	return selected
}

func (accountsScreen) do(m *Model, a action) tea.Cmd {
	was := m.account.sure
	m.account.sure = ""
	switch {
	case a == fetch:
		c, _ := m.accountHere()
		return m.readAccounts(c.Name)
	case m.account.busy != "" || !m.account.read:
		m.say("wait: %s", m.account.doing())
		return nil
	case m.cfg.ReadOnly && (a == enter || a == add || a == edit || a == drop):
		m.say("this is read-only: API keys can be looked at, by name, and not changed or chosen")
		return nil
	case a == add:
		m.startKey()
		return nil
	}
	c, ok := m.accountHere()
	switch {
	case !ok:
		m.say("no API key is kept yet: %s adds one", keyFor(add))
	case a == enter:
		m.takeAccount(c)
	case a == edit && m.keptAt(c.Name) >= 0:
		m.input = newInput(typingKeptAs, c.Name)
		m.input.field.Prompt = "name: "
	case a == drop && m.keptAt(c.Name) >= 0:
		return m.forget(c, was == c.Name)
	case a == edit || a == drop:
		m.say("%s: %s", c.Name, c.Wrong)
	}
	return nil
}

// doing says what the screen waits for.
func (a *accounts) doing() string {
	if a.busy == "" {
		return "looking at what is kept"
	}
	return a.busy
}

// idle reports whether a key of the screen has nothing to do now.
func (m *Model) idle(a action) bool {
	switch _, some := m.accountHere(); a {
	case enter, edit, drop:
		return !some || m.cfg.ReadOnly
	case add:
		return m.cfg.ReadOnly
	default:
		return false
	}
}

// takeAccount lets the mapping send with a connection: by name, where more than one is kept.
func (m *Model) takeAccount(c Connection) {
	name := c.Name
	switch {
	case c.Wrong != "":
		m.say("%s cannot be taken: %s", name, c.Wrong)
		return
	case len(m.account.List) == 1 && m.connection() != name:
		name = "" // it is taken unnamed
	}
	before := m.draft
	if !m.nameAccount(name) {
		return
	}
	m.lift()
	words := "rows are sent to team " + c.Team + ", with connection " + c.Name
	switch {
	case m.account.Before != "":
		words = "the mapping takes connection " + c.Name + ", but here " + m.account.Before + " goes before it"
	case before == m.draft:
		words += ", as before"
	}
	if before != m.draft {
		words += "; " + keyFor(save) + " saves that"
	}
	m.say("%s", words)
}

// nameAccount makes a connection the one that the mapping names.
func (m *Model) nameAccount(name string) bool {
	n := m.draft.EditPush(func(p *mapping.Push) { p.Connection = name })
	return m.take(n, n.Push.Check())
}

// forget forgets a key, once that was asked for twice.
func (m *Model) forget(c Connection, sure bool) tea.Cmd {
	if !sure {
		m.account.sure = c.Name
		m.say("forget the API key of connection %s (team %s)? %s again forgets it", c.Name, c.Team, keyFor(drop))
		return nil
	}
	return m.alone(func() tea.Cmd {
		m.account.busy = "forgetting it"
		b, ctx := m.cfg.Backend, m.ctx
		return func() tea.Msg { return removedMsg{c.Name, b.RemoveConnection(ctx, c.Name)} }
	})
}

type removedMsg struct {
	name string
	err  error
}

func (m *Model) removed(msg removedMsg) tea.Cmd {
	m.account.busy = ""
	if msg.err != nil {
		m.complain(msg.err)
		return nil
	}
	m.say("connection %s is forgotten. At Loops the key is as good as before: Settings, API takes it back", msg.name)
	return m.lookAgain(m.connection())
}

// lookAgain looks at what is kept, and asks Loops by what is.
func (m *Model) lookAgain(at string) tea.Cmd {
	return tea.Batch(m.readAccounts(at), m.askLoops())
}
