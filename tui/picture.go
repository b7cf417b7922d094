package tui

import _ "embed" // for Picture

// Picture is the map screen as text, for --help. A test holds it against the
// screen.
//
//go:embed testdata/picture.golden
var Picture string
