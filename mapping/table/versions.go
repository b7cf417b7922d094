package table

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"loopmap/mapping"
)

// Version is a version of the mapping file that has mapped something.
type Version struct {
	Hash      string // of its bytes: [mapping.HashOf]
	Text      string // the file, byte for byte
	FirstUsed time.Time
}

// keptVersions are the hashes of the versions that a database is known to have, so that it
// is not asked with each delivery.
type keptVersions struct {
	mu   sync.Mutex
	have map[string]bool
}

func (k *keptVersions) has(hash string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.have[hash]
}

func (k *keptVersions) add(list []Version) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.have == nil {
		k.have = map[string]bool{}
	}
	for _, v := range list {
		k.have[v.Hash] = true
	}
}

// forget is for when another database has come to the place of the one before.
func (k *keptVersions) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.have = nil
}

func (s *sqliteEngine) versions() *keptVersions   { return &s.kept }
func (p *postgresEngine) versions() *keptVersions { return &p.kept }

const keepVersion = "INSERT INTO loopmap_mappings (hash, text, first_used_at) VALUES (?, ?, ?) ON CONFLICT (hash) DO NOTHING"

// newVersions are the versions that have mapped entries and that the database is not known
// to have, in the order of their hashes: all processes write them in one order.
func (s *Store) newVersions(entries []mapping.Entry) (list []Version) {
	var last *mapping.Mapping
	for _, e := range entries {
		m := e.Mapping
		if m == last || m == nil || m.Hash == "" || s.text == nil {
			continue
		}
		if last = m; s.versions().has(m.Hash) {
			continue
		}
		text, ok := s.text(m.Hash)
		if !ok || mapping.HashOf(text) != m.Hash || !utf8.Valid(text) || slices.Contains(text, 0) {
			continue // it is of no file, or of one that no database takes as text
		}
		if !slices.ContainsFunc(list, func(v Version) bool { return v.Hash == m.Hash }) {
			list = append(list, Version{m.Hash, string(text), time.Now()})
		}
	}
	slices.SortFunc(list, func(a, b Version) int { return strings.Compare(a.Hash, b.Hash) })
	return list
}

// Versions are those of the mapping file that the journal has of these hashes, by hash. A
// database of a version of loopmap that kept none has none.
func (s *Store) Versions(ctx context.Context, hashes []string) (map[string]Version, error) {
	found := map[string]Version{}
	there, err := s.has(ctx, "loopmap_mappings")
	if err != nil || !there || len(hashes) == 0 {
		return found, s.explain(err)
	}
	where, args := s.among("hash", "text", hashes)
	err = s.ask(ctx, "SELECT hash, text, first_used_at FROM loopmap_mappings WHERE "+where, args, func(v []stored) error {
		found[v[0].text] = Version{v[0].text, v[1].text, readClock(v[2])}
		return nil
	})
	return found, s.explain(err)
}
