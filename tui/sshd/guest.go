package sshd

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"loopmap/mapping/body"
)

// Guest is somebody who has logged in, and the terminal at their end.
type Guest struct {
	ssh.Channel
	who     Key
	address string
	conn    *ssh.ServerConn
	limits  Limits
	cancel  context.CancelCauseFunc // ends the session, and says why

	mu      sync.Mutex
	term    string // "" without a terminal
	size    Size
	resized chan struct{} // has an element when size has changed
	begun   bool
	idle    *time.Timer
}

// Size is that of a terminal, in cells.
type Size struct{ Width, Height int }

// The largest terminal that is drawn on: a screen full of small print, and some
// 30 MiB of cells.
const maxWidth, maxHeight = 500, 200

// bounded is a size that can be drawn: 0 is what a terminal says that does not know.
func bounded(w, h uint32) Size {
	if w == 0 || h == 0 {
		return Size{80, 24}
	}
	return Size{int(min(w, maxWidth)), int(min(h, maxHeight))}
}

// request carries out what the client asks of the session, and reports whether it
// may. Commands, subsystems, agents, X11, and variables of the environment may not.
func (g *Guest) request(r *ssh.Request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch r.Type {
	case "pty-req":
		var p struct {
			Term          string
			Cols, Rows    uint32
			Width, Height uint32
			Modes         string
		}
		if g.begun || g.term != "" || ssh.Unmarshal(r.Payload, &p) != nil {
			return false
		}
		g.term, g.size, g.resized = cleanTerm(p.Term), bounded(p.Cols, p.Rows), make(chan struct{}, 1)
		return true
	case "window-change":
		var p struct{ Cols, Rows, Width, Height uint32 }
		if g.term == "" || ssh.Unmarshal(r.Payload, &p) != nil {
			return false
		}
		g.size = bounded(p.Cols, p.Rows)
		select {
		case g.resized <- struct{}{}:
		default: // of many in a row only the last counts
		}
		return true
	case "shell":
		if g.begun {
			return false
		}
		g.begun = true
		return true
	}
	return false
}

var termName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$`)

// cleanTerm is the name of a terminal as terminals are named; what is none counts as
// the plainest that can be drawn on.
func cleanTerm(s string) string {
	if termName.MatchString(s) {
		return s
	}
	return "vt100"
}

// Key is the key that the guest has logged in with.
func (g *Guest) Key() Key { return g.who }

// Address is where the guest comes from.
func (g *Guest) Address() string { return g.address }

// Resized has an element when the terminal has another size.
func (g *Guest) Resized() <-chan struct{} { return g.resized }

// Terminal is the kind of the terminal and its size; kind is "" when there is none.
func (g *Guest) Terminal() (kind string, s Size) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.term, g.size
}

// watchIdle ends the session when no key has come for a while. Only what is typed
// counts: neither what is drawn nor the client's signs of life.
func (g *Guest) watchIdle() (stop func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.idle = time.AfterFunc(g.limits.Idle, func() { g.cancel(fmt.Errorf("no key was pressed for %v", g.limits.Idle)) })
	return func() { g.idle.Stop() }
}

// Read reads what is typed. The end of it, on a terminal, is the end of the link.
func (g *Guest) Read(b []byte) (int, error) {
	n, err := g.Channel.Read(b)
	if n > 0 {
		g.idle.Reset(g.limits.Idle)
	}
	if kind, _ := g.Terminal(); err != nil && kind != "" {
		g.cancel(errLinkGone)
	}
	return n, err
}

// Write writes to the guest's terminal. No pty lies between that would make a line
// feed a new line, so each gets its carriage return here.
func (g *Guest) Write(b []byte) (int, error) {
	out := b
	if kind, _ := g.Terminal(); kind != "" && bytes.IndexByte(b, '\n') >= 0 {
		out = bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	}
	if _, err := g.Channel.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

// leave says the last words to a guest and ends the session: with exit status 0 when
// there are none.
func (g *Guest) leave(words string) {
	late := time.AfterFunc(lastWord, func() { g.conn.Close() }) // for who does not
	defer late.Stop()
	status := uint32(0)
	if words != "" {
		status = 1
		for i, line := range strings.Split(words, "\n") {
			if line = body.Printable(line); i == 0 {
				line = "loopmap: " + line
			}
			if _, err := io.WriteString(g, line+"\n"); err != nil {
				break
			}
		}
	}
	_, _ = g.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
	_ = g.Close()
	_ = g.conn.Wait() // the client hangs up once it has read all
}
