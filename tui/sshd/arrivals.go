package sshd

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
)

// arrivals are the connections that have not logged in. When there is no room, the
// newcomer gets the place of one that has been there for longest without a word: so that
// silent ones keep nobody out.
type arrivals struct {
	all, perHost int

	mu      sync.Mutex
	waiting []*arrival // the oldest first
}

// arrival is one of them.
type arrival struct {
	net.Conn
	host  string
	spoke atomic.Bool
}

// Read notes that the other side has said something.
func (a *arrival) Read(b []byte) (int, error) {
	n, err := a.Conn.Read(b)
	if n > 0 && !a.spoke.Load() {
		a.spoke.Store(true)
	}
	return n, err
}

// enter takes a connection in, and closes another one where there is no room.
func (p *arrivals) enter(c net.Conn) *arrival {
	a := &arrival{Conn: c, host: hostOf(c.RemoteAddr())}
	p.mu.Lock()
	defer p.mu.Unlock()
	hosts := map[string]int{}
	for _, w := range p.waiting {
		hosts[w.host]++
	}
	crowd := a.host
	if hosts[crowd] < p.perHost && len(p.waiting) >= p.all {
		for host, n := range hosts { // the host that has most makes room
			if n > hosts[crowd] {
				crowd = host
			}
		}
	}
	if hosts[crowd] >= p.perHost || len(p.waiting) >= p.all {
		p.makeRoom(crowd)
	}
	p.waiting = append(p.waiting, a)
	return a
}

// makeRoom closes the oldest connection of a host that has said nothing, or the
// oldest when all have. p.mu is held.
func (p *arrivals) makeRoom(host string) {
	out := slices.IndexFunc(p.waiting, func(w *arrival) bool { return w.host == host && !w.spoke.Load() })
	if out < 0 {
		out = slices.IndexFunc(p.waiting, func(w *arrival) bool { return w.host == host })
	}
	if out >= 0 {
		p.waiting[out].Close()
		p.waiting = slices.Delete(p.waiting, out, out+1)
	}
}

// leave ends a connection's stay: it has logged in, or is gone.
func (p *arrivals) leave(k *arrival) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = slices.DeleteFunc(p.waiting, func(w *arrival) bool { return w == k })
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
