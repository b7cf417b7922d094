package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"

	"loopmap/mapping/push"
)

// progressBar is a line on a terminal that says how far a long command is. Elsewhere
// it is nothing.
type progressBar struct {
	w     io.Writer // nil: no terminal, or at its end
	began time.Time
	drawn time.Time
}

const (
	redraw   = 200 * time.Millisecond // how often the line is written, which is easy on slow links
	barWidth = 30
)

func (b *progressBar) start(w io.Writer) {
	if isTerminal(w) {
		*b = progressBar{w: w, began: time.Now()}
	}
}

// due reports whether it is time to draw again.
func (b *progressBar) due() bool { return b.w != nil && time.Since(b.drawn) >= redraw }

// draw shows which part of the whole is done, below 0 where that is not known.
func (b *progressBar) draw(part float64, words string) {
	b.drawn = time.Now()
	room := b.width()
	if part >= 0 && barWidth+len("[] ")+len(words) <= room { // else the bar gives way
		full := int(min(1, part) * barWidth)
		words = "[" + strings.Repeat("#", full) + strings.Repeat(".", barWidth-full) + "] " + words
	}
	fmt.Fprint(b.w, "\r\x1b[K"+words[:min(len(words), room)])
}

// width is how many cells a line of the terminal has, less the last.
func (b *progressBar) width() int {
	if f, ok := b.w.(term.File); ok {
		if w, _, err := term.GetSize(f.Fd()); err == nil && w > 1 {
			return w - 1
		}
	}
	return 79
}

// clear makes room for another line.
func (b *progressBar) clear() {
	if b.w != nil && !b.drawn.IsZero() {
		fmt.Fprint(b.w, "\r\x1b[K")
		b.drawn = time.Time{}
	}
}

func (b *progressBar) end() {
	b.clear()
	b.w = nil
}

// replayed shows how much of a total is done, 0 where that is not known, and how many
// deliveries that were.
func (b *progressBar) replayed(done, total, deliveries int64) {
	if !b.due() {
		return
	}
	took := time.Since(b.began)
	words := fmt.Sprintf("%d deliveries, %.0f/s", deliveries, float64(deliveries)/took.Seconds())
	part := -1.0
	if total > 0 {
		part = min(1, float64(done)/float64(total))
		left := time.Duration(float64(took) * (1 - part) / max(part, 0.001))
		words = fmt.Sprintf("%3.0f%%  %s, %s left", part*100, words, left.Round(time.Second))
	}
	b.draw(part, words)
}

// pushed shows how far a push is, and how long the rest takes.
func (b *progressBar) pushed(pace *push.Pace, c push.Counts) {
	if !b.due() {
		return
	}
	done, atLeast := c.Sent+c.Failed+c.Pending+c.NotMet, ""
	if !c.All {
		atLeast = "at least "
	}
	b.draw(float64(done)/float64(max(1, c.Requests)),
		fmt.Sprintf("%d of %d, %s%s left, %s", done, c.Requests, atLeast, leftOf(pace, c).Round(time.Second), c))
}

// leftOf is how long the requests take that are known of and not done.
func leftOf(pace *push.Pace, c push.Counts) time.Duration {
	rest := max(0, c.Requests-c.Sent-c.Failed-c.Pending-c.NotMet)
	return time.Duration(float64(rest)/pace.PerSecond()*1000) * time.Millisecond
}
