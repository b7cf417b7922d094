package mapping

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
	"unsafe"

	"loopmap/mapping/body"
	"loopmap/mapping/column"
)

// Delivery is one webhook as it arrived.
type Delivery struct {
	ID       string    // webhook-id (Standard Webhooks)
	Received time.Time // when it arrived here
	Body     []byte    // the exact bytes; never changed
}

// Row is what a delivery says of one row of the table.
type Row struct {
	Facts
	Action Action
	Key    string        // the key column's text; "" when the delivery has none
	Cells  []column.Cell // one for each of [Mapping.Columns]
}

// Facts are what every Loops webhook says of itself (Loops docs: Webhooks,
// common fields). What a body lacks is the zero value.
type Facts struct {
	Event     string    // eventName
	EventTime time.Time // eventTime, Unix seconds, in UTC
	ContactID string    // contactIdentity.id
	Email     string    // contactIdentity.email
}

// ErrIgnored is the error of a delivery whose event the mapping does not list.
var ErrIgnored = errors.New("the mapping does not list this event")

// Unmappable is the error of a delivery that the mapping cannot turn into a row.
// The same bytes would fail again: only another mapping helps.
type Unmappable struct {
	Reason string // for people; no contact data beyond short excerpts of misfits
}

func (e *Unmappable) Error() string { return e.Reason }

func unmappable(format string, args ...any) *Unmappable {
	return &Unmappable{fmt.Sprintf(format, args...)}
}

// The paths that every delivery is asked for, beside its columns.
const (
	slotEvent = iota
	slotTime
	slotID
	slotEmail
	slotContact
	slotSource
	firstColumn
)

var factPaths = []Path{
	body.MakePath(body.Step{Key: "eventName"}),
	body.MakePath(body.Step{Key: "eventTime"}),
	body.MakePath(body.Step{Key: "contactIdentity"}, body.Step{Key: "id"}),
	body.MakePath(body.Step{Key: "contactIdentity"}, body.Step{Key: "email"}),
	body.MakePath(body.Step{Key: "contact"}),
	body.MakePath(body.Step{Key: "contact"}, body.Step{Key: "source"}),
}

// FactsOf reads the facts of any delivery, mapped or not. A body that is no JSON
// has none.
func FactsOf(raw []byte) Facts {
	t := body.NewFinder(factPaths)
	spans := t.Room()
	if t.Find(raw, spans) != nil {
		return Facts{}
	}
	return readFacts(string(raw), t, spans)
}

func readFacts(raw string, t *body.Finder, spans []body.Span) (f Facts) {
	f.Event = stringAt(raw, t.At(spans, slotEvent))
	f.ContactID = stringAt(raw, t.At(spans, slotID))
	f.Email = stringAt(raw, t.At(spans, slotEmail))
	if s := t.At(spans, slotTime); s.Found() {
		if n, err := strconv.ParseInt(raw[s.Start:s.End], 10, 64); err == nil && n > 0 && n < body.Milliseconds {
			f.EventTime = time.Unix(n, 0).UTC()
		}
	}
	return f
}

// stringAt is the JSON string at s as text; "" when there is none or it holds
// what databases cannot keep.
func stringAt(raw string, s body.Span) string {
	if !s.Found() || raw[s.Start] != '"' || body.NotText(raw[s.Start:s.End]) != "" {
		return ""
	}
	return body.Unquote(raw[s.Start:s.End])
}

// plan is a mapping made ready for reading bodies.
type plan struct {
	finder  *body.Finder
	columns []Column // of the mapping, those of rules included
	key     int      // index of the key column
	keyPath int      // where every event has the key: index of the path
	rules   ruleSlots
	spans   sync.Pool
}

func newPlan(m *Mapping) *plan {
	paths := append([]Path(nil), factPaths...)
	p := &plan{key: -1, columns: m.allColumns()}
	for i, c := range m.Receive.Columns {
		paths = append(paths, c.From)
		if c.Name == m.Key {
			p.key = i
		}
	}
	if p.key >= 0 {
		from, _ := identity(m.Receive.Columns[p.key].From)
		p.keyPath, paths = len(paths), append(paths, from)
	}
	if len(m.Receive.Rules) > 0 {
		paths = p.addRules(m, paths)
	}
	p.finder = body.NewFinder(paths)
	p.spans.New = func() any {
		s := p.finder.Room()
		return &s
	}
	return p
}

// Row maps one delivery: the pure function that the preview, the checks and the
// receiver share. The error is nil, [ErrIgnored], or an *[Unmappable]; the row's
// facts and cells are filled as far as the body goes in every case.
func (m *Mapping) Row(d Delivery) (Row, error) {
	p := m.compiled()
	pooled := p.spans.Get().(*[]body.Span)
	defer p.spans.Put(pooled)
	spans := *pooled
	clear(spans)

	row := Row{Cells: make([]column.Cell, len(p.columns))}
	if err := p.finder.Find(d.Body, spans); err != nil {
		return row, unmappable("%v", err)
	}
	if err := body.CheckObject(d.Body); err != nil {
		return row, unmappable("%v", err)
	}
	raw := unsafe.String(unsafe.SliceData(d.Body), len(d.Body)) // which is never changed
	row.Facts = readFacts(raw, p.finder, spans)
	if row.Event != "" && !m.Receive.Lists(row.Event) && m.Receive.Ruled(row.Event) {
		return row, m.ruledRow(&row, raw, spans)
	}
	for i, c := range m.Receive.Columns {
		if s := p.finder.At(spans, firstColumn+i); s.Found() {
			row.Cells[i] = c.Type.Read(body.ValueAt(raw, s), m.Dialect)
		}
	}
	row.readKey(p)
	if row.Event == ContactDeleted && row.Key == "" { // the row is to know, whatever the mapping makes of it
		m.identify(&row, raw, spans)
	}
	if row.Event == "" {
		return row, unmappable("the body has no eventName: it is not a Loops webhook")
	}
	if !m.Receive.Lists(row.Event) {
		return row, ErrIgnored
	}
	if s := p.finder.At(spans, slotContact); row.Event == ContactCreated && (!s.Found() || raw[s.Start] != '{') {
		return row, unmappable("%s without a contact object", ContactCreated)
	}
	if m.Push.made(stringAt(raw, p.finder.At(spans, slotSource))) {
		row.Action = Update // the row that it was made from is there, perhaps under another key
	}
	if len(m.Receive.Rules) > 0 {
		m.applyRules(&row, raw, spans)
	}
	return row, m.checkCells(&row)
}

// ruledRow fills the row of an event that only rules name.
func (m *Mapping) ruledRow(row *Row, body string, spans []body.Span) error {
	p := m.compiled()
	m.identify(row, body, spans)
	row.Action = Update
	if !m.applyRules(row, body, spans) {
		return ErrIgnored
	}
	if row.Action == Delete { // whatever other rules set
		key := row.Cells[p.key]
		clear(row.Cells)
		row.Cells[p.key] = key
	}
	return m.checkCells(row)
}

// identify reads the key from where every event that has a contact holds it.
func (m *Mapping) identify(row *Row, raw string, spans []body.Span) {
	p := m.compiled()
	if p.key < 0 {
		return
	}
	if s := p.finder.At(spans, p.keyPath); s.Found() {
		row.Cells[p.key] = p.columns[p.key].Type.Read(body.ValueAt(raw, s), m.Dialect)
		row.readKey(p)
	}
}

func (r *Row) readKey(p *plan) {
	if p.key >= 0 && r.Cells[p.key].State == column.Present {
		r.Key = r.Cells[p.key].Text
	}
}

// maxKey is how long a key may be in bytes: PostgreSQL's indexes hold entries of a third
// of a page.
const maxKey = 2000

func (m *Mapping) checkCells(row *Row) error {
	var why []string
	for i, c := range m.compiled().columns {
		if cell := row.Cells[i]; cell.State == column.Misfit {
			from := " from " + c.From.String()
			if c.From.Len() == 0 {
				from = ""
			}
			why = append(why, fmt.Sprintf("column %s (%s)%s: %s", c.Name, c.Type, from, cell.Text))
		}
	}
	if len(why) > 3 {
		why = append(why[:3], fmt.Sprintf("and %d more", len(why)-3))
	}
	if len(why) > 0 {
		return unmappable("%s", strings.Join(why, "; "))
	}
	if len(row.Key) > maxKey {
		why := fmt.Sprintf("the key column %s has %d bytes; rows are told apart by at most %d, which an index holds", m.Key, len(row.Key), maxKey)
		row.Key = ""
		return unmappable("%s", why)
	}
	if row.Key == "" {
		return unmappable("the key column %s has no value: %s is missing, null or empty", m.Key, m.column(m.Key).From)
	}
	return nil
}
