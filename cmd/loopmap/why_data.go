package main

import (
	"encoding/json"
	"time"

	"loopmap/mapping/column"
	"loopmap/mapping/outgoing"
	"loopmap/mapping/table"
)

// storyJSON is a story as data.
type storyJSON struct {
	Key        string        `json:"key"`
	There      bool          `json:"there"`
	Note       string        `json:"note,omitempty"`
	Cells      []cellStory   `json:"cells"`
	Deliveries []tellingJSON `json:"deliveries"`
	Pushes     []pushJSON    `json:"pushes"`
}

type cellStory struct {
	Column  string       `json:"column"`
	Type    column.Type  `json:"type"`
	Value   any          `json:"value"`
	Author  table.Author `json:"author"`
	Written *writeJSON   `json:"written,omitempty"`
	Before  *any         `json:"before,omitempty"`
	History []writeJSON  `json:"history,omitempty"`
}

type writeJSON struct {
	Delivery   string     `json:"delivery"`
	Event      string     `json:"event"`
	EventTime  *time.Time `json:"event_time"`
	ReceivedAt time.Time  `json:"received_at"`
	Path       string     `json:"path,omitempty"`
	Rule       bool       `json:"rule,omitempty"`
	Mapping    string     `json:"mapping"`
	Before     any        `json:"before"`
	After      any        `json:"after"`
}

type tellingJSON struct {
	delivery
	Effect string `json:"effect,omitempty"`
	Untold bool   `json:"untold,omitempty"`
}

type pushJSON struct {
	Kind           string          `json:"kind"`
	Status         outgoing.Status `json:"status"`
	Code           int             `json:"code,omitempty"`
	Message        string          `json:"message,omitempty"`
	Attempts       int             `json:"attempts"`
	SentAt         *time.Time      `json:"sent_at"`
	UpdatedAt      time.Time       `json:"updated_at"`
	IdempotencyKey string          `json:"idempotency_key,omitempty"`
	Request        any             `json:"request"` // null where it is not kept
}

func storyData(s *table.Story, whole bool) storyJSON {
	out := storyJSON{Key: s.Key, There: s.There, Note: s.Note, Cells: []cellStory{}, Deliveries: []tellingJSON{}, Pushes: []pushJSON{}}
	told := map[string]delivery{}
	for _, t := range s.Told {
		d := asData(t.Record)
		told[t.ID] = d
		out.Deliveries = append(out.Deliveries, tellingJSON{d, t.Effect, t.Untold})
	}
	for _, c := range s.Cells {
		write := func(w table.Write) writeJSON {
			d := told[w.Delivery]
			return writeJSON{d.ID, d.Event, d.EventTime, d.ReceivedAt, w.Path, w.Rule, w.Mapping, writtenJSON(w.Before), writtenJSON(w.After)}
		}
		cell := cellStory{Column: c.Name, Type: c.Type, Value: valueJSON(c.Field, c.Now), Author: c.Author}
		if last, ok := c.Last(); ok {
			w := write(last)
			cell.Written = &w
		}
		if b, ok := c.Before(); ok {
			v := writtenJSON(b)
			cell.Before = &v
		}
		for _, w := range c.History {
			if whole {
				cell.History = append(cell.History, write(w))
			}
		}
		out.Cells = append(out.Cells, cell)
	}
	for _, l := range s.Pushes {
		p := pushJSON{Kind: l.Kind, Status: l.Status, Code: l.Code, Message: l.Message, Attempts: l.Attempts, UpdatedAt: l.UpdatedAt,
			IdempotencyKey: l.IdempotencyKey}
		if !l.SentAt.IsZero() {
			p.SentAt = &l.SentAt
		}
		if json.Valid(l.Body) {
			p.Request = json.RawMessage(l.Body)
		} else if len(l.Body) > 0 {
			p.Request = string(l.Body)
		}
		out.Pushes = append(out.Pushes, p)
	}
	return out
}

// valueJSON is what the table holds; one that its column's type does not hold is told why.
func valueJSON(f column.Field, c column.Cell) any {
	if c.State == column.Misfit {
		return map[string]string{"unreadable": c.Text}
	}
	return cellJSON(f.Type, c)
}

// writtenJSON is what was written as text: the type may have been another then.
func writtenJSON(c column.Cell) any {
	if c.Empty() {
		return nil
	}
	return c.Text
}
