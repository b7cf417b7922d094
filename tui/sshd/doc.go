// Package sshd serves a program on terminals over SSH: it lets people in by their public
// keys alone, bounds what each may take, and hands each a [Guest] to read from and write
// to. What a guest is shown is for [Server.Show] to say.
package sshd

import "fmt"

// MistakeError is one in how the server is set up, with what to do about it.
type MistakeError struct{ Msg string }

func (e *MistakeError) Error() string { return e.Msg }

func mistake(format string, args ...any) error { return &MistakeError{fmt.Sprintf(format, args...)} }
