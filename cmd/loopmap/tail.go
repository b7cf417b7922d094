package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/colorprofile"

	"loopmap/mapping/push"
	"loopmap/mapping/receive"
)

// tail is what one watches of a process on its terminal: lines as they come, and a line
// at the bottom that says how it stands. Nobody who has something to say waits for the
// terminal: what it does not keep up with is counted.
type tail struct {
	w      io.Writer // the terminal
	dress  *dress
	now    func() time.Time
	noData bool
	bottom bool // there is a line at the bottom
	every  time.Duration
	status status

	wake       chan struct{} // something has changed
	quit, done chan struct{}

	mu      sync.Mutex
	lines   []func(width int) string
	sights  int            // of the lines that are deliveries or pushes
	over    map[string]int // those that had no room, by what they are and became
	dropped int            // other lines that had none
	longest int            // of the names so far, in cells

	painted string // the line at the bottom, as it stands; "" when it does not
	width   int    // for which
}

const (
	// tailEvery is how often something is written at most where there is a line at the
	// bottom: that line is written anew behind all others.
	tailEvery  = 500 * time.Millisecond
	plainEvery = 50 * time.Millisecond // where there is none
	// mostSights is how many deliveries and pushes are shown of what comes together: more
	// than anybody reads, and nothing that a terminal has to work at.
	mostSights = 200
	mostLines  = 1000 // others, which are few
)

// newTail begins to write to a terminal, until stop. bottom wants the line at the bottom,
// which not every terminal can have.
func (a *app) newTail(w io.Writer, bottom bool) *tail {
	t := &tail{w: w, dress: a.dress(), now: a.now, noData: a.noData, every: plainEvery, over: map[string]int{},
		wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{})}
	if t.bottom = bottom && t.dress.profile > colorprofile.NoTTY; t.bottom {
		t.every = tailEvery
	}
	t.status.begin(t.now())
	go t.run()
	return t
}

// stop writes what is left and takes the line at the bottom away. A terminal that takes
// nothing is not waited for long.
func (t *tail) stop() {
	close(t.quit)
	select {
	case <-t.done:
	case <-time.After(2 * time.Second):
	}
}

func (t *tail) run() {
	defer close(t.done)
	var resized <-chan os.Signal
	if t.bottom {
		var end func()
		resized, end = resizes()
		defer end()
	}
	for {
		var again <-chan time.Time // while the rate falls
		if t.bottom && t.status.moves() {
			again = time.After(t.every)
		}
		select {
		case <-t.wake:
		case s := <-resized:
			if moved(s) {
				t.painted = ""
			}
		case <-again:
		case <-t.quit:
			t.flush(true)
			return
		}
		t.flush(false)
		select {
		case <-time.After(t.every):
		case <-t.quit:
		}
	}
}

// flush writes what has come.
func (t *tail) flush(last bool) {
	width := widthOf(t.w)
	var b strings.Builder
	for _, line := range t.take() {
		b.WriteString(line(width))
	}
	bottom := ""
	there := t.bottom && foreground(t.w)
	if there && !last {
		bottom = t.status.line(t.dress, t.now(), width)
	}
	if b.Len() == 0 && bottom == t.painted && width == t.width {
		return
	}
	text := b.String()
	if t.painted != "" && there { // else the shell has the line by now
		text = "\r\x1b[J" + text
	}
	if bottom != "" {
		text += bottom + "\r" // so that a terminal that breaks it when it becomes narrow keeps its begin
	}
	t.painted, t.width = bottom, width
	_, _ = io.WriteString(t.dress.writer(t.w), text) // nobody can be told of an error
}

// take is what has come since it was called last.
func (t *tail) take() []func(width int) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := t.lines
	if len(t.over) > 0 {
		over, at := t.over, t.now()
		list = append(list, func(int) string { return t.dress.over(over, at) })
		t.over = map[string]int{}
	}
	if t.dropped > 0 {
		n, at := t.dropped, t.now()
		list = append(list, func(width int) string {
			return t.dress.line(logged{at: at, words: fmt.Sprintf("+%d lines", n)}, width)
		})
	}
	t.lines, t.sights, t.dropped = nil, 0, 0
	return list
}

// changed has it written.
func (t *tail) changed() { wake(t.wake) }

// log takes a line of the log.
func (t *tail) log(l logged) {
	t.add(func(width int) string { return t.dress.line(l, width) })
}

// Write takes lines that others say, whole ones.
func (t *tail) Write(p []byte) (int, error) {
	for line := range strings.SplitSeq(strings.TrimSuffix(string(p), "\n"), "\n") {
		line = t.dress.text(line) + "\n"
		t.add(func(int) string { return line })
	}
	return len(p), nil
}

func (t *tail) add(line func(width int) string) {
	t.mu.Lock()
	if len(t.lines)-t.sights < mostLines {
		t.lines = append(t.lines, line)
	} else {
		t.dropped++
	}
	t.mu.Unlock()
	t.changed()
}

// arrived shows a delivery.
func (t *tail) arrived(a receive.Arrival) {
	if t == nil || a.Code == http.StatusNotFound { // of which the log speaks
		return
	}
	word, _ := deliveryOutcome(&a)
	t.status.delivery(a.Code)
	t.see("deliveries", word, func() seen { return seenDelivery(&a, t.noData) })
}

// pushed shows what a row has sent.
func (t *tail) pushed(o push.Outcome) {
	t.status.push(o.Line.Status)
	t.see("pushes", o.Line.Outcome(), func() seen { return seenPush(o, t.now(), t.noData) })
}

// see adds what show gives, while there is room.
func (t *tail) see(what, outcome string, show func() seen) {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.changed()
	if t.sights >= mostSights {
		t.over[what+"\x00"+outcome]++
		return
	}
	s := show()
	t.longest = max(t.longest, min(len(s.name), mostName))
	longest := t.longest
	t.sights++
	t.lines = append(t.lines, func(width int) string { return t.dress.seen(s, width, longest) })
}

// waits is told what waits in the journal.
func (t *tail) waits(quarantined, pending int64) {
	if t != nil && t.status.wait(quarantined, pending) {
		t.changed()
	}
}

// onlySends says that nothing will come in.
func (t *tail) onlySends() {
	if t != nil {
		t.status.onlySends.Store(true)
		t.changed()
	}
}

// outcomes is who is told of pushes; nobody, where there is no terminal.
func (t *tail) outcomes() func(push.Outcome) {
	if t == nil {
		return nil
	}
	return t.pushed
}
