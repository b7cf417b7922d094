package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"loopmap/mapping"
)

// A draft is what a mapper had not saved when its link or its process went. It
// lies beside the mapping file, as the file that a save would have written.

func (b *backend) draftFile() string {
	name := "." + filepath.Base(b.file)
	if b.owner != "" {
		name += fmt.Sprintf(".%.6x", sha256.Sum256([]byte(b.owner)))
	}
	return filepath.Join(folder(b.file), name+".draft")
}

// keepDraft keeps what was not saved for the next start.
func (b *backend) keepDraft(m *mapping.Mapping) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	out, err := mapping.Rewrite(b.file, b.read, m)
	if err != nil {
		return err
	}
	return writeAtomic(b.draftFile(), out)
}

// stopped keeps a draft of what was not saved when the mapper was stopped, and is
// the error that says so.
func (b *backend) stopped(m *mapping.Mapping) error {
	if err := b.keepDraft(m); err != nil {
		return fmt.Errorf("stopped; what was not saved is lost: %w", err)
	}
	return fmt.Errorf("stopped; the mapping was not saved, a draft of it is kept\nhint: loopmap %s offers it", b.file)
}

// draft is what an earlier mapper has kept, nil when there is none.
func (b *backend) draft() *mapping.Mapping {
	src, err := readSmall(b.draftFile())
	if err != nil {
		return nil
	}
	m, err := mapping.Parse(b.draftFile(), src)
	if err != nil {
		return nil // written by another version; it stays for a person to look at
	}
	if b.current == nil {
		return m
	}
	return m.Adopt(b.current) // the file may have been changed since
}

// DropDraft throws the draft away.
func (b *backend) DropDraft() error {
	if err := os.Remove(b.draftFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
