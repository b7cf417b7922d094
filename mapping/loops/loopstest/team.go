package loopstest

import (
	"errors"
	"fmt"
	"net/url"

	"loopmap/mapping/loops"
)

// Property is a property of contacts, or of an event. Type is string, number,
// boolean or date. Loops shows Key, Label and Type of a contact's property; of an
// event's only Key, as name, and Type.
type Property struct {
	Key   string `json:"key"`
	Label string `json:"label"`
	Type  string `json:"type"`
}

// List is a mailing list. An empty Description is shown as null.
type List struct {
	ID, Name, Description string
	IsPublic              bool
}

// EventPattern is an event that exists in Loops, with its properties.
type EventPattern struct {
	Name       string
	Properties []Property
}

func defaultProperties() []Property {
	return []Property{
		{"companyName", "Company Name", "string"},
		{"teamSize", "Team Size", "number"},
		{"plan", "Plan", "string"},
		{"vip", "Vip", "boolean"},
		{"renewsAt", "Renews At", "date"},
	}
}

func defaultLists() []List {
	return []List{
		{"cm06f5v0e45nf0ml5754o9cix", "Product news", "What shipped this month", true},
		{"cm06f5v0e45ng0ml5754oabcd", "Investors", "", false},
	}
}

func defaultEvents() []EventPattern {
	return []EventPattern{
		{"signedUp", []Property{{Key: "plan", Type: "string"}, {Key: "seats", Type: "number"}}},
		{"planChanged", []Property{{Key: "from", Type: "string"}, {Key: "to", Type: "string"}, {Key: "trial", Type: "boolean"}, {Key: "at", Type: "date"}}},
	}
}

// builtIn are the properties that every team has, as GET /v1/contacts/properties
// lists them before the custom ones.
func builtIn() []Property {
	return []Property{
		{"firstName", "First Name", "string"},
		{"lastName", "Last Name", "string"},
		{"email", "Email", "string"},
		{"notes", "Notes", "string"},
		{"source", "Source", "string"},
		{"userGroup", "User Group", "string"},
		{"userId", "User Id", "string"},
		{"subscribed", "Subscribed", "boolean"},
		{"createdAt", "Created At", "date"},
	}
}

// reserved are the names that no property can have (properties page).
var reserved = []string{"id", "listId", "softDeleteAt", "teamId", "updatedAt"}

// Check says what is wrong with the options: a secret that cannot sign, a
// webhook address that is none, a property of no type. [New] does not look: a
// wrong secret or address then shows in each [Delivery].
func (o Options) Check() error {
	o = o.withDefaults()
	if _, err := loops.ParseSecrets([]string{o.Secret}); err != nil {
		return err
	}
	if u, err := url.Parse(o.Webhook); o.Webhook != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return errors.New("the webhook's address is not an http:// or https:// URL")
	}
	properties := o.Properties
	for _, e := range o.Events {
		properties = append(properties[:len(properties):len(properties)], e.Properties...)
	}
	for _, p := range properties {
		if !isType(p.Type) {
			return fmt.Errorf("property %s has the type %q; string, number, boolean and date are known", p.Key, p.Type)
		}
	}
	return nil
}

func isType(t string) bool {
	return t == "string" || t == "number" || t == "boolean" || t == "date"
}
