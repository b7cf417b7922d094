package mapping

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"time"
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
// timestamp. A line without an id gets one made of the body's bytes, so that the same
// body has one effect. A line that says no time was received at now.
func ParseLine(line []byte, now time.Time) (Delivery, error) {
	var all [8]span
	spans := all[:len(lineTrie.nodes)]
	if err := scanJSON(line, lineTrie, spans); err != nil {
		return Delivery{}, err
	}
	if line[skipSpace(line, 0)] != '{' {
		return Delivery{}, unmappable("the line is no JSON object")
	}
	d := Delivery{Received: now, Body: line}
	at := func(slot int) span { return spans[lineTrie.slots[slot]] }
	if body := at(lineBody); body.found() && !at(lineEvent).found() {
		if d.Body = line[body.start:body.end]; d.Body[0] == '"' {
			d.Body = []byte(unquote(string(d.Body)))
		}
		text := func(slot int) string {
			if s := at(slot); s.found() {
				return textOf(jsonValue(string(line[s.start:s.end])))
			}
			return ""
		}
		d.ID = text(lineID)
		if stamp := text(lineTimestamp); stamp != "" {
			n, err := strconv.ParseInt(stamp, 10, 64)
			if err != nil || n <= 0 || n >= milliseconds {
				return Delivery{}, unmappable("timestamp %s is no Unix time in seconds", Printable(stamp))
			}
			d.Received = time.Unix(n, 0)
		} else if stamp := text(lineReceived); stamp != "" {
			t, err := time.Parse(time.RFC3339, stamp)
			if err != nil {
				return Delivery{}, unmappable("received_at %s is no time; RFC 3339 is (2026-11-23T08:00:00Z)", Printable(stamp))
			}
			d.Received = t
		}
	}
	if len(d.ID) > 255 || Printable(d.ID) != d.ID {
		return Delivery{}, unmappable("the id is no webhook-id: at most 255 printable characters")
	}
	if d.ID == "" {
		d.ID = fmt.Sprintf("body_%x", sha256.Sum256(d.Body))[:37]
	}
	return d, nil
}
