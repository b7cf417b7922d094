package tui

import (
	"strings"

	"charm.land/lipgloss/v2"
)

// keyTrouble is why Loops was not asked, and the key that mends it.
func (m *Model) keyTrouble() string {
	c := m.push.catalog
	if c.Connects {
		return c.Problem + "; " + keyFor(connect) + " connects"
	}
	return c.Problem
}

// keyOffer says what to do where there is no API key.
func keyOffer() string {
	return keyFor(connect) + " connects to Loops: paste an API key (Loops, Settings, API), or take one that is kept."
}

// accountsLayout is where the connections stand, and what is known of the one under the
// cursor, or is typed.
func (m *Model) accountsLayout() (list, one rect) {
	single := m.onePane() || m.account.Before == "" && len(m.accounts()) == 0
	switch r := m.room(); {
	case single && m.input != nil:
		return rect{}, r
	case single:
		return r, rect{}
	case r.w < sideBySide:
		return r.upper(min(max(6, 3+len(m.accounts())), r.h/2))
	default:
		return r.left(r.w / 2)
	}
}

func (accountsScreen) draw(m *Model) []string {
	list, one := m.accountsLayout()
	return compose(m.room(), part{list, m.drawAccounts}, part{one, m.drawAccount})
}

// drawAccounts draws the list of connections.
func (m *Model) drawAccounts(w, h int) []string {
	a, st, inner, list := &m.account, &m.st, w-2, m.accounts()
	f := framed{title: "API keys of Loops", focused: m.input == nil, top: a.top, at: a.cursor, all: len(list), head: 1}
	switch {
	case a.busy != "" || !a.read:
		f.figure = a.doing()
	case a.Before != "":
		f.figure = safe(a.Before) + " goes before them"
	default:
		f.figure = plural(len(list), "connection")
	}
	if len(list) == 0 {
		f.all = 0
		what, how := "No API key is kept yet.", keyFor(add)+" adds one: paste it from Loops, Settings, API. It is tried, named and kept."
		switch {
		case !a.read:
			what, how = "", ""
		case m.cfg.ReadOnly:
			how = ""
		}
		return st.frame(f, m.empty(inner, what, how), w, h)
	}
	mark := width(st.picked)
	name := 12
	for _, c := range list {
		name = max(name, width(safe(c.Name)))
	}
	name = min(name, inner*9/20)
	since := 0
	if inner > 54 {
		since = len("2006-01-02")
	}
	team := inner - 2 - mark - name - since - 3
	lines := []string{st.line(false, inner, cell{w: mark - 1}, cell{text: "name", w: name, look: st.faint},
		cell{text: "team", w: team, look: st.faint}, cell{text: "kept", w: since, look: st.faint})}
	for i := a.top; i < len(list) && len(lines) < rows(h); i++ {
		c := list[i]
		box, look, of, ofLook := st.unpicked, st.plain, safe(c.Team), st.plain
		if m.sendsBy(c.Name) {
			box, look = st.picked, st.good
		}
		if c.Wrong != "" {
			of, ofLook = "! "+safe(c.Wrong), st.bad
		}
		when := ""
		if !c.At.IsZero() {
			when = c.At.Local().Format("2006-01-02")
		}
		lines = append(lines, st.line(i == a.cursor && m.input == nil, inner, cell{text: box, w: mark - 1, look: look},
			cell{text: middle(safe(c.Name), name), w: name, look: look}, cell{text: of, w: team, look: ofLook},
			cell{text: when, w: since, look: st.faint}))
	}
	return st.frame(f, lines, w, h)
}

// drawAccount draws what is known of the connection under the cursor, or what is typed.
func (m *Model) drawAccount(w, h int) []string {
	if m.input != nil {
		return m.drawKeyField(w, h)
	}
	a, st, inner := &m.account, &m.st, w-4
	c, ok := m.accountHere()
	var lines []string
	say := func(as lipgloss.Style, label, text string) {
		for i, s := range hang(label, text, inner) {
			if i == 0 {
				s = st.faint.Render(label) + as.Render(strings.TrimPrefix(s, label))
			} else {
				s = as.Render(s)
			}
			lines = append(lines, s)
		}
	}
	if a.Before != "" {
		say(st.warn, "", safe(a.Before)+" gives the API key here, whatever is kept and whatever the mapping names.")
		lines = append(lines, "")
	}
	if !ok {
		return st.frame(framed{title: "Connection"}, padded(lines), w, h)
	}
	if c.Wrong != "" {
		say(st.bad, "", "! "+safe(c.Wrong))
	} else {
		say(st.plain, "team  ", safe(c.Team))
		say(st.plain, "kept  ", c.At.Local().Format("2006-01-02 15:04")+", in "+safe(c.Place))
	}
	as, use := m.accountUse(c)
	say(as, "used  ", use)
	return st.frame(framed{title: safe(c.Name)}, padded(lines), w, h)
}

// accountUse says whether the mapping sends with a connection, and why.
func (m *Model) accountUse(c Connection) (as lipgloss.Style, words string) {
	switch named := m.connection(); {
	case named == c.Name && m.account.Before != "":
		return m.st.plain, "by this mapping elsewhere (push.connection: " + safe(named) + ")"
	case named == c.Name:
		return m.st.good, "by this mapping (push.connection: " + safe(named) + ")"
	case m.sendsBy(c.Name):
		return m.st.good, "by this mapping, which names none: it is the only one"
	case named == "" && m.account.Before == "":
		return m.st.warn, "not yet: of several, the mapping takes the one that it names"
	}
	return m.st.faint, "not by this mapping"
}

// drawKeyField draws the field for a key, or for its name, and the verdict on it.
func (m *Model) drawKeyField(w, h int) []string {
	in, st, inner := m.input, &m.st, w-4
	in.field.SetWidth(max(8, inner-width(in.field.Prompt)-2))
	lines := []string{cut(in.field.View(), inner), ""}
	say := func(as look, text string) {
		for _, s := range wrap(text, inner) {
			lines = append(lines, render(as(st), s))
		}
	}
	f := framed{focused: true}
	switch in.what {
	case typingKey:
		f.title, f.figure = "Add an API key", "it is not shown"
		text := strings.TrimSpace(in.field.Value())
		if why := keyMisfit(text); why != "" {
			say(asFaint, why)
		} else {
			say(asGood, plural(len([]rune(text)), "character")+": enter tries it at Loops")
		}
		say(asFaint, "It is tried at Loops, then named and kept: in the system's keyring, or, where there is none, "+
			"in a file for its owner alone.")
	case typingKept:
		f.title, f.figure = "Name the API key", "team "+safe(in.key.team)
		words, as, _ := m.nameVerdict()
		say(as, words)
	default:
		f.title = "Rename " + safe(in.before)
		words, as, _ := m.nameVerdict()
		say(as, words)
	}
	return st.frame(f, padded(lines), w, h)
}
