package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
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
		return slog.New(discreet{slog.NewTextHandler(lineWriter{w}, o)})
	}
	return slog.New(discreet{slog.NewJSONHandler(jsonWriter{w}, o)})
}

// discreet logs errors as they ask to be, also those that others have wrapped: a
// database's own text may quote a contact.
type discreet struct{ slog.Handler }

// Handle is slog.Handler's.
func (d discreet) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelWarn {
		return d.Handler.Handle(ctx, r)
	}
	out := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok {
			a.Value = slog.StringValue(discreetly(err))
		}
		out.AddAttrs(a)
		return true
	})
	return d.Handler.Handle(ctx, out)
}

// WithAttrs is slog.Handler's.
func (d discreet) WithAttrs(list []slog.Attr) slog.Handler {
	return discreet{d.Handler.WithAttrs(list)}
}

// WithGroup is slog.Handler's.
func (d discreet) WithGroup(name string) slog.Handler { return discreet{d.Handler.WithGroup(name)} }

// discreetly is an error's text, with what knows how to be logged as that.
func discreetly(err error) string {
	var inner interface {
		error
		slog.LogValuer
	}
	if !errors.As(err, &inner) {
		return err.Error()
	}
	return strings.Replace(err.Error(), inner.Error(), inner.LogValue().String(), 1)
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
