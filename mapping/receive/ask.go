package receive

import "net/http"

// A GET of where webhooks arrive that has the header AskHeader asks which process takes
// them there. The answer's InstanceHeader is what no other process answers, so that one can
// tell whether a public URL leads here. It counts as no webhook, and is not logged.
const (
	AskHeader      = "Loopmap-Ask"
	InstanceHeader = "Loopmap-Instance"
)

func asks(q *http.Request) bool {
	return q.Method == http.MethodGet && q.Header.Get(AskHeader) != ""
}

func (r *Receiver) tell(w http.ResponseWriter) {
	w.Header().Set(InstanceHeader, r.instance)
	answer(w, http.StatusOK, reply{OK: true})
}
