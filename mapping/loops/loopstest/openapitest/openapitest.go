// Package openapitest checks what goes to Loops, and what comes from it, against
// Loops' OpenAPI document. It is for tests: one puts [Handler] around a
// [loopmap/mapping/loops/loopstest.Server], or asks [Request], [Answer] and
// [Webhook] about a single call.
package openapitest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"loopmap/mapping/loops/loopstest"
)

type document struct {
	*openapi3.T
	router routers.Router
}

// load reads the document once.
var load = sync.OnceValues(func() (*document, error) {
	doc, err := openapi3.NewLoader().LoadFromData([]byte(loopstest.OpenAPI()))
	if err != nil {
		return nil, fmt.Errorf("read the OpenAPI document: %w", err)
	}
	doc.Servers = nil // whatever the host
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		return nil, fmt.Errorf("read the OpenAPI document: %w", err)
	}
	return &document{doc, router}, nil
})

func find(method, path string, header http.Header, body []byte) (*openapi3filter.RequestValidationInput, error) {
	doc, err := load()
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(strings.TrimPrefix(path, "/api"))
	if err != nil {
		return nil, err
	}
	r := (&http.Request{Method: method, URL: u, Header: header.Clone(),
		Body: io.NopCloser(bytes.NewReader(body))}).WithContext(context.Background())
	route, params, err := doc.router.FindRoute(r)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{
			AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc,
			IncludeResponseStatus: true,
			SkipSettingDefaults:   true,
			MultiError:            true,
		},
	}, nil
}

// Request says why a request is none that the document allows. The path begins
// with /v1/ or /api/v1/ and may hold a query. The header needs Content-Type where
// there is a body.
func Request(method, path string, header http.Header, body []byte) error {
	in, err := find(method, path, header, body)
	if err != nil {
		return err
	}
	if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil {
		return fmt.Errorf("request %s %s: %w", method, path, err)
	}
	return nil
}

// Answer says why an answer is none that the document allows for the call.
func Answer(method, path string, status int, header http.Header, body []byte) error {
	in, err := find(method, path, http.Header{}, nil)
	switch {
	case errors.Is(err, routers.ErrMethodNotAllowed) && status == http.StatusMethodNotAllowed:
		return nil // the document names no body
	case err != nil:
		return err
	}
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Options: in.Options,
		Status: status, Header: header, Body: io.NopCloser(bytes.NewReader(body)),
	})
	if err != nil {
		return fmt.Errorf("answer %d of %s %s: %w", status, method, path, err)
	}
	return nil
}

// Webhook says why a body is none that the document allows for the event that it
// names.
func Webhook(body []byte) error {
	doc, err := load()
	if err != nil {
		return err
	}
	var value map[string]any
	if err := json.Unmarshal(body, &value); err != nil {
		return err
	}
	event, _ := value["eventName"].(string)
	schema := doc.Components.Schemas[schemaOf(event)]
	if schema == nil {
		return fmt.Errorf("the document has no webhook %q", event)
	}
	if err := schema.Value.VisitJSON(value, openapi3.EnableJSONSchema2020(), openapi3.MultiErrors()); err != nil {
		return fmt.Errorf("webhook %s: %w", event, err)
	}
	return nil
}

// schemaOf makes WebhookContactCreatedPayload of contact.created.
func schemaOf(event string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(event, ".") {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return "Webhook" + b.String() + "Payload"
}

// Handler passes calls on to h and reports to t each answer that the document does
// not allow, scripted ones too, and each request that it does not allow and that h
// accepted.
func Handler(t testing.TB, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read the request: %v", err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		rec := &recorder{ResponseWriter: w, status: http.StatusOK}
		h.ServeHTTP(rec, r) // a connection that is cut ends here
		if rec.status < 300 {
			if err := Request(r.Method, r.URL.RequestURI(), r.Header, body); err != nil {
				t.Error(err)
			}
		}
		if err := Answer(r.Method, r.URL.RequestURI(), rec.status, w.Header(), rec.body.Bytes()); err != nil {
			t.Error(err)
		}
	})
}

type recorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	r.body.Write(b)
	return r.ResponseWriter.Write(b)
}

func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
