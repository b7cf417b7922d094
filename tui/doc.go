// Package tui is the mapper: the screens on which a person captures a sample
// webhook, picks attributes, sees the row they give, and saves the mapping.
//
// There is one Bubble Tea model. Its parts are plain structs with methods; what
// is done to the mapping are pure functions of package mapping. Update reads no
// clock and does no I/O: what comes from outside arrives as messages, and what
// goes out are commands that carry values. View draws what is visible and
// changes nothing.
//
// All text from outside (keys, values, names, errors) goes through
// [body.Printable] where it enters a line; the screens add nothing else to
// the terminal than text, the cursor's reverse video, bold, faint and the
// sixteen colours, and every state can be read without any of these.
package tui
