package receive

import (
	"net/http"
	"strings"
)

// Public is how webhooks come from elsewhere. The zero value says nothing of it.
type Public struct {
	Host string // by which unsigned requests may come, beside this machine's own names
	Path string // where webhooks are taken, too, as a proxy leaves it: /hooks/webhooks/loops; "" is none
}

// SetPublic changes how webhooks come from elsewhere, from the next request on.
func (r *Receiver) SetPublic(p Public) { r.public.Store(&p) }

// calledBy is the name by which a request came, without a port: the one that a proxy says
// it was called by, where that does not leave Host as it is.
func calledBy(q *http.Request) string {
	first, _, _ := strings.Cut(q.Header.Get("X-Forwarded-Host"), ",")
	if first = strings.TrimSpace(first); first != "" {
		return hostname(first)
	}
	return hostname(q.Host)
}
