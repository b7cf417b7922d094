package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// publicFacts are what came of calling the public URL.
type publicFacts struct {
	public  publicURL
	offline bool
	port    portFacts
	said    called
	journal journalFacts
	now     time.Time
}

func lookAtPublic(ctx context.Context, public publicURL, port portFacts, offline bool) publicFacts {
	f := publicFacts{public: public, offline: offline, port: port}
	if public.u != nil && !offline {
		f.said = call(ctx, http.DefaultTransport, public.shown())
	}
	return f
}

func (f publicFacts) judge() finding {
	url, led := f.public.shown(), "let it lead to http://"+reached(f.port.listen)+", path and all"
	wrong := func(what, do string, more ...string) finding {
		return finding{"public URL", stateTrouble, what, append([]string{do}, more...)}
	}
	switch status := f.said.status; {
	case f.public.u == nil && f.journal.last.ID != "":
		return finding{Check: "public URL", State: stateSkipped,
			What: "--public-url is not given; the last delivery came " + ago(f.journal.last.Received, f.now)}
	case f.public.u == nil:
		return finding{"public URL", stateWarning, "--public-url is not given, and Loops must reach this machine by HTTPS",
			append(ways(f.port.listen), "and then loopmap doctor --public-url https://your.name.example")}
	case f.offline:
		return finding{Check: "public URL", State: stateSkipped, What: url + " was not called, which --offline says"}
	case f.said.err != nil:
		return wrong(fmt.Sprintf("%s does not answer: %v", url, withoutURL(f.said.err)), "does the tunnel or the proxy run?",
			ways(f.port.listen)...)
	case f.said.instance != "" && f.said.instance == f.port.instance && f.port.another:
		return wrong(url+" leads to the loopmap at "+f.port.listen+", which works on another table or database", "let it lead to this one")
	case f.said.instance != "" && f.said.instance == f.port.instance && f.public.u.Scheme == "http" && !loopbackHost(f.public.host()):
		return finding{"public URL", stateWarning, url + " leads here, and others can read on the way what Loops sends",
			[]string{"give it HTTPS"}}
	case f.said.instance != "" && f.said.instance == f.port.instance:
		return finding{Check: "public URL", State: stateOK, What: url + " answers, and leads here"}
	case f.said.instance != "":
		return finding{"public URL", stateWarning, url + " leads to a loopmap, which is another than the one at " + f.port.listen,
			[]string{"that is right where several have one database; else " + led}}
	case status/100 == 3:
		return wrong(fmt.Sprintf("%s answers %d and sends on to %s, where no webhook follows", url, status, f.said.location),
			"give the address that it leads to as --public-url")
	case status == http.StatusNotFound:
		return wrong(url+" answers 404: something else is there, or the proxy changes the path", led)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return wrong(fmt.Sprintf("%s answers %d: something before loopmap wants to know who calls, which Loops cannot say", url, status),
			"let "+f.public.path()+" through without a login: loopmap checks each signature")
	case status >= http.StatusInternalServerError:
		return wrong(fmt.Sprintf("%s answers %d: the tunnel or the proxy finds nothing behind it", url, status), led)
	default:
		return wrong(fmt.Sprintf("%s answers %d, and not as loopmap does", url, status), led)
	}
}
