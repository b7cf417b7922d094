package receive

import (
	"container/list"
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// mostSilent is how many connections may be open that have no whole request in hand:
// each takes some 20 kB.
const mostSilent = 512

// crowd are the connections of a server. When too many are silent, or take long over
// what they say, the one that has been so for longest makes room: a flood of them then
// hurts itself.
type crowd struct {
	log *slog.Logger

	mu     sync.Mutex
	all    map[net.Conn]*visitor
	order  list.List // of *visitor, by when they were last heard
	silent int       // how many of them are
	gone   int       // that made room and were not spoken of yet
	said   time.Time
}

// visitor is one connection.
type visitor struct {
	crowd *crowd
	conn  net.Conn
	place *list.Element
	busy  bool // its request is whole, and being answered
}

type visitorKey struct{}

// welcome is http.Server's ConnContext.
func (c *crowd) welcome(ctx context.Context, conn net.Conn) context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := &visitor{crowd: c, conn: conn}
	v.place, c.all[conn] = c.order.PushBack(v), v
	if c.silent++; c.silent > mostSilent {
		c.makeRoom()
	}
	return context.WithValue(ctx, visitorKey{}, v)
}

// makeRoom closes the connection that has been silent for longest.
func (c *crowd) makeRoom() {
	for e := c.order.Front(); e != nil; e = e.Next() {
		if v := e.Value.(*visitor); !v.busy {
			c.forget(v)
			_ = v.conn.Close() // its goroutine finds out
			c.gone++
			break
		}
	}
	if now := time.Now(); c.gone > 0 && now.Sub(c.said) > time.Minute {
		c.log.Warn("many connections say nothing: the oldest are closed", "closed", c.gone, "open", len(c.all))
		c.gone, c.said = 0, now
	}
}

func (c *crowd) forget(v *visitor) {
	if c.all[v.conn] != v {
		return
	}
	delete(c.all, v.conn)
	c.order.Remove(v.place)
	if !v.busy {
		c.silent--
	}
}

// state is http.Server's ConnState.
func (c *crowd) state(conn net.Conn, s http.ConnState) {
	if s != http.StateClosed && s != http.StateHijacked {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if v := c.all[conn]; v != nil {
		c.forget(v)
	}
}

// hearing tells when requests end.
func hearing(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		h.ServeHTTP(w, q)
		if v, ok := q.Context().Value(visitorKey{}).(*visitor); ok {
			v.set(false)
		}
	})
}

// heard says that a request has come whole.
func heard(ctx context.Context) {
	if v, ok := ctx.Value(visitorKey{}).(*visitor); ok {
		v.set(true)
	}
}

func (v *visitor) set(busy bool) {
	c := v.crowd
	c.mu.Lock()
	defer c.mu.Unlock()
	if v.busy == busy || c.all[v.conn] != v {
		return
	}
	if v.busy = busy; busy {
		c.silent--
		return
	}
	c.silent++
	c.order.MoveToBack(v.place)
}
