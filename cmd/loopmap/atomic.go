package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// writeAtomic puts data in file's place, whole or not at all, also when the
// machine stops midway: a new file beside it, synced, then renamed over it. A
// link is followed and stays a link; owner, group and permissions stay.
//
// It is written out here since the libraries for it leave Windows out.
func writeAtomic(file string, data []byte) error { return writeAtomicAs(file, data, 0o644) }

// writeAtomicAs is writeAtomic with the permissions of a file that is new.
func writeAtomicAs(file string, data []byte, mode fs.FileMode) (err error) {
	target, err := filepath.EvalSymlinks(file)
	if errors.Is(err, fs.ErrNotExist) {
		target = file
	} else if err != nil {
		return err
	}
	before, err := os.Stat(target)
	if err == nil {
		mode = before.Mode().Perm()
	}
	dir := filepath.Dir(target)
	f, err := os.CreateTemp(dir, "."+filepath.Base(target)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("write %s: %w", file, err)
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if before != nil {
		if err = keepOwner(f, before); err != nil {
			return err
		}
	}
	if err = f.Chmod(mode); err != nil { // behind that, which may take rights away
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), target); err != nil {
		return err
	}
	if d, err := os.Open(dir); err == nil { // Windows cannot sync a folder, and need not
		_ = d.Sync()
		d.Close()
	}
	return nil
}
