package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"loopmap/mapping"
	"loopmap/mapping/body"
	"loopmap/mapping/loops"
	"loopmap/mapping/receive"
)

func (a *app) triggerCommand() *cobra.Command {
	var t trigger
	c := &cobra.Command{
		Use:   "trigger EVENT",
		Short: "Send a signed, realistic webhook as Loops would",
		Long: "Sends a webhook as Loops does, signed with LOOPS_SIGNING_SECRET, about a made-up\n" +
			"contact with new ids. Without that secret it is signed with the trial secret of\n" +
			"this user and machine, for a loopmap on the same machine. Where --set gives the\n" +
			"contact of contact.created an id, email or userId, contactIdentity has it, too.\n\n" +
			"The events:\n\n  " + strings.Join(loops.Events, "\n  "),
		Example:   "loopmap trigger contact.created\nloopmap trigger contact.created --count 20 --set contact.plan=pro",
		Args:      exactly(1),
		ValidArgs: loops.Events,
		RunE: func(c *cobra.Command, args []string) error {
			t.event = args[0]
			return a.trigger(c.Context(), t)
		},
	}
	c.Flags().StringVar(&t.to, "to", "http://"+defaultListen+receive.Path, "`URL` to send it to")
	c.Flags().IntVar(&t.count, "count", 1, "send `N` of them, each about another contact")
	c.Flags().StringArrayVar(&t.set, "set", nil, "set an attribute: `PATH=VALUE`, VALUE being JSON or else text; may be repeated")
	c.Flags().BoolVar(&t.unsigned, "unsigned", false, "leave the signature out")
	_ = c.RegisterFlagCompletionFunc("set", func(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		return begun(settingsFor(strings.Join(args, "")), typed), cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	}) // which fails only where there is no such flag
	return c
}

type trigger struct {
	event, to string
	count     int
	set       []string
	unsigned  bool
	trial     bool // signed with the trial secret
}

// sent is what became of one webhook.
type sent struct {
	ID     string `json:"id"`
	Event  string `json:"event"`
	Email  string `json:"email,omitempty"`
	Code   int    `json:"code"`
	Answer string `json:"answer"`
	MS     int64  `json:"ms"`
}

func (a *app) trigger(ctx context.Context, t trigger) error {
	if t.count < 1 {
		return atLeast("--count", 1, t.count, "leave it out, and one is sent")
	}
	if !slices.Contains(loops.Events, t.event) {
		return noEvent(t.event)
	}
	to, err := url.Parse(t.to)
	if err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
		return usage("--to wants an address that a webhook can be sent to\nhint: write it as http://%s%s", defaultListen, receive.Path)
	}
	secrets, _, err := a.signingSecrets()
	switch {
	case t.unsigned:
		secrets = nil
	case err != nil:
		return err
	case secrets == nil && loopbackHost(to.Hostname()):
		secret, _, err := a.trial()
		if err != nil {
			return err
		}
		secrets, t.trial = []string{secret}, true
		a.say("trial: LOOPS_SIGNING_SECRET is not set, so this machine's own trial secret signs")
	case secrets == nil:
		return usage("LOOPS_SIGNING_SECRET is not set, so there is nothing to sign with: the trial secret is for this machine alone\n" +
			"hint: set it to the receiver's")
	}
	a.blanks.addAddress(to)
	client := &http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request,
		[]*http.Request) error {
		return http.ErrUseLastResponse
	}}
	failed, code := 0, 0
	for range t.count {
		s, err := a.send(ctx, client, t, secrets)
		if err != nil {
			return err
		}
		code = s.Code
		if s.Code < 200 || s.Code > 299 {
			failed++
		}
		if a.output == "json" {
			if err := jsonEncoder(a.stdout).Encode(s); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintln(a.stdout, body.Printable(fmt.Sprintf("%d  %s  %s  %s  %d ms  %s", s.Code, s.ID, s.Event, s.Email, s.MS, s.Answer)))
	}
	switch {
	case failed == t.count && t.trial && code == http.StatusUnauthorized:
		return errors.New("not taken by the receiver, which does not know this user's trial secret\n" +
			"hint: start it as the same user and without LOOPS_SIGNING_SECRET, or set LOOPS_SIGNING_SECRET to the receiver's")
	case failed == t.count:
		return errors.New("not taken by the receiver")
	case failed > 0:
		return &partError{fmt.Sprintf("%d of %d were not taken", failed, t.count)}
	}
	return nil
}

func (a *app) send(ctx context.Context, client *http.Client, t trigger, secrets []string) (s sent, err error) {
	body, err := loops.Fresh(t.event, a.now())
	if err != nil {
		return s, usage("%v", err)
	}
	for _, set := range withTwins(t.set, t.event) {
		if body, err = setAttribute(body, set); err != nil {
			return s, err
		}
	}
	prefix := "msg_"
	if t.trial {
		prefix = "trial_" // which the journal keeps
	}
	s = sent{ID: loops.NewID(prefix), Event: t.event, Email: mapping.FactsOf(body).Email}
	secret, at := "", a.now()
	if len(secrets) > 0 {
		secret = secrets[0]
	}
	q, err := loops.NewWebhook(ctx, t.to, secret, s.ID, at, body)
	if err != nil {
		return s, usage("--to: %v", withoutURL(err))
	}
	q.Header.Set("User-Agent", "loopmap-trigger")
	if a.debug {
		a.say("POST %s\n%s", bare(t.to), body)
	}
	p, err := client.Do(q)
	if err != nil {
		return s, fmt.Errorf("send to %s: %w\nhint: start `loopmap` or `loopmap sync` first, or say where with --to", bare(t.to), withoutURL(err))
	}
	defer p.Body.Close()
	text, err := io.ReadAll(io.LimitReader(p.Body, 4096))
	if err != nil {
		return s, fmt.Errorf("read the answer: %w", err)
	}
	s.Code, s.Answer, s.MS = p.StatusCode, strings.TrimSpace(string(text)), a.now().Sub(at).Milliseconds()
	return s, nil
}

// bare is a URL without what may be secret in it: user, password, query.
func bare(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "(no URL)"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// withoutURL is an error of net/http's client without the URL, which it quotes whole.
func withoutURL(err error) error {
	var quoting *url.Error
	if errors.As(err, &quoting) {
		return quoting.Err
	}
	return err
}

// withTwins are the --set of an event whose contact stands in it twice: who sets its id,
// email or userId in one place sets it in the other, unless that is set, too.
func withTwins(sets []string, event string) (all []string) {
	if event != loops.ContactCreated {
		return sets
	}
	given := "\n" + strings.Join(sets, "\n")
	for _, set := range sets {
		all = append(all, set)
		for _, name := range []string{"id", "email", "userId"} {
			one, other := "contact."+name+"=", "contactIdentity."+name+"="
			if strings.HasPrefix(set, other) {
				one, other = other, one
			}
			if value, ok := strings.CutPrefix(set, one); ok && !strings.Contains(given, "\n"+other) {
				all = append(all, other+value)
			}
		}
	}
	return all
}

// setAttribute carries out one --set.
func setAttribute(body []byte, set string) ([]byte, error) {
	// A quoted key may hold an equals sign: the first one outside of quotes splits.
	quoted, at := false, -1
	for i := 0; i < len(set) && at < 0; i++ {
		switch c := set[i]; {
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == '=' && !quoted:
			at = i
		}
	}
	if at < 0 {
		return nil, usage("--set wants PATH=VALUE, not %q\nhint: for example contact.plan=pro", set)
	}
	path, err := mapping.ParsePath(set[:at])
	if err != nil {
		return nil, usage("--set %s: %v", set, err)
	}
	value := []byte(set[at+1:])
	if !json.Valid(value) {
		if value, err = json.Marshal(string(value)); err != nil {
			return nil, err
		}
	}
	out, err := path.Set(body, value)
	if err != nil {
		return nil, usage("--set %s: %v", set, err)
	}
	return out, nil
}
