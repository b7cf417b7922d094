package tui

import (
	"errors"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// What is opened in the person's own editor: the mapping file, or a copy of a body.

type editedMsg struct {
	file bool
	err  error
}

// editFile opens the mapping file in the editor; what is saved there is taken.
func (m *Model) editFile() tea.Cmd {
	switch {
	case m.cfg.Editor == nil:
		m.say("there is no editor here: set EDITOR, or open %s beside", safe(m.cfg.File))
		return nil
	case m.cfg.New:
		m.say("save the mapping first (%s): there is no %s yet", keyFor(save), safe(m.cfg.File))
		return nil
	}
	return m.editor(nil, true)
}

// editText opens a copy of a text in the editor.
func (m *Model) editText(text []byte) tea.Cmd {
	if m.cfg.Editor == nil {
		m.say("there is no editor here: set EDITOR; %s copies it", keyFor(copyPath))
		return nil
	}
	return m.editor(text, false)
}

func (m *Model) editor(text []byte, file bool) tea.Cmd {
	command, done, err := m.cfg.Editor(text)
	if err != nil {
		m.complain(err)
		return nil
	}
	return tea.Exec(command, func(err error) tea.Msg { return editedMsg{file, errors.Join(err, done())} })
}

func (m *Model) edited(msg editedMsg) tea.Cmd {
	switch {
	case msg.err != nil:
		m.complain(msg.err)
	case msg.file && !m.Unsaved():
		return m.readAgain(followed)
	case msg.file:
		m.say("yours is unsaved: %s shows both", keyFor(save))
	}
	return nil
}

type fileMsg struct {
	name, words string
	good        bool
}

// judgeFile says of the name of a file, while it is typed, whether there is one.
func (m *Model) judgeFile(name string) tea.Cmd {
	m.fileVerdict = ""
	if name == "" {
		return nil
	}
	b := m.cfg.Backend
	return func() tea.Msg {
		words, err := b.CheckFile(name)
		if err != nil {
			why, _, _ := strings.Cut(err.Error(), "\n")
			return fileMsg{name, safe(why), false}
		}
		return fileMsg{name, safe(words), true}
	}
}
