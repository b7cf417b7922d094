//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/sys/unix"
)

type (
	stopMsg struct{} // the shell takes the terminal
	contMsg struct{} // it has given it back
)

// suspendable lets a program be stopped for the shell, by ctrl+z or by a signal, and go
// on with the terminal as it needs it. Bubble Tea alone does so for ctrl+z only, and
// waits for ever where there is no shell to wake it.
func suspendable(options []tea.ProgramOption) (_ []tea.ProgramOption, attach func(*tea.Program) (detach func())) {
	var program *tea.Program
	options = append(options, tea.WithFilter(func(_ tea.Model, msg tea.Msg) tea.Msg {
		switch msg.(type) {
		case tea.SuspendMsg, stopMsg:
			if !jobs() {
				return nil
			}
			release(program)
			job := 0 // as a whole, where the key was pressed
			if _, signalled := msg.(stopMsg); signalled {
				job = os.Getpid()
			}
			stop(job)
		case contMsg: // something has stopped it without asking
			release(program)
		default:
			return msg
		}
		for range 20 { // a signal may come between
			if program.RestoreTerminal() == nil {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		return tea.ClearScreen()
	}))
	return options, func(p *tea.Program) func() {
		program = p
		stops, conts := make(chan os.Signal, 1), make(chan os.Signal, 1)
		signal.Notify(stops, syscall.SIGTSTP)
		signal.Notify(conts, syscall.SIGCONT)
		done := make(chan struct{})
		go func() {
			for {
				select {
				case <-stops:
					p.Send(stopMsg{})
				case <-conts:
					p.Send(contMsg{})
				case <-done:
					return
				}
			}
		}()
		return func() {
			signal.Stop(stops)
			signal.Stop(conts)
			close(done)
		}
	}
}

// release gives the terminal back. What draws on it ends by itself a moment later: were
// it begun anew before that, it would end the new one.
func release(p *tea.Program) {
	_ = p.ReleaseTerminal()
	time.Sleep(50 * time.Millisecond)
}

// jobs reports whether a shell looks after jobs here: then it has given this one a group
// of its own. Else nobody would wake it.
func jobs() bool {
	session, err := unix.Getsid(0)
	return err == nil && session != syscall.Getpgrp()
}

// stop stops a process, or with 0 its whole job, until it is woken.
func stop(pid int) {
	woken := make(chan os.Signal, 1)
	signal.Notify(woken, syscall.SIGCONT)
	defer signal.Stop(woken)
	if syscall.Kill(pid, syscall.SIGSTOP) != nil { // the softer SIGTSTP is caught for good
		return
	}
	select {
	case <-woken:
	case <-time.After(time.Second): // of running time: it was woken before this could hear it
	}
}
