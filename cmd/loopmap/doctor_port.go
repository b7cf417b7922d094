package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"loopmap/mapping/receive"
)

// callTime is how long an answer is waited for at most.
const callTime = 10 * time.Second

// portFacts are what there is at the address on which sync listens.
type portFacts struct {
	listen   string
	err      error  // why nobody could listen there
	free     bool   // nobody does
	loopmap  bool   // a loopmap does
	ready    bool   // and would store a delivery now
	why      string // it would not
	refused  int64  // requests that it has refused
	instance string // what it alone answers, or what doctor answers there meanwhile
	works    string // the fingerprint of what it works on; "" where it does not say
	another  bool   // which is another table
}

// lookAtPort looks who listens. Where nobody does, doctor answers there until stop: who is
// told by a public URL is told whether that leads here.
func (a *app) lookAtPort(ctx context.Context, listen string) (f portFacts, stop func()) {
	f, stop = portFacts{listen: listen}, func() {}
	l, err := net.Listen("tcp", listen)
	if f.free = err == nil; f.free {
		stop = a.answerAt(ctx, l)
	}
	at, here := "http://"+reached(listen), &http.Transport{DisableKeepAlives: true} // by no proxy
	there := call(ctx, here, at+receive.Path)
	f.instance, f.works = there.instance, there.works
	switch f.loopmap = !f.free && f.instance != ""; {
	case f.free:
		return f, stop
	case !f.loopmap && !errors.Is(err, syscall.EADDRINUSE):
		f.err = err
		return f, stop
	case !f.loopmap:
		return f, stop
	}
	said := call(ctx, here, at+"/readyz")
	f.ready, f.why = said.status == http.StatusOK, said.reason
	f.refused = refusedIn(call(ctx, here, at+"/metrics").body)
	return f, stop
}

// answerAt answers who asks which process is here, and stores nothing: a webhook that
// comes meanwhile is answered so that it is sent again.
func (a *app) answerAt(ctx context.Context, l net.Listener) (stop func()) {
	r := receive.New(receive.Config{Now: a.now, Log: quiet(),
		Verify: func(http.Header, []byte, time.Time) (string, error) {
			return "", errors.New("loopmap doctor is here for a moment: send it again")
		}})
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = receive.Serve(ctx, l, r, quiet())
	}()
	return func() {
		cancel()
		<-done
		r.Close()
	}
}

// runs is the loopmap at the port, where it works on the table that is looked at.
func (f portFacts) runs() portFacts {
	if f.another {
		return portFacts{}
	}
	return f
}

// elsewhere reports whether the loopmap at the port says that it works on another table than
// a file's.
func (f portFacts) elsewhere(file fileFacts) bool {
	return f.loopmap && f.works != "" && file.m != nil && file.noURL == nil &&
		f.works != receive.Fingerprint(f.instance, worksOn(file.m, file.url, file.name))
}

// reached is an address by which this machine reaches what listens there.
func reached(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return listen
}

// called is what came of a call.
type called struct {
	err      error
	status   int
	location string // it sends on to
	instance string // which loopmap answers; "" where none does
	works    string // the fingerprint of what that works on
	reason   string // what a loopmap says is wrong
	body     []byte
}

// call asks an address, and which loopmap is there. It is not sent on, as no webhook is.
func call(ctx context.Context, by http.RoundTripper, url string) (c called) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return called{err: err}
	}
	q.Header.Set(receive.AskHeader, "doctor")
	q.Header.Set("User-Agent", "loopmap")
	p, err := by.RoundTrip(q)
	if err != nil {
		return called{err: err}
	}
	defer p.Body.Close()
	c = called{status: p.StatusCode, location: p.Header.Get("Location"), instance: p.Header.Get(receive.InstanceHeader),
		works: p.Header.Get(receive.WorksHeader)}
	c.body, _ = io.ReadAll(io.LimitReader(p.Body, maxSmall)) // what of it has come
	var said struct{ Error string }
	_ = json.Unmarshal(c.body, &said) // what is none has no reason
	c.reason = said.Error
	return c
}

// refusedIn reads off the metrics how many requests were refused.
func refusedIn(metrics []byte) int64 {
	for s := bufio.NewScanner(bytes.NewReader(metrics)); s.Scan(); {
		if text, found := strings.CutPrefix(s.Text(), `loopmap_deliveries_total{outcome="refused"} `); found {
			n, _ := strconv.ParseInt(text, 10, 64)
			return n
		}
	}
	return 0
}

func (f portFacts) judge() finding {
	switch {
	case f.err != nil:
		return finding{"port", stateTrouble, fmt.Sprintf("nobody can listen on %s: %v", f.listen, f.err),
			[]string{"--listen takes another address, as " + defaultListen}}
	case f.free:
		return finding{Check: "port", State: stateOK, What: f.listen + " is free: loopmap sync can listen there, and does not run there now"}
	case !f.loopmap:
		_, port, _ := net.SplitHostPort(f.listen)
		return finding{"port", stateTrouble, f.listen + " is taken, and not by this version of loopmap",
			[]string{"lsof -i :" + port + " names who has it: end that, or give another --listen"}}
	case f.another:
		return finding{"port", stateTrouble, "another loopmap runs at " + f.listen + ", on another table or database",
			[]string{"give another --listen here, or end that one; loopmap doctor FILE looks at it, FILE being its mapping file"}}
	case !f.ready:
		return finding{"port", stateTrouble, "a loopmap runs at " + f.listen + ", and would store no delivery now: " + f.why,
			[]string{"its log says why; what is wrong with the database stands above"}}
	}
	return finding{Check: "port", State: stateOK, What: "a loopmap runs at " + f.listen + ", and would store a delivery now"}
}
