//go:build unix

package tui

import (
	"syscall"
	"time"
)

// spent is the time that the processors have worked for this process: unlike the clock, a
// machine that does other things as well does not stretch it.
func spent() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // it never fails for itself
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
