package loopstest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

func (s *Server) pattern(name string) (EventPattern, bool) {
	i := slices.IndexFunc(s.o.Events, func(e EventPattern) bool { return e.Name == name })
	if i < 0 {
		return EventPattern{}, false
	}
	return s.o.Events[i], true
}

// patternID is the id of the i-th event: it never changes, as its place does not.
func patternID(i int) string { return cuid(0, i) }

// patternByName is GET /v1/event-patterns/by-name/{eventName}.
func (s *Server) patternByName(q request) (any, error) {
	i := slices.IndexFunc(s.o.Events, func(e EventPattern) bool { return e.Name == q.name() })
	if i < 0 {
		return nil, refuse(http.StatusNotFound, "Event pattern not found")
	}
	properties := []json.RawMessage{}
	for _, p := range s.o.Events[i].Properties {
		o := object{}
		o.add("name", p.Key)
		o.add("type", p.Type)
		properties = append(properties, o.raw())
	}
	o := object{}
	o.add("id", patternID(i))
	o.add("eventName", s.o.Events[i].Name)
	o.add("eventProperties", properties)
	o.add("incomingWebhookPlatform", nil)
	return o.raw(), nil
}

type page struct {
	Pagination pagination        `json:"pagination"`
	Data       []json.RawMessage `json:"data"`
}

type pagination struct {
	TotalResults    int     `json:"totalResults"`
	ReturnedResults int     `json:"returnedResults"`
	PerPage         int     `json:"perPage"`
	TotalPages      int     `json:"totalPages"`
	NextCursor      *string `json:"nextCursor"`
	NextPage        *string `json:"nextPage"`
}

// listPatterns is GET /v1/event-patterns: perPage is 10 to 50, 20 unless given; the
// cursor is the id that the page begins behind.
func (s *Server) listPatterns(q request) (any, error) {
	query := q.URL.Query()
	perPage := 20
	if text := query.Get("perPage"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 10 || n > 50 {
			return nil, bad("perPage must be from 10 to 50")
		}
		perPage = n
	}
	from, cursor := 0, query.Get("cursor")
	for cursor != "" && (from == 0 || patternID(from-1) != cursor) {
		if from++; from > len(s.o.Events) {
			return nil, bad("Invalid cursor")
		}
	}
	to, total := min(from+perPage, len(s.o.Events)), len(s.o.Events)
	p := page{pagination{TotalResults: total, ReturnedResults: to - from, PerPage: perPage, TotalPages: (total + perPage - 1) / perPage},
		[]json.RawMessage{}}
	for i := from; i < to; i++ {
		o := object{}
		o.add("id", patternID(i))
		o.add("eventName", s.o.Events[i].Name)
		o.add("incomingWebhookPlatform", nil)
		p.Data = append(p.Data, o.raw())
	}
	if to < total {
		next := patternID(to - 1)
		scheme := "http://"
		if q.TLS != nil {
			scheme = "https://"
		}
		at := scheme + q.Host + q.URL.Path + "?" + url.Values{"perPage": {strconv.Itoa(perPage)}, "cursor": {next}}.Encode()
		p.Pagination.NextCursor, p.Pagination.NextPage = &next, &at
	}
	return p, nil
}
