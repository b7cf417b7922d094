//go:build !unix

package main

import (
	"os"

	"github.com/charmbracelet/x/term"
)

// resizes tells when the terminal has another size: here nothing does, and what is
// written next is as wide as it is by then.
func resizes() (<-chan os.Signal, func()) { return nil, func() {} }

func moved(os.Signal) bool { return false }

// foreground reports whether the terminal is this process's to draw on.
func foreground(w any) bool {
	f, ok := w.(term.File)
	return ok && term.IsTerminal(f.Fd())
}
