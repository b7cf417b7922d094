package sshd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// Server lets people in by their keys, and hands each a terminal's worth of program. It
// does nothing else of what SSH can: no commands, no files, no forwarding, no environment.
//
// It is built on golang.org/x/crypto/ssh itself. Wish, which would be the shorter way,
// answers agent requests and environment variables with yes, and counts what the server
// writes as a sign of life; none of that can be turned off.
type Server struct {
	Keys   KeyFile
	Signer ssh.Signer // the host key
	Limits Limits
	Log    *slog.Logger
	Now    func() time.Time
	Show   func(ctx context.Context, g *Guest) error // what a guest is shown; an error is their last words

	arrivals arrivals
	places   places

	mu     sync.Mutex
	guests map[*Guest]bool
	wg     sync.WaitGroup
}

// Why a session ends that the guest has not ended; each is said to the guest.
var (
	errLinkGone   = errors.New("the link is gone")
	errStopping   = errors.New("the server stops")
	errKeyRemoved = errors.New("the key may not log in any more")
)

// Serve lets people in at l until ctx ends, and returns when all have left.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	s.arrivals.all, s.arrivals.perHost = s.Limits.Arriving, s.Limits.PerHost
	s.places.all, s.places.perKey = s.Limits.Sessions, s.Limits.PerKey
	s.guests = map[*Guest]bool{}
	outer := ctx
	ctx, end := context.WithCancelCause(context.WithoutCancel(outer))
	stop := context.AfterFunc(outer, func() {
		end(errStopping)
		l.Close()
	})
	defer stop()
	s.wg.Go(func() { s.watchKeys(ctx) })
	defer func() {
		end(errStopping)
		s.wg.Wait()
	}()
	for {
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil: // for example too many open files: it passes
			s.Log.Error("ssh: accept", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		a := s.arrivals.enter(conn)
		s.wg.Go(func() { s.welcome(ctx, a) })
	}
}

// welcome takes one connection from its first byte to its end.
func (s *Server) welcome(ctx context.Context, a *arrival) {
	defer s.survive("address", a.RemoteAddr().String())
	defer a.Close()
	defer s.arrivals.leave(a)
	stop := context.AfterFunc(ctx, func() { a.Close() })
	defer stop()
	_ = a.SetDeadline(time.Now().Add(s.Limits.Handshake))
	conn, channels, requests, err := ssh.NewServerConn(a, s.config())
	if err != nil {
		s.Log.Debug("ssh: no login", "address", a.RemoteAddr().String(), "error", err)
		return
	}
	stop() // from here the session ends the connection, so that it can say why
	go ssh.DiscardRequests(requests)
	s.receive(ctx, conn, channels, a)
}

// receive opens the one session that a connection may have.
func (s *Server) receive(ctx context.Context, conn *ssh.ServerConn, channels <-chan ssh.NewChannel, a *arrival) {
	who, err := s.admit(conn.Permissions.Extensions[fingerprintOfSigner])
	if err != nil {
		return
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(errLinkGone)
	g := &Guest{who: who, address: a.RemoteAddr().String(), conn: conn, limits: s.Limits, cancel: cancel}
	// Who does not take what is written to them must not keep the process from ending.
	drop := context.AfterFunc(ctx, func() { time.AfterFunc(lastWord, func() { a.Close() }) })
	defer drop()
	var session sync.WaitGroup
	for c := range channels {
		switch {
		case c.ChannelType() != "session":
			_ = c.Reject(ssh.Prohibited, "only a session is served here")
		case g.Channel != nil:
			_ = c.Reject(ssh.ResourceShortage, "one session a connection")
		default:
			channel, requests, err := c.Accept()
			if err != nil {
				return
			}
			g.Channel = channel
			session.Go(func() {
				s.attend(ctx, g, requests, func() {
					s.arrivals.leave(a)
					_ = a.SetDeadline(time.Time{})
				})
			})
		}
	}
	cancel(errLinkGone)
	session.Wait()
}

// attend answers a session's requests, and shows the guest the program once a shell
// is asked for.
func (s *Server) attend(ctx context.Context, g *Guest, requests <-chan *ssh.Request, begun func()) {
	var shown sync.WaitGroup
	for r := range requests {
		ok := g.request(r)
		if r.WantReply {
			_ = r.Reply(ok, nil)
		}
		if ok && r.Type == "shell" {
			begun()
			shown.Go(func() { s.host(ctx, g) })
		}
	}
	g.cancel(errLinkGone)
	shown.Wait()
}

// host shows a guest the program, from taking a place to the last word.
func (s *Server) host(ctx context.Context, g *Guest) {
	defer s.survive("key", g.who.Fingerprint)
	defer g.conn.Close()
	if why := s.places.take(g.who.Fingerprint); why != "" {
		s.Log.Warn("ssh: session refused", "key", g.who.Fingerprint, "comment", g.who.Comment, "address", g.address, "why", why)
		g.leave(why)
		return
	}
	words := ""
	if err := s.placed(ctx, g); err != nil {
		words = err.Error()
	}
	g.leave(words)
}

// placed shows the program to a guest who has a place, for as long as a session may
// last.
func (s *Server) placed(ctx context.Context, g *Guest) error {
	defer s.places.free(g.who.Fingerprint)
	s.present(g, true)
	defer s.present(g, false)
	log := s.Log.With("key", g.who.Fingerprint, "comment", g.who.Comment, "address", g.address)
	began := s.Now()
	log.Info("ssh: session begins", "read_only", g.who.ReadOnly)
	ctx, cancel := context.WithTimeoutCause(ctx, g.limits.Longest, fmt.Errorf("a session lasts %v at most", g.limits.Longest))
	defer cancel()
	stop := g.watchIdle()
	defer stop()
	// Who does not take what is written to them must not keep the session alive.
	drop := context.AfterFunc(ctx, func() { time.AfterFunc(lastWord, func() { g.conn.Close() }) })
	defer drop()
	err := s.Show(ctx, g)
	why := "left"
	if ctx.Err() != nil {
		why = context.Cause(ctx).Error()
	}
	log.Info("ssh: session ends", "why", why, "seconds", int(s.Now().Sub(began).Seconds()))
	return err
}

// present notes who is in.
func (s *Server) present(g *Guest, in bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.guests[g] = in; !in {
		delete(s.guests, g)
	}
}

// survive keeps a panic in one session from taking the process, and the webhooks,
// with it.
func (s *Server) survive(whose ...any) {
	if r := recover(); r != nil {
		s.Log.With(whose...).Error("ssh: a session panicked", "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
	}
}

// lookAtKeys is how often the file of the keys is looked at while somebody is in.
const lookAtKeys = time.Second

// lastWord is how long a session that was ended has to end by itself.
const lastWord = 3 * time.Second

// watchKeys ends the sessions of keys that were taken out of the file, or whose
// rights have changed.
func (s *Server) watchKeys(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookAtKeys):
		}
		s.mu.Lock()
		var list []*Guest
		for g := range s.guests {
			list = append(list, g)
		}
		s.mu.Unlock()
		if len(list) == 0 {
			continue
		}
		keys, _, _ := s.Keys.Read() // what cannot be read lets nobody stay
		for _, g := range list {
			if k, ok := keys[g.who.Fingerprint]; !ok || k.ReadOnly != g.who.ReadOnly {
				g.cancel(errKeyRemoved)
			}
		}
	}
}
