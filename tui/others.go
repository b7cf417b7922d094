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
	m.note, m.bad, m.news = safe(n.Words), n.Bad, true
	switch {
	case !n.Changed:
	case !m.Unsaved():
		return m.readAgain(followed)
	default:
		m.note += ". Yours is unsaved: " + keyFor(save) + " shows both"
	}
	return nil
}

func (m *Model) readAgain(why rereading) tea.Cmd {
	b, ctx := m.cfg.Backend, m.ctx
	return func() tea.Msg {
		o, err := b.Reread(ctx)
		return rereadMsg{why, o, err}
	}
}

// reread goes on from the file as someone else has left it.
func (m *Model) reread(msg rereadMsg) tea.Cmd {
	if msg.err != nil {
		m.complain(msg.err)
		return nil
	}
	base, theirs := m.saved, msg.opened.Mapping
	m.saved, m.cfg.New = theirs, false
	m.cfg.Database, m.cfg.Columns = msg.opened.Database, msg.opened.Columns
	for _, steps := range [][]*mapping.Mapping{m.done, m.undone} { // so that undoing takes back nothing of theirs unseen
		for i := range steps {
			steps[i] = steps[i].Adopt(theirs)
		}
	}
	if msg.why == taken {
		m.clash = nil
		m.draft = m.draft.Adopt(theirs)
		m.change(theirs)
		m.draft = theirs
		m.recompute()
		m.lift()
		m.say("theirs is taken; %s brings yours back", keyFor(undo))
		return nil
	}
	n, clash := mapping.Merge(base, m.draft, theirs)
	m.clash = append(m.clash, clash...)
	m.draft = m.draft.Adopt(theirs)
	m.change(n)
	m.draft = n // also where it differs in nothing that is edited here
	m.recompute()
	if msg.why == followed {
		return nil // and the note that says so stays
	}
	return m.startSaving()
}
