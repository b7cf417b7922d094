package receive

import (
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"strings"

	"loopmap/mapping/body"
)

// route answers by a request's path. It never redirects: a sender counts that as a
// failure. Doubled slashes, as proxies make them, count as one.
func (r *Receiver) route(w http.ResponseWriter, q *http.Request) {
	p := q.URL.Path
	if p != Path {
		p = clean(p)
	}
	switch {
	case q.RequestURI == "*": // of the server as a whole
		w.Header().Set("Connection", "close")
		answer(w, http.StatusBadRequest, reply{Error: "there is nothing here; webhooks go to " + Path})
	case p == Path, p == r.public.Load().Path && p != "":
		if asks(q) {
			r.tell(w)
			return
		}
		r.webhook(w, q)
	case p == "/healthz":
		r.only(w, q, r.health)
	case p == "/readyz":
		r.only(w, q, r.ready)
	case p == "/metrics":
		r.only(w, q, r.serveMetrics)
	default:
		r.astray(w, q)
	}
}

// clean is a path without what means nothing in it. A slash at its end stays: it is
// another path.
func clean(p string) string {
	if p == "" {
		return ""
	}
	out := path.Clean("/" + p)
	if strings.HasSuffix(p, "/") && out != "/" {
		out += "/"
	}
	return out
}

// mostPath is how many bytes of a path that nobody serves are told.
const mostPath = 200

// astray answers what came where nothing is, and tells of it: most often a proxy keeps a
// prefix that it was to cut, and nobody else would say so.
func (r *Receiver) astray(w http.ResponseWriter, q *http.Request) {
	answer(w, http.StatusNotFound, reply{Error: "there is nothing here; webhooks go to " + Path})
	at := body.Printable(q.URL.Path[:min(len(q.URL.Path), mostPath)])
	r.Log.LogAttrs(q.Context(), slog.LevelWarn, "nothing is served at this path", slog.Int("code", http.StatusNotFound),
		slog.String("method", q.Method), slog.String("path", at), slog.String("webhooks", Path))
	if q.Method == http.MethodPost && r.Seen != nil {
		a := Arrival{Code: http.StatusNotFound, Problem: fmt.Sprintf("it came to %s, where nothing is: webhooks are taken at %s", at, Path)}
		a.Delivery.Received = r.Now()
		r.Seen(a)
	}
}
