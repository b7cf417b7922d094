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

// logger writes for people to a terminal, unless they want JSON, and JSON elsewhere.
func (a *app) logger() *slog.Logger { return a.loggerTo(a.stderr) }

func (a *app) loggerTo(w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: slog.LevelInfo}
	if a.debug {
		o.Level = slog.LevelDebug
	}
	if a.dresses(w) {
		d := a.dress()
		out := d.writer(w)
		return a.logging(&dressed{level: o.Level.Level(), emit: func(l logged) { _, _ = io.WriteString(out, d.line(l, widthOf(w))) }})
	}
	return a.logging(slog.NewJSONHandler(jsonWriter{w}, o))
}

// dresses reports whether what is written to w is dressed for people.
func (a *app) dresses(w io.Writer) bool { return a.output != "json" && isTerminal(w) }

// logging is a logger that says what may be said.
func (a *app) logging(h slog.Handler) *slog.Logger {
	h = discreet{h}
	if a.noData {
		h = withoutData{h}
	}
	return slog.New(h)
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

// busyLogger is a logger for much: what comes close together is written at once. On a
// terminal it is a tail, with a line at the bottom where that is wanted, and standard error
// is its as long; else t is nil. stop writes what is left.
func (a *app) busyLogger(bottom bool) (log *slog.Logger, t *tail, stop func()) {
	if !a.dresses(a.stderr) {
		g := &gatheredLines{w: a.stderr}
		return a.loggerTo(g), nil, g.flush
	}
	level := slog.LevelInfo
	if a.debug {
		level = slog.LevelDebug
	}
	terminal := a.stderr
	t = a.newTail(terminal, bottom)
	a.stderr = t
	return a.logging(&dressed{level: level, emit: t.log}), t, func() {
		t.stop()
		a.stderr = terminal
	}
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
