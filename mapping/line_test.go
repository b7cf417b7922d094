package mapping

import (
	"testing"
	"time"
)

func TestParseLine(t *testing.T) {
	now := time.Unix(1795421000, 0)
	body := `{"eventName":"contact.created","id":"not this","body":"nor this"}`
	for line, want := range map[string]Delivery{
		body: {ID: "body_", Received: now, Body: []byte(body)},
		`{"id":"msg_1","timestamp":"1795420000","body":{"a": 1.0}}`:                         {ID: "msg_1", Received: time.Unix(1795420000, 0), Body: []byte(`{"a": 1.0}`)},
		`{"id":"msg_2","timestamp":1795420000,"body":"{\"a\":\"\\u00e9\\n\"}"}`:             {ID: "msg_2", Received: time.Unix(1795420000, 0), Body: []byte(`{"a":"\u00e9\n"}`)},
		`{"body":{},"id":"msg_3","received_at":"2026-11-23T08:00:00.5Z","event":"x"} ` + "": {ID: "msg_3", Received: time.Date(2026, 11, 23, 8, 0, 0, 5e8, time.UTC), Body: []byte(`{}`)},
		`{"id":null,"timestamp":null,"received_at":null,"body":{}}`:                         {ID: "body_", Received: now, Body: []byte(`{}`)},
		`{"id":"null","body":{}}`: {ID: "null", Received: now, Body: []byte(`{}`)},
		`{"body":{}}`:             {ID: "body_", Received: now, Body: []byte(`{}`)},
	} {
		d, err := ParseLine([]byte(line), now)
		if want.ID == "body_" && len(d.ID) == 37 {
			d.ID = d.ID[:5]
		}
		if err != nil || d.ID != want.ID || !d.Received.Equal(want.Received) || string(d.Body) != string(want.Body) {
			t.Errorf("%s\ngives %+v %s %v", line, d, d.Body, err)
		}
	}
	for _, line := range []string{"", "[]", `{"a":`, `"x"`, `{"id":"a\u001bb","body":{}}`,
		`{"timestamp":1700000000000,"body":{}}`, `{"timestamp":"yesterday","body":{}}`, `{"received_at":"today","body":{}}`,
		`{"id":1,"body":{}}`, `{"id":true,"body":{}}`, `{"id":[],"body":{}}`, `{"id":{},"body":{}}`, `{"id":-0.5e1,"body":{}}`,
		`{"timestamp":true,"body":{}}`, `{"received_at":{},"body":{}}`, `{"id":"a","body":null}`, `{"id":"a","body":[]}`, `{"id":"a","body":7}`} {
		if d, err := ParseLine([]byte(line), now); err == nil {
			t.Errorf("%q gives %+v", line, d)
		}
	}
}
