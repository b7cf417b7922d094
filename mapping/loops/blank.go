package loops

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Whatever answers may repeat the key: in a team's name, a property, a header that
// net/http quotes since it is malformed. None of that leaves this package with it.

// shortestKey is how long a key is that is looked for in what is answered. A shorter one,
// as in trials, would be found in words that mean something else.
const shortestKey = 6

// blank is text without the key.
func (c *Client) blank(text string) string {
	if len(c.key) < shortestKey {
		return text
	}
	return strings.ReplaceAll(text, c.key, "***")
}

// blanked is JSON without the key, however it is written there.
func (c *Client) blanked(body []byte) []byte {
	if len(c.key) < shortestKey || !bytes.Contains(body, []byte(c.key)) && !bytes.Contains(body, []byte(`\`)) {
		return body
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil || d.More() {
		return []byte(c.blank(string(body))) // no JSON: that is said next
	}
	out, err := json.Marshal(c.blankedIn(v))
	if err != nil {
		return []byte(c.blank(string(body)))
	}
	return out
}

func (c *Client) blankedIn(v any) any {
	switch v := v.(type) {
	case string:
		return c.blank(v)
	case []any:
		for i := range v {
			v[i] = c.blankedIn(v[i])
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[c.blank(key)] = c.blankedIn(value)
		}
		return out
	}
	return v
}

// failedError is an error without the key; what it wraps is for errors.Is and As alone.
type failedError struct {
	text string
	err  error
}

func (e *failedError) Error() string { return e.text }
func (e *failedError) Unwrap() error { return e.err }

// failed is why a call has not come to its end.
func (c *Client) failed(doing string, err error) error {
	return &failedError{c.blank(fmt.Sprintf("%s: %v", doing, err)), err}
}
