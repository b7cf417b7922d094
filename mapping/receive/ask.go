package receive

import (
	"crypto/sha256"
	"fmt"
	"net/http"
)

// A GET of where webhooks arrive that has the header AskHeader asks which process takes
// them there. The answer's InstanceHeader is what no other process answers, so that one can
// tell whether a public URL leads here; WorksHeader is the [Fingerprint] of what it works on.
// It counts as no webhook, and is not logged.
const (
	AskHeader      = "Loopmap-Ask"
	InstanceHeader = "Loopmap-Instance"
	WorksHeader    = "Loopmap-Works"
)

func asks(q *http.Request) bool {
	return q.Method == http.MethodGet && q.Header.Get(AskHeader) != ""
}

func (r *Receiver) tell(w http.ResponseWriter) {
	w.Header().Set(InstanceHeader, r.instance)
	if r.Works != nil {
		w.Header().Set(WorksHeader, Fingerprint(r.instance, r.Works()))
	}
	answer(w, http.StatusOK, reply{OK: true})
}

// Fingerprint tells what an instance works on to who knows what that may be, and nothing to
// others: it is another one for each instance.
func Fingerprint(instance, works string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(instance+"\n"+works)))[:32]
}
