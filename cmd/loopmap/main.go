// Command loopmap maps Loops webhooks to the columns of a table, and keeps the
// table in step.
//
// Standard output carries data only; words for people go to standard error. The
// exit status is 0 when all is done, 1 when it failed, 2 for wrong usage or a
// wrong mapping file, 3 when it is done in part.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"charm.land/lipgloss/v2"
)

func main() {
	for _, f := range []*os.File{os.Stdout, os.Stderr} {
		lipgloss.EnableLegacyWindowsANSI(f)
	}
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	code := run(ctx, &app{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		lookup: os.LookupEnv, now: time.Now,
	}, os.Args[1:])
	stop()
	os.Exit(code)
}

// app is what a command has of the world around it.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	lookup         func(string) (string, bool) // the environment
	now            func() time.Time

	both   sync.Map // variables that were found twice, which is said once
	blanks blanks

	versions versions

	output string // -o: text or json
	debug  bool
	noData bool   // the log holds nothing of what the rows hold
	team   string // whose API key the keyring gives, of those that the loops command stored; "" for none

	connection string // --connection: the name under which the API key is kept; "" for none
}
