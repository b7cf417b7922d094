// Package body reads a webhook's JSON: paths into it, the values where they stand, and the
// tree of what samples have.
//
// A body is read in one walk, strictly by RFC 8259, however many paths are asked for
// ([Finder]). No character of a key ever has a meaning, of a doubled key the last counts,
// and a value keeps the text that it was written with. [Printable] makes what came from
// outside fit for a terminal.
package body
