package tui

import "charm.land/lipgloss/v2"

// styles repeat in looks what the text says. The sixteen colours are the
// terminal's own, so that they suit light and dark.
type styles struct {
	cursor, title, faint, good, bad, warn lipgloss.Style
}

func newStyles() styles {
	s := lipgloss.NewStyle
	return styles{
		cursor: s().Reverse(true),
		title:  s().Bold(true),
		faint:  s().Faint(true),
		good:   s().Foreground(lipgloss.Green),
		bad:    s().Foreground(lipgloss.Red),
		warn:   s().Foreground(lipgloss.Yellow),
	}
}
