package loopstest

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	pathCreate = "/v1/contacts/create"
	pathUpdate = "/v1/contacts/update"
	pathSend   = "/v1/events/send"
	pathByName = "/v1/event-patterns/by-name/"
)

// request is a call as the rules see it.
type request struct {
	*http.Request
	path string // without /api
	body []byte
}

// rules are the calls that are known: path, then method.
func (s *Server) rules(path string) map[string]func(request) (any, error) {
	type methods = map[string]func(request) (any, error)
	switch path {
	case "/v1/api-key":
		return methods{"GET": s.apiKey}
	case pathCreate:
		return methods{"POST": s.create}
	case pathUpdate:
		return methods{"PUT": s.update}
	case "/v1/contacts/find":
		return methods{"GET": s.findContact}
	case "/v1/contacts/delete":
		return methods{"POST": s.deleteContact}
	case "/v1/contacts/properties":
		return methods{"GET": s.listProperties, "POST": s.createProperty}
	case "/v1/lists":
		return methods{"GET": s.listLists}
	case pathSend:
		return methods{"POST": s.sendEvent}
	case "/v1/event-patterns":
		return methods{"GET": s.listPatterns}
	}
	if name, ok := strings.CutPrefix(path, pathByName); ok && name != "" && !strings.Contains(name, "/") {
		return methods{"GET": s.patternByName}
	}
	return nil
}

// route answers by the rules. A wrong method has no body: Loops documents none.
func (s *Server) route(q request) *reply {
	methods := s.rules(q.path)
	if methods == nil {
		return refuse(http.StatusNotFound, "Not found").reply()
	}
	rule := methods[q.Method]
	if rule == nil {
		allow := make([]string, 0, len(methods))
		for m := range methods {
			allow = append(allow, m)
		}
		slices.Sort(allow)
		return &reply{status: http.StatusMethodNotAllowed, header: http.Header{"Allow": {strings.Join(allow, ", ")}}, cut: -1}
	}
	answer, err := rule(q)
	if err != nil {
		var r *refusal
		if !errors.As(err, &r) {
			r = refuse(http.StatusInternalServerError, "%v", err)
		}
		return r.reply()
	}
	a := replyJSON(http.StatusOK, answer)
	a.applied = q.Method != http.MethodGet
	return a
}

// object reads the body, which must be a JSON object in UTF-8 and be sent as JSON.
func (q request) object() (map[string]json.RawMessage, error) {
	if t, _, err := mime.ParseMediaType(q.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return nil, bad("Content-Type must be application/json")
	}
	var body map[string]json.RawMessage
	if err := json.Unmarshal(q.body, &body); err != nil || body == nil || !utf8.Valid(q.body) {
		return nil, bad("The body must be a JSON object")
	}
	return body, nil
}

// one reads the identity that find and delete take: exactly one of the two.
func one(email, userID string) error {
	if (email == "") == (userID == "") {
		return bad("Exactly one of email and userId is required")
	}
	return nil
}

// name is what follows the last slash of the path.
func (q request) name() string {
	name, err := url.PathUnescape(strings.TrimPrefix(q.path, pathByName))
	if err != nil {
		return ""
	}
	return name
}
