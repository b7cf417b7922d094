package main

import (
	"io"
	"log/slog"
	"sync"
	"time"
)

// logger writes text to a terminal and JSON elsewhere.
func (a *app) logger() *slog.Logger { return a.loggerTo(a.stderr) }

func (a *app) loggerTo(w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: slog.LevelInfo}
	if a.debug {
		o.Level = slog.LevelDebug
	}
	if isTerminal(w) {
		return slog.New(slog.NewTextHandler(w, o))
	}
	return slog.New(slog.NewJSONHandler(w, o))
}

// busyLogger is a logger for much: what comes close together is written at once. stop
// writes what is left.
func (a *app) busyLogger() (log *slog.Logger, stop func()) {
	if isTerminal(a.stderr) {
		return a.logger(), func() {}
	}
	g := &gatheredLines{w: a.stderr}
	return a.loggerTo(g), g.flush
}

const (
	gatherTime = 20 * time.Millisecond // a line waits for others at most
	gatherMost = 32 << 10              // bytes
)

// gatheredLines saves a system call for each line where lines are many.
type gatheredLines struct {
	w  io.Writer
	mu sync.Mutex
	b  []byte
}

// Write is io.Writer's. An error of an earlier write is nobody's to handle.
func (g *gatheredLines) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.b) == 0 {
		time.AfterFunc(gatherTime, g.flush)
	}
	if g.b = append(g.b, b...); len(g.b) >= gatherMost {
		g.write()
	}
	return len(b), nil
}

func (g *gatheredLines) flush() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.write()
}

func (g *gatheredLines) write() {
	if len(g.b) > 0 {
		_, _ = g.w.Write(g.b)
		g.b = g.b[:0]
	}
}
