package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"loopmap/mapping/outgoing"
)

// status is how a process stands: what came in and was sent since it began, and what
// waits in the journal.
type status struct {
	deliveries, refused, unstored atomic.Int64
	sent, failed                  atomic.Int64
	quarantined, pending          atomic.Int64
	onlySends                     atomic.Bool // nothing will come in

	marks []mark // of the last seconds, the oldest first
}

// mark is how many deliveries there were at a time.
type mark struct {
	at time.Time
	n  int64
}

// rateOver is the time whose deliveries make the rate.
const rateOver = 5 * time.Second

func (s *status) begin(now time.Time) { s.marks = []mark{{now, 0}} }

func (s *status) delivery(code int) {
	switch {
	case code < 300:
		s.deliveries.Add(1)
	case code < 500:
		s.refused.Add(1)
	default:
		s.unstored.Add(1)
	}
}

func (s *status) push(p outgoing.Status) {
	switch p {
	case outgoing.Sent:
		s.sent.Add(1)
	case outgoing.Failed:
		s.failed.Add(1)
	case outgoing.NotMet, outgoing.Pending:
	}
}

// wait is told what waits in the journal, and reports whether that is news.
func (s *status) wait(quarantined, pending int64) bool {
	before, also := s.quarantined.Swap(quarantined), s.pending.Swap(pending)
	return before != quarantined || also != pending
}

// rate is of the last seconds, in deliveries a second.
func (s *status) rate(now time.Time) float64 {
	n := s.deliveries.Load()
	for len(s.marks) > 1 && now.Sub(s.marks[1].at) >= rateOver {
		s.marks = s.marks[1:]
	}
	first := s.marks[0]
	if last := s.marks[len(s.marks)-1]; last.n == n && first.n == n {
		s.marks = []mark{{now, n}} // nothing for a while
		return 0
	}
	s.marks = append(s.marks, mark{now, n})
	return float64(n-first.n) / max(now.Sub(first.at), time.Second).Seconds()
}

// moves reports whether the rate will change although nothing comes.
func (s *status) moves() bool { return len(s.marks) > 1 }

// line is what stands at the bottom of a terminal of a width. It begins with a blank, on
// which the cursor rests.
func (s *status) line(d *dress, now time.Time, width int) string {
	var parts []string
	add := func(n int64, tone lipgloss.Style, words string) {
		if n > 0 {
			parts = append(parts, tone.Render(thousands(n)+" "+words))
		}
	}
	rate := s.rate(now)
	switch n := s.deliveries.Load(); {
	case s.onlySends.Load() && s.sent.Load() == 0:
		parts = append(parts, d.faint.Render("nothing sent yet"))
	case s.onlySends.Load():
	case n == 0:
		parts = append(parts, d.faint.Render("no deliveries yet"))
	default:
		add(n, d.faint, plural(n, "delivery", "deliveries"))
	}
	if rate >= 1 {
		parts = append(parts, d.faint.Render(thousands(int64(rate+0.5))+"/s"))
	}
	add(s.quarantined.Load(), d.bad, "quarantined")
	add(s.pending.Load(), d.warn, "pending")
	add(s.refused.Load(), d.bad, "refused")
	add(s.unstored.Load(), d.bad, "not stored")
	add(s.sent.Load(), d.faint, "sent")
	add(s.failed.Load(), d.bad, "failed")
	return ansi.Truncate(" "+strings.Join(parts, "   "), max(width-1, 1), "")
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// thousands is a number with a comma between each three digits.
func thousands(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// over is a line for all those that had none, as "+1,203 deliveries: 1,200 applied, 3
// quarantined".
func (d *dress) over(counts map[string]int, at time.Time) string {
	kinds := map[string]int{}
	words := map[string][]string{}
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		kind, outcome, _ := strings.Cut(key, "\x00")
		kinds[kind] += counts[key]
		words[kind] = append(words[kind], thousands(int64(counts[key]))+" "+outcome)
	}
	var b strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		mark := markIn
		if kind == "pushes" {
			mark = markOut
		}
		b.WriteString(d.begin(at, mark, d.accent) + fmt.Sprintf("+%s %s  ", thousands(int64(kinds[kind])), kind) +
			d.faint.Render(strings.Join(words[kind], ", ")) + "\n")
	}
	return b.String()
}
