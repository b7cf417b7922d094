package main

import (
	"github.com/charmbracelet/x/term"
	"golang.org/x/sys/windows"
)

// hider keeps what is typed on a console off it until show is called; nil where that cannot
// be.
func hider(f term.File) (hide func() (show func())) {
	console := windows.Handle(f.Fd())
	var mode uint32
	if windows.GetConsoleMode(console, &mode) != nil {
		return nil
	}
	return func() func() {
		_ = windows.SetConsoleMode(console, mode&^windows.ENABLE_ECHO_INPUT)
		return func() { _ = windows.SetConsoleMode(console, mode) }
	}
}
