//go:build unix

package main

import (
	"github.com/charmbracelet/x/term"
	"golang.org/x/sys/unix"
)

// hider keeps what is typed on a terminal off it, line by line as before, until show is
// called; nil where that cannot be.
func hider(f term.File) (hide func() (show func())) {
	fd := int(f.Fd())
	if _, err := unix.IoctlGetTermios(fd, getTermios); err != nil {
		return nil
	}
	return func() func() {
		was, err := unix.IoctlGetTermios(fd, getTermios)
		if err != nil {
			return func() {}
		}
		hidden := *was
		hidden.Lflag &^= unix.ECHO
		_ = unix.IoctlSetTermios(fd, setTermios, &hidden)
		return func() { _ = unix.IoctlSetTermios(fd, setTermios, was) }
	}
}
