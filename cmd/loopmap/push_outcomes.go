package main

import (
	"fmt"
	"io"
	"slices"
	"time"

	"loopmap/mapping/outgoing"
	"loopmap/mapping/push"
)

// mostOutcomes bounds what is kept of outcomes for printing: loopmap_pushes has all.
const mostOutcomes = 1000

func wentWrong(s outgoing.Status) bool {
	return s == outgoing.Failed || s == outgoing.Pending
}

// add keeps an outcome. Where there are too many, those that went wrong are worth more.
func (p *pushed) add(o outcome) {
	if len(p.Outcomes) < mostOutcomes {
		p.Outcomes = append(p.Outcomes, o)
		return
	}
	p.More++
	if !wentWrong(outgoing.Status(o.Status)) {
		return
	}
	well := func(o outcome) bool { return !wentWrong(outgoing.Status(o.Status)) }
	if i := slices.IndexFunc(p.Outcomes, well); i >= 0 {
		p.Outcomes = append(slices.Delete(p.Outcomes, i, i+1), o)
	}
}

// pushed is what `loopmap push` prints with -o json.
type pushed struct {
	push.Counts
	Keyless  int       `json:"keyless,omitempty"` // rows whose key is NULL
	Seconds  float64   `json:"seconds"`
	Outcomes []outcome `json:"outcomes"`                // as text: of all with --rows or --row, else of those that were not sent
	More     int       `json:"more_outcomes,omitempty"` // that are not listed
}

type outcome struct {
	Row     string `json:"row"`
	Kind    string `json:"kind"`
	Status  string `json:"status"`
	Code    int    `json:"code,omitempty"`
	Message string `json:"message,omitempty"`

	words string // status and code, for people
}

// nothingOf is why a row sends nothing of a kind.
func nothingOf(key string, st outgoing.Step) outcome {
	o := outcome{Row: key, Kind: st.Kind, Status: string(st.Status), Message: st.Reason, words: "nothing to send"}
	switch st.Status {
	case "":
		o.Status = "nothing"
	case outgoing.NotMet:
		o.words = "not met"
	case outgoing.Failed:
		o.words = "failed before"
	case outgoing.Sent, outgoing.Pending:
	}
	return o
}

func outcomeOf(key string, l outgoing.Line) outcome {
	return outcome{key, l.Kind, string(l.Status), l.Code, l.Message, l.Outcome()}
}

func (p *pushed) print(w io.Writer) error {
	var rows [][]string
	for _, o := range p.Outcomes {
		rows = append(rows, []string{o.Row, o.Kind, o.words, o.Message})
	}
	if err := printTable(w, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%s looked at: %s, in %s\n", count(p.Rows, "row"), p.Counts,
		time.Duration(p.Seconds*float64(time.Second)).Round(100*time.Millisecond))
	if others := p.Others(); err == nil && others != "" {
		_, err = fmt.Fprintf(w, "%s\n", others)
	}
	return err
}
