package loops_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"loopmap/mapping"
	"loopmap/mapping/loops"
	"loopmap/mapping/loops/loopstest"
	"loopmap/mapping/loops/loopstest/openapitest"
)

// What a team has, over more than one page, and what is made in it.
func TestCatalog(t *testing.T) {
	events := []loopstest.EventPattern{{Name: "signed up/first", Properties: []loopstest.Property{{Key: "plan", Type: "string"}, {Key: "at", Type: "date"}}}}
	for i := range 70 {
		events = append(events, loopstest.EventPattern{Name: fmt.Sprint("event", i)})
	}
	server := loopstest.New(loopstest.Options{Events: events})
	h := httptest.NewServer(openapitest.Handler(t, server))
	defer h.Close()
	defer server.Close()
	c := newClient(t, h.URL, loopstest.DefaultKey)

	names, err := c.EventNames(t.Context())
	if err != nil || len(names) != 71 || names[0] != "signed up/first" || names[70] != "event69" {
		t.Errorf("%d names, %v", len(names), err)
	}
	list, err := c.EventProperties(t.Context(), "signed up/first")
	if want := []mapping.Property{{Key: "plan", Type: "string"}, {Key: "at", Type: "date"}}; err != nil || !slices.Equal(list, want) {
		t.Errorf("%v, %v", list, err)
	}
	var api *loops.APIError
	if _, err = c.EventProperties(t.Context(), "none"); !errors.As(err, &api) || api.Status != 404 {
		t.Errorf("%v", err)
	}
	made := mapping.Property{Key: "teamSize2", Type: "number"}
	if err := c.CreateProperty(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	all, err := c.Properties(t.Context())
	if err != nil || !slices.ContainsFunc(all, func(p mapping.Property) bool { return p == made }) {
		t.Errorf("%v, %v", all, err)
	}
	if err := c.CreateProperty(t.Context(), made); !errors.As(err, &api) || api.Status != 400 || !strings.Contains(err.Error(), "exist") {
		t.Errorf("twice: %v", err)
	}
}
