package main

import (
	"fmt"
	"io"
	"time"

	"github.com/charmbracelet/x/term"

	"loopmap/mapping/push"
)

// pushBar says on a terminal how far a push is, and how long the rest takes.
type pushBar struct {
	w     io.Writer // nil: no terminal
	pace  *push.Pace
	drawn time.Time
}

func (b *pushBar) start(w io.Writer) {
	if isTerminal(w) {
		b.w = w
	}
}

func (b *pushBar) move(c push.Counts) {
	if b.w == nil || time.Since(b.drawn) < redraw {
		return
	}
	b.drawn = time.Now()
	done := c.Sent + c.Failed + c.Pending + c.NotMet
	left := leftOf(b.pace, c)
	sign := ""
	if !c.All {
		sign = "at least "
	}
	const width = 30
	full := 0
	if c.Requests > 0 {
		full = min(width, done*width/c.Requests)
	}
	line := fmt.Sprintf("%d of %d, %s%s left, %s", done, c.Requests, sign, left.Round(time.Second), c)
	if room := b.width(); room < width+1+len(line) { // the bar gives way first
		fmt.Fprint(b.w, "\r\x1b[K"+line[:min(len(line), room)])
		return
	}
	fmt.Fprintf(b.w, "\r\x1b[K%s %s", barOf(full, width), line)
}

// leftOf is how long the requests take that are known of and not done.
func leftOf(pace *push.Pace, c push.Counts) time.Duration {
	rest := max(0, c.Requests-c.Sent-c.Failed-c.Pending-c.NotMet)
	return time.Duration(float64(rest)/pace.PerSecond()*1000) * time.Millisecond
}

// width is how many cells a line of the terminal has, less the last.
func (b *pushBar) width() int {
	if f, ok := b.w.(term.File); ok {
		if w, _, err := term.GetSize(f.Fd()); err == nil && w > 1 {
			return w - 1
		}
	}
	return 79
}

func (b *pushBar) end() {
	if b.w != nil && !b.drawn.IsZero() {
		fmt.Fprint(b.w, "\r\x1b[K")
	}
	b.w = nil
}
