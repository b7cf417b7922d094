package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"loopmap/mapping/body"
	"loopmap/mapping/outgoing"
	"loopmap/mapping/push"
	"loopmap/mapping/table"
)

// planned is a step as --dry-run prints it.
type planned struct {
	Row     string          `json:"row"`
	Kind    string          `json:"kind"`
	Status  string          `json:"status,omitempty"` // of what is not sent
	Reason  string          `json:"reason,omitempty"`
	Method  string          `json:"method,omitempty"`
	Path    string          `json:"path,omitempty"`
	Key     string          `json:"idempotency_key,omitempty"`
	Body    json.RawMessage `json:"body,omitempty"`
	Resumes bool            `json:"resumes,omitempty"` // it was begun before, and may have arrived
	Create  json.RawMessage `json:"create,omitempty"`  // body of POST /v1/contacts/create, which comes first
}

func plannedOf(key string, st outgoing.Step) planned {
	p := planned{Row: key, Kind: st.Kind, Status: string(st.Status), Reason: st.Reason}
	if r := st.Request; r != nil {
		p.Method, p.Path, p.Key, p.Body, p.Resumes, p.Create = r.Method, r.Path, r.IdempotencyKey, r.Body, st.Resumes, r.Create
	}
	return p
}

// print writes a request as it would go out, a line for each part.
func (p planned) print(w io.Writer, indent string) {
	line := func(format string, args ...any) {
		fmt.Fprintln(w, indent+body.Printable(fmt.Sprintf(format, args...)))
	}
	switch {
	case p.Method == "" && p.Status == "":
		line("%s: %s", p.Kind, p.Reason)
		return
	case p.Method == "":
		line("%s: %s: %s", p.Kind, p.Status, p.Reason)
		return
	case p.Resumes:
		line("%s %s (begun before; it may have arrived)", p.Method, p.Path)
	default:
		line("%s %s", p.Method, p.Path)
	}
	if p.Key != "" {
		line("Idempotency-Key: %s", p.Key)
	}
	line("%s", p.Body)
	if p.Create != nil {
		line("(first POST /v1/contacts/create, should Loops not have the contact: %s)", p.Create)
	}
}

// dryRun prints what a run would send: one JSON object a line with -o json.
func (a *app) dryRun(ctx context.Context, store *table.Store, job push.Job) error {
	requests, rows := 0, 0
	out := jsonEncoder(a.stdout)
	err := (&push.Pusher{Store: store}).Plan(ctx, job, func(key string, steps []outgoing.Step) error {
		shown := false
		for _, st := range steps {
			p := plannedOf(key, st)
			if p.Method != "" {
				requests++
			}
			if a.output == "json" {
				if err := out.Encode(p); err != nil {
					return err
				}
				continue
			}
			if !shown {
				shown = true
				if rows++; rows > 1 {
					fmt.Fprintln(a.stdout)
				}
				fmt.Fprintln(a.stdout, "row "+body.Printable(key))
			}
			p.print(a.stdout, "    ")
		}
		return nil
	})
	if err == nil {
		a.say("%s, nothing is sent; at the pace that Loops allows it would take %s", count(requests, "request"), lasts(requests))
		_, err = a.keyless(ctx, store, job)
	}
	return err
}

// lasts is how long so many requests take at the least.
func lasts(requests int) string {
	d := time.Duration(float64(requests)/push.NewPace().PerSecond()*1000) * time.Millisecond
	if d < time.Second {
		return "less than a second"
	}
	return "about " + d.Round(time.Second).String()
}
