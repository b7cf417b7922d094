package loops

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"loopmap/mapping"
	"loopmap/mapping/body"
)

// What a team has in Loops, as far as sending to it needs to know.

// Team is the name of the team that the key belongs to (Loops API, GET api-key). An
// unknown key is an *[APIError] of status 401.
func (c *Client) Team(ctx context.Context) (string, error) {
	var answer struct {
		Success  bool
		TeamName string
		Message  string
	}
	if err := c.get(ctx, "/v1/api-key", &answer); err != nil {
		return "", err
	}
	if !answer.Success {
		return "", &APIError{http.StatusOK, body.Printable(answer.Message)}
	}
	return body.Printable(answer.TeamName), nil
}

// Properties are the contact properties that the team has, those that every team has
// included (Loops API, GET contacts/properties).
func (c *Client) Properties(ctx context.Context) (list []mapping.Property, err error) {
	return list, c.get(ctx, "/v1/contacts/properties?list=all", &list)
}

// Lists are the team's mailing lists (Loops API, GET lists).
func (c *Client) Lists(ctx context.Context) (list []mapping.List, err error) {
	return list, c.get(ctx, "/v1/lists", &list)
}

// CreateProperty makes a contact property (Loops API, POST contacts/properties). A name
// that Loops does not take, or has, is an *[APIError].
func (c *Client) CreateProperty(ctx context.Context, p mapping.Property) error {
	body, err := json.Marshal(struct {
		Name string `json:"name"`
		Type string `json:"type"`
	}{p.Key, p.Type})
	if err != nil {
		return err
	}
	a, err := c.Do(ctx, http.MethodPost, "/v1/contacts/properties", "", body)
	if err != nil {
		return err
	}
	var envelope struct{ Success *bool }
	if a.Status != http.StatusOK || json.Unmarshal(a.Body, &envelope) != nil || envelope.Success != nil && !*envelope.Success {
		return &APIError{a.Status, a.Message}
	}
	return nil
}

// mostPatterns bounds the names of events that are asked for.
const mostPatterns = 500

// EventNames are the names of the events that the team has (Loops API, GET
// event-patterns).
func (c *Client) EventNames(ctx context.Context) (names []string, err error) {
	for cursor := ""; len(names) < mostPatterns; {
		var page struct {
			Pagination struct{ NextCursor string }
			Data       []struct{ EventName string }
		}
		query := url.Values{"perPage": {"50"}}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		if err := c.get(ctx, "/v1/event-patterns?"+query.Encode(), &page); err != nil {
			return nil, err
		}
		for _, e := range page.Data {
			names = append(names, e.EventName)
		}
		if cursor = page.Pagination.NextCursor; cursor == "" {
			break
		}
	}
	return names, nil
}

// EventProperties are the properties of an event (Loops API, GET
// event-patterns/by-name/{eventName}). An event that the team has not is an
// *[APIError] of status 404.
func (c *Client) EventProperties(ctx context.Context, event string) (list []mapping.Property, err error) {
	var answer struct {
		EventProperties []struct{ Name, Type string }
	}
	if err := c.get(ctx, "/v1/event-patterns/by-name/"+url.PathEscape(event), &answer); err != nil {
		return nil, err
	}
	for _, p := range answer.EventProperties {
		list = append(list, mapping.Property{Key: p.Name, Type: p.Type})
	}
	return list, nil
}
