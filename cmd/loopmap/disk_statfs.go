//go:build linux || darwin

package main

import "golang.org/x/sys/unix"

// freeBytes is how much of a folder's disk its users may still fill.
func freeBytes(dir string) (uint64, bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return s.Bavail * uint64(s.Bsize), true //nolint:unconvert // its type is another one on each system
}
