package mapping

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"time"

	"github.com/tidwall/gjson"

	"loopmap/mapping/body"
)

// The members of an NDJSON line that wraps a delivery.
const (
	lineEvent = iota
	lineID
	lineTimestamp
	lineReceived
	lineBody
)

var lineFinder = body.NewFinder([]Path{
	body.MakePath(body.Step{Key: "eventName"}),
	body.MakePath(body.Step{Key: "id"}),
	body.MakePath(body.Step{Key: "timestamp"}),
	body.MakePath(body.Step{Key: "received_at"}),
	body.MakePath(body.Step{Key: "body"}),
})

// ParseLine reads a line of an NDJSON file of deliveries: a webhook's body as it is,
// or {"id": webhook-id, "timestamp": Unix seconds, "body": ...} around it, where the
// body may also be a string that holds it, and received_at (RFC 3339) stand for the
// timestamp. A line without an id (or with null) gets one made of the body's bytes, so
// that the same body has one effect. A line that says no time was received at now.
func ParseLine(line []byte, now time.Time) (Delivery, error) {
	spans := lineFinder.Room()
	if err := lineFinder.Find(line, spans); err != nil {
		return Delivery{}, err
	}
	if body.CheckObject(line) != nil {
		return Delivery{}, unmappable("the line is not a JSON object")
	}
	d := Delivery{Received: now, Body: line}
	at := func(slot int) body.Span { return lineFinder.At(spans, slot) }
	if raw := at(lineBody); raw.Found() && !at(lineEvent).Found() {
		switch d.Body = line[raw.Start:raw.End]; d.Body[0] {
		case '{':
		case '"':
			d.Body = []byte(body.Unquote(string(d.Body)))
		case 'n':
			return Delivery{}, unmappable("the body is null: it is not kept there")
		default:
			return Delivery{}, unmappable("the body is %s; an object is one, or a text that holds it", body.KindOf(gjson.ParseBytes(d.Body)))
		}
		member := func(slot int) string { // null is absent
			if s := at(slot); s.Found() && string(line[s.Start:s.End]) != "null" {
				return string(line[s.Start:s.End])
			}
			return ""
		}
		if id := member(lineID); id != "" && id[0] != '"' {
			return Delivery{}, unmappable("the id is %s, which is not a webhook-id: a text is", body.Excerpt(body.Value(id)))
		} else if id != "" {
			d.ID = body.Unquote(id)
		}
		if stamp := member(lineTimestamp); stamp != "" {
			text := body.TextOf(body.Value(stamp))
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil || n <= 0 || n >= body.Milliseconds {
				return Delivery{}, unmappable("timestamp %s is not a Unix time in seconds", body.Printable(text))
			}
			d.Received = time.Unix(n, 0)
		} else if stamp := member(lineReceived); stamp != "" {
			text := body.TextOf(body.Value(stamp))
			t, ok := body.ParseTime(text)
			if !ok {
				return Delivery{}, unmappable("received_at %s is not a time; RFC 3339 is (2026-11-23T08:00:00Z)", body.Printable(text))
			}
			d.Received = t
		}
	}
	if len(d.ID) > 255 || body.Printable(d.ID) != d.ID {
		return Delivery{}, unmappable("the id is not a webhook-id: at most 255 printable characters")
	}
	if d.ID == "" {
		d.ID = fmt.Sprintf("body_%x", sha256.Sum256(d.Body))[:37]
	}
	return d, nil
}
