package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"loopmap/mapping"
)

// claim gives a session a draft of its own, among those of its key: one that waits
// from an earlier session, else a new one. So two sessions of one key that are lost
// leave two drafts, each offered to one that comes after.
func (h *sshHost) claim(b *backend, key string) (release func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	free := ""
	for n := 1; n <= h.server.Limits.PerKey; n++ {
		b.owner = fmt.Sprintf("%s %d", key, n)
		if h.drafts[b.owner] {
			continue
		}
		if _, err := os.Stat(b.draftFile()); err == nil {
			free = b.owner
			break
		}
		if free == "" {
			free = b.owner
		}
	}
	b.owner = free
	h.drafts[free] = true
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.drafts, free)
	}
}

// ended keeps what a guest had not saved, and says so.
func (b *sshBackend) ended(ctx context.Context, m *mapping.Mapping) error {
	why := context.Cause(ctx)
	if why == nil {
		why = io.EOF
	}
	if b.guest.Key().ReadOnly {
		return fmt.Errorf("closed: %w", why)
	}
	if err := b.own.keepDraft(m); err != nil {
		return fmt.Errorf("closed: %w; what was not saved is lost: %w", why, err)
	}
	b.host.log.Info("ssh: draft kept", "file", b.own.draftFile(), "key", b.guest.Key().Fingerprint)
	return fmt.Errorf("closed: %w; the mapping was not saved, a draft of it is kept\n"+
		"hint: log in again with the same key, and it is offered", why)
}
