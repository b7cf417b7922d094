package loops

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"loopmap/mapping/body"
)

// DefaultEndpoint is where Loops' API is (Loops docs: API reference, intro).
const DefaultEndpoint = "https://app.loops.so/api"

const (
	callTimeout = 30 * time.Second
	maxAnswer   = 4 << 20 // bytes of an answer that are read
	maxMessage  = 500     // characters of a message that are kept
)

// Client calls Loops' API with one team's key. The key goes to the endpoint's host
// alone: redirects are not followed. It may be used by several goroutines.
type Client struct {
	endpoint string
	key      string
	http     *http.Client
}

// NewClient makes a client. The endpoint is the base URL above /v1; it is https
// unless it is on this machine. transport is nil for the usual one.
func NewClient(endpoint, key string, transport http.RoundTripper) (*Client, error) {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("the API's address is written as %s", DefaultEndpoint)
	case u.Scheme != "https" && (u.Scheme != "http" || !onThisMachine(u.Hostname())):
		return nil, fmt.Errorf("the API's address %s://%s is not https: the key would cross the network readable", u.Scheme, u.Host)
	case key == "" || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, errors.New("the API key is empty or holds characters that no key has; copy it again from Loops, Settings, API")
	}
	path := strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/v1") // people copy either
	return &Client{
		endpoint: u.Scheme + "://" + u.Host + path,
		key:      key,
		http: &http.Client{
			Transport:     transport,
			Timeout:       callTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

func onThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Host is where the calls go, for messages.
func (c *Client) Host() string {
	_, rest, _ := strings.Cut(c.endpoint, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// Answer is what the API said to one call.
type Answer struct {
	Status  int    // HTTP status
	Message string // of a refusal, in printable characters, without the key
	Header  http.Header
	Body    []byte
}

// APIError is an answer that is no success.
type APIError struct {
	Status  int
	Message string
}

func (e *APIError) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("Loops answers %d %s", e.Status, http.StatusText(e.Status))
	}
	return fmt.Sprintf("Loops answers %d: %s", e.Status, e.Message)
}

// Do makes one call, for example "GET", "/v1/api-key". key is its Idempotency-Key, "" for
// none. The error says that no whole
// answer came, so that what the call did is not known; an answer of any status is no
// error.
func (c *Client) Do(ctx context.Context, method, path, key string, body []byte) (Answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.endpoint+path, bytes.NewReader(body))
	if err != nil {
		return Answer{}, c.failed("call "+path, err)
	}
	// The transport would send an event again by itself where its connection is cut:
	// every try is to be ours, and counted.
	r.GetBody = nil
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	r.Header.Set("Authorization", "Bearer "+c.key)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "loopmap")
	if len(body) > 0 {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return Answer{}, c.failed("call "+path, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return Answer{}, c.failed("read the answer of "+path, err)
	case len(text) > maxAnswer:
		return Answer{}, fmt.Errorf("the answer of %s is larger than %d MiB", path, maxAnswer>>20)
	}
	return Answer{Status: resp.StatusCode, Message: c.message(text), Header: resp.Header, Body: text}, nil
}

// message is the reason in the error envelope: message, or error as Loops wrote it
// before 2025-09-11. Should it hold the key, that is blanked.
func (c *Client) message(raw []byte) string {
	var envelope struct{ Message, Error string }
	_ = json.Unmarshal(raw, &envelope) // what is no envelope has no message
	text := envelope.Message
	if text == "" {
		text = envelope.Error
	}
	text = body.Printable(c.blank(text))
	if r := []rune(text); len(r) > maxMessage {
		text = string(r[:maxMessage]) + "…"
	}
	return text
}

// get reads what a path answers into to. A refusal is an *[APIError].
func (c *Client) get(ctx context.Context, path string, to any) error {
	a, err := c.Do(ctx, http.MethodGet, path, "", nil)
	if err != nil {
		return err
	}
	if a.Status != http.StatusOK {
		return &APIError{a.Status, a.Message}
	}
	if err := json.Unmarshal(c.blanked(a.Body), to); err != nil {
		return fmt.Errorf("%s answers on %s what is not Loops' JSON: check LOOPS_ENDPOINT_URL", c.Host(), path)
	}
	return nil
}
