package main

import (
	"sync"

	"loopmap/mapping"
)

// versions are the mapping files that were read, by their hashes: the journal keeps the text
// of each that has mapped something.
type versions struct{ texts sync.Map }

// text is the file whose bytes have a hash.
func (v *versions) text(hash string) ([]byte, bool) {
	text, ok := v.texts.Load(hash)
	if !ok {
		return nil, false
	}
	return text.([]byte), true
}

// parse is [mapping.Parse]. What it has read can be mapped by from now on.
func (a *app) parse(name string, src []byte) (*mapping.Mapping, error) {
	m, err := mapping.Parse(name, src)
	if err == nil {
		a.versions.texts.Store(m.Hash, src)
	}
	return m, err
}
