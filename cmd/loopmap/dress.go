package main

import (
	"fmt"
	"image/color"
	"io"
	"log/slog"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"loopmap/mapping/body"
)

// dress is how the log looks on a terminal: a line begins with the time and a mark, then
// come the words, and behind them the facts, each as its name and its value. What comes
// from outside is made harmless here, and secrets are blanked before anything is cut.
type dress struct {
	profile colorprofile.Profile
	ascii   bool
	blank   func([]byte) []byte

	faint, bold, good, warn, bad, accent lipgloss.Style
}

// dress is the one that this terminal can show.
func (a *app) dress() *dress {
	in := func(c color.Color) lipgloss.Style { return lipgloss.NewStyle().Foreground(c) }
	return &dress{
		profile: colors(a.lookup), ascii: plain(a.lookup), blank: a.blanks.blank,
		faint: lipgloss.NewStyle().Faint(true), bold: lipgloss.NewStyle().Bold(true),
		good: in(lipgloss.Green), warn: in(lipgloss.Yellow), bad: in(lipgloss.Red), accent: in(lipgloss.Cyan),
	}
}

// writer takes out what the terminal does not show.
func (d *dress) writer(w io.Writer) io.Writer {
	return &colorprofile.Writer{Forward: w, Profile: d.profile}
}

// indent is where the words begin, behind time and mark.
const indent = 11

// newLine is where a line goes on.
var newLine = "\n" + strings.Repeat(" ", indent)

// wrap is prose as its lines: broken between words, and there alone.
func (d *dress) wrap(s string, width int) (lines []string) {
	for line := range strings.SplitSeq(strings.TrimRight(s, "\n"), "\n") {
		lines = append(lines, strings.Split(ansi.Wordwrap(d.text(line), max(width-1-indent, 1), ""), "\n")...)
	}
	return lines
}

// The marks between time and words.
const (
	markNone = " "
	markIn   = "←" // from Loops to the table
	markOut  = "→" // from the table to Loops
	markWarn = "!"
	markBad  = "✗"
)

// asciiMarks are those that have another form where there is only ASCII.
var asciiMarks = map[string]string{markIn: "<", markOut: ">", markBad: "x"}

func (d *dress) mark(s string) string {
	if twin := asciiMarks[s]; d.ascii && twin != "" {
		return twin
	}
	return s
}

// begin is the begin of a line.
func (d *dress) begin(at time.Time, mark string, s lipgloss.Style) string {
	return d.faint.Render(at.Local().Format(time.TimeOnly)) + " " + s.Render(d.mark(mark)) + " "
}

// text is what comes from outside, in a form that is text alone.
func (d *dress) text(s string) string {
	s = body.Printable(string(d.blank([]byte(s))))
	if !d.ascii || ansi.StringWidth(s) == len(s) && isASCII(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < 0x7f:
			b.WriteRune(r)
		case r >= '␀' && r <= '␟': // which stand for what is no text
			fmt.Fprintf(&b, "<U+%04X>", r-'␀')
		case r == '⟨':
			b.WriteByte('<')
		case r == '⟩':
			b.WriteByte('>')
		case r == '…':
			b.WriteString("...")
		default:
			fmt.Fprintf(&b, "<U+%04X>", r)
		}
	}
	return b.String()
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= 0x7f }) < 0
}

// cell is text in so many cells: what is longer loses its middle, and its end has more
// room than its begin, since beginnings are more often alike.
func (d *dress) cell(s string, width int) string {
	s = d.text(s)
	n := ansi.StringWidth(s)
	if n > width {
		cut := "…"
		if d.ascii {
			cut = ".."
		}
		room := max(0, width-ansi.StringWidth(cut))
		s = ansi.Truncate(s, (room-1)/2, "") + cut + ansi.TruncateLeft(s, n-room/2-1, "")
	}
	return s + strings.Repeat(" ", max(0, width-ansi.StringWidth(s)))
}

// fact is what a line says besides its words.
type fact struct{ name, value string }

// logged is a line of the log.
type logged struct {
	at    time.Time
	level slog.Level
	words string
	facts []fact
}

// line is how it looks on a terminal of a width.
func (d *dress) line(l logged, width int) string {
	mark, tone, words := markNone, d.faint, lipgloss.NewStyle()
	switch {
	case l.level >= slog.LevelError:
		mark, tone, words = markBad, d.bad, d.bad
	case l.level >= slog.LevelWarn:
		mark, tone = markWarn, d.warn
	case l.level < slog.LevelInfo:
		words = d.faint
	}
	lines := d.wrap(l.words, width)
	for i := range lines {
		lines[i] = words.Render(lines[i])
	}
	return d.begin(l.at, mark, tone) + strings.Join(lines, newLine) +
		d.facts(l.facts, indent+ansi.StringWidth(lines[len(lines)-1]), width) + "\n"
}

// facts go on behind a column for as long as a line has room, then on lines of their own.
// Those that are sentences stand there always, and nothing of any is cut.
func (d *dress) facts(list []fact, at, width int) string {
	var b strings.Builder
	last := ""
	for _, f := range list {
		if sentence(f) {
			last += d.sentences(f, width)
			continue
		}
		text := d.text(f.name + " " + f.value)
		n := ansi.StringWidth(text)
		if at+2+n >= width && at > indent {
			b.WriteString(newLine)
			at = indent
		} else {
			b.WriteString("  ")
			at += 2
		}
		b.WriteString(d.faint.Render(text))
		at += n
	}
	return b.String() + last
}

func sentence(f fact) bool {
	switch f.name {
	case "error", "hint", "why", "reason", "warning", "condition":
		return true
	}
	return strings.Contains(f.value, "\n")
}

// sentences are lines of their own: a hint marked as on standard error, and faint what is
// not said to anybody, as SQL.
func (d *dress) sentences(f fact, width int) (text string) {
	look := d.faint
	switch f.name {
	case "hint":
		f.value = "hint: " + f.value
	case "condition":
		f.value = strings.Join(d.wrap(f.value, width), "\n")
	case "error", "why", "reason", "warning":
		look = lipgloss.NewStyle()
		f.value = strings.Join(d.wrap(f.value, width), "\n")
	}
	for line := range strings.SplitSeq(strings.TrimRight(f.value, "\n"), "\n") {
		line = d.text(line)
		if rest, ok := strings.CutPrefix(line, "hint: "); ok {
			line = d.accent.Render("hint:") + " " + rest
		} else {
			line = look.Render(line)
		}
		text += newLine + line
	}
	return text
}
