package sshd

import (
	"sync"
	"time"
)

// Limits bound what those who arrive, and those who are in, may take.
type Limits struct {
	Handshake time.Duration // from the first byte to the program
	Idle      time.Duration // without a key
	Longest   time.Duration // a session in all
	Sessions  int           // at once
	PerKey    int           // of them with one key
	Arriving  int           // connections that have not logged in
	PerHost   int           // of them from one address
}

// DefaultLimits are those of a server that nobody has told others.
func DefaultLimits() Limits {
	return Limits{
		Handshake: 15 * time.Second, Idle: 10 * time.Minute, Longest: 8 * time.Hour,
		Sessions: 8, PerKey: 4, Arriving: 64, PerHost: 16,
	}
}

// places are the sessions that there may be.
type places struct {
	all, perKey int

	mu    sync.Mutex
	taken map[string]int // by fingerprint
}

// take gives a key a place, or says why there is none.
func (s *places) take(fingerprint string) (why string) {
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

func (s *places) free(fingerprint string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[fingerprint]--; s.taken[fingerprint] == 0 {
		delete(s.taken, fingerprint)
	}
}
