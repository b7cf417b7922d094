package main

import (
	"sync"
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
