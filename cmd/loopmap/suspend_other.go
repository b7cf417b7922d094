//go:build !unix

package main

import tea "charm.land/bubbletea/v2"

// suspendable leaves out ctrl+z where there is no job control.
func suspendable(options []tea.ProgramOption) ([]tea.ProgramOption, func(*tea.Program) func()) {
	options = append(options, tea.WithFilter(func(_ tea.Model, msg tea.Msg) tea.Msg {
		if _, suspend := msg.(tea.SuspendMsg); suspend {
			return nil
		}
		return msg
	}))
	return options, func(*tea.Program) func() { return func() {} }
}
