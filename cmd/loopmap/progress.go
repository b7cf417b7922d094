package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// progressBar is a line on a terminal that says how far a long command is. Elsewhere
// it is nothing.
type progressBar struct {
	w     io.Writer // nil: no terminal, or at its end
	total int64     // 0: not known
	began time.Time
	drawn time.Time
}

// redraw is how often the line is written, which is easy on slow links.
const redraw = 200 * time.Millisecond

func (b *progressBar) start(w io.Writer, total int64) {
	if !isTerminal(w) {
		return
	}
	*b = progressBar{w: w, total: total, began: time.Now()}
}

// move says how much of the total is done, and how many deliveries that were.
func (b *progressBar) move(done, deliveries int64) {
	if b.w == nil || time.Since(b.drawn) < redraw {
		return
	}
	b.drawn = time.Now()
	rate := float64(deliveries) / time.Since(b.began).Seconds()
	line := fmt.Sprintf("%d deliveries, %.0f/s", deliveries, rate)
	if b.total > 0 {
		part := min(1, float64(done)/float64(b.total))
		left := time.Duration(float64(time.Since(b.began)) * (1 - part) / max(part, 0.001))
		const width = 30
		full := int(part * width)
		line = fmt.Sprintf("%s %3.0f%%  %s, %s left", barOf(full, width), part*100, line, left.Round(time.Second))
	}
	fmt.Fprintf(b.w, "\r\x1b[K%s", line)
}

func barOf(full, width int) string {
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", width-full) + "]"
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
