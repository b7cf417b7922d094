package main

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// sshLimits bound what those who knock, and those who are in, may take.
type sshLimits struct {
	handshake time.Duration // from the first byte to the mapper
	idle      time.Duration // without a key
	longest   time.Duration // a session in all
	sessions  int           // at once
	perKey    int           // of them with one key
	knocking  int           // connections that have not logged in
	perHost   int           // of them from one address
}

func defaultLimits() sshLimits {
	return sshLimits{
		handshake: 15 * time.Second, idle: 10 * time.Minute, longest: 8 * time.Hour,
		sessions: 8, perKey: 4, knocking: 64, perHost: 16,
	}
}

// porch is where connections stand that have not logged in. When it is full, the
// newcomer gets the place of one that has stood there for longest without a word:
// so that silent ones keep nobody out.
type porch struct {
	all, perHost int

	mu      sync.Mutex
	waiting []*knock // the oldest first
}

// knock is a connection on the porch.
type knock struct {
	net.Conn
	host  string
	spoke atomic.Bool
}

// Read notes that the other side has said something.
func (k *knock) Read(b []byte) (int, error) {
	n, err := k.Conn.Read(b)
	if n > 0 && !k.spoke.Load() {
		k.spoke.Store(true)
	}
	return n, err
}

// enter takes a connection in, and shows another one out where there is no room.
func (p *porch) enter(c net.Conn) *knock {
	k := &knock{Conn: c, host: hostOf(c.RemoteAddr())}
	p.mu.Lock()
	defer p.mu.Unlock()
	hosts := map[string]int{}
	for _, w := range p.waiting {
		hosts[w.host]++
	}
	crowd := k.host
	if hosts[crowd] < p.perHost && len(p.waiting) >= p.all {
		for host, n := range hosts { // the host that has most makes room
			if n > hosts[crowd] {
				crowd = host
			}
		}
	}
	if hosts[crowd] >= p.perHost || len(p.waiting) >= p.all {
		p.showOut(crowd)
	}
	p.waiting = append(p.waiting, k)
	return k
}

// showOut closes the oldest connection of a host that has said nothing, or the
// oldest when all have. p.mu is held.
func (p *porch) showOut(host string) {
	out := slices.IndexFunc(p.waiting, func(w *knock) bool { return w.host == host && !w.spoke.Load() })
	if out < 0 {
		out = slices.IndexFunc(p.waiting, func(w *knock) bool { return w.host == host })
	}
	if out >= 0 {
		p.waiting[out].Close()
		p.waiting = slices.Delete(p.waiting, out, out+1)
	}
}

// leave ends a connection's stay: it has logged in, or is gone.
func (p *porch) leave(k *knock) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = slices.DeleteFunc(p.waiting, func(w *knock) bool { return w == k })
}

// hostOf is where a connection comes from: an IPv4 address, or the 64 bits of an IPv6
// address that one customer has.
func hostOf(a net.Addr) string {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return a.String()
	}
	ip := ap.Addr().Unmap()
	if ip.Is6() {
		if prefix, err := ip.Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return ip.String()
}

// seats are the sessions that there may be.
type seats struct {
	all, perKey int

	mu    sync.Mutex
	taken map[string]int // by fingerprint
}

// take gives a key a seat, or says why there is none.
func (s *seats) take(fingerprint string) (why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, k := range s.taken {
		n += k
	}
	switch {
	case n >= s.all:
		return "all sessions are taken (--sessions)"
	case s.taken[fingerprint] >= s.perKey:
		return "this key has all the sessions that one may have (--sessions-per-key)"
	}
	if s.taken == nil {
		s.taken = map[string]int{}
	}
	s.taken[fingerprint]++
	return ""
}

func (s *seats) free(fingerprint string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[fingerprint]--; s.taken[fingerprint] == 0 {
		delete(s.taken, fingerprint)
	}
}
