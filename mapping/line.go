package mapping

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"time"

	"github.com/tidwall/gjson"
)

// The members of an NDJSON line that wraps a delivery.
const (
	lineEvent = iota
	lineID
	lineTimestamp
	lineReceived
	lineBody
)

var lineTrie = newTrie([]Path{
	MakePath(Step{Key: "eventName"}),
	MakePath(Step{Key: "id"}),
	MakePath(Step{Key: "timestamp"}),
	MakePath(Step{Key: "received_at"}),
	MakePath(Step{Key: "body"}),
})

// ParseLine reads a line of an NDJSON file of deliveries: a webhook's body as it is,
// or {"id": webhook-id, "timestamp": Unix seconds, "body": ...} around it, where the
// body may also be a string that holds it, and received_at (RFC 3339) stand for the
// timestamp. A line without an id (or with null) gets one made of the body's bytes, so
// that the same body has one effect. A line that says no time was received at now.
func ParseLine(line []byte, now time.Time) (Delivery, error) {
	var all [8]span
	spans := all[:len(lineTrie.nodes)]
	if err := scanJSON(line, lineTrie, spans); err != nil {
		return Delivery{}, err
	}
	if line[skipSpace(line, 0)] != '{' {
		return Delivery{}, unmappable("the line is not a JSON object")
	}
	d := Delivery{Received: now, Body: line}
	at := func(slot int) span { return spans[lineTrie.slots[slot]] }
	if body := at(lineBody); body.found() && !at(lineEvent).found() {
		switch d.Body = line[body.start:body.end]; d.Body[0] {
		case '{':
		case '"':
			d.Body = []byte(unquote(string(d.Body)))
		case 'n':
			return Delivery{}, unmappable("the body is null: it is not kept there")
		default:
			return Delivery{}, unmappable("the body is %s; an object is one, or a text that holds it", kindOf(gjson.ParseBytes(d.Body)))
		}
		member := func(slot int) string { // null is absent
			if s := at(slot); s.found() && string(line[s.start:s.end]) != "null" {
				return string(line[s.start:s.end])
			}
			return ""
		}
		if id := member(lineID); id != "" && id[0] != '"' {
			return Delivery{}, unmappable("the id is %s, which is not a webhook-id: a text is", Excerpt(jsonValue(id)))
		} else if id != "" {
			d.ID = unquote(id)
		}
		if stamp := member(lineTimestamp); stamp != "" {
			text := textOf(jsonValue(stamp))
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil || n <= 0 || n >= milliseconds {
				return Delivery{}, unmappable("timestamp %s is no Unix time in seconds", Printable(text))
			}
			d.Received = time.Unix(n, 0)
		} else if stamp := member(lineReceived); stamp != "" {
			text := textOf(jsonValue(stamp))
			t, ok := ParseTime(text)
			if !ok {
				return Delivery{}, unmappable("received_at %s is not a time; RFC 3339 is (2026-11-23T08:00:00Z)", Printable(text))
			}
			d.Received = t
		}
	}
	if len(d.ID) > 255 || Printable(d.ID) != d.ID {
		return Delivery{}, unmappable("the id is not a webhook-id: at most 255 printable characters")
	}
	if d.ID == "" {
		d.ID = fmt.Sprintf("body_%x", sha256.Sum256(d.Body))[:37]
	}
	return d, nil
}
