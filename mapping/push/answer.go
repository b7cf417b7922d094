package push

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"unicode"
)

// Answer is what Loops said to one request.
type Answer struct {
	Status  int    // HTTP status
	Message string // of a refusal, fit to be shown
	Header  http.Header
	Body    []byte
}

// meaning is what an answer, or none, says of a request.
type meaning int

const (
	unclear meaning = iota // whether it arrived is not known: again, as it is
	taken                  // Loops has it
	refused                // for good
	tooFast                // not looked at: again, later
	barred                 // the key is refused: nothing else would do better
)

// read says what an answer means; event that it is to one: then a 409 says that this
// very request has arrived, since no other has had its Idempotency-Key.
func read(a Answer, err error, event bool) (m meaning, message string) {
	if err != nil {
		return unclear, "no answer: " + cause(err)
	}
	message = a.Message
	var envelope struct{ Success *bool }
	isJSON := json.Unmarshal(a.Body, &envelope) == nil
	switch s := a.Status; {
	case s == http.StatusUnauthorized || s == http.StatusForbidden:
		return barred, message
	case s == http.StatusTooManyRequests:
		return tooFast, message
	case s == http.StatusConflict && event:
		return taken, "Loops had it already"
	case s == http.StatusRequestTimeout || s == http.StatusTooEarly || s >= 500 || s < 200:
		return unclear, message
	case s >= 300 && s < 400:
		return unclear, "a redirect, which is not followed: check LOOPS_ENDPOINT_URL"
	case s >= 400:
		return refused, message
	case isJSON && envelope.Success != nil && *envelope.Success:
		return taken, ""
	case isJSON && envelope.Success != nil:
		return refused, message
	}
	return unclear, "the answer is not Loops' JSON"
}

// contactID is Loops' id of the contact that an answer is about; "" where it says none.
func (a Answer) contactID() string {
	var made struct{ ID string }
	if json.Unmarshal(a.Body, &made) != nil || len(made.ID) > 200 {
		return ""
	}
	return made.ID
}

// cause is an error without what differs from one try to the next.
func cause(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, ": "); i >= 0 && !strings.Contains(text, "deadline") && !strings.Contains(text, "Timeout") {
		return text[i+2:]
	}
	return "it took too long"
}

// alike names a failure, so that the same one is known again in another row: without
// the words that look like a row's.
func alike(status int, message string) string {
	words := strings.FieldsFunc(message, unicode.IsSpace)
	for i, w := range words {
		if strings.ContainsFunc(w, func(r rune) bool { return r == '@' || r == '"' || r == '\'' || unicode.IsDigit(r) }) {
			words[i] = "_"
		}
	}
	return fmt.Sprint(status, " ", strings.Join(words, " "))
}
