package tui

import (
	tea "charm.land/bubbletea/v2"

	"loopmap/mapping"
)

// What others do to the mapping while it is open here: it is said, and what they have
// saved is taken, merged or left.

// rereading says why the file is read again.
type rereading int

const (
	followed rereading = iota // it has changed, and nothing here is unsaved
	taken                     // theirs instead of ours
	merged                    // ours brought into theirs
)

type newsMsg struct{ News }

func hear(news <-chan News) tea.Cmd {
	if news == nil {
		return nil
	}
	return func() tea.Msg {
		n, ok := <-news
		if !ok {
			return nil
		}
		return newsMsg{n}
	}
}

// heard says what others have done. Where nothing is unsaved, the screen follows the
// file; else saving shows both.
func (m *Model) heard(n News) tea.Cmd {
	m.note, m.bad, m.told = safe(n.Words), n.Bad, true
	switch {
	case !n.Changed:
	case !m.Unsaved():
		return m.readAgain(followed)
	default:
		m.note += ". Yours is unsaved: s shows both"
	}
	return nil
}

func (m *Model) readAgain(why rereading) tea.Cmd {
	b := m.cfg.Backend
	return func() tea.Msg {
		n, err := b.Reread()
		return rereadMsg{why, n, err}
	}
}

// reread goes on from the file as someone else has left it.
func (m *Model) reread(msg rereadMsg) tea.Cmd {
	if msg.err != nil {
		m.complain(msg.err)
		return nil
	}
	base := m.saved
	m.saved, m.cfg.New = msg.mapping, false
	if msg.why == taken {
		m.clash = nil
		m.change(msg.mapping)
		m.screen = mapping_
		m.say("theirs is taken; u brings yours back")
		return nil
	}
	n, clash := mapping.Merge(base, m.draft, msg.mapping)
	m.clash = append(m.clash, clash...)
	m.change(n)
	if msg.why == followed {
		return nil // what was said of it stays
	}
	return m.startSaving()
}
