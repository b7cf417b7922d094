package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"

	"loopmap/mapping/push"
)

// dressed hands lines of the log to whoever shows them.
type dressed struct {
	level  slog.Level
	emit   func(logged)
	facts  []fact // of all lines
	prefix string // of the names of others
}

// Enabled is slog.Handler's.
func (h *dressed) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level }

// Handle is slog.Handler's.
func (h *dressed) Handle(_ context.Context, r slog.Record) error {
	l := logged{at: r.Time, level: r.Level, words: r.Message, facts: slices.Clone(h.facts)}
	r.Attrs(func(a slog.Attr) bool {
		l.facts = appendFact(l.facts, h.prefix, a)
		return true
	})
	if h.level > slog.LevelDebug {
		l = l.inWords()
	}
	h.emit(l)
	return nil
}

// WithAttrs is slog.Handler's.
func (h *dressed) WithAttrs(list []slog.Attr) slog.Handler {
	next := *h
	next.facts = slices.Clone(h.facts)
	for _, a := range list {
		next.facts = appendFact(next.facts, h.prefix, a)
	}
	return &next
}

// WithGroup is slog.Handler's.
func (h *dressed) WithGroup(name string) slog.Handler {
	next := *h
	next.prefix += name + "."
	return &next
}

func appendFact(list []fact, prefix string, a slog.Attr) []fact {
	v := a.Value.Resolve()
	switch {
	case a.Equal(slog.Attr{}):
		return list
	case v.Kind() == slog.KindGroup:
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, in := range v.Group() {
			list = appendFact(list, prefix, in)
		}
		return list
	}
	text := v.String()
	if lines, ok := v.Any().([]string); ok {
		text = strings.Join(lines, "\n")
	}
	if text == "" {
		return list
	}
	return append(list, fact{prefix + a.Key, text})
}

// withoutData leaves out what rows hold: their keys, and what Loops says of them.
type withoutData struct{ slog.Handler }

// Handle is slog.Handler's.
func (w withoutData) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		err, _ := a.Value.Any().(error)
		var stopped *push.Stopped
		switch {
		case a.Key == "row" || a.Key == "reason":
			return true
		case errors.As(err, &stopped) && stopped.Code != 0 && !stopped.Barred:
			bare := *stopped
			bare.Reason = ""
			a.Value = slog.StringValue(bare.Error())
		}
		out.AddAttrs(a)
		return true
	})
	return w.Handler.Handle(ctx, out)
}

// WithAttrs is slog.Handler's.
func (w withoutData) WithAttrs(list []slog.Attr) slog.Handler {
	return withoutData{w.Handler.WithAttrs(list)}
}

// WithGroup is slog.Handler's.
func (w withoutData) WithGroup(name string) slog.Handler {
	return withoutData{w.Handler.WithGroup(name)}
}
