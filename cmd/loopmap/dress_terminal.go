package main

import (
	"runtime"
	"strings"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"
)

// colors are those that the terminal shows, of its own sixteen.
func colors(lookup func(string) (string, bool)) colorprofile.Profile {
	var environ []string
	for _, name := range terminalNames {
		if v, ok := lookup(name); ok && name != "NO_COLOR" { // whose every value counts, below
			environ = append(environ, name+"="+v)
		}
	}
	p := min(colorprofile.Env(environ), colorprofile.ANSI)
	name, _ := lookup("TERM")
	if none, _ := lookup("NO_COLOR"); none != "" || name == "vt100" {
		p = min(p, colorprofile.ASCII)
	}
	return p
}

// plain reports whether only ASCII may be written: without a locale of UTF-8, and on
// terminals that have no other characters.
func plain(lookup func(string) (string, bool)) bool {
	switch name, _ := lookup("TERM"); name {
	case "linux", "vt100", "vt220":
		return true
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v, _ := lookup(name); v != "" {
			v = strings.ToLower(v)
			return !strings.Contains(v, "utf-8") && !strings.Contains(v, "utf8")
		}
	}
	return runtime.GOOS != "windows"
}

// usualWidth is that of a terminal that does not say.
const usualWidth = 80

// widthOf is how many cells a line of the terminal has.
func widthOf(w any) int {
	if f, ok := w.(term.File); ok {
		if n, _, err := term.GetSize(f.Fd()); err == nil && n > 0 {
			return n
		}
	}
	return usualWidth
}

// terminalNames are the variables that say what the terminal is like.
var terminalNames = []string{"TERM", "COLORTERM", "CLICOLOR", "CLICOLOR_FORCE", "NO_COLOR", "WT_SESSION", "LC_ALL", "LC_CTYPE", "LANG",
	"TMUX", "STY"}
