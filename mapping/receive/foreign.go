package receive

import (
	"net"
	"net/http"
	"net/url"
	"strings"
)

// foreign says why an unsigned request may be a web page's doing; "" when it is not. A
// browser lets any page post to this machine, and says from where (Origin); and by a name
// of the page's own that leads to this machine (DNS rebinding), which Host then holds.
// public is the host by which others are meant to come, "" for none.
func foreign(q *http.Request, public string) string {
	origin := q.Header.Values("Origin")
	site := q.Header.Get("Sec-Fetch-Site")
	switch {
	case len(origin) > 1 || len(origin) == 1 && !sameOrigin(origin[0], q.Host), site != "" && site != "same-origin" && site != "none":
		return "this comes from a web page of another origin, which may not send webhooks that Loops has not signed"
	case !here(q.Host) && (public == "" || !strings.EqualFold(hostname(q.Host), public)):
		return "without LOOPS_SIGNING_SECRET webhooks are taken from this machine only, by its own name; --public-url names another"
	}
	return ""
}

func sameOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Scheme == "http" && strings.EqualFold(u.Host, host)
}

// hostname is a Host without its port.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}

// here reports whether a Host names this machine itself.
func here(host string) bool {
	name := hostname(host)
	ip := net.ParseIP(name)
	return strings.EqualFold(name, "localhost") || ip != nil && ip.IsLoopback()
}
