package loopstest_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"loopmap/mapping/loops/loopstest"
)

// Kinds of failure that are answered.
func TestFailures(t *testing.T) {
	retry := http.Header{"retry-after": {"3"}}
	for name, c := range map[string]struct {
		f       loopstest.Failure
		status  int
		body    string // beginning
		header  [2]string
		applied bool
	}{
		"zero":          {status: 500, body: `{"success":false,"message":"Internal Server Error"}`},
		"429":           {f: loopstest.Failure{Status: 429, Header: retry}, status: 429, body: `{"success":false,"message":"Too Many Requests"}`, header: [2]string{"Retry-After", "3"}},
		"429 alone":     {f: loopstest.Failure{Status: 429}, status: 429, body: `{"success":false`, header: [2]string{"Retry-After", ""}},
		"503, own body": {f: loopstest.Failure{Status: 503, Body: "no"}, status: 503, body: "no"},
		"400":           {f: loopstest.Failure{Status: 400, Body: `{"success":false,"message":"x"}`}, status: 400, body: `{"success":false,"message":"x"}`},
		"401":           {f: loopstest.Failure{Status: 401}, status: 401, body: `{"success":false`},
		"403":           {f: loopstest.Failure{Status: 403}, status: 403, body: `{"success":false`},
		"404":           {f: loopstest.Failure{Status: 404}, status: 404, body: `{"success":false`},
		"204":           {f: loopstest.Failure{Status: 204}, status: 204},
		"204, applied":  {f: loopstest.Failure{Status: 204, Apply: true}, status: 204, applied: true},
		"301":           {f: loopstest.Failure{Status: 301, Header: http.Header{"Location": {"http://127.0.0.1:1/x"}}}, status: 301, header: [2]string{"Location", "http://127.0.0.1:1/x"}},
		"HTML":          {f: loopstest.Failure{Kind: loopstest.HTML}, status: 502, body: "<!DOCTYPE html>", header: [2]string{"Content-Type", "text/html; charset=utf-8"}},
		"HTML 200":      {f: loopstest.Failure{Kind: loopstest.HTML, Status: 200, Apply: true}, status: 200, body: "<!DOCTYPE html>", applied: true},
		"bad JSON":      {f: loopstest.Failure{Kind: loopstest.BadJSON}, status: 200, body: `{"success":true,"id":"cm`, header: [2]string{"Content-Type", "application/json"}},
		"not a success": {f: loopstest.Failure{Kind: loopstest.SuccessFalse, Body: "why"}, status: 200, body: `{"success":false,"message":"why"}`},
	} {
		r := start(t, loopstest.Options{Rate: 10}, false)
		r.Fail(c.f)
		client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		p, text, err := r.try(client, "PUT", "/v1/contacts/update", `{"email":"a@x.example"}`)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if p.StatusCode != c.status || !strings.HasPrefix(text, c.body) || c.header[0] != "" && p.Header.Get(c.header[0]) != c.header[1] || p.Header.Get("X-Ratelimit-Remaining") != "9" {
			t.Errorf("%s: %d %s %v", name, p.StatusCode, text, p.Header)
		}
		if name == "bad JSON" && json.Valid([]byte(text)) {
			t.Error("bad JSON is good")
		}
		call := r.Calls()[0]
		if _, there := r.Contact("a@x.example"); there != c.applied || call.Applied != c.applied || call.Status != c.status {
			t.Errorf("%s: applied %v %+v", name, there, call)
		}
		if p, _ := r.do("PUT", "/v1/contacts/update", `{"email":"a@x.example"}`); p.StatusCode != 200 {
			t.Errorf("%s: it is not used up", name)
		}
	}
}

// Kinds that give no answer, or half of one.
func TestNoAnswer(t *testing.T) {
	for _, c := range []struct {
		kind    loopstest.Kind
		applied bool
		status  int
	}{
		{loopstest.Cut, false, 0},
		{loopstest.CutAfter, true, 200},
		{loopstest.Hang, false, 0},
		{loopstest.HangAfter, true, 0},
	} {
		r := start(t, loopstest.Options{}, false)
		r.Fail(loopstest.Failure{Kind: c.kind})
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		hangs := c.kind == loopstest.Hang || c.kind == loopstest.HangAfter
		if hangs {
			client.Timeout = 30 * time.Millisecond
		}
		p, text, err := r.try(client, "POST", "/v1/events/send", event, "Idempotency-Key", "k")
		var timeout interface{ Timeout() bool }
		switch {
		case hangs && (!errors.As(err, &timeout) || !timeout.Timeout()):
			t.Errorf("%s: %v", c.kind, err)
		case c.kind == loopstest.Cut && !errors.Is(err, io.EOF):
			t.Errorf("%s: %v", c.kind, err)
		case c.kind == loopstest.CutAfter && (!errors.Is(err, io.ErrUnexpectedEOF) || p.StatusCode != 200 || text != `{"succes`):
			t.Errorf("%s: %v %q", c.kind, err, text)
		}
		if call := r.Calls()[0]; len(r.Sent()) == 1 != c.applied || call.Applied != c.applied || call.Status != c.status {
			t.Errorf("%s: %+v", c.kind, call)
		}
		want := map[bool]int{true: 409, false: 200}[c.applied]
		r.send(want, event, "Idempotency-Key", "k")
	}
}

func TestHangEndsWithClose(t *testing.T) {
	r := start(t, loopstest.Options{}, false)
	r.Fail(loopstest.Failure{Kind: loopstest.Hang})
	done := make(chan error)
	go func() {
		_, _, err := r.try(http.DefaultClient, "PUT", "/v1/contacts/update", `{}`)
		done <- err
	}()
	r.Close()
	if err := <-done; err == nil {
		t.Error("a call that hung was answered")
	}
}

// The script: which call gets which answer.
func TestScript(t *testing.T) {
	c := newClock()
	r := start(t, loopstest.Options{Now: c.Now, Rate: 100}, false)
	r.Fail(
		loopstest.Failure{Status: 500, Times: 2},
		loopstest.Failure{Status: 403, Path: "/v1/events/send"},
		loopstest.Failure{Status: 404, Match: func(c loopstest.Call) bool { return strings.Contains(string(c.Body), "b@") }},
		loopstest.Failure{Status: 503, Path: "/v1/lists", Times: -1},
	)
	if p, _ := r.do("GET", "/v1/api-key", ""); p.StatusCode != 200 {
		t.Error("api-key is not meant")
	}
	if p, _ := r.do("PUT", "/v1/contacts/update", "{}", "Authorization", "Bearer x"); p.StatusCode != 401 {
		t.Error(p.Status)
	}
	r.put(500, `{"email":"a@x.example"}`)
	r.send(500, event)
	r.put(200, `{"email":"a@x.example"}`)
	r.put(404, `{"email":"b@x.example"}`)
	r.put(200, `{"email":"b@x.example"}`)
	r.send(403, event)
	r.send(200, event)
	for range 3 {
		if p, _ := r.do("GET", "/v1/lists", ""); p.StatusCode != 503 {
			t.Error(p.Status)
		}
	}
}

// A call over the rate uses no failure up.
func TestScriptAndRate(t *testing.T) {
	c := newClock()
	r := start(t, loopstest.Options{Now: c.Now, Rate: 1}, false)
	r.Fail(loopstest.Failure{Status: 500})
	r.do("GET", "/v1/api-key", "")
	r.put(429, `{"email":"a@x.example"}`)
	c.Add(time.Second)
	r.put(500, `{"email":"a@x.example"}`)
}
