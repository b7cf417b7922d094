package main

import (
	"context"
	"log/slog"
	"net"
	"sync"

	"loopmap/mapping"
	"loopmap/mapping/receive"
	"loopmap/tui"
	"loopmap/tui/sshd"
)

// sshHost serves the mapper of one mapping file to all who log in. A nil one, of a
// process that serves none, may be told things too.
type sshHost struct {
	app      *app
	file     string
	log      *slog.Logger
	server   *sshd.Server
	listener net.Listener
	journal  *feed

	saving    sync.Mutex    // one save at a time, from its check to its file
	searching chan struct{} // has room for one: so that looking costs receiving little

	mu      sync.Mutex
	listen  tui.Listen
	savers  map[string]string // who has saved a version of the mapping, by its hash
	screens map[*watcher]bool
	drafts  map[string]bool // that sessions have claimed
}

// watcher is what one open screen hears of what goes on.
type watcher struct {
	arrivals chan tui.Arrival
	news     chan tui.News
}

// run lets people in until ctx ends.
func (h *sshHost) run(ctx context.Context) {
	if h == nil {
		return
	}
	if err := h.server.Serve(ctx, h.listener); err != nil {
		h.log.Error("ssh: nobody can log in any more", "error", err)
	}
}

// join adds a screen, until it leaves.
func (h *sshHost) join() (w *watcher, leave func()) {
	w = &watcher{make(chan tui.Arrival, 256), make(chan tui.News, 16)}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.screens[w] = true
	return w, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.screens, w)
		close(w.arrivals) // those who wait for more stop waiting
		close(w.news)
	}
}

// arrived shows a webhook on every open screen.
func (h *sshHost) arrived(x receive.Arrival) {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.screens) == 0 {
		return
	}
	var public publicURL
	if h.listen.Public {
		public, _ = parsePublic(h.listen.URL) // which it was made of
	}
	a := asArrival(x, public)
	for w := range h.screens {
		select {
		case w.arrivals <- a:
		default: // the screen does not keep up; the journal has it
		}
	}
}

// reloaded says on every open screen that the mapping has changed, and by whom.
func (h *sshHost) reloaded(m *mapping.Mapping) {
	if h == nil {
		return
	}
	words := "the mapping file has changed"
	h.mu.Lock()
	if who := h.savers[m.Hash]; who != "" {
		words = who + " has saved the mapping"
	}
	if h.listen.Problem == "" {
		words += "; sync works by it now"
	}
	h.mu.Unlock()
	h.journal.reread()
	h.tell(tui.News{Words: words, Changed: true})
}

// notReloaded says on every open screen that the file is not taken up.
func (h *sshHost) notReloaded(err error) {
	if h != nil {
		h.tell(tui.News{Words: "the mapping file has changed, but sync stays with the one before: " + err.Error(), Bad: true})
	}
}

func (h *sshHost) tell(n tui.News) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.screens {
		select {
		case w.news <- n:
		default:
		}
	}
}

// saved notes who has saved which version, in the log and for the other screens.
func (h *sshHost) saved(g *sshd.Guest, hash string) {
	h.log.Info("mapping saved", "file", h.file, "mapping", hash, "key", g.Key().Fingerprint, "comment", g.Key().Comment, "address",
		g.Address())
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.savers) > 1000 {
		clear(h.savers)
	}
	h.savers[hash] = g.Key().Name()
}

// watchFile tells of changes of the file, for a process that does not work by it.
func (h *sshHost) watchFile(ctx context.Context) {
	(&fileWatch{file: h.file, running: func() string { return h.journal.b.hash() }, failed: func(error) {}, take: func(context.Context) error {
		m, _, err := h.app.readMapping(h.file)
		if err == nil {
			h.reloaded(m)
		}
		return err
	}}).run(ctx)
}
