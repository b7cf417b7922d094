package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"loopmap/mapping"
)

// mostKey is how long an API key is at most; those of Loops have 32 characters.
const mostKey = 1024

// triedKey is an API key that Loops knows, while its name is typed. It stands nowhere else,
// and goes with the field.
type triedKey struct {
	text, team string
	sure       bool // it is to take the place of another team's
}

type (
	triedMsg struct {
		turn int
		key  triedKey
		err  error
	}
	keptMsg struct {
		name, words string
		key         triedKey
		err         error
	}
	renamedMsg struct {
		old, name string
		err       error
	}
)

// startKey opens the field for a key, which is not shown.
func (m *Model) startKey() {
	m.input = newInput(typingKey, "")
	m.input.field.Prompt = "API key: "
}

// pasteKey takes what is pasted on the screen for a key.
func (m *Model) pasteKey(msg tea.PasteMsg) tea.Cmd {
	if m.cfg.ReadOnly || m.account.busy != "" || !m.account.read {
		return nil
	}
	m.startKey()
	return m.typed(msg)
}

// keyMisfit says why what was typed is no API key; "" when it may be one. It does not
// repeat it.
func keyMisfit(text string) string {
	switch {
	case text == "":
		return "paste it, from Loops, Settings, API"
	case len(text) > mostKey:
		return "longer than any API key"
	case strings.ContainsAny(text, " \t\r\n"):
		return "the API key alone is wanted: there are blanks within"
	}
	return ""
}

// tryKey asks Loops whose key it is that was typed.
func (m *Model) tryKey() tea.Cmd {
	if m.input == nil || m.input.what != typingKey {
		return nil // it was left meanwhile
	}
	text := strings.TrimSpace(m.input.field.Value())
	if keyMisfit(text) != "" {
		return nil // it stands below the field
	}
	m.input, m.account.busy = nil, "trying the API key at Loops"
	m.turn++
	turn, b, ctx := m.turn, m.cfg.Backend, m.ctx
	return func() tea.Msg {
		team, err := b.TryKey(ctx, text)
		return triedMsg{turn, triedKey{text: text, team: team}, err}
	}
}

// tried goes on to the name of a key that Loops knows, or asks for another one.
func (m *Model) tried(msg triedMsg) {
	if msg.turn != m.turn || !m.shows(accountsScreen{}) {
		return // it was left meanwhile
	}
	if m.account.busy = ""; msg.err != nil {
		m.startKey()
		m.complain(msg.err)
		return
	}
	m.nameKey(msg.key, m.proposedName(msg.key.team))
}

func (m *Model) nameKey(key triedKey, name string) {
	m.input = newInput(typingKept, name)
	m.input.field.Prompt = "name: "
	m.input.key = key
}

// proposedName is what a key is called unless somebody knows better: as the mapping wants
// it, or as its team.
func (m *Model) proposedName(team string) string {
	if named := m.connection(); named != "" && m.keptAt(named) < 0 {
		return named
	}
	return mapping.ConnectionName(team)
}

// nameVerdict says of a name that is typed what it would mean.
func (m *Model) nameVerdict() (words string, as look, good bool) {
	in := m.input
	name := strings.TrimSpace(in.field.Value())
	at := m.keptAt(name)
	switch why := mapping.ConnectionMisfit(name); {
	case name == "":
		return "a name is needed", asBad, false
	case why != "":
		return why, asBad, false
	case at >= 0 && in.what == typingKeptAs && name != in.before:
		return "another one has this name", asBad, false
	case at >= 0 && in.what == typingKept && m.account.List[at].Team != in.key.team:
		return "the key of team " + safe(m.account.List[at].Team) + " is kept under it: this one would take its place", asWarning, true
	case at >= 0 && in.what == typingKept:
		return "it takes the place of the key that is kept under it", asWarning, true
	}
	return "a mapping file may name it: push.connection: " + name, asGood, true
}

// keepAs keeps the key under the name that was typed, in the place of another team's only
// when that was asked for twice.
func (m *Model) keepAs() tea.Cmd {
	in := m.input
	name := strings.TrimSpace(in.field.Value())
	if _, _, good := m.nameVerdict(); !good {
		return nil // it stands below the field
	}
	if at := m.keptAt(name); at >= 0 && m.account.List[at].Team != in.key.team && !in.key.sure {
		in.key.sure = true
		m.say("connection %s has the key of team %s: enter again puts that of team %s in its place", name, m.account.List[at].Team, in.key.team)
		return nil
	}
	return m.alone(func() tea.Cmd {
		if m.input != in {
			return nil // it was left meanwhile
		}
		m.input, m.account.busy = nil, "keeping the API key"
		key, b, ctx := in.key, m.cfg.Backend, m.ctx
		return func() tea.Msg {
			words, err := b.KeepConnection(ctx, name, key.team, key.text)
			return keptMsg{name, words, key, err}
		}
	})
}

// kept lets the mapping send with the key that was kept, and asks Loops by it.
func (m *Model) kept(msg keptMsg) tea.Cmd {
	m.account.busy = ""
	if msg.err != nil {
		if m.complain(msg.err); m.shows(accountsScreen{}) {
			m.nameKey(msg.key, msg.name) // until what stands in the way is mended
		}
		return nil
	}
	words := msg.words
	switch alone := len(m.account.List) == 0 || len(m.account.List) == 1 && m.keptAt(msg.name) == 0; {
	case m.account.Before != "":
		words += ". Here " + m.account.Before + " goes before it"
	case alone && m.connection() == "", m.connection() == msg.name:
	default:
		name := msg.name
		if alone {
			name = ""
		}
		if m.nameAccount(name) {
			words += ". The mapping takes it: " + keyFor(save) + " saves that"
		}
	}
	if m.shows(accountsScreen{}) {
		m.lift()
	}
	m.say("%s", words)
	return m.askLoops()
}

// renameTo gives the connection under the cursor the name that was typed.
func (m *Model) renameTo() tea.Cmd {
	in := m.input
	old, name := in.before, strings.TrimSpace(in.field.Value())
	if _, _, good := m.nameVerdict(); !good {
		return nil // it stands below the field
	}
	if name == old {
		m.input = nil
		return nil
	}
	return m.alone(func() tea.Cmd {
		if m.input != in {
			return nil // it was left meanwhile
		}
		m.input, m.account.busy = nil, "renaming it"
		b, ctx := m.cfg.Backend, m.ctx
		return func() tea.Msg { return renamedMsg{old, name, b.RenameConnection(ctx, old, name)} }
	})
}

// renamed lets a mapping that names the connection name it anew.
func (m *Model) renamed(msg renamedMsg) tea.Cmd {
	m.account.busy = ""
	if msg.err != nil {
		m.complain(msg.err)
		return nil
	}
	words := fmt.Sprintf("connection %s is connection %s now", msg.old, msg.name)
	if m.connection() == msg.old && m.nameAccount(msg.name) {
		words += "; the mapping names it so, and " + keyFor(save) + " on Send saves that"
	}
	m.say("%s", words)
	return m.lookAgain(msg.name)
}
