package openapitest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"loopmap/mapping/loops"
)

func TestRequest(t *testing.T) {
	header := http.Header{"Content-Type": {"application/json"}}
	for _, c := range []struct {
		method, path, body string
		good               bool
	}{
		{"PUT", "/v1/contacts/update", `{"email":"a@x.example","teamSize":1,"plan":null,"mailingLists":{"x":true}}`, true},
		{"PUT", "/api/v1/contacts/update", `{"userId":"1"}`, true},
		{"PUT", "/v1/contacts/update", `{"firstName":"A"}`, false},
		{"PUT", "/v1/contacts/update", `{"email":"a@x.example","plan":["a"]}`, false},
		{"PUT", "/v1/contacts/update", `{"email":"a@x.example","mailingLists":{"x":1}}`, false},
		{"POST", "/v1/contacts/update", `{"email":"a@x.example"}`, false},
		{"POST", "/v1/events/send", `{"email":"a@x.example","eventName":"a","eventProperties":{"a":1}}`, true},
		{"POST", "/v1/events/send", `{"email":"a@x.example"}`, false},
		{"POST", "/v1/events/send", `{"email":"a@x.example","eventName":"a","eventProperties":{"a":null}}`, false},
		{"POST", "/v1/nowhere", `{}`, false},
	} {
		if err := Request(c.method, c.path, header, []byte(c.body)); (err == nil) != c.good {
			t.Errorf("%s %s %s: %v", c.method, c.path, c.body, err)
		}
	}
	header.Set("Idempotency-Key", strings.Repeat("k", 101))
	if Request("POST", "/v1/events/send", header, []byte(`{"email":"a@x.example","eventName":"a"}`)) == nil {
		t.Error("a key of 101 characters is good")
	}
}

func TestAnswer(t *testing.T) {
	header := http.Header{"Content-Type": {"application/json"}}
	for _, c := range []struct {
		status int
		body   string
		good   bool
	}{
		{200, `{"success":true,"id":"x"}`, true},
		{200, `{"success":true}`, false},
		{429, `{"success":false,"message":"x"}`, true},
		{429, `{"success":true,"message":"x"}`, false},
		{500, `{"success":false,"message":"x"}`, false},
	} {
		if err := Answer("PUT", "/v1/contacts/update", c.status, header, []byte(c.body)); (err == nil) != c.good {
			t.Errorf("%d %s: %v", c.status, c.body, err)
		}
	}
}

func TestWebhook(t *testing.T) {
	for _, event := range loops.Events {
		body, _ := loops.Example(event)
		if err := Webhook(body); err != nil {
			t.Error(err)
		}
	}
	for _, body := range []string{
		`{"eventName":"contact.created","eventTime":1,"webhookSchemaVersion":"1.0.0","contactIdentity":{"id":"a","email":"b","userId":null}}`,
		`{"eventName":"contact.deleted","eventTime":1.5,"webhookSchemaVersion":"1.0.0","contactIdentity":{"id":"a","email":"b","userId":null}}`,
		`{"eventName":"contact.unknown"}`,
	} {
		if Webhook([]byte(body)) == nil {
			t.Errorf("%s is good", body)
		}
	}
}

// failures counts what a test would report.
type failures struct {
	testing.TB
	said []string
}

func (f *failures) Error(args ...any) { f.said = append(f.said, fmt.Sprint(args...)) }

func TestHandler(t *testing.T) {
	f := &failures{TB: t}
	h := Handler(f, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"success":true}`)) // no id
	}))
	q := httptest.NewRequestWithContext(t.Context(), "PUT", "/v1/contacts/update", strings.NewReader(`{"email":1}`))
	q.Header.Set("Content-Type", "application/json")
	h.ServeHTTP(httptest.NewRecorder(), q)
	if len(f.said) != 2 || !strings.HasPrefix(f.said[0], "request PUT") || !strings.HasPrefix(f.said[1], "answer 200") {
		t.Errorf("%q", f.said)
	}
}
