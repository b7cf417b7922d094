package loopstest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"loopmap/mapping/loops/loopstest"
)

func TestSend(t *testing.T) {
	c := newClock()
	r := start(t, loopstest.Options{Now: c.Now}, true)
	text := r.send(200, `{"eventName":"planChanged","email":"a@x.example","userId":"1","plan":"pro","teamSize":9007199254740993,"mailingLists":{"`+product+`":true},`+
		`"eventProperties":{"from":"free","to":"pro","trial":false,"at":1796601600000,"unknown":1}}`, "Idempotency-Key", "k1")
	if text != `{"success":true}` {
		t.Error(text)
	}
	list := r.Sent()
	if len(list) != 1 {
		t.Fatalf("%d events", len(list))
	}
	made, _ := r.Contact("a@x.example")
	e := list[0]
	if e.Name != "planChanged" || e.Email != "a@x.example" || e.UserID != "1" || e.ContactID != made.ID || e.Key != "k1" || !e.Time.Equal(c.Now()) {
		t.Errorf("%+v", e)
	}
	if fmt.Sprintf("%s", e.Properties) != `map[at:"2026-12-07T00:00:00.000Z" from:"free" to:"pro" trial:false]` {
		t.Errorf("%s", e.Properties)
	}
	if string(made.Values["plan"]) != `"pro"` || string(made.Values["teamSize"]) != "9007199254740993" || !made.Lists[product] || made.Source != "API" {
		t.Errorf("%+v", made)
	}
	r.send(200, `{"eventName":"other","userId":"1","plan":null,"eventProperties":{"any":1.50}}`)
	if e := r.Sent()[1]; e.Email != "a@x.example" || string(e.Properties["any"]) != "1.50" || e.Key != "" {
		t.Errorf("%+v", e)
	}
	if c, _ := r.Contact("a@x.example"); c.Values["plan"] != nil {
		t.Errorf("%+v", c)
	}
}

func TestSendRefuses(t *testing.T) {
	r := start(t, loopstest.Options{}, true)
	for body, message := range map[string]string{
		`{"email":"a@x.example"}`:                                                                  "eventName is required",
		`{"email":"a@x.example","eventName":""}`:                                                   "eventName is required",
		`{"email":"a@x.example","eventName":1}`:                                                    "eventName is required",
		`{"eventName":"signedUp"}`:                                                                 "An email or a userId is required",
		`{"userId":"1","eventName":"signedUp"}`:                                                    "No contact has this userId",
		`{"email":"a@x.example","eventName":"signedUp","eventProperties":[]}`:                      "eventProperties must be an object",
		`{"email":"a@x.example","eventName":"signedUp","eventProperties":{"plan":null}}`:           "eventProperties.plan must be",
		`{"email":"a@x.example","eventName":"signedUp","eventProperties":{"plan":{}}}`:             "eventProperties.plan must be",
		`{"email":"a@x.example","eventName":"signedUp","eventProperties":{"plan":1}}`:              "plan must be a string",
		`{"email":"a@x.example","eventName":"signedUp","teamSize":"1"}`:                            "teamSize must be a number",
		`{"email":"a@x.example","eventName":"signedUp","mailingLists":{"x":true}}`:                 "Mailing list x does not exist",
		`{"email":"a@x.example","eventName":"signedUp","eventProperties":{"plan":"` + long + `"}}`: "A body key or value is too long",
		`{"email":"a@x.example","eventName":"` + long + `"}`:                                       "A body key or value is too long",
	} {
		if text := r.send(400, body, "Idempotency-Key", "k"); !strings.Contains(text, `"message":"`+message) {
			t.Errorf("%.80s: %s", body, text)
		}
	}
	if len(r.Sent()) > 0 || len(r.Contacts()) > 0 {
		t.Errorf("%v %v", r.Sent(), r.Contacts())
	}
	r.send(200, event, "Idempotency-Key", "k") // what is refused uses no key up
}

var long = strings.Repeat("x", 499)

const event = `{"eventName":"signedUp","email":"a@x.example"}`

func TestIdempotency(t *testing.T) {
	c := newClock()
	r := start(t, loopstest.Options{Now: c.Now}, true)
	const other = `{"eventName":"signedUp","email":"b@x.example"}`
	r.send(200, event, "Idempotency-Key", "k")
	r.send(409, event, "Idempotency-Key", "k")
	r.send(409, other, "Idempotency-Key", "k")
	r.send(200, event)
	r.send(200, event)
	r.send(200, event, "Idempotency-Key", strings.Repeat("k", 100))
	r.send(400, event, "Idempotency-Key", strings.Repeat("k", 101))
	c.Add(24*time.Hour - time.Nanosecond)
	r.send(409, other, "Idempotency-Key", "k")
	c.Add(time.Nanosecond)
	r.send(200, other, "Idempotency-Key", "k")
	if n := len(r.Sent()); n != 5 {
		t.Errorf("%d events", n)
	}

	r = start(t, loopstest.Options{SameBodyPasses: true}, true)
	r.send(200, event, "Idempotency-Key", "k")
	r.send(200, strings.Replace(event, ":", ": ", 1), "Idempotency-Key", "k")
	r.send(409, other, "Idempotency-Key", "k")
	if n := len(r.Sent()); n != 1 {
		t.Errorf("%d events", n)
	}
}

func TestProperties(t *testing.T) {
	r := start(t, loopstest.Options{}, true)
	var custom, all []loopstest.Property
	r.get("/v1/contacts/properties?list=custom", &custom)
	r.get("/v1/contacts/properties", &all)
	if fmt.Sprint(custom) != "[{companyName Company Name string} {teamSize Team Size number} {plan Plan string} {vip Vip boolean} {renewsAt Renews At date}]" {
		t.Error(custom)
	}
	if len(all) != 14 || all[0] != (loopstest.Property{Key: "firstName", Label: "First Name", Type: "string"}) {
		t.Error(all)
	}
	for body, status := range map[string]int{
		`{"name":"favoriteColor","type":"string"}`: 200,
		`{"name":"plan","type":"string"}`:          400,
		`{"name":"email","type":"string"}`:         400,
		`{"name":"teamId","type":"string"}`:        400,
		`{"name":"mailingLists","type":"string"}`:  400,
		`{"name":"Favorite","type":"string"}`:      400,
		`{"name":"a b","type":"string"}`:           400,
		`{"name":"a","type":"text"}`:               400,
		`{"name":1,"type":"string"}`:               400,
		`{}`:                                       400,
	} {
		if p, text := r.do("POST", "/v1/contacts/properties", body); p.StatusCode != status {
			t.Errorf("%s: %d %s", body, p.StatusCode, text)
		}
	}
	r.get("/v1/contacts/properties?list=custom", &custom)
	if custom[5] != (loopstest.Property{Key: "favoriteColor", Label: "Favorite Color", Type: "string"}) {
		t.Error(custom)
	}
	r.put(400, `{"email":"a@x.example","favoriteColor":1}`)
	r.put(200, `{"email":"a@x.example","favoriteColor":"blue"}`)
	none := start(t, loopstest.Options{Properties: []loopstest.Property{}, Lists: []loopstest.List{}, Events: []loopstest.EventPattern{}}, true)
	for path, want := range map[string]string{
		"/v1/contacts/properties?list=custom": "[]",
		"/v1/lists":                           "[]",
		"/v1/event-patterns":                  `{"pagination":{"totalResults":0,"returnedResults":0,"perPage":20,"totalPages":0,"nextCursor":null,"nextPage":null},"data":[]}`,
	} {
		if _, text := none.do("GET", path, ""); text != want {
			t.Errorf("%s: %s", path, text)
		}
	}
}

func TestLists(t *testing.T) {
	r := start(t, loopstest.Options{}, true)
	_, text := r.do("GET", "/v1/lists", "")
	if text != `[{"id":"`+product+`","name":"Product news","description":"What shipped this month","isPublic":true},{"id":"`+investors+`","name":"Investors","description":null,"isPublic":false}]` {
		t.Error(text)
	}
}

func TestPatterns(t *testing.T) {
	o := loopstest.Options{}
	for i := range 45 {
		o.Events = append(o.Events, loopstest.EventPattern{Name: fmt.Sprintf("event %d/%%é", i), Properties: []loopstest.Property{{Key: "seats", Type: "number"}}})
	}
	r := start(t, o, true)
	type page struct {
		Pagination struct {
			TotalResults, ReturnedResults, PerPage, TotalPages int
			NextCursor, NextPage                               *string
		}
		Data []struct{ ID, EventName string }
	}
	var names []string
	path := "/api/v1/event-patterns"
	for pages := 1; ; pages++ {
		var p page
		r.get(path, &p)
		for _, e := range p.Data {
			names = append(names, e.EventName)
		}
		if p.Pagination.TotalResults != 45 || p.Pagination.TotalPages != 3 || p.Pagination.PerPage != 20 || p.Pagination.ReturnedResults != len(p.Data) {
			t.Errorf("%+v", p.Pagination)
		}
		if p.Pagination.NextCursor == nil {
			if pages != 3 || p.Pagination.NextPage != nil {
				t.Errorf("%d pages, %+v", pages, p.Pagination)
			}
			break
		}
		path = strings.TrimPrefix(*p.Pagination.NextPage, r.url)
		if !strings.HasPrefix(path, "/api/v1/event-patterns?") || !strings.Contains(path, "cursor="+*p.Pagination.NextCursor) {
			t.Fatal(path)
		}
	}
	if len(names) != 45 || names[44] != o.Events[44].Name {
		t.Error(names)
	}
	var p page
	r.get("/v1/event-patterns?perPage=50", &p)
	if len(p.Data) != 45 || p.Pagination.NextCursor != nil {
		t.Errorf("%+v", p.Pagination)
	}
	for _, query := range []string{"perPage=9", "perPage=51", "perPage=x", "cursor=x"} {
		if p, text := r.do("GET", "/v1/event-patterns?"+query, ""); p.StatusCode != 400 || !strings.Contains(text, `"message":"`) {
			t.Errorf("%s: %d %s", query, p.StatusCode, text)
		}
	}
	if p, text := r.do("GET", "/v1/event-patterns/by-name/event%207%2F%25%C3%A9", ""); p.StatusCode != 200 ||
		!strings.HasSuffix(text, `"eventName":"event 7/%é","eventProperties":[{"name":"seats","type":"number"}],"incomingWebhookPlatform":null}`) {
		t.Errorf("%d %s", p.StatusCode, text)
	}
	if p, _ := r.do("GET", "/v1/event-patterns/by-name/none", ""); p.StatusCode != 404 {
		t.Error(p.Status)
	}
}
