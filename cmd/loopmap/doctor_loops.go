package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"loopmap/mapping"
	"loopmap/mapping/column"
	"loopmap/mapping/loops"
)

// loopsFacts are what there is of the API key, and what Loops says to it.
type loopsFacts struct {
	err     error
	there   bool // a key
	none    error
	name    string // of the connection
	mapped  bool   // there is a mapping
	pushes  bool   // the mapping has a push part
	sends   bool   // and sync sends by it
	offline bool
	found   *connection
	clock   clockFacts
}

// clockFacts compare this machine's clock with that of Loops.
type clockFacts struct {
	asked string        // the host
	known bool          // it said what time it is
	ahead time.Duration // of this machine's
}

func (a *app) lookAtLoops(ctx context.Context, m *mapping.Mapping, fields []column.Field, offline bool) loopsFacts {
	f := loopsFacts{offline: offline, mapped: m != nil, pushes: m != nil && m.Push != nil, sends: m != nil && sends(m), none: a.noKey()}
	source, err := a.keySource(m)
	switch {
	case err != nil:
		f.err = err
	case source != nil:
		if f.there, f.name = true, source.connection; offline {
			_, f.err = source.key()
		}
	}
	if offline {
		return f
	}
	watch := &clockWatch{now: a.now}
	if f.there {
		if m == nil {
			m = &mapping.Mapping{} // the team is asked for all the same
		}
		f.found, f.err = a.askLoops(ctx, m, fields, watch)
	}
	if watch.date.Load() == nil {
		a.askTime(ctx, watch)
	}
	f.clock = watch.facts()
	return f
}

// askTime asks Loops without a key, for the Date of its answer alone.
func (a *app) askTime(ctx context.Context, watch *clockWatch) {
	endpoint, err := a.env("LOOPS_ENDPOINT_URL")
	if err != nil {
		return
	}
	if endpoint == "" {
		endpoint = loops.DefaultEndpoint
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodHead, endpoint, nil)
	if err != nil {
		return
	}
	if p, err := watch.RoundTrip(q); err == nil {
		p.Body.Close()
	}
}

// clockWatch notes what time the answers say it is.
type clockWatch struct {
	now   func() time.Time
	date  atomic.Pointer[time.Duration] // by which this machine's clock is ahead
	asked atomic.Pointer[url.URL]
}

// RoundTrip is http.RoundTripper's.
func (w *clockWatch) RoundTrip(q *http.Request) (*http.Response, error) {
	w.asked.Store(q.URL)
	sent := w.now()
	p, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		return nil, err
	}
	if at, err := http.ParseTime(p.Header.Get("Date")); err == nil {
		ahead := aheadOf(sent, w.now(), at)
		w.date.Store(&ahead)
	}
	return p, nil
}

// aheadOf is how far a clock is at least before another one that said, somewhen between
// two moments, what second it was; 0 where both may be right.
func aheadOf(sent, came, said time.Time) time.Duration {
	switch {
	case sent.Sub(said) > time.Second:
		return sent.Sub(said) - time.Second
	case came.Before(said):
		return came.Sub(said)
	}
	return 0
}

func (w *clockWatch) facts() (f clockFacts) {
	if u := w.asked.Load(); u != nil {
		f.asked = u.Host
	}
	if ahead := w.date.Load(); ahead != nil {
		f.known, f.ahead = true, *ahead
	}
	return f
}

func (f loopsFacts) judgeKey(running portFacts) finding {
	out := finding{Check: "key", State: stateOK}
	switch {
	case f.err != nil:
		return failed("key", f.err, "loopmap connect keeps one (Loops, Settings, API)")
	case !f.there && !f.mapped:
		out.State, out.What = stateSkipped, "there is no API key; whether one is needed the mapping file says"
	case !f.there && !f.pushes:
		out.What = "there is no API key, and none is needed: the mapping sends nothing back"
	case !f.there:
		out = failed("key", f.none, "loopmap connect keeps one")
		if running.loopmap {
			out.State, out.What = stateWarning, out.What+" here; the loopmap that runs may have one"
		} else if !f.sends {
			out.State = stateWarning
		}
	case f.offline:
		out.What = (&connection{Name: f.name}).key() + " is there; it was not tried, which --offline says"
	case f.found.refused:
		out.State, out.What = stateTrouble, f.found.Host+" does not know "+f.found.key()+": "+f.found.Trouble
		out.Do = []string{strings.TrimPrefix(f.found.again(), hintMark[1:])}
	case f.found.Trouble != "":
		out.State, out.What = stateWarning, f.found.key()+" could not be tried at "+f.found.Host+": "+f.found.Trouble
		out.Do = []string{"is there a way to the network from here? A proxy is named by HTTPS_PROXY; --offline asks nothing"}
	case len(f.found.Misfits) > 0:
		out.State = stateTrouble
		out.What = fmt.Sprintf("%s is of team %s; the push part does not fit what that has: %s", f.found.key(), f.found.Team,
			strings.Join(f.found.Misfits, "; "))
		out.Do = []string{"change the mapping, or make the property in Loops, Settings"}
	default:
		out.What = fmt.Sprintf("%s is of team %s (%s)", f.found.key(), f.found.Team, f.found.Host)
	}
	return out
}

// tolerance is loops.Tolerance in words.
const tolerance = "5 minutes"

// clockMuch is how far clocks may differ before that is worth a word.
const clockMuch = time.Minute

func (f loopsFacts) judgeClock() finding {
	off := f.clock.ahead.Abs().Round(time.Second)
	which := "ahead of"
	if f.clock.ahead < 0 {
		which = "behind"
	}
	what := fmt.Sprintf("this machine's clock is %v %s that of %s; webhooks are refused beyond %s", off, which, f.clock.asked, tolerance)
	set := []string{"let it be set by the network: timedatectl set-ntp true, or the system's settings"}
	switch {
	case f.offline:
		return finding{Check: "clock", State: stateSkipped, What: "nobody was asked what time it is, which --offline says"}
	case !f.clock.known:
		return finding{"clock", stateWarning, "not known: " + f.clock.asked + " has not said what time it is",
			[]string{"webhooks are refused when this machine's clock is off by more than " + tolerance}}
	case off > loops.Tolerance:
		return finding{"clock", stateTrouble, what, set}
	case off > clockMuch:
		return finding{"clock", stateWarning, what, set}
	}
	return finding{Check: "clock", State: stateOK, What: "this machine's clock and that of " + f.clock.asked + " agree"}
}
