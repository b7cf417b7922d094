package main

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

// sshServer lets people in by their keys, and hands each a terminal's worth of
// program. It does nothing else of what SSH can: no commands, no files, no
// forwarding, no environment.
//
// It is built on golang.org/x/crypto/ssh itself. Wish, which would be the shorter
// way, answers agent requests and environment variables with yes, and counts what
// the server writes as a sign of life; none of that can be turned off.
type sshServer struct {
	keys   keyFile
	signer ssh.Signer
	limits sshLimits
	log    *slog.Logger
	now    func() time.Time
	show   func(ctx context.Context, g *guest) error // what a guest is shown

	porch porch
	seats seats

	mu     sync.Mutex
	guests map[*guest]bool
	wg     sync.WaitGroup
}

// Why a session ends that the guest has not ended; each is said to the guest.
var (
	errLinkGone   = errors.New("the link is gone")
	errStopping   = errors.New("the server stops")
	errKeyRemoved = errors.New("the key may not log in any more")
)

// serve lets people in at l until ctx ends, and returns when all have left.
func (s *sshServer) serve(ctx context.Context, l net.Listener) error {
	s.porch.all, s.porch.perHost = s.limits.knocking, s.limits.perHost
	s.seats.all, s.seats.perKey = s.limits.sessions, s.limits.perKey
	s.guests = map[*guest]bool{}
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
			s.log.Error("ssh: accept", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		k := s.porch.enter(conn)
		s.wg.Go(func() { s.welcome(ctx, k) })
	}
}

// welcome takes one connection from its first byte to its end.
func (s *sshServer) welcome(ctx context.Context, k *knock) {
	defer s.survive("address", k.RemoteAddr().String())
	defer k.Close()
	defer s.porch.leave(k)
	stop := context.AfterFunc(ctx, func() { k.Close() })
	defer stop()
	_ = k.SetDeadline(time.Now().Add(s.limits.handshake))
	conn, channels, requests, err := ssh.NewServerConn(k, s.config())
	if err != nil {
		s.log.Debug("ssh: no login", "address", k.RemoteAddr().String(), "error", err)
		return
	}
	stop() // from here the session ends the connection, so that it can say why
	go ssh.DiscardRequests(requests)
	s.receive(ctx, conn, channels, k)
}

// receive opens the one session that a connection may have.
func (s *sshServer) receive(ctx context.Context, conn *ssh.ServerConn, channels <-chan ssh.NewChannel, k *knock) {
	who, err := s.admit(conn.Permissions.Extensions[fingerprintOfSigner])
	if err != nil {
		return
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(errLinkGone)
	g := &guest{who: who, address: k.RemoteAddr().String(), conn: conn, limits: s.limits, cancel: cancel}
	// Who does not take what is written to them must not keep the process from ending.
	drop := context.AfterFunc(ctx, func() { time.AfterFunc(lastWord, func() { k.Close() }) })
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
					s.porch.leave(k)
					_ = k.SetDeadline(time.Time{})
				})
			})
		}
	}
	cancel(errLinkGone)
	session.Wait()
}

// attend answers a session's requests, and shows the guest the program once a shell
// is asked for.
func (s *sshServer) attend(ctx context.Context, g *guest, requests <-chan *ssh.Request, begun func()) {
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

// host shows a guest the program, from taking a seat to the last word.
func (s *sshServer) host(ctx context.Context, g *guest) {
	defer s.survive("key", g.who.fingerprint)
	defer g.conn.Close()
	if why := s.seats.take(g.who.fingerprint); why != "" {
		s.log.Warn("ssh: session refused", "key", g.who.fingerprint, "comment", g.who.comment, "address", g.address, "why", why)
		g.leave(why)
		return
	}
	words := ""
	if err := s.seated(ctx, g); err != nil {
		words = err.Error()
	}
	g.leave(words)
}

// seated shows the program to a guest who has a seat, for as long as a session may
// last.
func (s *sshServer) seated(ctx context.Context, g *guest) error {
	defer s.seats.free(g.who.fingerprint)
	s.present(g, true)
	defer s.present(g, false)
	log := s.log.With("key", g.who.fingerprint, "comment", g.who.comment, "address", g.address)
	began := s.now()
	log.Info("ssh: session begins", "read_only", g.who.readOnly)
	ctx, cancel := context.WithTimeoutCause(ctx, g.limits.longest, fmt.Errorf("a session lasts %v at most", g.limits.longest))
	defer cancel()
	stop := g.watchIdle()
	defer stop()
	// Who does not take what is written to them must not keep the session alive.
	drop := context.AfterFunc(ctx, func() { time.AfterFunc(lastWord, func() { g.conn.Close() }) })
	defer drop()
	err := s.show(ctx, g)
	why := "left"
	if ctx.Err() != nil {
		why = context.Cause(ctx).Error()
	}
	log.Info("ssh: session ends", "why", why, "seconds", int(s.now().Sub(began).Seconds()))
	return err
}

// present notes who is in.
func (s *sshServer) present(g *guest, in bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.guests[g] = in; !in {
		delete(s.guests, g)
	}
}

// survive keeps a panic in one session from taking the process, and the webhooks,
// with it.
func (s *sshServer) survive(whose ...any) {
	if r := recover(); r != nil {
		s.log.With(whose...).Error("ssh: a session panicked", "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
	}
}

// lastWord is how long a session that was ended has to end by itself.
const lastWord = 3 * time.Second

// watchKeys ends the sessions of keys that were taken out of the file, or whose
// rights have changed.
func (s *sshServer) watchKeys(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookAtFile):
		}
		s.mu.Lock()
		var list []*guest
		for g := range s.guests {
			list = append(list, g)
		}
		s.mu.Unlock()
		if len(list) == 0 {
			continue
		}
		keys, _, _ := s.keys.read() // what cannot be read lets nobody stay
		for _, g := range list {
			if k, ok := keys[g.who.fingerprint]; !ok || k.readOnly != g.who.readOnly {
				g.cancel(errKeyRemoved)
			}
		}
	}
}
