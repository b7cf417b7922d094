package tui

import (
	"charm.land/lipgloss/v2"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
)

// theme is how everything looks. Colours repeat what the text says, and come from the
// terminal's own sixteen, so that they suit any background; the accent alone is chosen
// for it. All screens take their looks from here.
type theme struct {
	plain, title, faint lipgloss.Style
	accent, strong      lipgloss.Style // what has the keys; strong is bold besides
	cursor              lipgloss.Style // the line under the cursor
	good, warn, bad     lipgloss.Style
	number, boolean     lipgloss.Style // values by their type; texts are plain, null faint
	moment, object      lipgloss.Style
	name                lipgloss.Style // keys of JSON and YAML, words of SQL
	border              lipgloss.Border

	picked, unpicked, partly string // the boxes before what can be picked
	ascii                    bool   // nothing but ASCII is drawn
}

// The accents, of the 256 colours: for a background that nobody has told, dark and light.
var accents = map[bool]string{false: "26", true: "75"}

const anyAccent = "33"

func newTheme(ascii bool) theme {
	s := lipgloss.NewStyle
	t := theme{
		plain: s(), title: s().Bold(true), faint: s().Faint(true),
		good: s().Foreground(lipgloss.Green), warn: s().Foreground(lipgloss.Yellow), bad: s().Foreground(lipgloss.Red),
		number: s().Foreground(lipgloss.Cyan), boolean: s().Foreground(lipgloss.Magenta), moment: s().Foreground(lipgloss.Blue),
		object: s().Faint(true),
		border: lipgloss.RoundedBorder(), picked: "✓ ", unpicked: "  ", partly: "- ",
	}
	if ascii {
		t.ascii, t.picked, t.unpicked, t.partly = true, "[x] ", "[ ] ", "[-] "
	}
	return t.withAccent(anyAccent)
}

// withAccent is the theme with another accent.
func (t theme) withAccent(colour string) theme {
	c := lipgloss.Color(colour)
	t.accent = lipgloss.NewStyle().Foreground(c)
	t.strong, t.cursor, t.name = t.accent.Bold(true), t.accent.Reverse(true), t.accent
	return t
}

// suited is the theme for a dark or a light background.
func (t theme) suited(dark bool) theme { return t.withAccent(accents[dark]) }

// twins are the ASCII characters that stand for those that screens are drawn with, each
// of one cell.
var twins = map[rune]byte{
	'╭': '+', '╮': '+', '╰': '+', '╯': '+', '─': '-', '│': '|', '┃': '#', '…': '~', '●': '*', '○': 'o', '•': '*',
	'▾': '-', '▸': '+', '↑': '^', '↓': 'v', '✓': 'x', '→': '>', '←': '<', '·': '.', '⟨': '<', '⟩': '>',
}

// kind is the look of values of these kinds.
func (t *theme) kind(k body.Kinds) lipgloss.Style {
	switch {
	case k.Mixed():
		return t.warn
	case k&(body.KindObject|body.KindList) != 0:
		return t.object
	case k&body.KindNumber != 0:
		return t.number
	case k&body.KindBoolean != 0:
		return t.boolean
	case k&body.KindTime != 0:
		return t.moment
	case k == body.KindNull:
		return t.faint
	}
	return t.plain
}

// column is the look of a column's type and of its values.
func (t *theme) column(typ column.Type) lipgloss.Style {
	switch typ {
	case column.Integer, column.Number:
		return t.number
	case column.Boolean:
		return t.boolean
	case column.Time:
		return t.moment
	case column.JSON:
		return t.object
	case column.Text:
		return t.plain
	}
	return t.plain
}

// cell is the look of a cell of a row.
func (t *theme) cell(c column.Cell, typ column.Type) lipgloss.Style {
	switch c.State {
	case column.Present:
		return t.column(typ)
	case column.Misfit:
		return t.bad
	case column.Missing, column.Null:
		return t.faint
	}
	return t.faint
}

// status is the look of what became of a delivery.
func (t *theme) status(status string) lipgloss.Style {
	switch mapping.Status(status) {
	case mapping.Applied:
		return t.good
	case mapping.Quarantined:
		return t.bad
	case mapping.Pending:
		return t.warn
	case mapping.Ignored:
		return t.faint
	}
	return t.faint
}

// pushed is the look of what became of something that was sent.
func (t *theme) pushed(status outgoing.Status) lipgloss.Style {
	switch status {
	case outgoing.Sent:
		return t.good
	case outgoing.Failed:
		return t.bad
	case outgoing.Pending:
		return t.warn
	case outgoing.NotMet:
		return t.faint
	}
	return t.faint
}
