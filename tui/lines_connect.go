package tui

import (
	"slices"
	"strings"

	"loopmap/mapping"
)

// The API keys, line by line.

const connectHelp = `connect: asks for an API key of Loops, tries it, and keeps it under a name. connect list: those that are kept.
connect use NAME: the mapping sends with that one. connect rename OLD NEW. connect remove NAME.`

// connect carries out what concerns the API keys.
func (l *liner) connect(rest []string, typed <-chan string) {
	m := l.m
	all, err := m.cfg.Backend.Connections(l.ctx)
	if m.account = (accounts{Connections: all, read: true}); err != nil {
		l.say("No: %s.", strings.ReplaceAll(err.Error(), "\n", "; "))
		return
	}
	word := ""
	if len(rest) > 0 {
		word, rest = strings.ToLower(rest[0]), rest[1:]
	}
	switch {
	case word == "list" && len(rest) == 0:
		l.accounts()
	case m.cfg.ReadOnly:
		l.say("This is read-only: API keys can be looked at, by name, and not changed or chosen. Say connect list.")
	case word == "":
		l.addKey(typed)
	case (word == "use" || word == "remove") && len(rest) == 1 || word == "rename" && len(rest) == 2:
		if m.keptAt(rest[0]) < 0 {
			l.say("There is no connection %q here. Say connect list.", rest[0])
			return
		}
		c := m.account.List[m.keptAt(rest[0])]
		switch word {
		case "use":
			m.takeAccount(c)
		case "rename":
			m.renamed(renamedMsg{c.Name, rest[1], m.cfg.Backend.RenameConnection(l.ctx, c.Name, rest[1])})
		case "remove":
			if !l.ask("Forget the API key of connection "+c.Name+", of team "+c.Team+"? y or n", typed) {
				return
			}
			m.removed(removedMsg{c.Name, m.cfg.Backend.RemoveConnection(l.ctx, c.Name)})
		}
		l.result()
		m.push.read = false // another team may have other properties
	default:
		for line := range strings.SplitSeq(connectHelp, "\n") {
			l.say("%s", line)
		}
	}
}

// accounts says what is kept.
func (l *liner) accounts() {
	for _, c := range l.m.accounts() {
		switch _, use := l.m.accountUse(c); {
		case c.Wrong != "":
			l.say("%s: problem: %s. Used %s.", c.Name, c.Wrong, use)
		default:
			l.say("%s: team %s, kept in %s. Used %s.", c.Name, c.Team, c.Place, use)
		}
	}
	if len(l.m.account.List) == 0 {
		l.say("No API key is kept. Say connect to add one.")
	}
	if before := l.m.account.Before; before != "" {
		l.say("%s gives the API key here, whatever is kept.", before)
	}
}

// addKey asks for a key, tries it, asks for its name and keeps it.
func (l *liner) addKey(typed <-chan string) {
	m := l.m
	text := l.secret("API key (Loops, Settings, API). An empty line leaves it:", typed)
	if text == "" {
		return
	}
	if why := keyMisfit(text); why != "" {
		l.say("No: %s.", why)
		return
	}
	team, err := m.cfg.Backend.TryKey(l.ctx, text)
	if err != nil {
		l.say("No: %s.", strings.ReplaceAll(err.Error(), "\n", "; "))
		return
	}
	name := m.proposedName(team)
	if answer := l.hear("It is of team "+team+". Which name is it kept under? An empty line: "+name, typed); answer != "" {
		name = answer
	}
	if why := mapping.ConnectionMisfit(name); why != "" {
		l.say("No: %s. The API key is not kept.", why)
		return
	}
	i := slices.IndexFunc(m.account.List, func(c Connection) bool { return c.Name == name && c.Team != team })
	if i >= 0 && !l.ask("Connection "+name+" has the key of team "+m.account.List[i].Team+". Put this one in its place? y or n", typed) {
		return
	}
	words, err := m.cfg.Backend.KeepConnection(l.ctx, name, team, text)
	m.kept(keptMsg{name: name, words: words, err: err})
	l.result()
	m.push.read = false
}

// secret asks for what is not to be shown, where it can be kept off the terminal.
func (l *liner) secret(question string, typed <-chan string) string {
	if l.m.cfg.Hide != nil {
		defer l.m.cfg.Hide()()
		l.say("%s It is not shown.", question)
	} else {
		l.say("%s", question)
	}
	select {
	case answer := <-typed:
		return strings.TrimSpace(strings.TrimPrefix(answer, "\ufeff"))
	case <-l.ctx.Done():
		return ""
	}
}
