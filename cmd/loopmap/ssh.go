package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/crypto/ssh"

	"loopmap/mapping/receive"
	"loopmap/tui"
	"loopmap/tui/sshd"
)

const defaultSSH = "127.0.0.1:8722"

// sshFlags say who may log in, and where.
type sshFlags struct {
	listen, authorizedKeys, hostKey string
	publicURL                       string // of the webhooks; for sync
	sessions, perKey                int
}

// register adds the flags; the address has another name, and default, with sync.
func (f *sshFlags) register(fs *pflag.FlagSet, address, listen, usage string) {
	l := sshd.DefaultLimits()
	fs.StringVar(&f.listen, address, listen, usage)
	fs.StringVar(&f.authorizedKeys, "authorized-keys", "", "`FILE` with the public keys of those who may log in over SSH")
	fs.StringVar(&f.hostKey, "host-key", "", "`FILE` of the SSH host key, made when it is not there (default "+sshd.HostKeyName+" beside "+
		"the mapping)")
	fs.IntVar(&f.sessions, "sessions", l.Sessions, "let at most `N` be logged in over SSH at once")
	fs.IntVar(&f.perKey, "sessions-per-key", l.PerKey, "and at most `N` of them with one key")
}

func (a *app) sshCommand() *cobra.Command {
	var f sshFlags
	c := &cobra.Command{
		Use:   "ssh [FILE]",
		Short: "Serve the mapper over SSH",
		Long: "Serves the mapper of FILE to those whose public keys stand in\n" +
			"--authorized-keys: no password, no shell, no files, no forwarding, nothing but\n" +
			"the mapper. A key with the option read-only looks and cannot save. This command\n" +
			"receives no webhooks; `loopmap sync --ssh ADDR` does both.",
		Example: "loopmap ssh --authorized-keys team_keys\nssh -p 8722 127.0.0.1",
		Args:    atMost(1),
		RunE:    func(c *cobra.Command, args []string) error { return a.ssh(c.Context(), fileArg(args), f) },
	}
	a.connectionFlag(c)
	f.register(c.Flags(), "listen", defaultSSH, "`ADDRESS` to listen on")
	return c
}

// ssh serves the mapper until ctx ends.
func (a *app) ssh(ctx context.Context, file string, f sshFlags) error {
	h, err := a.sshHost(file, f, a.logger())
	if err != nil {
		return err
	}
	h.listen.Problem = "this process receives no webhooks; `loopmap sync` does"
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var watching sync.WaitGroup
	watching.Go(func() { h.watchFile(ctx) })
	err = h.server.Serve(ctx, h.listener)
	stop()
	watching.Wait()
	h.log.Info("stopped")
	return err
}

// sshHost listens for those who may log in; nil without an address. Whatever is
// wrong with the keys is said here, and then nothing listens.
func (a *app) sshHost(file string, f sshFlags, log *slog.Logger) (*sshHost, error) {
	if f.listen == "" {
		return nil, nil
	}
	limits := sshd.DefaultLimits()
	limits.Sessions, limits.PerKey = f.sessions, f.perKey
	switch least := "leave it out, and the usual limit holds"; {
	case f.sessions < 1:
		return nil, atLeast("--sessions", 1, f.sessions, least)
	case f.perKey < 1:
		return nil, atLeast("--sessions-per-key", 1, f.perKey, least)
	}
	keys := sshd.KeyFile(f.authorizedKeys)
	n, wrong, err := keys.Check()
	if err != nil {
		return nil, asUsage(err)
	}
	for _, w := range wrong {
		log.Warn("ssh: a line of the authorized_keys file gives no key", "why", w)
	}
	if f.hostKey == "" {
		f.hostKey = filepath.Join(folder(file), sshd.HostKeyName)
	}
	signer, err := sshd.HostKey(f.hostKey)
	if err != nil {
		return nil, asUsage(err)
	}
	l, err := net.Listen("tcp", f.listen)
	if err != nil {
		return nil, fmt.Errorf("listen for ssh: %w\nhint: another loopmap may be running; another address can be given", err)
	}
	h := &sshHost{
		app: a, file: file, log: log, listener: l,
		journal:   &feed{b: &backend{app: a, file: file}, now: a.now},
		searching: make(chan struct{}, 1),
		savers:    map[string]string{}, screens: map[*watcher]bool{}, drafts: map[string]bool{},
	}
	h.journal.reread()
	h.server = &sshd.Server{Keys: keys, Signer: signer, Limits: limits, Log: log, Now: a.now, Show: h.showBlanked}
	log.Info("ssh: listening", "address", l.Addr().String(), "host_key", ssh.FingerprintSHA256(signer.PublicKey()), "authorized_keys",
		f.authorizedKeys, "keys", n)
	return h, nil
}

// asUsage makes a mistake in how the server is set up one of usage.
func asUsage(err error) error {
	if m := (*sshd.MistakeError)(nil); errors.As(err, &m) {
		return usage("%s", m.Msg)
	}
	return err
}

// receiving says on the capture screens what the running process awaits.
func (h *sshHost) receiving(l tui.Listen) {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.listen = l
}

// close stops listening, for a process that ends before it has let anybody in.
func (h *sshHost) close() {
	if h != nil {
		h.listener.Close()
	}
}

// awaited is what the capture screens say of a sync that listens at an address.
func (a *app) awaited(address string, public publicURL) tui.Listen {
	list, _, _ := a.signingSecrets()
	l := tui.Listen{URL: "http://" + address + receive.Path, Secrets: len(list), Ways: ways(address)}
	if shown := public.shown(); shown != "" {
		l.Public, l.URL = true, shown
	}
	return l
}
