package main

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
)

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
