package loopstest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"loopmap/mapping/loops/loopstest"
)

func TestUpdate(t *testing.T) {
	r := start(t, loopstest.Options{}, true)
	id := r.put(200, `{"email":"Ann@x.example","userId":"7","firstName":"Ann","teamSize":12345678901234567890,"renewsAt":"2026-12-07","mailingLists":{"`+product+`":true}}`)
	want := `{"id":"","email":"Ann@x.example","firstName":"Ann","lastName":null,"source":"API","subscribed":true,"userGroup":"","userId":"7","notes":null,` +
		`"mailingLists":{"` + product + `":true},"optInStatus":null,"renewsAt":"2026-12-07T00:00:00.000Z","teamSize":12345678901234567890}`
	if got := r.contact("ann@X.example"); got != want {
		t.Errorf("made\n%s\nwant\n%s", got, want)
	}
	// What is left out stays, null empties, "" is a value.
	if again := r.put(200, `{"userId":"7","firstName":null,"lastName":"","teamSize":1e3,"source":"loopmap","userGroup":null}`); again != id {
		t.Errorf("the id was %s and is %s", id, again)
	}
	want = `{"id":"","email":"Ann@x.example","firstName":null,"lastName":"","source":"loopmap","subscribed":true,"userGroup":"","userId":"7","notes":null,` +
		`"mailingLists":{"` + product + `":true},"optInStatus":null,"renewsAt":"2026-12-07T00:00:00.000Z","teamSize":1e3}`
	if got := r.contact("ann@x.example"); got != want {
		t.Errorf("changed\n%s\nwant\n%s", got, want)
	}
	r.put(200, `{"email":"ann@x.example","subscribed":false,"mailingLists":{"`+product+`":false,"`+investors+`":true}}`)
	if c, _ := r.Contact("ann@x.example"); c.Subscribed || len(c.Lists) != 1 || !c.Lists[investors] {
		t.Errorf("%+v", c)
	}
}

func TestIdentity(t *testing.T) {
	r := start(t, loopstest.Options{Now: newClock().Now}, true) // it stands still
	r.put(200, `{"email":"a@x.example","userId":"1"}`)
	r.put(200, `{"email":"b@x.example","userId":"2"}`)
	r.put(400, `{"userId":"nobody"}`)
	r.put(400, `{"email":"a@x.example","userId":"2"}`) // of two contacts
	r.put(200, `{"email":"new@x.example","userId":"1"}`)
	r.put(200, `{"email":"b@x.example","userId":"3"}`)
	if _, ok := r.Contact("a@x.example"); ok || len(r.Contacts()) != 2 {
		t.Errorf("%+v", r.Contacts())
	}
	r.put(200, `{"email":"a@x.example","userId":"2"}`) // both are free again
	for email, id := range map[string]string{"new@x.example": "1", "b@x.example": "3", "a@x.example": "2"} {
		if c, _ := r.Contact(email); c.UserID != id || len(c.ID) != 25 {
			t.Errorf("%s: %+v", email, c)
		}
	}
	list := r.Contacts()
	for i := range list[1:] {
		if list[i].ID >= list[i+1].ID {
			t.Errorf("ids do not grow: %s %s", list[i].ID, list[i+1].ID)
		}
	}
}

func TestUpdateRefuses(t *testing.T) {
	r := start(t, loopstest.Options{}, true)
	with := func(member string) string { return `{"email":"a@x.example",` + member + `}` }
	for body, message := range map[string]string{
		`{}`:                         "An email or a userId is required",
		`{"firstName":"A"}`:          "An email or a userId is required",
		`[]`:                         "The body must be a JSON object",
		`null`:                       "The body must be a JSON object",
		`{"email":"a@x.example"`:     "The body must be a JSON object",
		`{"email":"a@x.example"} {}`: "The body must be a JSON object",
		"{\"email\":\"a@x.example\",\"plan\":\"\xff\"}": "The body must be a JSON object",
		`{"email":"a"}`:                                    "Invalid email address",
		`{"email":"A <a@x.example>"}`:                      "Invalid email address",
		`{"email":" a@x.example"}`:                         "Invalid email address",
		`{"email":"a@localhost"}`:                          "Invalid email address",
		`{"email":null}`:                                   "email must be a string",
		`{"email":""}`:                                     "Invalid email address",
		`{"userId":7}`:                                     "userId must be a string",
		`{"userId":""}`:                                    "userId is empty",
		with(`"source":1`):                                 "source must be a string",
		with(`"subscribed":"true"`):                        "subscribed must be a boolean",
		with(`"subscribed":null`):                          "subscribed must be a boolean",
		with(`"mailingLists":[]`):                          "mailingLists must be an object",
		with(`"mailingLists":{"x":true}`):                  "Mailing list x does not exist",
		with(`"mailingLists":{"` + product + `":1}`):       "Mailing list " + product + " must be true or false",
		with(`"id":"x"`):                                   "id is a reserved name",
		with(`"updatedAt":1`):                              "updatedAt is a reserved name",
		with(`"plan":["a"]`):                               "plan must be a string, a number, a boolean or null",
		with(`"plan":{}`):                                  "plan must be a string, a number, a boolean or null",
		with(`"plan":1`):                                   "plan must be a string, not a number",
		with(`"firstName":true`):                           "firstName must be a string, not a boolean",
		with(`"teamSize":"12"`):                            "teamSize must be a number, not a string",
		with(`"vip":1`):                                    "vip must be a boolean, not a number",
		with(`"renewsAt":true`):                            "renewsAt is not a date: ",
		with(`"` + strings.Repeat("k", 499) + `":1`):       "A body key or value is too long",
		with(`"plan":"` + strings.Repeat("v", 499) + `"`):  "A body key or value is too long",
		with(`"plan":"` + strings.Repeat("😀", 250) + `"`):  "A body key or value is too long",
		with(`"plan":"` + strings.Repeat(`\"`, 250) + `"`): "A body key or value is too long",
	} {
		var got struct {
			Success *bool
			Message string
		}
		text := r.put(400, body)
		if err := json.Unmarshal([]byte(text), &got); err != nil || got.Success == nil || *got.Success || !strings.HasPrefix(got.Message, message) || message == "" {
			t.Errorf("%.80s: %s", body, text)
		}
	}
	if len(r.Contacts()) > 0 {
		t.Errorf("a refused call made %+v", r.Contacts())
	}
	for _, body := range []string{
		with(`"plan":"` + strings.Repeat("v", 498) + `"`),
		with(`"plan":"` + strings.Repeat("é", 498) + `"`),
		with(`"plan":"` + strings.Repeat("😀", 249) + `"`),
		with(`"unknown":1,"notes":"x","createdAt":1`), // ignored
	} {
		r.put(200, body)
	}
	if p, _ := r.do("PUT", "/v1/contacts/update", with(`"plan":"a"`), "Content-Type", "text/plain"); p.StatusCode != 400 {
		t.Errorf("text/plain: %d", p.StatusCode)
	}
}

func TestDates(t *testing.T) {
	r := start(t, loopstest.Options{}, true)
	for value, want := range map[string]string{
		`1796601600000`:                   "2026-12-07T00:00:00.000Z",
		`"1796601600123"`:                 "2026-12-07T00:00:00.123Z",
		`-1`:                              "1969-12-31T23:59:59.999Z",
		`"2026-12-07"`:                    "2026-12-07T00:00:00.000Z",
		`"2026-12-07T09:30"`:              "2026-12-07T09:30:00.000Z",
		`"2026-12-07 09:30:15"`:           "2026-12-07T09:30:15.000Z",
		`"2026-12-07 09:30:15.250"`:       "2026-12-07T09:30:15.250Z",
		`"2026-12-07T09:30:15.250Z"`:      "2026-12-07T09:30:15.250Z",
		`"2026-12-07T09:30+02:00"`:        "2026-12-07T07:30:00.000Z",
		`"2026-12-07 09:30:15.250-05:30"`: "2026-12-07T15:00:15.250Z",
		`"2024-02-29"`:                    "2024-02-29T00:00:00.000Z",
	} {
		r.put(200, `{"email":"a@x.example","renewsAt":`+value+`}`)
		if c, _ := r.Contact("a@x.example"); string(c.Values["renewsAt"]) != `"`+want+`"` {
			t.Errorf("%s is kept as %s, want %s", value, c.Values["renewsAt"], want)
		}
	}
	for _, value := range []string{
		`1.5`, `1e12`, `9000000000000000`, `"soon"`, `""`, `"2025-02-29"`, `"2026-13-01"`, `"2026-12-07T24:00"`, `"2026-12-07T09:30:15.5"`,
		`"2026-12-07T09:30:15.123456"`, `"2026-12-07T09:30.250"`, `"2026-12-07Z"`, `"07.12.2026"`, `" 2026-12-07"`, `"2026-12-07T09:30+0200"`,
	} {
		r.put(400, `{"email":"a@x.example","renewsAt":`+value+`}`)
	}
}

func TestCreateFindDelete(t *testing.T) {
	r := start(t, loopstest.Options{}, true)
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"POST", "create", `{"userId":"1"}`, 400, "An email is required"},
		{"POST", "create", `{"email":"a+b@x.example","userId":"1","plan":"pro"}`, 200, `"success":true,"id":"c`},
		{"POST", "create", `{"email":"A+B@x.example"}`, 409, "Email or userId is already on list."},
		{"POST", "create", `{"email":"c@x.example","userId":"1"}`, 409, "Email or userId is already on list."},
		{"GET", "find?email=a%2Bb%40x.example", "", 200, `"email":"a+b@x.example"`},
		{"GET", "find?userId=1", "", 200, `"plan":"pro"}]`},
		{"GET", "find?email=nobody%40x.example", "", 200, "[]"},
		{"GET", "find", "", 400, "Exactly one"},
		{"GET", "find?email=a&userId=1", "", 400, "Exactly one"},
		{"POST", "delete", `{}`, 400, "Exactly one"},
		{"POST", "delete", `{"email":"a+b@x.example","userId":"1"}`, 400, "Exactly one"},
		{"POST", "delete", `{"userId":1}`, 400, "userId must be a string"},
		{"POST", "delete", `{"userId":"2"}`, 404, `{"success":false,"message":"Contact not found."}`},
		{"POST", "delete", `{"userId":"1"}`, 200, `{"success":true,"message":"Contact deleted."}`},
		{"POST", "delete", `{"email":"a+b@x.example"}`, 404, "Contact not found."},
	} {
		p, text := r.do(c.method, "/v1/contacts/"+c.path, c.body)
		if p.StatusCode != c.status || !strings.Contains(text, c.want) {
			t.Errorf("%s %s: %d %s, want %d %s", c.path, c.body, p.StatusCode, text, c.status, c.want)
		}
	}
	if len(r.Contacts()) > 0 {
		t.Errorf("%+v", r.Contacts())
	}
}

func TestApp(t *testing.T) {
	r := start(t, loopstest.Options{}, true)
	c, err := r.Add(loopstest.Contact{Email: "a@x.example", UserID: "1", Lists: map[string]bool{product: true}, Values: map[string]json.RawMessage{"teamSize": json.RawMessage(" 9007199254740993 ")}})
	if err != nil || c.Source != "App" || !c.Subscribed || string(c.Values["teamSize"]) != "9007199254740993" || !c.Lists[product] {
		t.Fatalf("%+v %v", c, err)
	}
	c.Values["teamSize"][0], c.Lists[product] = 'x', false // a copy
	if c, _ := r.Contact("a@x.example"); !c.Lists[product] || string(c.Values["teamSize"]) != "9007199254740993" {
		t.Error("the server's contact was changed from outside")
	}
	for name, c := range map[string]loopstest.Contact{
		"address":  {Email: "a"},
		"twice":    {Email: "A@x.example"},
		"user":     {Email: "b@x.example", UserID: "1"},
		"list":     {Email: "b@x.example", Lists: map[string]bool{"x": true}},
		"property": {Email: "b@x.example", Values: map[string]json.RawMessage{"x": json.RawMessage("1")}},
		"type":     {Email: "b@x.example", Values: map[string]json.RawMessage{"vip": json.RawMessage("1")}},
		"JSON":     {Email: "b@x.example", Values: map[string]json.RawMessage{"vip": nil}},
		"length":   {Email: "b@x.example", Values: map[string]json.RawMessage{"plan": json.RawMessage(`"` + strings.Repeat("x", 499) + `"`)}},
	} {
		if _, err := r.Add(c); err == nil {
			t.Errorf("a wrong %s is no error", name)
		}
	}
	if p, _ := r.do("POST", "/v1/contacts/delete", `{"userId":"1"}`); p.StatusCode != 200 {
		t.Error(p.Status)
	}
	if _, text := r.do("GET", "/v1/contacts/find?userId=1", ""); text != "[]" {
		t.Errorf("the user id is kept: %s", text)
	}
	r.put(200, `{"email":"b@x.example","userId":"1"}`)
	if _, text := r.do("GET", "/v1/contacts/find?userId=1", ""); !strings.HasSuffix(text, `"mailingLists":{},"optInStatus":null}]`) {
		t.Errorf("what is not set is shown: %s", text)
	}
}
