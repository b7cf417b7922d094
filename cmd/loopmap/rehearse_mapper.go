package main

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"github.com/charmbracelet/x/term"

	"loopmap/mapping/receive"
	"loopmap/tui"
)

// mapsHere reports whether the mapper can open on this terminal.
func (a *app) mapsHere() bool {
	name, _ := a.lookup("TERM")
	return isTerminal(a.stdin) && isTerminal(a.stdout) && name != "dumb"
}

// screenOf is the mapper within a rehearsal, which hears of what comes in.
type screenOf struct {
	open     atomic.Bool
	arrivals chan tui.Arrival
}

// arrived tells it of a webhook, while it is open.
func (s *screenOf) arrived(x receive.Arrival) {
	if !s.open.Load() {
		return
	}
	select {
	case s.arrivals <- asArrival(x, publicURL{}):
	default: // the screen does not keep up; the journal has it
	}
}

// show opens it on the scratch copy until it is closed, or what it shows has ended.
func (s *screenOf) show(ctx context.Context, a, inner *app, scratch, listen string, done chan error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ended := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case err := <-done:
			cancel(err)
			done <- nil // for who waits for it next
		case <-ended:
		}
	}()
	s.open.Store(true)
	screen := &app{stdin: a.stdin, stdout: a.stdout, stderr: io.Discard, now: a.now, output: "text", lookup: inner.lookup}
	err := screen.mapper(ctx, scratch, mapperFlags{within: &receiving{screen.awaited(listen, publicURL{}), s.arrivals}})
	s.open.Store(false)
	close(ended)
	<-watched
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}

// pause keeps the lines of the rehearsal off a terminal that is the mapper's.
func (r *rehearsal) pause(words *pausedWords, quiet bool) {
	words.pause(quiet)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.quiet = quiet
}

// pausedWords is standard error, of which a terminal gets nothing while it is another's.
type pausedWords struct {
	to     io.Writer
	mu     sync.Mutex
	paused bool
}

func (p *pausedWords) pause(yes bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paused = yes
}

// writer writes to it. A terminal stays one.
func (p *pausedWords) writer() io.Writer {
	if f, ok := p.to.(term.File); ok && isTerminal(f) {
		return &pausedFile{f, p}
	}
	return p.to
}

// pausedFile is a terminal that may be another's for a while.
type pausedFile struct {
	term.File
	p *pausedWords
}

// Write is io.Writer's.
func (f *pausedFile) Write(b []byte) (int, error) {
	f.p.mu.Lock()
	defer f.p.mu.Unlock()
	if f.p.paused {
		return len(b), nil
	}
	return f.File.Write(b)
}
