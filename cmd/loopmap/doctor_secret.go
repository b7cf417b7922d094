package main

import (
	"fmt"
	"strings"
	"time"
)

// secretFacts are what there is of the signing secrets, and what they have verified.
type secretFacts struct {
	from    string // the variable that they are from
	all     int    // how many
	bare    int    // of them do not begin as Loops' do
	err     error
	running portFacts
	journal journalFacts
	now     time.Time
}

func (a *app) lookAtSecret() secretFacts {
	f := secretFacts{from: "LOOPS_SIGNING_SECRET"}
	list, _, err := a.signingSecrets()
	if v, _ := a.lookup(f.from); v == "" {
		f.from += "_FILE"
	}
	f.all, f.err = len(list), err
	for _, s := range list {
		if !strings.HasPrefix(s, "whsec_") {
			f.bare++
		}
	}
	return f
}

// compared is what to do where signatures are refused.
const compared = "compare LOOPS_SIGNING_SECRET with the secret in Loops, Settings, Webhooks; the log of sync says why each was refused"

func (f secretFacts) judge() finding {
	last, verified := f.verified()
	out := finding{"secret", stateOK, several(f.all, "signing secret is set in ", "signing secrets are set in ") + f.from + last, nil}
	switch {
	case f.err != nil:
		return failed("secret", f.err, "copy it whole (whsec_...) from Loops, Settings, Webhooks")
	case f.all == 0 && f.running.loopmap:
		return finding{"secret", stateWarning, "LOOPS_SIGNING_SECRET is not set here; the loopmap that runs has one, or is on trial" + last,
			[]string{"run loopmap doctor with the environment of sync to look at its secret"}}
	case f.all == 0:
		return finding{"secret", stateTrouble, "LOOPS_SIGNING_SECRET is not set, so nothing that Loops sends is taken" + last,
			[]string{"copy the secret (whsec_...) from Loops, Settings, Webhooks; or try things out on this machine with loopmap sync --trial"}}
	case f.running.refused > 0:
		out.State = stateWarning
		out.What += fmt.Sprintf("; %s since sync started", several(int(f.running.refused), "request was refused", "requests were refused"))
		out.Do = []string{compared}
	case f.bare > 0:
		out.State, out.Do = stateWarning, []string{"a secret of Loops begins with whsec_: copy it whole from Loops, Settings, Webhooks"}
	case !verified && f.journal.known:
		out.State, out.Do = stateWarning, []string{"let Loops send its test event (Settings, Webhooks), or run loopmap trigger contact.created"}
	}
	return out
}

// verified says when a webhook verified last: of those that came signed, only such are
// stored.
func (f secretFacts) verified() (words string, verified bool) {
	last := f.journal.last
	switch {
	case !f.journal.known:
		return "", false
	case last.ID == "":
		return "; no webhook has verified yet", false
	case strings.HasPrefix(last.ID, "unsigned_"):
		return "; the last webhook came without a signature, " + ago(last.Received, f.now), false
	}
	return "; the last webhook verified " + ago(last.Received, f.now), true
}
