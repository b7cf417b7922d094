package loops

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Whatever answers may repeat the key: nothing that this package returns for people has it.
func TestKeyIsNotRepeated(t *testing.T) {
	const key = "0123456789abcdef0123456789abcdef"
	escaped := ""
	for _, c := range key {
		escaped += fmt.Sprintf(`\u%04x`, c)
	}
	for _, written := range []string{key, escaped, "a" + key + "b"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			switch q.URL.Path {
			case "/v1/api-key":
				fmt.Fprintf(w, `{"success":true,"teamName":"%s"}`, written)
			case "/v1/lists":
				fmt.Fprintf(w, `[{"id":"%s","name":"%[1]s"}]`, written)
			case "/v1/contacts/properties":
				fmt.Fprintf(w, `[{"key":"%s","label":"%[1]s","type":"%[1]s"}]`, written)
			default:
				w.WriteHeader(400)
				fmt.Fprintf(w, `{"message":"%s"}`, written)
			}
		}))
		c, err := NewClient(server.URL, key, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		team, err1 := c.Team(ctx)
		lists, err2 := c.Lists(ctx)
		properties, err3 := c.Properties(ctx)
		_, err4 := c.EventNames(ctx)
		a, err5 := c.Do(ctx, "POST", "/v1/other", "", nil)
		if all := fmt.Sprint(team, lists, properties, err1, err2, err3, err4, a.Message, err5); strings.Contains(all, key) || strings.Count(all, "***") < 7 {
			t.Errorf("%s", all)
		}
		server.Close()
	}
}

// net/http quotes a header that is none.
func TestKeyIsNotQuoted(t *testing.T) {
	const key = "0123456789abcdef0123456789abcdef"
	malformed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nnot a header "+q.Header.Get("Authorization")+"\r\n\r\n")
			_ = conn.Close()
		}
	}))
	defer malformed.Close()
	c, err := NewClient(malformed.URL, key, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(context.Background(), "POST", "/v1/events/send", "", []byte("{}")); err == nil || strings.Contains(err.Error(), key) || !strings.Contains(err.Error(), "***") {
		t.Errorf("%v", err)
	}
}

// A short key, as in trials, stands in words of the answers too: they are read as they are.
func TestShortKey(t *testing.T) {
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`[{"key":"kind","label":"Kind","type":"string"}]`))
	}))
	defer h.Close()
	c, err := NewClient(h.URL, "k", nil)
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.Properties(t.Context())
	if err != nil || len(list) != 1 || list[0].Key != "kind" {
		t.Errorf("%+v %v", list, err)
	}
}
