//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/charmbracelet/x/term"
	"golang.org/x/sys/unix"
)

// resizes tells when the terminal has another size, or is this process's again.
func resizes() (<-chan os.Signal, func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGWINCH, syscall.SIGCONT)
	return c, func() { signal.Stop(c) }
}

// moved reports whether the cursor is elsewhere by now: others had the terminal.
func moved(s os.Signal) bool { return s == syscall.SIGCONT }

// foreground reports whether the terminal is this process's to draw on. In the background
// the cursor is in a line of the shell.
func foreground(w any) bool {
	f, ok := w.(term.File)
	if !ok {
		return false
	}
	group, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPGRP)
	return err != nil || group == syscall.Getpgrp() // with an error it is nobody's
}
